"""The address that a message's bounces come back to: it names the message, and only we can have made it.

The form is bounces+TOKEN@domain; the token is base32 in lower case (hosts on the way may change the case) of the
message's id and 14 octets of a keyed function of it, 48 letters, so that the local part stays within 64.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from uuid import UUID

from salus.keys.contracts import Blinder

RETURN_PATH, COMPLAINTS = "bounces", "complaints"
"""Local parts: of what comes back for one message, and of what feedback loops report."""
REPORTS = ("dmarc", "tls-reports")
"""Local parts that DMARC and TLS-RPT records name: of what others report of the domain."""
_KIND = "return_path"
_ID, _PROOF, _LETTERS = 16, 14, 48


def local_part(message_id: UUID, blinder: Blinder) -> str:
    """Return the local part for a message of the organization that `blinder` is of."""
    proof = blinder.blind(_KIND, message_id.hex)[:_PROOF]
    return f"{RETURN_PATH}+{base64.b32encode(message_id.bytes + proof).decode().lower()}"


def message_of(local: str, blinder: Blinder) -> UUID | None:
    """Return the message whose return path this local part is; None for any that we did not make."""
    word, _, token = local.lower().partition("+")
    if word != RETURN_PATH or len(token) != _LETTERS or not token.isascii():
        return None
    try:
        raw = base64.b32decode(token.upper())
    except binascii.Error:
        return None
    message_id = UUID(bytes=raw[:_ID])
    made = blinder.candidates(_KIND, message_id.hex)
    return message_id if any(hmac.compare_digest(raw[_ID:], each[:_PROOF]) for each in made) else None
