"""What other packages may know of imports: what is declared, how far one is, what was rejected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from salus.kernel.errors import BadInput
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import AddressSource
from salus.timeline.contracts import EventKind

EVENT_KINDS = frozenset(
    {
        EventKind.APPOINTMENT_ATTENDED,
        EventKind.APPOINTMENT_BOOKED,
        EventKind.APPOINTMENT_CANCELLED,
        EventKind.APPOINTMENT_MISSED,
        EventKind.APPOINTMENT_MOVED,
        EventKind.DISCHARGE,
        EventKind.LAB_AVAILABLE,
        EventKind.PROCEDURE_DONE,
        EventKind.VISIT,
    }
)
"""What records of a FHIR server tell that it happened."""


class ImportKind(StrEnum):
    """What an import reads."""

    CONTACTS_CSV = "contacts_csv"
    PERMISSIONS_CSV = "permissions_csv"
    FHIR = "fhir"


class ImportStatus(StrEnum):
    """Where an import is in its life."""

    LOADING = "loading"
    """The files are being sealed."""
    READY = "ready"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    """It cannot go on; `failure` says why. What was committed stays."""
    CANCELLED = "cancelled"


ENDED = frozenset({ImportStatus.DONE, ImportStatus.FAILED, ImportStatus.CANCELLED})


class Severity(StrEnum):
    """How much of a row was refused."""

    ROW = "row"
    FIELD = "field"
    """The row is in, without this field."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """Where the addresses of an import come from; the gate needs it for every address.

    `evidence` says how it is known ("registration desk, form R-2"), `obtained` when.
    """

    source: AddressSource
    evidence: str
    obtained: date

    def __post_init__(self) -> None:
        if not isinstance(self.source, AddressSource):
            raise BadInput("say where the addresses come from", place="source")
        if not self.evidence.strip():
            raise BadInput("say how it is known where the addresses come from", place="evidence")
        if len(self.evidence) > 200:
            raise BadInput("is longer than 200 characters", place="evidence")


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows had which fate: read = taken + rejected + ignored.

    `created`, `updated` and `unchanged` count people as batches met them; of a FHIR import a person
    may be updated more than once. `left_out` counts fields of rows that are in without them,
    `repaired` lines that were not UTF-8.
    """

    read: int = 0
    taken: int = 0
    rejected: int = 0
    ignored: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    left_out: int = 0
    repaired: int = 0
    events: int = 0
    entries: int = 0


@dataclass(frozen=True, slots=True)
class ImportFacts:
    """One import as it stands."""

    id: UUID
    kind: ImportKind
    status: ImportStatus
    source: AddressSource
    obtained: date
    counts: Counts
    bytes_total: int
    bytes_done: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    failure: str
    files: tuple[str, ...]
    """What the files hold: "csv" or FHIR resource types, never their names."""


@dataclass(frozen=True, slots=True)
class Reject:
    """One row or field that was refused; `field` is an attribute key or another word of ours."""

    id: UUID
    part: str
    """"csv", or the FHIR resource type."""
    line: int
    field: str
    reason: str
    severity: Severity


_LABELS = {"identity": "Whose it is", "json": "The line", "row": "The row", "email": "E-mail"}


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How often one reason occurred."""

    field: str
    reason: str
    severity: Severity
    rows: int

    @property
    def label(self) -> str:
        """Return the field as people call it."""
        return _LABELS.get(self.field) or self.field.replace("_", " ").capitalize()

    @property
    def said(self) -> str:
        """Return it as a sentence without its period: "Birth date is not a day of the calendar"."""
        if self.reason.startswith(("is ", "has ", "does ")):
            return f"{self.label} {self.reason}"
        return self.reason[:1].upper() + self.reason[1:]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a CSV and where it goes.

    `target` is "attribute:<key>", "identifier:<system>", "address:email", "address:phone" or
    "record:<attribute key>"; in a file of permissions also "entry:<field>" and "detail:<name>".
    `date` overrides the mapping's date format, `values` translates cells ("W" -> "female"),
    `separator` cuts a cell with several codes. For records: `part` is the field of the record that
    the cell holds, `group` joins columns into one record, `constants` fills the others.
    """

    heading: str
    target: str
    date: str = ""
    separator: str = ";"
    values: Mapping[str, str] = field(default_factory=dict)
    part: str = "code"
    group: str = ""
    constants: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CsvMapping:
    """How the columns of a CSV are read.

    `defaults` are values by target for rows that do not say ("attribute:relation" -> "patient").
    With `existing_only` a row of somebody unknown is rejected instead of making a new contact.
    """

    columns: tuple[Column, ...]
    defaults: Mapping[str, str] = field(default_factory=dict)
    date: str = ""
    delimiter: str = ""
    existing_only: bool = False


@dataclass(frozen=True, slots=True)
class SavedMapping:
    """A mapping that was kept under a name."""

    id: UUID
    name: Phi[str]
    mapping: CsvMapping
