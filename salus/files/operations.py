"""What is done to files: take one piece by piece, give it to its message, erase. In the caller's transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from uuid import UUID

import orjson

from salus.audit import api as audit
from salus.audit.contracts import Action, NewEntry
from salus.files import rules, scanning
from salus.files.contracts import FileFacts, FileRefused, Kind, Of, Owner, Why
from salus.files.kinds import kinds
from salus.files.looking import look_of
from salus.files.models import FileRow, PieceRow
from salus.files.queries import binding, opened, piece_binding
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput
from salus.kernel.ids import new_id
from salus.keys import api as keys

DRAFTS_KEPT = timedelta(days=1)


class Receiving:
    """Takes the bytes of one file as they come, looks at them, and stores them sealed.

    It holds two pieces at most. Raises `FileRefused` as soon as that is clear; then call `abandon`.
    """

    def __init__(self, contact_id: UUID, name: str, *, draft_id: UUID) -> None:
        self._id, self._contact_id, self._given = new_id(), contact_id, name
        self._owner = Owner(Of.DRAFT, draft_id)
        self._waiting = bytearray()
        self._size = self._places = 0
        self._kind: Kind | None = None
        self._scan = scanning.scan()

    def write(self, data: bytes) -> None:
        """Take more bytes."""
        self._size += len(data)
        if self._size > rules.LARGEST:
            raise FileRefused(Why.TOO_LARGE)
        if self._scan:
            self._scan.feed(data)
        self._waiting += data
        if self._kind is None:
            if len(self._waiting) < rules.HEAD:
                return
            data = bytes(self._waiting)
            self._begin()
        self._look.feed(data)
        while len(self._waiting) >= rules.PIECE:
            self._store(rules.PIECE)

    def finish(self, *, actor: Actor, at: datetime) -> FileFacts:
        """Store the rest; return what the file is."""
        if not self._size:
            raise FileRefused(Why.EMPTY)
        if self._kind is None:
            self._begin()
            self._look.feed(bytes(self._waiting))
        self._look.end()
        if self._scan:
            self._scan.end()
        if self._waiting:
            self._store(len(self._waiting))
        assert self._kind is not None
        row = FileRow(
            id=self._id,
            owner_of=self._owner.of,
            owner_id=self._owner.id,
            contact_id=self._contact_id,
            created_at=at,
        )
        name = rules.name_of(self._given, self._kind)
        row.sealed = _head(row, name, self._kind.code, self._size, self._places)
        row.save(force_insert=True)
        audit.record(
            Action.FILE_ADD,
            actor=actor,
            object_kind="file",
            object_id=self._id,
            patient_id=self._contact_id,
            details={"kind": self._kind.code, "bytes": self._size},
        )
        return opened(row)

    def abandon(self) -> None:
        """Keep nothing of it."""
        if self._scan:
            self._scan.close()
        PieceRow.objects.filter(file_id=self._id).delete()

    def _begin(self) -> None:
        self._kind = rules.kind_of(bytes(self._waiting[: rules.HEAD]), kinds())
        if self._kind is None:
            raise FileRefused(Why.KIND)
        self._look = look_of(self._kind.look)

    def _store(self, size: int) -> None:
        data = bytes(self._waiting[:size])
        del self._waiting[:size]
        sealed = keys.sealer().seal(data, piece_binding(self._id, self._places))
        PieceRow(file_id=self._id, place=self._places, sealed=sealed).save(force_insert=True)
        self._places += 1


def take(
    contact_id: UUID, name: str, pieces: Iterable[bytes], *, draft_id: UUID, actor: Actor, at: datetime
) -> FileFacts:
    """Take a whole file; raises `FileRefused`, and keeps nothing then."""
    receiving = Receiving(contact_id, name, draft_id=draft_id)
    try:
        for piece in pieces:
            receiving.write(piece)
        return receiving.finish(actor=actor, at=at)
    except FileRefused:
        receiving.abandon()
        raise


def attach(
    file_ids: Collection[UUID], owner: Owner, *, contact_id: UUID, draft_id: UUID, only_pictures: bool = False
) -> tuple[FileFacts, ...]:
    """Give drafts of `draft_id` to their message or entry; return them in the order given.

    Raises `BadInput` for one that is no such draft of this person, or no picture where only those will do,
    `FileRefused` for too many.
    """
    wanted = list(dict.fromkeys(file_ids))
    if len(wanted) > rules.MOST:
        raise FileRefused(Why.TOO_MANY)
    drafts = FileRow.objects.select_for_update().filter(
        id__in=wanted, contact_id=contact_id, owner_of=Of.DRAFT, owner_id=draft_id
    )
    rows = {row.id: row for row in drafts.order_by("id")}
    if len(rows) != len(wanted):
        raise BadInput("One of these files is not there, or not for this message.", place="files")
    given = [_given(rows[each], owner, only_pictures=only_pictures) for each in wanted]
    FileRow.objects.bulk_update(rows.values(), ["owner_of", "owner_id", "sealed"])
    return tuple(given)


def _given(row: FileRow, owner: Owner, *, only_pictures: bool) -> FileFacts:
    facts = opened(row)
    if only_pictures and not facts.kind.picture:
        raise BadInput(
            "What can only be looked at takes pictures (PNG, JPEG, WebP): anything else must be downloaded.",
            place="files",
        )
    places = PieceRow.objects.filter(file_id=row.id).count()
    row.owner_of, row.owner_id = owner.of, owner.id
    row.sealed = _head(row, facts.name.reveal(), facts.kind.code, facts.size, places)
    return opened(row)


def erase(owners: Collection[Owner], *, actor: Actor) -> int:
    """Erase the files of these messages and entries, for good; return how many."""
    ids = [each.id for each in owners]
    rows = FileRow.objects.filter(owner_id__in=ids, owner_of__in={each.of for each in owners})
    return _erase(list(rows), actor)


def erase_drafts(file_ids: Collection[UUID], *, draft_id: UUID, actor: Actor) -> int:
    """Erase drafts that lead to no message; return how many."""
    return _erase(list(FileRow.objects.filter(id__in=file_ids, owner_of=Of.DRAFT, owner_id=draft_id)), actor)


def forget_drafts(*, actor: Actor, at: datetime) -> int:
    """Erase drafts that no message wanted for a day; return how many (a thousand at most: call it again)."""
    old = FileRow.objects.filter(owner_of=Of.DRAFT, created_at__lte=at - DRAFTS_KEPT)
    return _erase(list(old.order_by("created_at")[:1000]), actor)


def erase_of(contact_id: UUID, *, actor: Actor) -> int:
    """Erase every file about a person; return how many."""
    return _erase(list(FileRow.objects.filter(contact_id=contact_id)), actor)


def _erase(rows: Collection[FileRow], actor: Actor) -> int:
    ids = [row.id for row in rows]
    PieceRow.objects.filter(file_id__in=ids).delete()
    FileRow.objects.filter(id__in=ids).delete()
    audit.record_many(
        [NewEntry(Action.FILE_ERASE, actor, "file", row.id, patient_id=row.contact_id) for row in rows]
    )
    return len(ids)


def _head(row: FileRow, name: str, kind: str, size: int, pieces: int) -> bytes:
    facts = {
        "name": name,
        "kind": kind,
        "size": size,
        "pieces": pieces,
        "of": row.owner_of,
        "owner": str(row.owner_id),
        "contact": str(row.contact_id),
    }
    return keys.sealer().seal(orjson.dumps(facts), binding(row.id))
