"""Single people in a journey: one's way, all ways of a contact, who is behind a figure. Each look is recorded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from psycopg import sql

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.contacts import api as contacts
from salus.journeys.contracts import Diary, Fate, Figure, Someone, Visit
from salus.journeys.models import EnrolmentRow, VersionRow, VisitRow
from salus.kernel.acting import Actor
from salus.kernel.errors import NotFound
from salus.platform import bulk

MOST_WAYS = 100
"""Of one contact, the newest."""
Place = tuple[UUID, int]
"""Where a list of people goes on: an enrolment and the ordinal of its step."""

_SELECT = (
    "SELECT e.id, e.contact_id, e.contact_number, e.version_id, e.fate, e.reason, "
    "CASE WHEN e.fate = 'waiting' THEN e.step ELSE '' END, "
)
_TOLD = (
    *("id", "journey_id", "version_id", "contact_id", "step"),
    *("due_at", "fate", "reason", "entered_at", "ended_at"),
)
"""In the order of the model, as Django takes them."""
_WAYS = sql.SQL(
    "SELECT {} FROM journeys_enrolment WHERE contact_id = ANY(%s) ORDER BY entered_at DESC, id DESC"
).format(sql.SQL(", ").join(map(sql.Identifier, _TOLD)))
_PAGE = " ORDER BY 1, 9 LIMIT %(limit)s"
_HERE = sql.SQL(
    _SELECT + "e.arrived_at, e.ordinal FROM journeys_enrolment e "
    "WHERE e.journey_id = %(journey)s AND e.version_id = ANY(%(versions)s::uuid[]) AND e.fate = 'waiting' "
    "AND e.step = %(step)s AND (e.id, e.ordinal) > (%(after)s::uuid, %(ordinal)s)" + _PAGE
)
_LEFT = sql.SQL(
    _SELECT + "v.left_at, v.ordinal FROM journeys_visit v "
    "JOIN journeys_enrolment e ON e.organization_id = v.organization_id AND e.id = v.enrolment_id "
    "WHERE v.version_id = ANY(%(versions)s::uuid[]) AND v.step = %(step)s "
    "AND (%(port)s::text = '' OR v.port = %(port)s) "
    "AND (%(outcome)s::text = '' OR (v.outcome = %(outcome)s AND v.reason = %(reason)s)) "
    "AND (v.enrolment_id, v.ordinal) > (%(after)s::uuid, %(ordinal)s)" + _PAGE
)
_WHOLE = sql.SQL(
    _SELECT + "e.entered_at, 0 FROM journeys_enrolment e "
    "WHERE e.journey_id = %(journey)s AND e.version_id = ANY(%(versions)s::uuid[]) "
    "AND (%(fate)s::text = '' OR e.fate = %(fate)s) AND (%(reason)s::text = '' OR e.reason = %(reason)s) "
    "AND e.id > %(after)s::uuid" + _PAGE
)
_EVERYBODY = sql.SQL("SELECT * FROM (({}) UNION ALL ({})) AS all_of_them {}").format(
    _HERE, _LEFT, sql.SQL(_PAGE)
)
_FIRST: Place = (UUID(int=0), -1)


def people_at(
    journey_id: UUID,
    figure: Figure,
    *,
    actor: Actor,
    version_id: UUID | None = None,
    after: Place | None = None,
    limit: int = 100,
) -> list[Someone]:
    """Return who is behind a figure, in a fixed order from `after` on; the look is recorded.

    Somebody who passed a step twice stands there twice. Raises `NotFound` for a version of another journey.
    """
    versions = _versions(journey_id, version_id)
    start, ordinal = after or _FIRST
    asked = {
        "journey": journey_id,
        "versions": versions,
        "step": figure.step,
        "port": figure.port,
        "outcome": figure.outcome,
        "reason": figure.reason,
        "fate": figure.fate or "",
        "after": start,
        "ordinal": ordinal,
        "limit": limit,
    }
    found = [_someone(row) for row in bulk.execute(_statement(figure), asked)]  # type: ignore[arg-type]
    _record(actor, journey_id, people=len(found))
    return found


def _statement(figure: Figure) -> sql.SQL | sql.Composed:
    if not figure.step:
        return _WHOLE
    if figure.here:
        return _HERE
    return _LEFT if figure.port or figure.outcome else _EVERYBODY


def _versions(journey_id: UUID, version_id: UUID | None) -> list[UUID]:
    rows = VersionRow.objects.filter(journey_id=journey_id)
    if version_id is not None:
        rows = rows.filter(id=version_id)
    found = list(rows.values_list("id", flat=True))
    if not found:
        raise NotFound
    return found


def _someone(row: tuple[Any, ...]) -> Someone:
    id, contact_id, number, version_id, fate, reason, step, at, ordinal = row
    return Someone(id, contact_id, number, version_id, Fate(fate), reason, step, at, ordinal)


def diary(enrolment_id: UUID, *, actor: Actor) -> Diary:
    """Return one person's way through one journey; raises `NotFound`. The look is recorded."""
    row = EnrolmentRow.objects.filter(id=enrolment_id).first()
    if row is None:
        raise NotFound
    _record(actor, row.journey_id, patient_id=row.contact_id)
    return _diary(row, _visits([row.id]).get(row.id, ()))


def diaries_of(contact_id: UUID, *, actor: Actor) -> list[Diary]:
    """Return a contact's ways through journeys, newest first; the look is recorded, when there is anything to see."""
    found = all_of(contact_id)[:MOST_WAYS]
    for journey_id in dict.fromkeys(each.journey_id for each in found):
        _record(actor, journey_id, patient_id=contact_id)
    return found


def all_of(contact_id: UUID) -> list[Diary]:
    """Return every way of a contact, newest first, for whoever records the look."""
    found = bulk.read(_WAYS, [list(contacts.whole(contact_id))])
    rows = [EnrolmentRow.from_db("default", _TOLD, each) for each in found]
    visits = _visits([row.id for row in rows]) if rows else {}
    return [_diary(row, visits.get(row.id, ())) for row in rows]


def _visits(enrolment_ids: Collection[UUID]) -> Mapping[UUID, tuple[Visit, ...]]:
    found: defaultdict[UUID, list[Visit]] = defaultdict(list)
    rows = VisitRow.objects.filter(enrolment_id__in=enrolment_ids).order_by("enrolment_id", "ordinal")
    for row in rows:
        visit = Visit(
            enrolment_id=row.enrolment_id,
            ordinal=row.ordinal,
            step=row.step,
            arrived_at=row.arrived_at,
            left_at=row.left_at,
            port=row.port,
            outcome=row.outcome,
            reason=row.reason,
            message_id=row.message_id,
        )
        found[row.enrolment_id].append(visit)
    return {id: tuple(visits) for id, visits in found.items()}


def _diary(row: EnrolmentRow, visits: tuple[Visit, ...]) -> Diary:
    inside = row.fate == Fate.WAITING
    return Diary(
        enrolment_id=row.id,
        journey_id=row.journey_id,
        version_id=row.version_id,
        contact_id=row.contact_id,
        fate=Fate(row.fate),
        reason=row.reason,
        entered_at=row.entered_at,
        ended_at=row.ended_at,
        step=row.step if inside else "",
        due_at=row.due_at if inside else None,
        visits=visits,
    )


def _record(actor: Actor, journey_id: UUID, *, patient_id: UUID | None = None, **details: int) -> None:
    audit.record(
        Action.JOURNEY_PEOPLE_READ,
        actor=actor,
        object_kind="journey",
        object_id=journey_id,
        patient_id=patient_id,
        details=details,
    )
