"""Runs an import: reads a batch ahead in a thread, writes each batch in a transaction of its own.

Position and counts move in the same transaction as the batch, so a run that is killed anywhere goes
on where the last batch was committed, and two runs of one import cannot double anything.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import tzinfo
from uuid import UUID

from salus.contacts import api as contacts
from salus.intake import lines, operations, queries, uploads
from salus.intake.contracts import (
    ENDED,
    Counts,
    Declaration,
    ImportFacts,
    ImportKind,
    ImportStatus,
    ReasonCount,
    Severity,
)
from salus.intake.csv_rows import RowReader
from salus.intake.fhir.facts import Context
from salus.intake.models import Import
from salus.intake.permission_rows import PermissionReader
from salus.intake.plan import Plan
from salus.intake.readers import ContactsCsv, FhirNdjson, Keys, PermissionsCsv, Reader
from salus.intake.work import Work
from salus.intake.writing import BatchWriter
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict
from salus.kernel.time import Clock
from salus.kernel.vocabulary import AddressSource
from salus.keys import api as keys
from salus.platform.tenancy import acting_for

BATCH_LINES = 2_000
"""Physical lines in one batch."""

Progress = Callable[[ImportFacts], None]


@dataclass(frozen=True, slots=True)
class Position:
    """Where the next batch begins: the file, its line, and how many bytes of it are behind."""

    file: int = 0
    line: int = 1
    byte: int = 0


_tuning = threading.Lock()
_tuned: list[tuple[float, tuple[int, int, int]]] = []
"""What to put back, once for each run in this process that is tuned."""


@contextmanager
def tuned() -> Iterator[None]:
    """Run Python for one reading and one writing thread, and put things back after the last run.

    The writer, back from the database, must not wait 5 ms for the reader's turn to end; and looking
    for garbage cycles among tens of thousands of live rows costs a third of the time and finds none.
    """
    with _tuning:
        _tuned.append((sys.getswitchinterval(), gc.get_threshold()))
        sys.setswitchinterval(0.0005)
        gc.set_threshold(200_000, 20, 50)
    try:
        yield
    finally:
        with _tuning:
            # The first one's memory is of the time before; it goes last.
            interval, thresholds = _tuned.pop() if len(_tuned) > 1 else _tuned.pop(0)
            if not _tuned:
                sys.setswitchinterval(interval)
                gc.set_threshold(*thresholds)


class Run:
    """One run of one import."""

    def __init__(self, organization_id: UUID, import_id: UUID, *, actor: Actor, clock: Clock) -> None:
        self._organization_id, self._import_id = organization_id, import_id
        self._actor, self._clock = actor, clock
        self._row: Import
        self._plan: Plan
        self._declaration: Declaration
        self._writer: BatchWriter
        self._zone: tzinfo
        self._mostly_new = False

    def run(self, progress: Progress | None = None) -> ImportFacts:
        """Import what is left, and return how it ended.

        Raises `Conflict` when it has ended, is not described, or somebody else runs it too.
        """
        with acting_for(self._organization_id):
            self._load(operations.begin(self._import_id, actor=self._actor, now=self._clock.now()))
        position = Position(**self._row.position)
        try:
            for work, after in self._works(position):
                with acting_for(self._organization_id):
                    self._commit(work, position, after)
                position = after
                if ImportStatus(self._row.status) in ENDED:  # cancelled, or finished by another run
                    break
                if progress is not None:
                    progress(queries.facts(self._row))
            else:
                self._end(ImportStatus.DONE)
        except BadInput as fault:
            self._end(ImportStatus.FAILED, f"Line {position.line}: {fault.what}.")
        with acting_for(self._organization_id):
            return queries.facts(queries.row_of(self._import_id))

    def check(self, limit: int) -> tuple[Counts, list[ReasonCount]]:
        """Read up to `limit` rows and return what would come of them; nothing is written."""
        with acting_for(self._organization_id):
            self._load(queries.row_of(self._import_id))
        counts: Counter[str] = Counter()
        reasons: Counter[tuple[str, str, Severity]] = Counter()
        for work, _ in self._works(Position()):
            with acting_for(self._organization_id):
                more, refused = self._writer.foresee(work)
            counts.update(more)
            reasons.update((one.field, one.reason, one.severity) for one in refused)
            if counts["read"] >= limit:
                break
        return Counts(**counts), [ReasonCount(*key, rows) for key, rows in reasons.most_common()]

    def _load(self, row: Import) -> None:
        self._row = row
        self._plan = Plan.open(row.id, row.sealed)
        self._declaration = Declaration(
            AddressSource(row.source), self._plan.evidence or "not said", row.obtained
        )
        self._writer = BatchWriter(row.id, self._declaration, self._actor, self._clock)
        self._zone = queries.zone()

    def _works(self, start: Position) -> Iterator[tuple[Work, Position]]:
        """Yield each batch with the position behind it; the next one is read while it is written."""
        with acting_for(self._organization_id):
            blinder, seal = keys.blinder(), contacts.document_sealer()
        position = start
        with tuned(), ThreadPoolExecutor(1, thread_name_prefix="intake") as pool:
            waiting: tuple[int, int, Future[Work]] | None = None
            for file, reader, batch, lead, last in self._batches(start):
                handles = Keys(blinder, seal if self._mostly_new else None)
                future = pool.submit(reader.read, batch, last=last, keys=handles)
                if waiting is not None:
                    work, position = _behind(position, *waiting)
                    yield work, position
                waiting = file, lead, future
            if waiting is not None:
                yield _behind(position, *waiting)

    def _batches(self, start: Position) -> Iterator[tuple[int, Reader, list[bytes], int, bool]]:
        """Yield (file, its reader, lines, bytes of headings before them, whether they are the last)."""
        for file, about in enumerate(self._row.files):
            if file < start.file:
                continue
            at = start if file == start.file else Position(file)
            chunks = uploads.read(self._organization_id, self._import_id, about["file"], about["bytes"])
            rest = grouped(lines.split(uploads.skip(lines.plain(chunks), at.byte)), BATCH_LINES)
            lead, reader = 0, self._reader(at)
            for batch, last in rest:
                if self._row.kind != ImportKind.FHIR and at.byte == 0 and not lead:
                    lead = len(batch[0])
                    yield file, reader, batch[1:], lead, last
                else:
                    yield file, reader, batch, 0, last

    def _reader(self, at: Position) -> Reader:
        if self._row.kind == ImportKind.FHIR:
            return FhirNdjson(
                Context(self._declaration, self._clock.now().date(), self._zone), self._clock, line=at.line
            )
        plan, line = self._plan, max(at.line, 2)  # line 1 holds the headings
        assert plan.mapping is not None
        width, delimiter = len(plan.headings), plan.delimiter
        if self._row.kind == ImportKind.PERMISSIONS_CSV:
            entries = PermissionReader(plan.mapping, plan.headings, self._declaration, self._zone)
            return PermissionsCsv(entries, width=width, delimiter=delimiter, line=line)
        rows = RowReader(plan.mapping, plan.headings, self._declaration)
        return ContactsCsv(rows, self._clock, width=width, delimiter=delimiter, line=line)

    def _commit(self, work: Work, before: Position, after: Position) -> None:
        """Write a batch and move on, in the present transaction."""
        row = queries.row_of(self._import_id, lock=True)
        self._row = row
        if ImportStatus(row.status) in ENDED:
            return
        if Position(**row.position) != before:
            raise Conflict("This import is running elsewhere.", kept="It goes on there.")
        more = self._writer.write(work)
        self._mostly_new = more["created"] * 2 > more["taken"]
        counts = Counter(row.counts)
        counts.update(more)
        row.counts = dict(counts)
        row.position = asdict(after)
        row.bytes_done = min(
            sum(one["bytes"] for one in row.files[: after.file]) + after.byte, row.bytes_total
        )
        row.save()

    def _end(self, status: ImportStatus, failure: str = "") -> None:
        with acting_for(self._organization_id):
            operations.end(self._import_id, status, actor=self._actor, now=self._clock.now(), failure=failure)


def _behind(before: Position, file: int, lead: int, future: Future[Work]) -> tuple[Work, Position]:
    """Return the finished work of `future` and the position behind it."""
    work = future.result()
    behind = before.byte if before.file == file else 0
    return work, Position(file, work.line, behind + lead + work.consumed)


def grouped(pieces: Iterable[list[bytes]], size: int) -> Iterator[tuple[list[bytes], bool]]:
    """Yield lists of `size` lines, each with whether it is the last."""
    held: list[bytes] = []
    for piece in pieces:
        held += piece
        while len(held) > size:
            yield held[:size], False
            held = held[size:]
    if held:
        yield held, True
