"""Takes in what others tell of people: reads each event, finds whose it is, stores what is new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.contacts import api as contacts
from salus.identity import api as identity
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, NotFound
from salus.kernel.time import Clock
from salus.timeline import appointments, hearing, operations, queries
from salus.timeline.contracts import Event, NewEvent, Outcome, Told
from salus.timeline.hearing import Heard

NOBODY = "nobody here has this"
SEVERAL = "more than one person has this address: name them by an identifier"


def tell(given: Sequence[Any], *, call: str, actor: Actor, clock: Clock) -> list[Told]:
    """Take in events as JSON values, the good ones whatever the others are; one audit entry for the call."""
    now = clock.now()
    answers: dict[int, Told] = {}
    heard: dict[int, Heard] = {}
    for place, one in enumerate(given):
        try:
            heard[place] = hearing.hear(one, now=now, call=call, place=place)
        except BadInput as fault:
            answers[place] = Told(Outcome.REFUSED, fault.place, fault.what)
    events: dict[int, NewEvent] = {}
    for place, (owners, named) in _owners(heard).items():
        if len(owners) == 1:
            one = heard[place]
            events[place] = NewEvent(owners[0], one.kind, one.at, one.key, details=one.details)
        else:
            answers[place] = Told(Outcome.REFUSED, named, SEVERAL if owners else NOBODY)
    _keep_appointments(list(events.values()), actor, clock)
    for place, outcome in zip(events, operations.append(list(events.values()), None, now), strict=True):
        refused = outcome is Outcome.REFUSED
        answers[place] = Told(outcome, "contact_id", NOBODY) if refused else Told(outcome)
    told = [answers[place] for place in range(len(given))]
    audit.record(
        Action.TIMELINE_APPEND,
        actor=actor,
        object_kind="event",
        details={
            "events": sum(one.outcome is Outcome.STORED for one in told),
            "known": sum(one.outcome is Outcome.KNOWN for one in told),
            "refused": sum(one.outcome is Outcome.REFUSED for one in told),
        },
    )
    return told


def _owners(heard: Mapping[int, Heard]) -> dict[int, tuple[list[UUID], str]]:
    """Return whose each event is, and by what they were named; all look-ups at once."""
    here = contacts.versions([one.contact_id for one in heard.values() if one.contact_id is not None])
    by_identifier, by_email = contacts.find_each(
        {one.identifier for one in heard.values() if one.identifier is not None},
        {one.email for one in heard.values() if one.email is not None},
    )
    found: dict[int, tuple[list[UUID], str]] = {}
    for place, one in heard.items():
        if one.contact_id is not None:
            found[place] = [one.contact_id] if one.contact_id in here else [], "contact_id"
        elif one.identifier is not None:
            found[place] = by_identifier[one.identifier], "identifier"
        elif one.email is not None:
            found[place] = by_email[one.email], "email"
    return found


def _keep_appointments(events: Sequence[NewEvent], actor: Actor, clock: Clock) -> None:
    """Bring the appointments of those who are told of up to date, by all that was ever told of each."""
    told = [one for one in events if one.kind in appointments.STATUS]
    if not told:
        return
    contacts.hold()  # nobody tells more of them between our look and our change
    known = operations.are_known(told)
    fresh = [one for one, is_known in zip(told, known, strict=True) if not is_known]
    of_each: dict[tuple[UUID, str], list[Event | NewEvent]] = {
        (one.contact_id, one.details["id"]): [] for one in fresh
    }
    before = queries.beside_messages({one.contact_id for one in fresh})
    every: list[Event | NewEvent] = [*before, *_once(fresh)]
    for one in every:
        if one.kind in appointments.STATUS and (one.contact_id, one.details.get("id")) in of_each:
            of_each[one.contact_id, one.details["id"]].append(one)
    zone = _zone()
    records: dict[UUID, list[dict[str, Any]]] = {}
    for (contact_id, _), events_of_it in of_each.items():
        records.setdefault(contact_id, []).append(appointments.record_of(events_of_it, zone))
    numbers = contacts.numbers_of(list(records))
    contacts.change_records(
        [(numbers[one], {appointments.ATTRIBUTE: some}) for one, some in records.items() if one in numbers],
        actor,
        clock=clock,
    )


def _zone() -> tzinfo:
    try:
        return ZoneInfo(identity.organization().time_zone)
    except NotFound:  # keys without an organization's facts, as tests and restores have them
        return UTC


def _once(events: Sequence[NewEvent]) -> list[NewEvent]:
    """Return each event once by its key: of repetitions, the first one counts, as it does when they are stored."""
    first: dict[tuple[UUID, str], NewEvent] = {}
    for one in events:
        first.setdefault((one.contact_id, one.key), one)
    return list(first.values())
