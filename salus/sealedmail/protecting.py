"""From a message in clear to one that only its reader can open: split, signed, encrypted, put together again."""

from __future__ import annotations

from salus.sealedmail.contracts import KeyKind, Protected, Recipient, SigningKeys
from salus.sealedmail.formats import headers, openpgp, smime


def protect(message: bytes, recipient: Recipient, signing: SigningKeys | None, *, boundary: str) -> Protected:
    """Return `message` (CRLF line ends, no signature of DKIM yet) encrypted to `recipient`.

    Signed first, with what `signing` has of the recipient's kind. Raises `BadInput` when the key cannot be
    written to. It needs no database: any thread may do it.
    """
    halves = headers.split(message)
    if recipient.kind is KeyKind.SMIME:
        content, signed = halves.payload, ""
        if signing and signing.certificate:
            cms = smime.sign(content, signing.certificate, signing.key, signing.issuers)
            content, signed = headers.signed_entity(cms), "SHA-256"
        data = headers.enveloped_message(halves.outer, smime.encrypt(content, recipient.key))
        algorithm = smime.algorithm(recipient.key)
    else:
        signer = signing.openpgp if signing and signing.openpgp else None
        armored = openpgp.encrypt(halves.payload, recipient.key, signer)
        data = headers.pgp_message(halves.outer, armored, boundary)
        algorithm, signed = openpgp.algorithm(recipient.key), "OpenPGP" if signer else ""
    facts = {
        "id": str(recipient.id) if recipient.id else "",
        "mark": recipient.mark,
        "kind": recipient.kind.value,
        "algorithm": algorithm,
        "signed": signed,
    }
    return Protected(data, halves.payload, facts)
