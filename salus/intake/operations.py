"""What changes imports, each in one transaction: receive, describe, begin, cancel, end, save a mapping."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import orjson

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.intake import lines, queries, uploads
from salus.intake import mapping as mappings
from salus.intake.contracts import ENDED, CsvMapping, Declaration, ImportKind, ImportStatus
from salus.intake.csv_reading import read_heading
from salus.intake.csv_rows import RowReader
from salus.intake.fhir import READERS, kind_of
from salus.intake.models import Import, MappingRow
from salus.intake.permission_rows import PermissionReader, default_mapping
from salus.intake.plan import Plan
from salus.intake.work import CSV_PART
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict
from salus.kernel.ids import new_id
from salus.kernel.vocabulary import AddressSource
from salus.keys import api as keys
from salus.platform.tenancy import current_organization

ABANDONED = timedelta(days=2)
"""An upload that nobody described by then is removed."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One file on its way in: its name (sealed), what it holds, and its bytes."""

    name: str
    part: str
    pieces: Iterable[bytes]


class Receiving:
    """Takes the files of one import as their bytes come, and seals them; `finish` makes the import."""

    def __init__(self, kind: ImportKind) -> None:
        self.id = new_id()
        self._kind = kind
        self._plan = Plan()
        self._files: list[tuple[str, uploads.Writer]] = []

    def file(self, name: str, part: str = "") -> uploads.Writer:
        """Begin the next file: write its bytes to what is returned, then close that."""
        writer = uploads.Writer(self.id, len(self._files))
        self._files.append((part, writer))
        self._plan.names.append(name)
        return writer

    def finish(self, *, actor: Actor, now: datetime) -> UUID:
        """Store the import, which waits to be described; return its id.

        Raises `BadInput` for no files, a CSV without headings, or a file that is no FHIR we read.
        """
        if not self._files:
            raise BadInput("there is nothing to import", place="files")
        parts = [self._look_at(part, writer.head) for part, writer in self._files]
        row = Import(
            id=self.id,
            kind=self._kind.value,
            status=ImportStatus.LOADING.value,
            source=AddressSource.UNKNOWN.value,
            obtained=now.date(),
            created_at=now,
            created_by=actor.id,
            files=self._in_order(parts),
            bytes_total=sum(writer.size for _, writer in self._files),
            sealed=self._plan.seal(self.id),
        )
        row.save()
        return row.id

    def _in_order(self, parts: Sequence[str]) -> list[dict[str, str | int]]:
        """Return the files as they are to be read: patients before what is known of them."""
        order = {kind: place for place, kind in enumerate(READERS)}
        listed = sorted(enumerate(parts), key=lambda one: (order.get(one[1], 0), one[0]))
        return [{"file": file, "part": part, "bytes": self._files[file][1].size} for file, part in listed]

    def _look_at(self, part: str, head: bytes) -> str:
        """Return what a file holds; of a CSV the headings are kept in the plan."""
        first = next(lines.split(lines.plain([head])), [b""])[0]
        if self._kind is not ImportKind.FHIR:
            headings, self._plan.delimiter = read_heading(first)
            self._plan.headings = list(headings)
            return CSV_PART
        found = part or kind_of(first)
        if found not in READERS:
            raise BadInput(f"holds no FHIR NDJSON of: {', '.join(READERS)}", place="files")
        return found


def receive(kind: ImportKind, files: Sequence[Incoming], *, actor: Actor, now: datetime) -> UUID:
    """Seal the bytes of `files` as a new import that waits to be described; return its id."""
    receiving = Receiving(kind)
    for one in files:
        writer = receiving.file(one.name, one.part)
        for piece in one.pieces:
            writer.write(piece)
        writer.close()
    return receiving.finish(actor=actor, now=now)


