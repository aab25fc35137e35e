"""What others may know of recovery: a site, a backup, what was examined, how a drill ended, retention."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from uuid import UUID

Tell = Callable[[str, int, int], object]
"""Is told how far a step is: its words, how much is done, and of how much (0: unknown), in bytes or seconds."""


class Kind(StrEnum):
    """How a backup was taken."""

    PHYSICAL = "physical"
    """The embedded cluster's files, and its write-ahead log after them: any point in time."""
    LOGICAL = "logical"
    """A dump of the database that DATABASE_URL names, under one snapshot: that moment only."""


class Event(StrEnum):
    """What is kept as evidence (45 CFR 164.308(a)(7)(ii)(A), (B), (D))."""

    BACKUP = "backup"
    RESTORE = "restore"
    DRILL = "drill"


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found of one organization in a restored database."""

    organization_id: UUID
    entries: int
    root: str
    """The audit log's root over `entries`, in hexadecimal digits."""
    verified: bool
    faults: tuple[str, ...]
    contacts: int
    engine_people: int
    """People in the audience engine after it was built anew."""
    erasures: int = 0
    """Erasures on the list that is kept outside the database."""
    erased_again: int = 0
    """People on that list whom the database had all the same; a restore erased them again."""


@dataclass(frozen=True, slots=True)
class Restoring:
    """What is recorded in the restored logs: from which backup, to which moment, and what is given up by it."""

    backup: str
    to: datetime
    given_up: Mapping[UUID, int]
    """Entries of each organization's log that were signed after that moment."""


@dataclass(frozen=True, slots=True)
class Site:
    """The installation that is backed up or restored.

    `examine` looks at the installation in another home folder from a process of its own: it verifies every
    log and builds the engine anew. When it is told of a restore it brings the schema up to date first, erases
    again who was erased since, and records the restore in every log.
    """

    home: Path
    witness: Path
    erased: Path
    """The list of the erased: a line each, kept outside the database; here nobody reads what it says."""
    database: str
    admin_dsn: str = field(repr=False)
    passwords: Mapping[str, str] = field(repr=False)
    """Of the superuser and of each role."""
    embedded: bool
    examine: Callable[[Path, Restoring | None], tuple[Examined, ...]]


@dataclass(frozen=True, slots=True)
class Backup:
    """One backup that is whole: what it can bring back."""

    id: str
    kind: Kind
    made_at: datetime
    """When it was begun."""
    whole_at: datetime
    """The earliest moment it can bring back."""
    until: datetime
    """The last moment it can bring back."""
    bytes: int
    """Bytes in the directory."""
    pieces: int
    """Pieces of write-ahead log after the base."""
    salus: str
    postgres: str
    wal_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Retention:
    """How many backups are kept: the newest of each of the last days, weeks and months that have one."""

    daily: int = 7
    weekly: int = 5
    monthly: int = 12


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold: while there is one, no backup is removed."""

    id: str
    placed_at: datetime
    reason: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Table:
    """One table before and after: rows, and a fingerprint of all their contents.

    `least` and `most` differ when the table changed between the two moments that enclose the drill's point
    in time (milliseconds); the fingerprint is then None.
    """

    name: str
    least: int
    most: int
    fingerprint: str | None
    restored: int
    restored_fingerprint: str

    @property
    def agrees(self) -> bool:
        """Return whether what was restored is what was there."""
        if self.fingerprint is None:
            return self.least <= self.restored <= self.most
        return self.restored == self.least and self.restored_fingerprint == self.fingerprint


@dataclass(frozen=True, slots=True)
class Drill:
    """How a drill ended."""

    at: datetime
    seconds: float
    backup: str
    tables: tuple[Table, ...]
    logs: tuple[Examined, ...]
    faults: tuple[str, ...]
    """What does not agree, in words; none: the backup brings everything back."""

    @property
    def rows(self) -> int:
        """Return how many rows were restored and compared."""
        return sum(each.restored for each in self.tables)


@dataclass(frozen=True, slots=True)
class Restored:
    """How a restore ended."""

    backup: str
    to: datetime
    logs: tuple[Examined, ...]
    given_up: Mapping[UUID, int]
    """Entries of each organization's log that were signed after the point in time."""
    aside: tuple[Path, ...]
    """Where what was there before now is."""


@dataclass(frozen=True, slots=True)
class Run:
    """One backup, restore or drill, as an organization's evidence of it."""

    id: UUID
    event: Event
    at: datetime
    passed: bool
    facts: Mapping[str, str | int]
