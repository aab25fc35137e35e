"""One person's data in journeys: what an access request gets, and what is left after an erasure."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.journeys.contracts import Fate
from salus.journeys.courses import course
from salus.journeys.diaries import all_of
from salus.journeys.effects import take_back
from salus.journeys.models import EnrolmentRow
from salus.journeys.opening import Books, Opened
from salus.journeys.queries import journey
from salus.journeys.rules.position import ENDED, End, Position, Why, unpack
from salus.journeys.telling import diary_facts
from salus.journeys.walking import ERASED, Walker, write
from salus.kernel.acting import Actor
from salus.kernel.time import Clock, SystemClock

_CLOCK = SystemClock()


def export_person(contact_id: UUID, *, purpose: str, actor: Actor) -> dict[str, Any]:
    """Return a person's ways through journeys with the journeys' names, for an access request."""
    found = all_of(contact_id)
    audit.record(
        Action.JOURNEY_PEOPLE_READ,
        actor=actor,
        object_kind="contact",
        object_id=contact_id,
        patient_id=contact_id,
        purpose=purpose,
        details={"journeys": len(found)},
    )
    return {
        "journeys": [{"name": journey(each.journey_id).name.reveal(), **diary_facts(each)} for each in found]
    }


def erase_person(contact_id: UUID, *, actor: Actor, clock: Clock = _CLOCK) -> None:
    """Take a person out of every journey they are in, with the reason "erased", also out of paused ones.

    Their diaries hold ids, codes and times only; they stay, and so do the counts: without the contact's
    record nothing leads from them to a person.
    """
    at = clock.now()
    rows = EnrolmentRow.objects.select_for_update().filter(contact_id=contact_id, fate=Fate.WAITING)
    for row in rows.order_by("id"):
        take_out(row, ERASED, actor=actor, at=at)


def take_out(row: EnrolmentRow, reason: str, *, actor: Actor, at: datetime) -> None:
    """Take somebody out of the journey that they are in, locked, with `reason`; it is recorded."""
    walker = _standing(row, at)
    take_back([walker.position], actor=actor, at=at)
    walker.take(End(Fate.EXITED, ENDED, reason, ENDED), at)
    write(row.journey_id, [walker], at)
    audit.record(
        Action.JOURNEY_MOVE,
        actor=actor,
        object_kind="journey",
        object_id=row.journey_id,
        patient_id=row.contact_id,
        reason=reason,
        details={"people": 1, "visits": 1, "ended": 1},
    )


def _standing(row: EnrolmentRow, at: datetime) -> Walker:
    """Return somebody inside where they stand."""
    position = Position(
        row.id,
        row.contact_id,
        row.step,
        row.arrived_at,
        row.entered_at,
        row.ordinal,
        row.entry,
        row.came_by,
        Why(row.waits) if row.waits else None,
        memory=unpack(row.memory),
    )
    facts = Opened(
        Books(at),
        row.contact_id,
        row.contact_number,
        asked=False,
        urgent=lambda step: False,
        channels=(),
    )
    return Walker(row.id, row.version_id, row.contact_number, course(row.version_id), position, facts)
