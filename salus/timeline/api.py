"""The door of the timeline: append events, follow them, read those of one contact."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any
from uuid import UUID

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput
from salus.kernel.time import Clock, SystemClock
from salus.platform import feed
from salus.timeline import appointments, hearing, leaving, operations, queries, shapes, telling
from salus.timeline.contracts import Event, EventKind, NewEvent, Outcome, Told

_CLOCK = SystemClock()
export_person, erase_person = leaving.export_person, leaving.erase_person
NOBODY = telling.NOBODY
"""The reason of an event that names somebody who is not here, or not for you."""


def append(events: Sequence[NewEvent], *, actor: Actor | None = None, clock: Clock = _CLOCK) -> int:
    """Append events in the current transaction; return how many were new.

    The same (contact, key) is stored once, and events of people who are not here are left out.
    Appends of one organization wait for each other's commit: call it late in a transaction, with
    hundreds of events rather than one. With an `actor` the append is recorded in the audit log;
    without one, whoever calls has recorded the act that these events follow from.
    """
    return operations.append(events, actor, clock.now()).count(Outcome.STORED) if events else 0


def tell(events: Sequence[Any], *, call: str = "", actor: Actor, clock: Clock = _CLOCK) -> list[Told]:
    """Take in events as others tell them and return an answer to each, in order; `schema()` describes one.

    The good ones are stored whatever the others are. `call` names the whole call: events without a `key`
    of their own get one from it, so that the same call again stores nothing twice. An event of an
    appointment also brings the contact's `appointments` up to date, whichever order events come in.
    Give at most a thousand. Raises `BadInput` for a call that is named too long.
    """
    if len(call) > hearing.LONGEST_CALL:
        raise BadInput(f"is longer than {hearing.LONGEST_CALL} characters", place="Idempotency-Key")
    return telling.tell(events, call=call, actor=actor, clock=clock)


def schema() -> dict[str, Any]:
    """Return the JSON Schema of one event that others tell; needs no organization."""
    return hearing.schema()


def tellable() -> frozenset[EventKind]:
    """Return the kinds of events that others may tell; all others are what only Salus itself says."""
    return frozenset(shapes.SHAPES)


def are_known(events: Sequence[NewEvent]) -> list[bool]:
    """Tell of each event whether it is stored already."""
    return operations.are_known(events)


def appointment_starts(ids: Collection[UUID]) -> Mapping[tuple[UUID, str], datetime]:
    """Return when each appointment of these contacts, by contact and id, was last told to start."""
    return appointments.starts_of(queries.beside_messages(ids))


def at_the_place(moment: datetime, zone: tzinfo) -> tuple[str, str]:
    """Return day and time of day ("14:30") as clocks at the place of an appointment show them.

    A moment in UTC is told in `zone`; any other offset is taken for that of the place itself.
    """
    return appointments.at_the_place(moment, zone)


def events_since(number: int, limit: int) -> list[Event]:
    """Return up to `limit` events after `number`, in order; none with a smaller number can appear later."""
    return queries.since(number, limit)


def all_of(ids: Collection[UUID], until: int) -> list[Event]:
    """Return every event of these people up to number `until`, in order; for the engine, after a merge or split."""
    return queries.all_of(ids, until)


def of_contact(
    contact_id: UUID, limit: int = 200, *, actor: Actor | None = None, purpose: str = ""
) -> list[Event]:
    """Return the newest events of a contact, newest first; a look by a person (`actor`) is recorded."""
    if actor is not None:
        audit.record(
            Action.TIMELINE_READ, actor=actor, object_kind="contact", patient_id=contact_id, purpose=purpose
        )
    return queries.of_contact(contact_id, limit)


def of_contacts(
    ids: Sequence[UUID], *, since: datetime, kinds: Container[EventKind] | None = None
) -> Mapping[UUID, list[Event]]:
    """Return for each of `ids` what was recorded at or after `since`, in the order of numbers; for journeys.

    One query for all: give it about a thousand. `kinds` (None: all) is applied after opening, since kinds
    are sealed too. When something happened is `at`, which may be long before it was recorded. No look is
    recorded: whoever acts on what it returns records that act.
    """
    return queries.of_contacts(ids, since, kinds)


def of_message(contact_id: UUID, message_id: UUID) -> list[Event]:
    """Return what happened with one message to a contact, oldest first: accepted, opened, clicked, read.

    Whoever calls records the look (a receipt's reader is recorded with the receipt).
    """
    return queries.of_message(contact_id, message_id)


def head() -> int:
    """Return the number of the newest event, 0 when there is none."""
    return feed.head(operations.FEED)
