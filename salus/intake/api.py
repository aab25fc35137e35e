"""The door of intake: receive files, describe them, check, run, and see what was rejected.

Functions work for the organization in context (`acting_for`); `run` and `check` take it as an
argument instead, because they open one transaction for each batch.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.intake import fhir_files, lines, operations, permission_rows, queries, uploads
from salus.intake import mapping as mappings
from salus.intake.aging import count_rejects, empty_rejects
from salus.intake.clinic.crowd import MAPPING as CROWD_MAPPING
from salus.intake.clinic.crowd import generate_crowd
from salus.intake.clinic.files import Clinic, PlannedImport
from salus.intake.clinic.files import generate_clinic as _generate_clinic
from salus.intake.clinic.ledger import TOPICS as CLINIC_TOPICS
from salus.intake.clinic.people import DEFAULT_DOMAINS, Weighted
from salus.intake.contracts import (
    Counts,
    CsvMapping,
    Declaration,
    ImportFacts,
    ImportKind,
    ReasonCount,
    Reject,
    SavedMapping,
)
from salus.intake.csv_reading import CsvReader, read_heading
from salus.intake.leaving import erase_person
from salus.intake.operations import Incoming, Receiving
from salus.intake.plan import Plan
from salus.intake.running import Progress, Run
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput
from salus.kernel.phi import Phi
from salus.kernel.time import Clock, SystemClock
from salus.platform.jobs import defer
from salus.platform.tenancy import current_organization

__all__ = [
    "CLINIC_TOPICS",
    "CROWD_MAPPING",
    "DEFAULT_DOMAINS",
    "Clinic",
    "Incoming",
    "PlannedImport",
    "Receiving",
    "cancel",
    "check",
    "count_rejects",
    "describe",
    "discard_abandoned",
    "empty_rejects",
    "erase_person",
    "generate_clinic",
    "generate_crowd",
    "headings",
    "headings_in",
    "imports",
    "mapping_from_json",
    "mapping_of",
    "mapping_to_json",
    "permissions_mapping",
    "read_file",
    "reasons",
    "receive",
    "rejects",
    "rejects_file",
    "run",
    "sample",
    "save_mapping",
    "saved_mappings",
    "start",
    "start_csv",
    "start_fhir",
    "start_permissions_csv",
    "start_planned",
    "status",
    "suggest_mapping",
]

_CLOCK = SystemClock()
CHECKED_ROWS = 200_000
"""How many rows a check reads."""

mapping_from_json = mappings.from_json
mapping_to_json = mappings.to_json
suggest_mapping = mappings.suggest
permissions_mapping = permission_rows.default_mapping


def read_file(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file, unpacked when its name ends in .gz; raises `BadInput` when it is not there."""
    if not path.is_file():
        raise BadInput("there is no such file", place=str(path))
    return fhir_files.pieces(path)


def receive(kind: ImportKind, files: Sequence[Incoming], *, actor: Actor, clock: Clock = _CLOCK) -> UUID:
    """Seal the bytes of `files` as a new import that waits to be described; return its id."""
    return operations.receive(kind, files, actor=actor, now=clock.now())


def describe(
    import_id: UUID,
    *,
    declaration: Declaration,
    mapping: CsvMapping | None = None,
    clock: Clock = _CLOCK,
) -> None:
    """Declare where the addresses come from and how the columns are read.

    Without a `mapping` the headings must speak for themselves. Raises `BadInput` with the place.
    """
    operations.describe(import_id, declaration, mapping, now=clock.now())


def start(import_id: UUID) -> None:
    """Queue a described import for the workers; starting one twice is harmless."""
    queries.row_of(import_id)
    defer("salus.intake.tasks.run_import", once=str(import_id), import_id=str(import_id))


def start_csv(
    pieces: Iterable[bytes],
    *,
    mapping: CsvMapping | None = None,
    declaration: Declaration,
    actor: Actor,
    name: str = "",
    queue: bool = True,
    clock: Clock = _CLOCK,
) -> UUID:
    """Receive, describe and (with `queue`) start a CSV of contacts; return the import's id."""
    files = [Incoming(name, "csv", pieces)]
    return _start(ImportKind.CONTACTS_CSV, files, mapping, declaration, actor, queue, clock)


