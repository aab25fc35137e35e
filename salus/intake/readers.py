"""Turns lines of an upload into batches of work; runs ahead in a thread, so it touches no database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import orjson

from salus.contacts import api as contacts
from salus.contacts.api import Seal
from salus.contacts.contracts import ContactPatch, Identifier
from salus.intake import fhir
from salus.intake.contracts import Severity
from salus.intake.csv_reading import CsvReader, Record, blank
from salus.intake.csv_rows import Fault, RowReader
from salus.intake.fhir.facts import Context, Facts
from salus.intake.fhir.patients import FHIR_ID
from salus.intake.permission_rows import PermissionReader
from salus.intake.work import CSV_PART, NDJSON_PART, Origin, PatientWork, Refused, Work
from salus.kernel.errors import BadInput
from salus.kernel.phi import Phi
from salus.kernel.time import Clock
from salus.keys.contracts import Blinder


class Keys(NamedTuple):
    """The handles that a batch needs; the thread that reads has no organization in context."""

    blinder: Blinder
    seal: Seal | None = None
    """Given while most people are new: then they are sealed ahead."""


class Reader(Protocol):
    """Reads one file, batch by batch."""

    def read(self, lines: Sequence[bytes], *, last: bool, keys: Keys) -> Work:
        """Return the work that is in `lines`; what is not complete is kept for the next call."""
        ...


class _CsvBatches:
    """What both kinds of CSV share: records of a batch, broken ones refused."""

    def __init__(self, *, width: int, delimiter: str, line: int) -> None:
        self._csv = CsvReader(width=width, delimiter=delimiter, line=line)

    def _begin(self, lines: Sequence[bytes], *, last: bool) -> tuple[list[Record], Work]:
        repaired = self._csv.repaired
        records, consumed = self._csv.feed(lines, last=last)
        work = Work(self._csv.line, consumed, repaired=self._csv.repaired - repaired)
        whole: list[Record] = []
        for record in records:
            if record.fault:
                origin = Origin(CSV_PART, record.line, list(record.cells) or record.raw.rstrip("\r\n"))
                work.refused.append(Refused(origin, "row", record.fault))
            elif blank(record.cells):
                continue
            else:
                whole.append(record)
        work.read = len(whole) + len(work.refused)
        return whole, work


class ContactsCsv(_CsvBatches):
    """A CSV of people."""

    def __init__(self, rows: RowReader, clock: Clock, *, width: int, delimiter: str, line: int) -> None:
        super().__init__(width=width, delimiter=delimiter, line=line)
        self._rows, self._clock = rows, clock

    def read(self, lines: Sequence[bytes], *, last: bool, keys: Keys) -> Work:
        """Return the people in `lines`."""
        records, work = self._begin(lines, last=last)
        rows: list[contacts.Prepared] = []
        for record, found in zip(records, self._rows.read([one.cells for one in records]), strict=True):
            origin = Origin(CSV_PART, record.line, record.cells)
            if isinstance(found, Fault):
                work.refused.append(Refused(origin, found.field, found.reason))
            else:
                rows.append(found)
                work.people.append(PatientWork((origin,), died=bool(found.values.get("deceased"))))
        work.ready = contacts.make_rows_ready(rows, blinder=keys.blinder, seal=keys.seal, clock=self._clock)
        return work


class PermissionsCsv(_CsvBatches):
    """A CSV of opt-ins, opt-outs and signed forms."""

    def __init__(self, rows: PermissionReader, *, width: int, delimiter: str, line: int) -> None:
        super().__init__(width=width, delimiter=delimiter, line=line)
        self._rows = rows

    def read(self, lines: Sequence[bytes], *, last: bool, keys: Keys) -> Work:
        """Return the entries in `lines`."""
        records, work = self._begin(lines, last=last)
        for record in records:
            origin = Origin(CSV_PART, record.line, record.cells)
            try:
                work.entries.append((origin, self._rows.read(record.cells)))
            except BadInput as fault:
                work.refused.append(Refused(origin, fault.place, fault.what))
        return work


class FhirNdjson:
    """A file of FHIR resources, one on each line; those of one patient are joined within a batch."""

    def __init__(self, context: Context, clock: Clock, *, line: int) -> None:
        self._context, self._clock, self._line = context, clock, line

    def read(self, lines: Sequence[bytes], *, last: bool, keys: Keys) -> Work:
        """Return what the resources in `lines` tell, by patient."""
        work = Work(self._line + len(lines), sum(map(len, lines)))
        groups: dict[str, list[tuple[Origin, Facts]]] = {}
        for number, line in enumerate(lines, self._line):
            if line.isspace() or not line:
                continue
            work.read += 1
            found = self._one(line, number, work)
            if found is not None:
                groups.setdefault(found[1].patient, []).append(found)
        self._line = work.line
        patches = [_patch(group) for group in groups.values()]
        work.ready = contacts.make_patches_ready(
            patches, blinder=keys.blinder, checked=True, clock=self._clock
        )
        work.people = [
            PatientWork(
                [origin for origin, _ in group],
                [event for _, facts in group for event in facts.events],
                any(facts.died for _, facts in group),
            )
            for group in groups.values()
        ]
        return work

    def _one(self, line: bytes, number: int, work: Work) -> tuple[Origin, Facts] | None:
        try:
            resource = orjson.loads(line)
        except orjson.JSONDecodeError:
            whole = line.endswith(b"\n")
            reason = "is not JSON" if whole else "is cut off: the file ends in the middle of a line"
            origin = Origin(NDJSON_PART, number, line.decode("utf-8", "replace").rstrip("\r\n"))
            work.refused.append(Refused(origin, "json", reason))
            return None
        kind = resource.get("resourceType") if isinstance(resource, dict) else None
        origin = Origin(str(kind) if kind in fhir.READERS else NDJSON_PART, number, resource)
        try:
            facts = fhir.read(resource, self._context) if isinstance(resource, dict) else None
        except BadInput as fault:
            work.refused.append(Refused(origin, fault.place or "resource", fault.what))
            return None
        if facts is None:
            work.ignored += 1
            return None
        for name, reason in facts.notes:
            work.refused.append(Refused(origin, name, reason, Severity.FIELD))
        return origin, facts


def _patch(group: Sequence[tuple[Origin, Facts]]) -> ContactPatch:
    """Join what several resources tell of one patient."""
    first = group[0][1]
    values: dict[str, Any] = {}
    defaults: dict[str, Any] = {}
    adds: dict[str, tuple[str, ...]] = {}
    records: dict[str, tuple[Any, ...]] = {}
    identifiers: dict[Identifier, None] = {Identifier(FHIR_ID, Phi(first.patient)): None}
    addresses: dict[Any, None] = {}
    for _, facts in group:
        values.update(facts.values)
        defaults.update(facts.defaults)
        for key, codes in facts.adds.items():
            adds[key] = (*adds.get(key, ()), *codes)
        for key, found in facts.records.items():
            records[key] = (*records.get(key, ()), *found)
        identifiers.update(dict.fromkeys(facts.identifiers))
        addresses.update(dict.fromkeys(facts.addresses))
    return ContactPatch(
        identifiers=tuple(identifiers),
        addresses=tuple(addresses),
        values=values,
        defaults=defaults,
        adds=adds,
        records=records,
        create=any(facts.declares for _, facts in group),
    )
