"""What all events of one appointment come to: the dated record that segments, dates and messages see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from types import MappingProxyType
from typing import Any
from uuid import UUID

from salus.timeline.contracts import Event, EventKind, NewEvent

ATTRIBUTE = "appointments"
STATUS: Mapping[EventKind, str] = MappingProxyType(
    {
        EventKind.APPOINTMENT_BOOKED: "booked",
        EventKind.APPOINTMENT_MOVED: "booked",
        EventKind.APPOINTMENT_CANCELLED: "cancelled",
        EventKind.APPOINTMENT_ATTENDED: "fulfilled",
        EventKind.APPOINTMENT_MISSED: "noshow",
    }
)
"""The status of the record (FHIR's words) after an event of each kind."""


def starts_of(events: Iterable[Event]) -> dict[tuple[UUID, str], datetime]:
    """Return when each appointment, by contact and id, was last told to start."""
    found: dict[tuple[UUID, str], datetime] = {}
    for one in sorted(events, key=lambda event: event.at):
        if one.kind in STATUS and "starts_at" in one.details:
            found[one.contact_id, one.details["id"]] = datetime.fromisoformat(one.details["starts_at"])
    return found


def at_the_place(moment: datetime, zone: tzinfo) -> tuple[str, str]:
    """Return day and time of day ("14:30") as the clocks at the place show them.

    A moment in UTC is told in `zone`; any other offset is taken for that of the place itself.
    """
    local = moment.astimezone(zone) if moment.utcoffset() == timedelta(0) else moment
    return local.date().isoformat(), f"{local:%H:%M}"


def record_of(events: Iterable[Event | NewEvent], zone: tzinfo) -> dict[str, Any]:
    """Return the record of one appointment from all of its events, in whatever order they came.

    They count in the order in which they happened; of the same moment, in the order in which they were
    told. What a later one does not say stays as an earlier one said it.
    """
    known: dict[str, Any] = {}
    status = ""
    for one in sorted(events, key=lambda event: event.at.astimezone(UTC)):
        if "code" in one.details:
            known.pop("system", None)
        known |= one.details
        status = STATUS[one.kind]
    record = {"id": known["id"], "status": status}
    if "system" in known and "code" in known:
        record |= {name: known[name] for name in ("code", "system")}
    if "text" in known:
        record["text"] = known["text"]
    if "starts_at" in known:
        record["date"], record["time"] = at_the_place(datetime.fromisoformat(known["starts_at"]), zone)
    if "ends_at" in known:
        record["end"], _ = at_the_place(datetime.fromisoformat(known["ends_at"]), zone)
    return record
