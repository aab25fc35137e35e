"""Reads of files: what belongs to a message, and a file's bytes, piece by piece."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any
from uuid import UUID

import orjson

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.contacts import api as contacts
from salus.files.contracts import FileFacts, Of, Owner
from salus.files.kinds import kind_named
from salus.files.models import FileRow, PieceRow
from salus.kernel.acting import Actor
from salus.kernel.errors import NotFound, Unavailable
from salus.kernel.phi import Phi
from salus.keys import api as keys
from salus.platform.tenancy import acting_for, current_organization


def binding(file_id: UUID) -> bytes:
    """Return the associated data of what a file is."""
    return keys.binding(current_organization(), "files_file", file_id)


def piece_binding(file_id: UUID, place: int) -> bytes:
    """Return the associated data of a piece: one that was moved, swapped or repeated does not open."""
    return keys.binding(current_organization(), "files_piece", file_id) + b"%d" % place


def files_of(owners: Collection[Owner]) -> Mapping[Owner, tuple[FileFacts, ...]]:
    """Return the files of each of these messages and entries that has any, in the order in which they came."""
    rows = FileRow.objects.filter(
        owner_id__in=[each.id for each in owners], owner_of__in={each.of for each in owners}
    )
    found: dict[Owner, tuple[FileFacts, ...]] = {}
    for facts in map(opened, rows.order_by("created_at", "id")):
        found[facts.owner] = (*found.get(facts.owner, ()), facts)
    return found


def files_about(contact_id: UUID) -> tuple[FileFacts, ...]:
    """Return every file about a person, oldest first."""
    rows = FileRow.objects.filter(contact_id__in=contacts.whole(contact_id)).exclude(owner_of=Of.DRAFT)
    return tuple(opened(row) for row in rows.order_by("created_at", "id"))


def file(file_id: UUID, owner: Owner) -> FileFacts:
    """Return one file of this message or entry; raises `NotFound`."""
    row = FileRow.objects.filter(id=file_id, owner_of=owner.of, owner_id=owner.id).first()
    if row is None:
        raise NotFound
    return opened(row)


def read(file_id: UUID, owner: Owner, *, actor: Actor) -> tuple[FileFacts, Iterator[bytes]]:
    """Return a file and its bytes in pieces, each read in a short transaction of its own; the look is recorded.

    A piece is proven before it is given out. Raises `NotFound`; while reading `Unavailable` for a piece that
    is not there (any more), `BadInput` for one that was changed.
    """
    facts = file(file_id, owner)
    audit.record(
        Action.FILE_READ, actor=actor, object_kind="file", object_id=file_id, patient_id=facts.contact_id
    )
    return facts, _pieces(current_organization(), facts)


def _pieces(organization_id: UUID, facts: FileFacts) -> Iterator[bytes]:
    seen = place = 0
    while seen < facts.size:
        with acting_for(organization_id):
            row = PieceRow.objects.filter(file_id=facts.id, place=place).first()
            if row is None:
                raise Unavailable("A part of this file is missing.")
            data = keys.sealer().open(bytes(row.sealed), piece_binding(facts.id, place))
        yield data
        seen, place = seen + len(data), place + 1


def opened(row: FileRow) -> FileFacts:
    """Return a row as what others see; raises `NotFound` for one that was given to another owner behind our back."""
    said: dict[str, Any] = orjson.loads(keys.sealer().open(bytes(row.sealed), binding(row.id)))
    if (said["of"], said["owner"], said["contact"]) != (
        row.owner_of, str(row.owner_id), str(row.contact_id),
    ):  # fmt: skip
        raise NotFound
    return FileFacts(
        id=row.id,
        owner=Owner(Of(row.owner_of), row.owner_id),
        contact_id=row.contact_id,
        name=Phi(said["name"]),
        kind=kind_named(said["kind"]),
        size=said["size"],
        created_at=row.created_at,
    )
