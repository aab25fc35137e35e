"""One batch of rows on its way: read and made ready without a database, then written in one go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from salus.contacts.api import Ready
from salus.intake.contracts import Severity
from salus.intake.fhir.facts import EventDraft
from salus.intake.permission_rows import EntryDraft

CSV_PART = "csv"
NDJSON_PART = "ndjson"


class Origin(NamedTuple):
    """Where something came from: the part, the line, and the row as it can be given back."""

    part: str
    line: int
    row: Any
    """A list of cells, a resource, or raw text: what JSON can hold."""


class Refused(NamedTuple):
    """A row, or one field of a row, that will stand in the rejects."""

    origin: Origin
    field: str
    reason: str
    severity: Severity = Severity.ROW


@dataclass(slots=True)
class PatientWork:
    """What a batch says of one person: the rows it comes from, and what follows once they are known."""

    origins: Sequence[Origin]
    events: Sequence[EventDraft] = ()
    died: bool = False


@dataclass(slots=True)
class Work:
    """A batch that is read: what to write, and where the next one begins."""

    line: int
    consumed: int
    read: int = 0
    ignored: int = 0
    repaired: int = 0
    ready: list[Ready] = field(default_factory=list)
    people: list[PatientWork] = field(default_factory=list)
    """One for each of `ready`, in the same order."""
    entries: list[tuple[Origin, EntryDraft]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
