"""Who may be written to now: the frequency cap of all mail, and journeys that want the same person on the same day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from psycopg import sql

from salus.delivery import api as delivery
from salus.journeys.contracts import Status
from salus.journeys.courses import course
from salus.journeys.rules.calendar import zone_named
from salus.journeys.rules.position import Why
from salus.journeys.walking import Walker
from salus.platform import bulk
from salus.platform.tenancy import current_organization

DAY = timedelta(days=1)
CAP, PRIORITY = "frequency_cap", "priority"

_WROTE = sql.SQL(
    "SELECT contact_id, day FROM journeys_written "
    "WHERE organization_id = %s AND contact_id = ANY(%s) AND priority > %s"
)
_WANT = sql.SQL(
    "SELECT e.contact_id, e.version_id, e.step, e.waits, e.due_at FROM journeys_enrolment e "
    "JOIN journeys_journey j ON j.id = e.journey_id AND j.priority > %s AND j.status = ANY(%s) "
    "WHERE e.organization_id = %s AND e.contact_id = ANY(%s) AND e.fate = 'waiting' AND e.due_at < %s"
)
_KEEP = sql.SQL(
    "INSERT INTO journeys_written (organization_id, contact_id, day, priority) "
    "SELECT %s, contact_id, day, %s FROM unnest(%s::uuid[], %s::date[]) AS n (contact_id, day) ORDER BY contact_id "
    "ON CONFLICT (organization_id, contact_id) DO UPDATE SET day = EXCLUDED.day, priority = "
    "CASE WHEN journeys_written.day = EXCLUDED.day THEN greatest(journeys_written.priority, EXCLUDED.priority) "
    "ELSE EXCLUDED.priority END"
)


def held(walkers: Sequence[Walker], priority: int, at: datetime) -> Mapping[UUID, tuple[datetime, str]]:
    """Return until when each of these people is not to be written to by a journey of `priority`, and why.

    Those of a journey with a higher priority, that wrote to them today or is going to, are held for a
    day; today is the day where they live. Those who were written to often enough, until they may be.
    """
    ids = [each.contact_id for each in walkers]
    found = {id: (until, CAP) for id, until in delivery.capped(ids, at).items() if until > at}
    for each in _outranked(walkers, priority, at):
        found.setdefault(each, (at + DAY, PRIORITY))
    return found


def keep(walkers: Iterable[Walker], priority: int, at: datetime) -> None:
    """Remember that a journey of `priority` wrote to these people today."""
    days = {each.contact_id: _day(each, at) for each in walkers}
    if days:
        bulk.execute(_KEEP, [current_organization(), priority, list(days), list(days.values())])


def _outranked(walkers: Sequence[Walker], priority: int, at: datetime) -> frozenset[UUID]:
    ids = [each.contact_id for each in walkers]
    today = {each.contact_id: _day(each, at) for each in walkers}
    zones = {each.contact_id: each.facts.zone for each in walkers}
    wrote = bulk.read(_WROTE, [current_organization(), ids, priority])
    found = {contact_id for contact_id, day in wrote if day == today[contact_id]}
    running = [Status.LIVE.value, Status.CLOSED.value]
    wants: defaultdict[UUID, list[datetime]] = defaultdict(list)
    for contact_id, version_id, step, waits, due_at in bulk.read(
        _WANT, [priority, running, current_organization(), ids, at + DAY]
    ):
        if waits != Why.HELD and course(version_id).writes_soon(step):
            wants[contact_id].append(due_at)
    for contact_id, dues in wants.items():
        zone = zone_named(zones[contact_id])
        if any(max(due, at).astimezone(zone).date() == today[contact_id] for due in dues):
            found.add(contact_id)
    return frozenset(found)


def _day(walker: Walker, at: datetime) -> date:
    return at.astimezone(zone_named(walker.facts.zone)).date()
