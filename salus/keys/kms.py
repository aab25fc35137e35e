"""AWS KMS as key provider: keys are wrapped by a key that never leaves the service, and every refusal is told."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import botocore.session
from botocore import exceptions
from botocore.config import Config

from salus.kernel.errors import BadInput, SalusError, Unavailable
from salus.kernel.outbound import ServiceKind
from salus.kernel.time import Clock, SystemClock
from salus.keys.contracts import AWS_KMS
from salus.platform import outbound

PATIENCE = 5.0
"""Seconds that one answer may take; a question is asked three times at most."""

_ARN = re.compile(
    r"arn:aws[a-z-]{0,20}:kms:([a-z]{2,10}(?:-[a-z0-9]{1,10}){1,4}):\d{12}:key/[A-Za-z0-9-]{1,64}"
)
_PLACE = re.compile(rb"salus/keys/([0-9a-f-]{36})/")
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_ATTEMPTS = 3

_NOT_OURS = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})
_CREDENTIALS = (
    "AWS does not accept this machine's credentials.",
    "Give it a role or credentials of the account, and look at the machine's clock.",
)
_BUSY = ("AWS KMS answers too many questions of this account already.", "Try again in a minute.")
_SAID: dict[str, tuple[str, str]] = {
    "DisabledException": ("The key is switched off in AWS KMS.", "Switch it on again there."),
    "KMSInvalidStateException": (
        "The key is in a state in which AWS KMS does not use it.",
        "If it waits for its deletion, cancel that today: a deleted key never comes back.",
    ),
    "NotFoundException": (
        "AWS KMS has no such key in this region and account.",
        "Compare the ARN, its region and its account with the console of AWS.",
    ),
    "AccessDeniedException": (
        "AWS does not let this machine use the key.",
        "Allow it kms:Encrypt and kms:Decrypt of this key, in its role and in the key's policy.",
    ),
    "InvalidKeyUsageException": (
        "The key is not made for encryption.",
        "Take a symmetric key for encryption.",
    ),
    **dict.fromkeys(("ThrottlingException", "LimitExceededException", "RequestLimitExceeded"), _BUSY),
    **dict.fromkeys(
        (
            "UnrecognizedClientException",
            "InvalidClientTokenId",
            "ExpiredTokenException",
            "InvalidSignatureException",
            "SignatureDoesNotMatch",
            "IncompleteSignature",
            "MissingAuthenticationToken",
        ),
        _CREDENTIALS,
    ),
}
"""What AWS answers, in words, and what to do (KMS API reference, "Common errors" and those of Encrypt and Decrypt)."""


class KmsKeyProvider:
    """Wraps keysets with the symmetric key `arn` in AWS KMS (a `contracts.KeyProvider`; thread-safe).

    An alias is not taken: it can be turned to another key. Region and account are the ARN's; credentials and
    another endpoint (a VPC's, FIPS) come from where AWS's own tools find them. Raises `BadInput` for what is
    no such ARN, or an endpoint without TLS.
    """

    def __init__(self, arn: str, *, patience: float = PATIENCE, clock: Clock | None = None) -> None:
        found = _ARN.fullmatch(arn)
        if found is None:
            raise BadInput("That is not the ARN of a key (arn:aws:kms:REGION:ACCOUNT:key/ID).", place="key")
        self.arn, self._clock = arn, clock or SystemClock()
        try:
            self._client: Any = botocore.session.Session().create_client(
                "kms",
                region_name=found[1],
                config=Config(
                    connect_timeout=patience,
                    read_timeout=patience,
                    retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
                ),
            )
        except (exceptions.BotoCoreError, ValueError) as fault:
            raise _broken(type(fault).__name__) from None
        self.endpoint = str(self._client.meta.endpoint_url)
        where = urlsplit(self.endpoint)
        if where.scheme != "https" and where.hostname not in _LOOPBACK:
            raise BadInput("The endpoint of AWS KMS must be https.", place="AWS_ENDPOINT_URL_KMS")

    def name(self) -> str:
        """Return which key this is; stored beside what it wrapped."""
        return AWS_KMS + self.arn

    def wrap(self, plaintext: bytes, associated_data: bytes) -> bytes:
        """Return `plaintext` (at most 4,096 bytes) encrypted in AWS KMS and bound to `associated_data`.

        Raises `OutOfScope` when the organization in context does not have the service in its register, and
        `Unavailable` when AWS does not do it.
        """
        outbound.ask(ServiceKind.KMS, self.endpoint, at=self._clock.now())
        answer = self._asked(self._client.encrypt, Plaintext=plaintext, associated_data=associated_data)
        return bytes(answer["CiphertextBlob"])

    def unwrap(self, ciphertext: bytes, associated_data: bytes) -> bytes:
        """Return what was wrapped; raises `BadInput` when it was not by this key or not for this place.

        The register is not asked: an agreement that ran out must not lock a clinic out of its records
        (45 CFR 164.308(a)(7)). Raises `Unavailable` when AWS does not do it.
        """
        if not ciphertext:
            raise BadInput("An empty value opens nowhere.")
        answer = self._asked(
            self._client.decrypt, CiphertextBlob=bytes(ciphertext), associated_data=associated_data
        )
        return bytes(answer["Plaintext"])

    def _asked(self, act: Any, *, associated_data: bytes, **given: bytes) -> dict[str, Any]:
        # "from None": what AWS and its library say may repeat what they were given.
        try:
            answer: dict[str, Any] = act(KeyId=self.arn, EncryptionContext=_context(associated_data), **given)
        except exceptions.ClientError as fault:
            raise self._refused(str(fault.response.get("Error", {}).get("Code", ""))) from None
        except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError):
            raise self._unavailable("This machine has no credentials for AWS.", _CREDENTIALS[1]) from None
        except exceptions.BotoCoreError as fault:
            raise self._unavailable(
                f"AWS KMS cannot be reached ({type(fault).__name__}).",
                f"Look at the way to {urlsplit(self.endpoint).hostname}, then try again.",
            ) from None
        if answer.get("KeyId") != self.arn:
            raise self._unavailable("AWS KMS answered for another key.", "Compare the ARN.")
        return answer

    def _refused(self, code: str) -> SalusError:
        if code in _NOT_OURS:
            return BadInput(f"A wrapped key does not open with {self.name()}.")
        if code in _SAID:
            return self._unavailable(*_SAID[code])
        return _broken(code)

    def _unavailable(self, what: str, next_step: str) -> Unavailable:
        return Unavailable(
            f"{what} The key is {self.arn}.",
            kept="Nothing was changed, and nothing is opened or sealed without it.",
            next_step=next_step,
        )


@lru_cache(maxsize=16)
def provider(name: str) -> KmsKeyProvider:
    """Return the provider that calls itself `name`; one a process. Raises `BadInput`."""
    return KmsKeyProvider(name.removeprefix(AWS_KMS))


def _context(associated_data: bytes) -> dict[str, str]:
    """Return AWS's encryption context: the organization by itself, so that a key's policy can ask for it.

    AWS writes it into its trail in clear: ids, kinds and mail domains are in it, and nothing of anybody.
    """
    context = {"salus": associated_data.decode()}
    place = _PLACE.match(associated_data)
    return context | ({"organization": place[1].decode()} if place else {})


def _broken(code: str) -> Unavailable:
    said = code if re.fullmatch(r"[A-Za-z.]{1,60}", code) else "no reason that we know"
    return Unavailable(
        f"AWS KMS failed ({said}).", kept="Nothing was changed.", next_step="Try again in a minute."
    )
