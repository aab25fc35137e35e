"""A passkey in software: answers like a device, and like one that is wrong in a way that a test chooses."""

from __future__ import annotations

import hashlib
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

PRESENT = AuthenticatorData.FLAG.UP
VERIFIED = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV


class SoftPasskey:
    """One credential for one site."""

    def __init__(self, origin: str, handle: bytes, *, counts: bool = True) -> None:
        self.origin, self.handle = origin, handle
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = hashlib.sha256(handle + origin.encode() + str(id(self)).encode()).digest()
        self.counter = 1 if counts else 0

    def make(self, options: dict[str, Any], **wrong: Any) -> dict[str, Any]:
        """Answer `navigator.credentials.create`."""
        public = ES256.from_cryptography_key(self.key.public_key())  # type: ignore[no-untyped-call]
        made = AttestedCredentialData.create(Aaguid.NONE, self.id, public)
        data = AuthenticatorData.create(
            self._site(wrong),
            wrong.get("flags", VERIFIED | AuthenticatorData.FLAG.AT),
            self.counter,
            bytes(made),
        )
        client = self._client(CollectedClientData.TYPE.CREATE, options, wrong)
        statement = AttestationObject.create("none", data, {})
        return self._answer({"clientDataJSON": client, "attestationObject": statement})

    def show(self, options: dict[str, Any], **wrong: Any) -> dict[str, Any]:
        """Answer `navigator.credentials.get`; `flags`, `origin`, `challenge`, `handle` may be wrong."""
        self.counter += wrong.get("steps", 1 if self.counter else 0)
        data = AuthenticatorData.create(self._site(wrong), wrong.get("flags", VERIFIED), self.counter)
        client = self._client(CollectedClientData.TYPE.GET, options, wrong)
        signature = self.key.sign(bytes(data) + client.hash, ec.ECDSA(hashes.SHA256()))
        return self._answer(
            {
                "clientDataJSON": client,
                "authenticatorData": data,
                "signature": signature,
                "userHandle": wrong.get("handle", self.handle),
            }
        )

    def _site(self, wrong: dict[str, Any]) -> bytes:
        return hashlib.sha256(wrong.get("site", "localhost").encode()).digest()

    def _client(self, kind: str, options: dict[str, Any], wrong: dict[str, Any]) -> CollectedClientData:
        challenge = wrong.get("challenge", options["publicKey"]["challenge"])
        return CollectedClientData.create(kind, challenge, wrong.get("origin", self.origin))

    def _answer(self, response: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": websafe_encode(self.id),
            "rawId": websafe_encode(self.id),
            "type": "public-key",
            "response": {name: websafe_encode(bytes(value)) for name, value in response.items()},
        }
