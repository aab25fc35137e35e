"""What a resource told, and the small parts that all resources are made of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, tzinfo
from typing import Any

from salus.contacts import api as contacts
from salus.contacts.contracts import Address, Identifier
from salus.intake.contracts import Declaration
from salus.kernel.errors import BadInput
from salus.timeline.contracts import EventKind

Resource = Mapping[str, Any]
Record = dict[str, Any]

ENTERED_IN_ERROR = "entered-in-error"
NOON = time(12, tzinfo=UTC)
"""The moment of a day that is known without its hour: the same day everywhere in the USA."""

_REFERENCE = re.compile(r"(?:.*/)?Patient/([A-Za-z0-9\-.]{1,64})(?:/_history/.*)?")
_FULL_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Context:
    """What the import knows that the resource does not say."""

    declaration: Declaration
    today: date
    zone: tzinfo = UTC
    """The organization's time zone, in which moments told in UTC are shown."""


@dataclass(frozen=True, slots=True)
class EventDraft:
    """An event of a patient whose contact is not known yet; without `at` it happened when it is written.

    A moved appointment is one only if it was told before that it starts at another time.
    """

    kind: EventKind
    at: datetime | None
    key: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Facts:
    """What one resource tells of the patient with FHIR id `patient`.

    `notes` are (field, reason) of what was left out. `declares` is true of the Patient resource
    alone: the others attach to a patient who must be known.
    """

    patient: str
    values: dict[str, Any] = field(default_factory=dict)
    defaults: dict[str, Any] = field(default_factory=dict)
    adds: dict[str, tuple[str, ...]] = field(default_factory=dict)
    records: dict[str, tuple[Record, ...]] = field(default_factory=dict)
    identifiers: tuple[Identifier, ...] = ()
    addresses: tuple[Address, ...] = ()
    events: tuple[EventDraft, ...] = ()
    notes: list[tuple[str, str]] = field(default_factory=list)
    declares: bool = False
    died: bool = False

    def set(self, key: str, text: str | None) -> None:
        """Set attribute `key` from `text`, or note that it was left out."""
        if not text:
            return
        try:
            self.values[key] = contacts.reader(key)(text)
        except BadInput as fault:
            self.notes.append((key, fault.what))


def patient_of(reference: Resource | None) -> str:
    """Return the FHIR id in a reference to a patient; raises `BadInput`."""
    text = (reference or {}).get("reference")
    if isinstance(text, str):
        match = _REFERENCE.fullmatch(text)
        if match is not None:
            return match[1]
        if text.startswith("urn:uuid:"):
            return text.removeprefix("urn:uuid:")
    raise BadInput("does not say which patient it is about", place="subject")


def id_of(resource: Resource) -> str:
    """Return the resource's id; raises `BadInput`."""
    found = resource.get("id")
    if not isinstance(found, str) or not found:
        raise BadInput("has no id, so it could not be recognized again", place="id")
    return found


def text_of(concept: Resource | None) -> str:
    """Return the words of a CodeableConcept, or an empty text."""
    concept = concept or {}
    if concept.get("text"):
        return str(concept["text"])
    return next((str(one["display"]) for one in concept.get("coding", ()) if one.get("display")), "")


def code_of(concept: Resource | None) -> str:
    """Return the first code of a CodeableConcept ("active"), or an empty text."""
    return next((str(one["code"]) for one in (concept or {}).get("coding", ()) if one.get("code")), "")


def codes_of(concept: Resource | None) -> dict[str, str]:
    """Return the codes of a CodeableConcept in the systems we know: system -> normalized code."""
    found: dict[str, str] = {}
    for coding in (concept or {}).get("coding", ()):
        system = contacts.SYSTEM_OF_URI.get(coding.get("system", ""))
        code = contacts.normal_code(system, str(coding["code"])) if system and coding.get("code") else None
        if system and code:
            found.setdefault(system, code)
    return found


def coded_record(resource: Resource, concept: Resource | None, prefer: Iterable[str]) -> Record:
    """Return a record with id, code, system and text, by the first system of `prefer` that is there."""
    record: Record = {"id": id_of(resource)}
    codes = codes_of(concept)
    system = next((one for one in prefer if one in codes), "")
    if system:
        record["code"], record["system"] = codes[system], system
    words = text_of(concept)
    if words:
        record["text"] = contacts.clean_text(words.strip(), 1000)
    if not (system or words):
        raise BadInput("has neither a code nor words", place="code")
    return record


def day(text: object) -> str | None:
    """Return the calendar day of a FHIR date or dateTime as its source wrote it; None when partial."""
    if not isinstance(text, str) or not _FULL_DATE.match(text):
        return None
    return contacts.iso_date(text[:10])


def first_day(*texts: object) -> str | None:
    """Return the first of `texts` that is a full day."""
    return next((found for found in map(day, texts) if found), None)


def moment(text: object) -> datetime | None:
    """Return the moment of a FHIR dateTime, noon UTC for a bare day, None when partial or absent."""
    if not isinstance(text, str) or not _FULL_DATE.match(text):
        return None
    try:
        if len(text) == 10:
            return datetime.combine(date.fromisoformat(text), NOON)
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput("is not a date or time") from None
    return found if found.utcoffset() is not None else found.replace(tzinfo=UTC)


def without_empty(record: Record, **more: Any) -> Record:
    """Return `record` with those of `more` that are not None or empty."""
    record.update((key, value) for key, value in more.items() if value not in (None, ""))
    return record


def one_record(patient: str, key: str, record: Record) -> Facts:
    """Return the facts of a resource that is one record, checked."""
    return Facts(patient, records={key: (contacts.check_record(key, record),)})


def event_details(record: Record) -> dict[str, Any]:
    """Return what the event of a record says of it: id, code, system, text."""
    return {name: record[name] for name in ("id", "code", "system", "text") if name in record}
