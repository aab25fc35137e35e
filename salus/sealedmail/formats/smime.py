"""S/MIME as we write it: signed by the organization, then encrypted with authentication (RFC 8551, RFC 5083)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF
from cryptography.hazmat.primitives.keywrap import aes_key_wrap
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    pkcs7,
)

from salus.kernel.errors import BadInput
from salus.sealedmail.formats import der

CIPHER: Final = "AES-256-GCM"
_DATA: Final = "1.2.840.113549.1.7.1"
_AUTH_ENVELOPED: Final = "1.2.840.113549.1.9.16.1.23"
_AES_256_GCM: Final = "2.16.840.1.101.3.4.1.46"
_AES_256_WRAP: Final = "2.16.840.1.101.3.4.1.45"
_RSA_OAEP: Final = "1.2.840.113549.1.1.7"
_MGF1: Final = "1.2.840.113549.1.1.8"
_SHA256: Final = "2.16.840.1.101.3.4.2.1"
_ECDH_SHA256: Final = "1.3.132.1.11.1"
"""dhSinglePass-stdDH-sha256kdf-scheme (RFC 5753, 7.1.4)."""
_EC_KEY: Final = "1.2.840.10045.2.1"
_TAG = 16

Random = Callable[[int], bytes]


def sign(content: bytes, certificate: bytes, key: bytes, chain: Sequence[bytes] = ()) -> bytes:
    """Return a SignedData that holds `content` (DER); certificates and the private key (PKCS #8) are DER too."""
    private = load_der_private_key(key, None)
    if not isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise BadInput("A key of this kind does not sign S/MIME.", place="key")
    builder = pkcs7.PKCS7SignatureBuilder().set_data(content)
    builder = builder.add_signer(x509.load_der_x509_certificate(certificate), private, SHA256())
    for each in chain:
        builder = builder.add_certificate(x509.load_der_x509_certificate(each))
    return builder.sign(Encoding.DER, [pkcs7.PKCS7Options.Binary])


def encrypt(content: bytes, certificate: bytes, random: Random = os.urandom) -> bytes:
    """Return an AuthEnvelopedData (DER) that only the holder of `certificate` (DER) can open.

    AES-256-GCM (RFC 5084) under a key that is new for each message. Raises `BadInput` for a key of another
    kind than RSA or the NIST curves.
    """
    recipient = x509.load_der_x509_certificate(certificate)
    key, nonce = random(32), random(12)
    sealed = AESGCM(key).encrypt(nonce, content, None)
    parameters = der.sequence(der.octets(nonce), der.integer(_TAG))
    enveloped = der.sequence(
        der.integer(0),
        der.set_of(_recipient_info(recipient, key)),
        der.sequence(
            der.oid(_DATA),
            der.sequence(der.oid(_AES_256_GCM), parameters),
            der.context(0, sealed[:-_TAG], constructed=False),
        ),
        der.octets(sealed[-_TAG:]),
    )
    return der.sequence(der.oid(_AUTH_ENVELOPED), der.context(0, enveloped))


def algorithm(certificate: bytes) -> str:
    """Return how a message to this certificate is encrypted, in the words of a receipt."""
    public = x509.load_der_x509_certificate(certificate).public_key()
    if isinstance(public, rsa.RSAPublicKey):
        return f"{CIPHER}, RSA-OAEP-SHA256 ({public.key_size})"
    assert isinstance(public, ec.EllipticCurvePublicKey)
    return f"{CIPHER}, ECDH-SHA256 ({public.curve.name})"


def _recipient_info(recipient: x509.Certificate, key: bytes) -> bytes:
    public = recipient.public_key()
    whose = der.sequence(recipient.issuer.public_bytes(), der.integer(recipient.serial_number))
    if isinstance(public, rsa.RSAPublicKey):
        return _transported(public, whose, key)
    if isinstance(public, ec.EllipticCurvePublicKey):
        return _agreed(public, whose, key)
    raise BadInput("Only RSA keys and those of the NIST curves can be written to.", place="certificate")


def _transported(public: rsa.RSAPublicKey, whose: bytes, key: bytes) -> bytes:
    """Return a KeyTransRecipientInfo with RSAES-OAEP over SHA-256 (RFC 4055, 4.1)."""
    sha256 = der.sequence(der.oid(_SHA256))
    how = der.sequence(
        der.oid(_RSA_OAEP),
        der.sequence(der.context(0, sha256), der.context(1, der.sequence(der.oid(_MGF1), sha256))),
    )
    encrypted = public.encrypt(key, padding.OAEP(padding.MGF1(SHA256()), SHA256(), None))
    return der.sequence(der.integer(0), whose, how, der.octets(encrypted))


def _agreed(public: ec.EllipticCurvePublicKey, whose: bytes, key: bytes) -> bytes:
    """Return a KeyAgreeRecipientInfo: a key of the moment against the recipient's (RFC 5753, 3.1)."""
    ephemeral = ec.generate_private_key(public.curve)
    point = ephemeral.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    wrap = der.sequence(der.oid(_AES_256_WRAP))
    shared_info = der.sequence(wrap, der.context(2, der.octets((256).to_bytes(4, "big"))))
    shared = ephemeral.exchange(ec.ECDH(), public)
    wrapping = X963KDF(SHA256(), 32, shared_info).derive(shared)
    originator = der.context(1, der.sequence(der.oid(_EC_KEY)), der.bits(point))
    return der.context(
        1,
        der.integer(3),
        der.context(0, originator),
        der.sequence(der.oid(_ECDH_SHA256), wrap),
        der.sequence(der.sequence(whose, der.octets(aes_key_wrap(wrapping, key)))),
    )
