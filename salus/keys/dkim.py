"""DKIM keys: made, and described by the DNS record to publish (RFC 6376 section 3.6.1, RFC 8463)."""

from __future__ import annotations

import base64
import re
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from salus.kernel.errors import BadInput
from salus.keys.contracts import DkimKey

RSA, ED25519 = "dkim-rsa", "dkim-ed25519"
"""Kinds of stored keys."""

_RSA_BITS = 2048
_DOMAIN = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}\Z")


def normalize_domain(domain: str) -> str:
    """Return `domain` in lower-case ASCII (IDNA) without a final dot; raises `BadInput`."""
    text = domain.strip().rstrip(".").lower()
    try:
        text = text.encode("idna").decode()
    except UnicodeError:
        raise BadInput("This is not a domain name.", place="domain") from None
    if not _DOMAIN.match(text):
        raise BadInput("This is not a domain name.", place="domain")
    return text


def new_private(kind: str) -> bytes:
    """Return a fresh private key of `kind`, PKCS#8 in DER, in clear: wrap it before it goes anywhere."""
    key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
    if kind == RSA:
        key = rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)
    else:
        key = ed25519.Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def describe(private_der: bytes) -> DkimKey:
    """Return the key with its selector and the TXT record to publish at `<selector>._domainkey.<domain>`.

    The selector carries a fingerprint, so a new key never takes an old one's name.
    """
    key = load_der_private_key(private_der, password=None)
    if isinstance(key, rsa.RSAPrivateKey):
        public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        short, tag, algorithm = "rsa", "rsa", "rsa-sha256"
    elif isinstance(key, ed25519.Ed25519PrivateKey):
        public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)  # RFC 8463 section 4
        short, tag, algorithm = "ed", "ed25519", "ed25519-sha256"
    else:
        raise BadInput("A DKIM key is RSA or Ed25519.")
    selector = f"salus-{short}-{sha256(public).hexdigest()[:8]}"
    txt = f"v=DKIM1; k={tag}; p={base64.b64encode(public).decode()}"
    return DkimKey(selector, algorithm, private_der, txt)
