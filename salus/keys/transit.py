"""OpenBao's or HashiCorp Vault's transit engine as key provider: the key stays there, and every refusal is told."""

from __future__ import annotations

import json
import os
import re
import ssl
from base64 import b64decode, b64encode
from functools import lru_cache
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from salus.kernel.errors import BadInput, SalusError, Unavailable
from salus.kernel.outbound import ServiceKind
from salus.kernel.time import Clock, SystemClock
from salus.keys.contracts import VAULT
from salus.keys.provider import read_private
from salus.platform import outbound

PATIENCE = 5.0
"""Seconds that one answer may take."""
_PATH = re.compile(r"/((?:[A-Za-z0-9_-]{1,40}/){1,3})([A-Za-z0-9_.-]{1,60})")
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_AEAD = frozenset({"aes128-gcm96", "aes256-gcm96", "chacha20-poly1305", "xchacha20-poly1305"})
_LONGEST = 1 << 20
_SAID = {
    403: (
        "Vault does not let this machine use the key.",
        "Give it a token whose policy allows encrypt and decrypt.",
    ),
    404: (
        "Vault has no such key or transit engine.",
        "Compare the address, the engine's path and the key's name.",
    ),
    429: ("Vault answers too many questions already.", "Try again in a minute."),
    503: ("Vault is sealed, or in maintenance.", "Unseal it."),
}


class TransitKeyProvider:
    """Wraps keysets with a key of a transit engine at `https://HOST[:PORT]/MOUNT/KEY` (a `contracts.KeyProvider`).

    The token is in the private file that `VAULT_TOKEN_FILE` names (Vault's agent keeps it fresh: it is read
    for each question), or in `VAULT_TOKEN`; `VAULT_CACERT` and `VAULT_NAMESPACE` hold as for Vault's own tools.
    Thread-safe. Raises `BadInput` for another address.
    """

    def __init__(self, address: str, *, patience: float = PATIENCE, clock: Clock | None = None) -> None:
        self._where, self._patience, self._clock = address, patience, clock or SystemClock()
        try:
            parts = urlsplit(address)
            self._host, self._port = parts.hostname or "", parts.port
        except ValueError:
            raise _no_address() from None
        path = _PATH.fullmatch(parts.path)
        protected = parts.scheme == "https" or (parts.scheme == "http" and self._host in _LOOPBACK)
        if (
            path is None
            or not self._host
            or not protected
            or parts.query
            or parts.fragment
            or "@" in parts.netloc
        ):
            raise _no_address()
        self._tls = parts.scheme == "https"
        self._mount, self._key = path[1].rstrip("/"), path[2]
        self.endpoint = f"{parts.scheme}://{parts.netloc}"

    def name(self) -> str:
        """Return which key this is; stored beside what it wrapped."""
        return VAULT + self._where

    def wrap(self, plaintext: bytes, associated_data: bytes) -> bytes:
        """Return `plaintext` encrypted by Vault and bound to `associated_data`.

        Raises `OutOfScope` when the organization in context does not have the service in its register, and
        `Unavailable` when Vault does not do it.
        """
        outbound.ask(ServiceKind.KMS, self.endpoint, at=self._clock.now())
        # Encryption with a name that is not there makes a key of that name: a slip must not.
        kind = self._asked("GET", f"keys/{self._key}").get("type")
        if kind not in _AEAD:
            raise self._unavailable(f"The key is of the kind {kind}.", "Take one of the kind aes256-gcm96.")
        asked = {"plaintext": _text(plaintext), "associated_data": _text(associated_data)}
        return str(self._asked("POST", f"encrypt/{self._key}", asked).get("ciphertext", "")).encode()

    def unwrap(self, ciphertext: bytes, associated_data: bytes) -> bytes:
        """Return what was wrapped; raises `BadInput` when it was not by this key or not for this place.

        The register is not asked (45 CFR 164.308(a)(7)). Raises `Unavailable` when Vault does not do it.
        """
        try:
            asked = {
                "ciphertext": bytes(ciphertext).decode("ascii"),
                "associated_data": _text(associated_data),
            }
            return b64decode(self._asked("POST", f"decrypt/{self._key}", asked)["plaintext"], validate=True)
        except (UnicodeDecodeError, KeyError, ValueError):
            raise BadInput(f"A wrapped key does not open with {self.name()}.") from None

    def _asked(self, method: str, path: str, body: dict[str, str] | None = None) -> dict[str, Any]:
        headers = {
            "X-Vault-Token": self._token(),
            "X-Vault-Request": "true",
            "Content-Type": "application/json",
        }
        if namespace := os.environ.get("VAULT_NAMESPACE"):
            headers["X-Vault-Namespace"] = namespace
        try:
            connection = self._connection()
            try:
                connection.request(
                    method, f"/v1/{self._mount}/{path}", json.dumps(body) if body else None, headers
                )
                answer = connection.getresponse()
                status, said = answer.status, answer.read(_LONGEST)
            finally:
                connection.close()
        except (OSError, HTTPException) as fault:
            raise self._unavailable(
                f"Vault cannot be reached ({type(fault).__name__}).",
                f"Look at the way to {self._host}, then try again.",
            ) from None
        if status != 200:
            raise self._refused(status)
        try:
            found: dict[str, Any] = json.loads(said)["data"]
        except (ValueError, KeyError, TypeError):
            raise self._refused(0) from None
        return found

    def _connection(self) -> HTTPConnection:
        if not self._tls:
            return HTTPConnection(self._host, self._port, timeout=self._patience)
        context = ssl.create_default_context(cafile=os.environ.get("VAULT_CACERT") or None)
        return HTTPSConnection(self._host, self._port, timeout=self._patience, context=context)

    def _token(self) -> str:
        file = os.environ.get("VAULT_TOKEN_FILE")
        token = read_private(Path(file)).decode().strip() if file else os.environ.get("VAULT_TOKEN", "")
        if not re.fullmatch(r"[!-~]{1,4000}", token):
            raise self._unavailable(
                "This machine has no token for Vault.", "Name its file in VAULT_TOKEN_FILE."
            )
        return token

    def _refused(self, status: int) -> SalusError:
        if status == 400:  # what Vault says to a ciphertext that does not fit
            return BadInput(f"A wrapped key does not open with {self.name()}.")
        return self._unavailable(*_SAID.get(status, (f"Vault failed ({status}).", "Try again in a minute.")))

    def _unavailable(self, what: str, next_step: str) -> Unavailable:
        return Unavailable(
            f"{what} The key is {self._where}.",
            kept="Nothing was changed, and nothing is opened or sealed without it.",
            next_step=next_step,
        )


@lru_cache(maxsize=16)
def provider(name: str) -> TransitKeyProvider:
    """Return the provider that calls itself `name`; one a process. Raises `BadInput`."""
    return TransitKeyProvider(name.removeprefix(VAULT))


def _text(value: bytes) -> str:
    return b64encode(value).decode()


def _no_address() -> BadInput:
    return BadInput("That is no key of a transit engine (https://HOST[:PORT]/MOUNT/KEY).", place="key")