def start_permissions_csv(
    pieces: Iterable[bytes],
    *,
    mapping: CsvMapping | None = None,
    declaration: Declaration,
    actor: Actor,
    name: str = "",
    queue: bool = True,
    clock: Clock = _CLOCK,
) -> UUID:
    """Receive, describe and (with `queue`) start a CSV of opt-ins, opt-outs and signed forms."""
    files = [Incoming(name, "csv", pieces)]
    return _start(ImportKind.PERMISSIONS_CSV, files, mapping, declaration, actor, queue, clock)


def start_fhir(
    paths: Iterable[Path],
    *,
    declaration: Declaration,
    actor: Actor,
    queue: bool = True,
    clock: Clock = _CLOCK,
) -> UUID:
    """Receive, describe and (with `queue`) start FHIR R4 NDJSON files, or directories of them."""
    files = fhir_files.find(list(paths))
    return _start(ImportKind.FHIR, files, None, declaration, actor, queue, clock)


def start_planned(planned: PlannedImport, *, actor: Actor, queue: bool = True, clock: Clock = _CLOCK) -> UUID:
    """Start one import of a generated clinic; return its id."""
    if planned.kind is ImportKind.FHIR:
        return start_fhir(
            planned.paths, declaration=planned.declaration, actor=actor, queue=queue, clock=clock
        )
    files = [Incoming(path.name, "csv", read_file(path)) for path in planned.paths]
    return _start(planned.kind, files, planned.mapping, planned.declaration, actor, queue, clock)


def generate_clinic(
    directory: Path,
    *,
    patients: int,
    seed: int = 7,
    domains: Weighted[str] = DEFAULT_DOMAINS,
    clock: Clock = _CLOCK,
) -> Clinic:
    """Write a synthetic clinic as of today to `directory`, and return how to import it.

    The same seed, number, domains and day give the same files. `domains` are (name, share).
    """
    return _generate_clinic(
        directory, patients=patients, seed=seed, today=clock.now().date(), domains=domains
    )


def _start(
    kind: ImportKind,
    files: Sequence[Incoming],
    mapping: CsvMapping | None,
    declaration: Declaration,
    actor: Actor,
    queue: bool,
    clock: Clock,
) -> UUID:
    import_id = receive(kind, files, actor=actor, clock=clock)
    describe(import_id, declaration=declaration, mapping=mapping, clock=clock)
    if queue:
        start(import_id)
    return import_id


def run(
    organization_id: UUID,
    import_id: UUID,
    *,
    actor: Actor,
    progress: Progress | None = None,
    clock: Clock = _CLOCK,
) -> ImportFacts:
    """Import what is left of an import, batch by batch, and return how it ended.

    `progress` is told after each batch. Raises `Conflict` when it has ended or runs elsewhere.
    """
    return Run(organization_id, import_id, actor=actor, clock=clock).run(progress)


def check(
    organization_id: UUID, import_id: UUID, *, actor: Actor, limit: int = CHECKED_ROWS, clock: Clock = _CLOCK
) -> tuple[Counts, list[ReasonCount]]:
    """Return what a run would count and reject, by reason; nothing is written."""
    return Run(organization_id, import_id, actor=actor, clock=clock).check(limit)


def status(import_id: UUID) -> ImportFacts:
    """Return how far an import is; raises `NotFound`."""
    return queries.facts(queries.row_of(import_id))


def imports(limit: int = 50) -> list[ImportFacts]:
    """Return the newest imports."""
    return queries.newest(limit)


def cancel(import_id: UUID, *, actor: Actor, clock: Clock = _CLOCK) -> None:
    """Stop an import for good; what is in stays in. Raises `Conflict` when it has ended."""
    operations.cancel(import_id, actor=actor, now=clock.now())


