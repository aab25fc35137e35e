"""How a key is written down and read back: the sealed document of a row."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from salus.kernel.phi import Phi
from salus.keys import api as keys
from salus.keys.contracts import Sealer
from salus.platform.tenancy import current_organization
from salus.sealedmail.contracts import KeyKind, OnFile, Recipient, Revocation, Source, Vouched
from salus.sealedmail.models import KeyRow
from salus.sealedmail.rules import Kept, standing


@dataclass(frozen=True, slots=True, repr=False)
class Document:
    """What a row of a key keeps sealed. `domain` is set for a domain's key, `address` for a person's.

    `salt` hides the fingerprint in receipts, which are in clear and stay when the key is erased.
    """

    key: bytes
    fingerprint: str
    algorithm: str
    address: str = ""
    domain: str = ""
    holder: str = ""
    issuers: Sequence[bytes] = ()
    salt: bytes = field(default_factory=lambda: os.urandom(16))

    @property
    def mark(self) -> str:
        """Return what stands for the fingerprint in a receipt: SHA-256 over salt and fingerprint, in hexadecimal."""
        return hashlib.sha256(self.salt + bytes.fromhex(self.fingerprint)).hexdigest()


def seal(row_id: UUID, document: Document) -> bytes:
    """Return a key's document, sealed for its row."""
    written = {
        "key": _text(document.key),
        "fingerprint": document.fingerprint,
        "algorithm": document.algorithm,
        "address": document.address,
        "domain": document.domain,
        "holder": document.holder,
        "issuers": [_text(each) for each in document.issuers],
        "salt": _text(document.salt),
    }
    return keys.sealer().seal(orjson.dumps(written), _binding("sealedmail_key", row_id))


def open_document(sealer: Sealer, row: KeyRow) -> Document:
    """Return what `seal` sealed."""
    found: dict[str, Any] = orjson.loads(sealer.open(bytes(row.sealed), _binding("sealedmail_key", row.id)))
    return Document(
        key=base64.b64decode(found["key"]),
        fingerprint=found["fingerprint"],
        algorithm=found["algorithm"],
        address=found["address"],
        domain=found["domain"],
        holder=found["holder"],
        issuers=[base64.b64decode(each) for each in found["issuers"]],
        salt=base64.b64decode(found["salt"]),
    )


def seal_own(row_id: UUID, document: Mapping[str, Any]) -> bytes:
    """Return the organization's own key, sealed for its row; octets in it are base64."""
    return keys.sealer().seal(orjson.dumps(document), _binding("sealedmail_own", row_id))


def open_own(row_id: UUID, sealed: bytes | memoryview) -> dict[str, Any]:
    """Return what `seal_own` sealed."""
    found: dict[str, Any] = orjson.loads(
        keys.sealer().open(bytes(sealed), _binding("sealedmail_own", row_id))
    )
    return found


def kept(row: KeyRow) -> Kept:
    """Return what decisions need of a row."""
    why = Revocation(row.why) if row.why else None
    return Kept(
        row.id, Source(row.source), row.not_before, row.not_after, row.added_at, row.refreshed_at, row.ended_at, why
    )  # fmt: skip


def recipient(row: KeyRow, document: Document, *, always: bool) -> Recipient:
    """Return whom a message is encrypted to."""
    return Recipient(row.id, KeyKind(row.kind), document.key, document.mark, always)


def on_file(row: KeyRow, document: Document, at: datetime) -> OnFile:
    """Return a key as pages and programs see it."""
    return OnFile(
        id=row.id,
        kind=KeyKind(row.kind),
        contact_id=row.contact_id,
        domain=Phi(document.domain),
        address=Phi(document.address),
        holder=Phi(document.holder),
        fingerprint=Phi(document.fingerprint),
        algorithm=document.algorithm,
        source=Source(row.source),
        vouched=Vouched(row.vouched),
        standing=standing(kept(row), at),
        not_before=row.not_before,
        not_after=row.not_after,
        added_at=row.added_at,
        refreshed_at=row.refreshed_at,
        revoked_at=row.ended_at if row.why else None,
        why=Revocation(row.why) if row.why else None,
    )


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def _binding(table: str, row_id: UUID) -> bytes:
    return keys.binding(current_organization(), table, row_id)
