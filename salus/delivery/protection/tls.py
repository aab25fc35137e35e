"""TLS as we speak it: 1.2 or newer, ephemeral keys, authenticated encryption, and nothing else."""

from __future__ import annotations

import re
import ssl
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from salus.delivery.protection import certificates
from salus.delivery.protection.policy import Shortfall, TlsFacts, TlsPolicy, Trust
from salus.kernel.errors import BadInput

CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:@SECLEVEL=2"
"""For TLS 1.2 (NIST SP 800-52r2, 3.3.1.1); TLS 1.3 has ephemeral AEAD suites only."""
_VERSIONS = ("TLSv1.2", "TLSv1.3")
_SUITE = re.compile(
    r"TLS_(?:AES|CHACHA20)_[A-Z0-9_]+|ECDHE-(?:RSA|ECDSA)-(?:AES(?:128|256)-GCM|CHACHA20)[A-Z0-9-]*"
)

# Verification errors of OpenSSL (x509_vfy.h) that a person can act on.
_EXPIRED = frozenset({9, 10})
_WRONG_NAME = frozenset({62, 64})


@lru_cache(maxsize=256)
def client_context(trust: Trust) -> ssl.SSLContext:
    """Return the context for connections that are verified as `trust` says.

    Raises `BadInput` when its authorities are not certificates.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.check_hostname = trust.chain and trust.name
    context.verify_mode = ssl.CERT_REQUIRED if trust.chain else ssl.CERT_NONE
    if trust.authorities:
        try:
            context.load_verify_locations(cadata=trust.authorities)
        except ssl.SSLError as fault:
            raise BadInput("These authorities are not PEM certificates.", place="authorities") from fault
    elif trust.chain:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    return context


def examine(
    connection: ssl.SSLObject | ssl.SSLSocket, host: str, policy: TlsPolicy, at: datetime
) -> TlsFacts | Shortfall:
    """Return what the finished handshake reached under `policy`, or why that is not enough.

    Version and suite are looked at again here: a context that was set wrong must not go unseen.
    """
    version, suite = connection.version() or "", (connection.cipher() or ("", "", 0))[0]
    if version not in _VERSIONS:
        return Shortfall.TLS_TOO_OLD
    if not _SUITE.fullmatch(suite):
        return Shortfall.WEAK_CIPHER
    der = connection.getpeercert(binary_form=True)
    if not der:
        return Shortfall.UNTRUSTED
    try:
        certificate = certificates.read(der, _issuers(connection))
    except ValueError:
        return Shortfall.UNTRUSTED
    shortfall = policy.judge(host, certificate, at)
    if shortfall:
        return shortfall
    return TlsFacts(policy.reaches, host, version, suite, policy.source, certificate.fingerprint)


def _issuers(connection: ssl.SSLObject | ssl.SSLSocket) -> tuple[bytes, ...]:
    """Return what the peer showed after its own certificate, in DER, not verified."""
    public: Any = getattr(connection, "get_unverified_chain", None)
    if public:
        return tuple(public()[1:])
    inner: Any = connection._sslobj  # type: ignore[union-attr]  # noqa: SLF001 - public from Python 3.13 on
    return tuple(ssl.PEM_cert_to_DER_cert(each.public_bytes()) for each in inner.get_unverified_chain()[1:])


def shortfall_of(fault: ssl.SSLError) -> Shortfall:
    """Return what a failed handshake means in our words."""
    if isinstance(fault, ssl.SSLCertVerificationError):
        if fault.verify_code in _EXPIRED:
            return Shortfall.EXPIRED
        return Shortfall.WRONG_NAME if fault.verify_code in _WRONG_NAME else Shortfall.UNTRUSTED
    reason = (fault.reason or "").upper()
    if any(word in reason for word in ("PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL", "VERSION_TOO_LOW")):
        return Shortfall.TLS_TOO_OLD
    if "CIPHER" in reason or "DH_KEY" in reason:
        return Shortfall.WEAK_CIPHER
    return Shortfall.HANDSHAKE_FAILED