def headings(import_id: UUID) -> tuple[str, ...]:
    """Return the headings of a CSV that was received."""
    row = queries.row_of(import_id)
    return tuple(Plan.open(row.id, row.sealed).headings)


def headings_in(first_line: bytes) -> tuple[str, ...]:
    """Return the headings in the first line of a CSV; raises `BadInput` when they are none."""
    first = next(lines.split(lines.plain([first_line])), [b""])[0]
    return read_heading(first)[0]


def mapping_of(import_id: UUID) -> CsvMapping | None:
    """Return the mapping that an import was described with, or None."""
    row = queries.row_of(import_id)
    return Plan.open(row.id, row.sealed).mapping


def sample(import_id: UUID, rows: int = 3) -> list[list[Phi[str]]]:
    """Return the first whole rows of a CSV that was received, each cell protected."""
    row = queries.row_of(import_id)
    plan = Plan.open(row.id, row.sealed)
    chunks = uploads.read(current_organization(), import_id, row.files[0]["file"], row.files[0]["bytes"])
    first = next(lines.split(lines.plain(chunks)), [])[1 : rows * 20 + 1]
    reader = CsvReader(width=len(plan.headings), delimiter=plan.delimiter, line=2)
    records, _ = reader.feed(first, last=True)
    return [[Phi(cell) for cell in one.cells] for one in records if not one.fault][:rows]


def rejects(import_id: UUID, *, after: UUID | None = None, limit: int = 100) -> list[Reject]:
    """Return the next rejects of an import, without their rows."""
    queries.row_of(import_id)
    return queries.rejects(import_id, after=after, limit=limit)


def reasons(import_id: UUID) -> list[ReasonCount]:
    """Return how many rows each reason refused, most first."""
    return queries.reasons(import_id)


def rejects_file(import_id: UUID, *, actor: Actor) -> Iterator[bytes]:
    """Yield a file of the rejected rows with their reasons, to be corrected and imported again.

    CSV for a CSV, NDJSON for FHIR. It holds what was refused, so it is PHI: the download is recorded.
    """
    row = queries.row_of(import_id)
    audit.record(
        Action.REJECT_READ,
        actor=actor,
        object_kind="import",
        object_id=import_id,
        fields=("row",),
        details={"rejected": row.counts.get("rejected", 0)},
    )
    if row.kind == ImportKind.FHIR:
        return _ndjson_of(import_id)
    return _csv_of(import_id, Plan.open(row.id, row.sealed))


def _ndjson_of(import_id: UUID) -> Iterator[bytes]:
    for reject, row in queries.rejected_rows(import_id):
        about: dict[str, Any] = {"line": reject.line, "field": reject.field, "reason": reject.reason}
        yield orjson.dumps({"salus": about, "resource": row}) + b"\n"


def _csv_of(import_id: UUID, plan: Plan) -> Iterator[bytes]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=plan.delimiter, lineterminator="\r\n")
    writer.writerow([*plan.headings, "salus_line", "salus_field", "salus_reason"])
    width = len(plan.headings)
    for reject, row in queries.rejected_rows(import_id):
        cells = [str(cell) for cell in row] if isinstance(row, list) else [str(row)]
        cells = (cells + [""] * width)[:width]
        writer.writerow([*cells, reject.line, reject.field, reject.reason])
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue().encode()


def save_mapping(
    name: str,
    mapping: CsvMapping,
    *,
    actor: Actor,
    mapping_id: UUID | None = None,
    clock: Clock = _CLOCK,
) -> UUID:
    """Keep a mapping under a name, in place of `mapping_id` when it is given; return its id."""
    return operations.save_mapping(name, mapping, actor=actor, now=clock.now(), mapping_id=mapping_id)


def saved_mappings() -> list[SavedMapping]:
    """Return the saved mappings, the newest first."""
    return queries.saved_mappings()


def discard_abandoned(*, actor: Actor, clock: Clock = _CLOCK) -> int:
    """Remove uploads that nobody described for two days; return how many. A daily round."""
    return operations.discard_abandoned(actor=actor, now=clock.now())
