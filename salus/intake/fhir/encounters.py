"""FHIR R4 Encounter and Appointment: visits, hospital stays, what is booked, kept and missed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, tzinfo

from salus.intake.fhir.facts import (
    ENTERED_IN_ERROR,
    Context,
    EventDraft,
    Facts,
    Record,
    Resource,
    coded_record,
    event_details,
    first_day,
    id_of,
    moment,
    one_record,
    patient_of,
    text_of,
    without_empty,
)
from salus.kernel.errors import BadInput
from salus.timeline import api as timeline
from salus.timeline.contracts import EventKind

INPATIENT = frozenset({"IMP", "ACUTE", "NONAC", "OBSENC", "SS"})
"""Classes of v3-ActCode that are a stay in hospital; all others are visits."""
_SEEN = {"finished", "in-progress", "onleave", "arrived", "triaged"}

_APPOINTMENT_EVENTS: Mapping[str, EventKind] = {
    "booked": EventKind.APPOINTMENT_BOOKED,
    "pending": EventKind.APPOINTMENT_BOOKED,
    "cancelled": EventKind.APPOINTMENT_CANCELLED,
    "fulfilled": EventKind.APPOINTMENT_ATTENDED,
    "noshow": EventKind.APPOINTMENT_MISSED,
}


def _class_of(resource: Resource) -> str:
    found = resource.get("class") or {}
    if isinstance(found, list):  # FHIR R5 sends a list of concepts
        found = next(iter(found[0].get("coding", ())), {}) if found else {}
    return str(found.get("code", "")).upper()


def encounter(resource: Resource, context: Context) -> Facts | None:
    """Read an Encounter: a visit or a stay, and the event that it happened or ended."""
    status, period = resource.get("status"), resource.get("period") or {}
    kind = _class_of(resource)
    stay = kind in INPATIENT
    key = "hospitalizations" if stay else "encounters"
    patient = patient_of(resource.get("subject"))
    if status == ENTERED_IN_ERROR:
        return one_record(patient, key, {"id": id_of(resource), "status": ENTERED_IN_ERROR})
    if status not in _SEEN:
        return None
    types = resource.get("type") or [resource.get("serviceType") or {"text": "Encounter"}]
    record = without_empty(
        coded_record(resource, types[0], ("cpt", "snomed")),
        date=first_day(period.get("start")),
        end=first_day(period.get("end")),
        status=str(status),
        unit=kind,
    )
    facts = one_record(patient, key, record)
    facts.set("department", text_of(resource.get("serviceType")))
    event = _happened(record, resource, stay)
    facts.events = (event,) if event else ()
    return facts


def _happened(record: Record, resource: Resource, stay: bool) -> EventDraft | None:
    """Return the visit, or the discharge at the end of a stay; None while it goes on."""
    if resource.get("status") != "finished":
        return None
    period = resource.get("period") or {}
    at = moment(period.get("end") or period.get("start"))
    if at is None:
        return None
    kind, word = (EventKind.DISCHARGE, "discharge") if stay else (EventKind.VISIT, "visit")
    details = without_empty(event_details(record), department=text_of(resource.get("serviceType")))
    return EventDraft(kind, at, f"fhir:Encounter/{record['id']}:{word}", details)


def appointment(resource: Resource, context: Context) -> Facts | None:
    """Read an Appointment: the record, and the event of its present state."""
    patient = _patient_among(resource)
    status, start = str(resource.get("status", "")), resource.get("start")
    if status == ENTERED_IN_ERROR:
        return one_record(patient, "appointments", {"id": id_of(resource), "status": ENTERED_IN_ERROR})
    if status not in _APPOINTMENT_EVENTS and status not in {"arrived", "checked-in"}:
        return None
    services = resource.get("serviceType") or [
        resource.get("appointmentType") or {"text": resource.get("description") or "Appointment"}
    ]
    day, clock = _at_the_place(start, context.zone)
    record = without_empty(
        coded_record(resource, services[0], ("cpt", "snomed")),
        date=day,
        time=clock,
        end=first_day(resource.get("end")),
        status=status,
    )
    facts = one_record(patient, "appointments", record)
    if status in _APPOINTMENT_EVENTS:
        details = without_empty(event_details(record), starts_at=start if clock else None)
        key = f"fhir:Appointment/{record['id']}"
        event = EventDraft(
            _APPOINTMENT_EVENTS[status], _when(resource, status, context.today), f"{key}:{status}", details
        )
        facts.events = (event,)
        if event.kind is EventKind.APPOINTMENT_BOOKED and clock:
            changed = moment((resource.get("meta") or {}).get("lastUpdated"))
            moved = EventDraft(EventKind.APPOINTMENT_MOVED, changed, f"{key}:moved:{start}", details)
            facts.events = (event, moved)
    return facts


def _at_the_place(start: object, zone: tzinfo) -> tuple[str | None, str | None]:
    """Return the day of an appointment, and its time of day when that is told with its offset."""
    if not isinstance(start, str) or "T" not in start:
        return first_day(start), None
    found = datetime.fromisoformat(start)
    if found.utcoffset() is None:
        return first_day(start), None
    return timeline.at_the_place(found, zone)


def _when(resource: Resource, status: str, today: date) -> datetime | None:
    """Return when the state came: a booking when it was made, the others when it would have been.

    A cancellation that names no moment and comes before the appointment is news of now: None.
    """
    if status in {"booked", "pending"}:
        return moment(resource.get("created") or resource.get("start"))
    if status == "cancelled":
        changed = moment((resource.get("meta") or {}).get("lastUpdated")) or moment(resource.get("start"))
        return changed if changed is not None and changed.date() <= today else None
    return moment(resource.get("start") or resource.get("created"))


def _patient_among(resource: Resource) -> str:
    for participant in resource.get("participant", ()):
        try:
            return patient_of(participant.get("actor"))
        except BadInput:
            continue
    raise BadInput("does not say which patient it is about", place="participant")
