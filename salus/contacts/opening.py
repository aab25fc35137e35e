"""The only exit of plaintext: named fields of named contacts, for a stated purpose, written in the log."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

import orjson

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.contacts import queries
from salus.contacts.contracts import Opened
from salus.contacts.dictionary import ADDRESS_FIELDS, DICTIONARY
from salus.contacts.document import addresses_of
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import Channel
from salus.keys import api as keys
from salus.platform.tenancy import current_organization

IDENTIFIERS = "identifiers"
"""A field like the others: record numbers and member numbers, as {"system": ..., "value": ...}."""
_CHANNELS = {"email": Channel.EMAIL, "phone": Channel.SMS}
_PURPOSE = re.compile(r"[a-z][a-z0-9_]{2,40}")


def check_fields(fields: Iterable[str]) -> None:
    """Raise `BadInput` for a field that is neither an attribute nor an address field."""
    for name in fields:
        if name not in DICTIONARY and name not in ADDRESS_FIELDS and name != IDENTIFIERS:
            raise BadInput("is not an attribute of the dictionary", place=name)


def open_fields(
    rows: Sequence[queries.Row], *, fields: Sequence[str], purpose: str, actor: Actor, action: Action
) -> list[Opened]:
    """Open `fields` of `rows` and record one entry with the field names and the count."""
    check_fields(fields)
    if not _PURPOSE.fullmatch(purpose):
        raise BadInput("say what for, in one word of small letters", place="purpose")
    wanted = [name for name in dict.fromkeys(fields) if name not in ADDRESS_FIELDS]
    channels = frozenset(channel for name, channel in _CHANNELS.items() if name in fields)
    opened = [
        _opened(row, orjson.loads(document), wanted, channels)
        for row, document in queries.opened(rows, current_organization(), keys.sealer())
    ]
    if opened:
        alone = opened[0].id if len(opened) == 1 else None
        audit.record(
            action,
            actor=actor,
            object_kind="contact",
            object_id=alone,
            patient_id=alone,
            fields=sorted(set(fields)),
            purpose=purpose,
            details={"contacts": len(opened)},
        )
    return opened


def _opened(
    row: queries.Row, document: dict[str, Any], wanted: Sequence[str], channels: frozenset[Channel]
) -> Opened:
    return Opened(
        id=row.id,
        number=row.number,
        version=row.version,
        values={name: Phi(document[name]) for name in wanted if name in document},
        addresses=addresses_of(document, channels) if channels else (),
    )


def open_documents(rows: Sequence[queries.Row]) -> Iterator[tuple[int, UUID, int, bytes]]:
    """Yield (number, contact id, version, document as JSON) of each row; for the audience engine."""
    for row, document in queries.opened(rows, current_organization(), keys.sealer()):
        yield row.number, row.id, row.version, document