def describe(import_id: UUID, declaration: Declaration, mapping: CsvMapping | None, *, now: datetime) -> None:
    """Say where the addresses come from and how the columns are read; the import is ready then.

    Raises `BadInput` with the place of a fault in the mapping, `Conflict` when it has begun.
    """
    row = queries.row_of(import_id, lock=True)
    if row.status not in {ImportStatus.LOADING, ImportStatus.READY}:
        raise Conflict("This import has begun already.")
    if declaration.obtained > now.date():
        raise BadInput("is in the future", place="obtained")
    plan = Plan.open(row.id, row.sealed)
    plan.evidence = declaration.evidence.strip()
    if row.kind == ImportKind.CONTACTS_CSV:
        plan.mapping = mapping or mappings.suggest(plan.headings)
        RowReader(plan.mapping, plan.headings, declaration)
    elif row.kind == ImportKind.PERMISSIONS_CSV:
        plan.mapping = mapping or default_mapping(plan.headings)
        PermissionReader(plan.mapping, plan.headings, declaration)
    if plan.mapping is not None and plan.mapping.delimiter:
        plan.delimiter = plan.mapping.delimiter
    row.source, row.obtained = declaration.source.value, declaration.obtained
    row.sealed, row.status = plan.seal(row.id), ImportStatus.READY.value
    row.save()


def begin(import_id: UUID, *, actor: Actor, now: datetime) -> Import:
    """Mark a described import as running, and return its row; one that runs already goes on.

    Raises `Conflict` when it is not described or has ended.
    """
    row = queries.row_of(import_id, lock=True)
    if row.status == ImportStatus.LOADING:
        raise Conflict("Say first where the addresses of this import come from.")
    if ImportStatus(row.status) in ENDED:
        raise Conflict("This import has ended.")
    if row.status == ImportStatus.READY:
        row.status, row.started_at = ImportStatus.RUNNING.value, now
        row.save()
        audit.record(
            Action.IMPORT_START,
            actor=actor,
            object_kind="import",
            object_id=row.id,
            details={"kind": row.kind, "source": row.source, "bytes": row.bytes_total},
        )
    return row


def end(import_id: UUID, status: ImportStatus, *, actor: Actor, now: datetime, failure: str = "") -> None:
    """End an import and remove its upload; one that has ended stays as it is."""
    row = queries.row_of(import_id, lock=True)
    if ImportStatus(row.status) in ENDED:
        return
    row.status, row.finished_at, row.failure = status.value, now, failure
    row.save()
    uploads.discard(import_id)
    audit.record(
        Action.IMPORT_CANCEL if status is ImportStatus.CANCELLED else Action.IMPORT_FINISH,
        actor=actor,
        object_kind="import",
        object_id=row.id,
        outcome="ok" if status is not ImportStatus.FAILED else "failed",
        details={name: count for name, count in row.counts.items() if count},
    )


def cancel(import_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Stop an import for good; what its batches have committed stays. Raises `Conflict` when it ended."""
    row = queries.row_of(import_id, lock=True)
    if ImportStatus(row.status) in ENDED:
        raise Conflict("This import has ended.")
    end(import_id, ImportStatus.CANCELLED, actor=actor, now=now)


def discard_abandoned(*, actor: Actor, now: datetime) -> int:
    """Cancel uploads that nobody described for two days; return how many."""
    waiting = (ImportStatus.LOADING.value, ImportStatus.READY.value)
    stale = Import.objects.filter(status__in=waiting, created_at__lt=now - ABANDONED)
    ids = list(stale.values_list("id", flat=True))
    for import_id in ids:
        end(import_id, ImportStatus.CANCELLED, actor=actor, now=now)
    return len(ids)


def save_mapping(
    name: str, mapping: CsvMapping, *, actor: Actor, now: datetime, mapping_id: UUID | None = None
) -> UUID:
    """Keep a mapping under a name (a given id is replaced) and return its id."""
    if not name.strip() or len(name) > 100:
        raise BadInput("give it a name of at most 100 characters", place="name")
    row_id = mapping_id or new_id()
    bound = keys.binding(current_organization(), "intake_mapping", row_id)
    body = orjson.dumps({"name": name.strip(), "mapping": mappings.to_json(mapping)})
    row = MappingRow.objects.filter(id=row_id).first() or MappingRow(id=row_id, created_at=now)
    row.sealed, row.changed_at = keys.sealer().seal(body, bound), now
    row.save()
    audit.record(Action.MAPPING_SAVE, actor=actor, object_kind="mapping", object_id=row_id)
    return row_id
