"""Ways in that no single event opens: a segment that people come into or leave, a date, a schedule; and endings by segment.

Looking finds who is coming and writes that down; bringing lets them in, some in each transaction. Killed in
between, it goes on where it was: whoever came in for this occasion does not come in for it again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID, uuid5

import orjson
from psycopg import sql
from pyroaring import BitMap64

from salus.audiences import api as audiences
from salus.contacts import api as contacts
from salus.identity import api as identity
from salus.journeys.contracts import Ending, EndsOn, Enter, EnterKind, Status, Tree
from salus.journeys.courses import course
from salus.journeys.enrolling import Candidate, let_in, takes_people
from salus.journeys.models import JourneyRow, VersionRow, WayRow
from salus.journeys.opening import Books
from salus.journeys.rules import dates
from salus.journeys.rules.dates import Window
from salus.journeys.rules.expressions import as_condition
from salus.journeys.rules.position import ENDED
from salus.kernel.acting import Actor
from salus.kernel.errors import Unavailable
from salus.kernel.ids import new_id
from salus.kernel.time import Clock, FakeClock
from salus.keys import api as keys
from salus.platform import bulk
from salus.platform.tenancy import current_organization

log = logging.getLogger(__name__)

CHUNK = 2000
"""People let in, or out, in one transaction."""
NOT_SOONER = timedelta(minutes=1)
"""A segment is not asked more often than this, and only when something changed."""
AT_LEAST = timedelta(hours=1)
"""How often it is asked even so: it may speak of relative times."""
DEAD: Tree = as_condition(
    {
        "any": [
            {"field": "deceased", "equal": True},
            {"field": "deceased_date", "exists": True},
            {"consent": "deceased"},
        ]
    }
)
_SEGMENTS = frozenset({EnterKind.SEGMENT_ENTERED, EnterKind.SEGMENT_LEFT})
_TABLE = "journeys_way"
_END = sql.SQL(
    "UPDATE journeys_enrolment SET answer = %s, due_at = least(due_at, %s) WHERE organization_id = %s "
    "AND journey_id = %s AND contact_id = ANY(%s) AND fate = 'waiting'"
)

_KNOWN = sql.SQL(
    "SELECT e.contact_id, e.occurrence FROM unnest(%s::uuid[], %s::bytea[]) AS asked (contact_id, occurrence) "
    "JOIN journeys_enrolment e ON e.organization_id = %s AND e.journey_id = %s "
    "AND e.contact_id = asked.contact_id AND e.occurrence = asked.occurrence"
)


@dataclass(frozen=True, slots=True)
class Way:
    """A way in or an ending of a journey that is looked at from time to time, and its row."""

    way: Enter | Ending
    row: WayRow


def wants_a_look(journey_id: UUID, *, clock: Clock) -> bool:
    """Return whether it is time to look at a way of a journey, or somebody is coming by one."""
    looker = _Looker(clock)
    ways = _ways(journey_id, clock.now(), lock=False)
    return any(each.row.sealed_coming is not None or looker.is_due(each) for each in ways)


def look(journey_id: UUID, *, clock: Clock) -> bool:
    """Find out who is coming now, or has to leave; return whether anybody is. In a transaction of its own."""
    looker, coming = _Looker(clock), False
    for each in _ways(journey_id, clock.now()):
        if each.row.sealed_coming is None and looker.is_due(each):
            try:
                looker.look(each)
            except Unavailable as away:
                log.warning("a segment could not be asked: %s", away)
        coming = coming or each.row.sealed_coming is not None
    return coming


def bring(journey_id: UUID, *, actor: Actor, clock: Clock) -> bool:
    """Let the next of those who are coming in, or out; return whether there are more. In a transaction of its own."""
    for each in _ways(journey_id, clock.now()):
        if each.row.sealed_coming is not None:
            _bring(each, actor, clock.now())
            return True
    return False


class _Looker:
    """Looks at ways in; what several of them ask is asked once."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._at = clock, clock.now()

    @cached_property
    def _heads(self) -> dict[str, int]:
        return dict(audiences.heads())

    @cached_property
    def _zone(self) -> str:
        return identity.organization().time_zone

    @cached_property
    def _dead(self) -> BitMap64:
        return audiences.members(DEAD, clock=self._clock)

    def is_due(self, each: Way) -> bool:
        """Return whether it is time to ask."""
        row, way = each.row, each.way
        if isinstance(way, Ending) or way.kind in _SEGMENTS:
            if row.asked_at is None or self._at >= row.asked_at + AT_LEAST:
                return True
            return self._at >= row.asked_at + NOT_SOONER and self._heads != row.heads
        if way.kind is EnterKind.DATE:
            return dates.window(way, row.done_until, self._at, self._zone) is not None
        return dates.last_scheduled(way, row.done_until, self._at, self._zone) is not None

    def look(self, each: Way) -> None:
        """Write down who is coming by a way; raises `Unavailable`, and then nothing was written."""
        row, way = each.row, each.way
        if isinstance(way, Ending) or way.kind in _SEGMENTS:
            coming = self._moved(way, row)
            row.heads, row.asked_at = self._heads, self._at
        elif way.kind is EnterKind.DATE:
            window = dates.window(way, row.done_until, self._at, self._zone)
            assert window is not None
            coming, row.heads = self._with_a_date(way, window), window.as_json()
        else:
            coming = self._members(way.segment_id)
        if coming and not isinstance(way, Ending):
            coming -= self._dead
        if coming:
            row.sealed_coming, row.reached, row.occasion = _seal(row, coming), 0, new_id()
        row.done_until = self._at
        row.save()

    def _moved(self, way: Enter | Ending, row: WayRow) -> BitMap64:
        """Return who came into the segment of a way since it was asked last, or left it."""
        now = self._members(way.segment_id)
        first = row.sealed_members is None
        before = BitMap64() if first else _open(row, row.sealed_members)
        row.sealed_members = _seal(row, now)
        if isinstance(way, Enter) and way.kind is EnterKind.SEGMENT_ENTERED:
            return BitMap64() if first and not way.present else now - before
        return before - now

    def _with_a_date(self, way: Enter, window: Window) -> BitMap64:
        clock = FakeClock(window.asked_at(self._zone)) if way.yearly else self._clock
        return audiences.members(window.tree(way), clock=clock, caught_up=True)

    def _members(self, segment_id: UUID | None) -> BitMap64:
        tree = as_condition({"segment": str(segment_id)})
        return audiences.members(tree, clock=self._clock, caught_up=True)


def _ways(journey_id: UUID, at: datetime, *, lock: bool = True) -> Iterator[Way]:
    """Yield the ways in and endings that are looked at, each with its row; a new one begins now.

    They are those of the version that takes people; a journey that was closed keeps the last one's endings.
    """
    looked: list[Enter] = []
    version_id = takes_people(journey_id)
    if version_id is not None:
        kinds = {*_SEGMENTS, EnterKind.DATE, EnterKind.SCHEDULE}
        looked = [way for way in course(version_id).graph.enter if way.kind in kinds]
    elif JourneyRow.objects.filter(id=journey_id, status=Status.CLOSED).exists():
        lived = VersionRow.objects.filter(journey_id=journey_id, live_at__isnull=False)
        version_id = lived.order_by("-live_at").values_list("id", flat=True).first()
    if version_id is None:
        return
    graph = course(version_id).graph
    endings = [ending for ending in graph.rules.endings if ending.on is EndsOn.SEGMENT_LEFT]
    every: list[Enter | Ending] = [*looked, *endings]
    by_key = {_key(journey_id, way): way for way in every}
    rows = WayRow.objects.filter(journey_id=journey_id, key__in=list(by_key)).order_by("key")
    new = by_key.keys() - set(rows.values_list("key", flat=True))
    WayRow.objects.bulk_create(
        [WayRow(journey_id=journey_id, key=key, done_until=at) for key in new], ignore_conflicts=True
    )
    for row in rows.select_for_update() if lock else rows:
        yield Way(by_key[row.key], row)


def _key(journey_id: UUID, way: Enter | Ending) -> UUID:
    """Return what a way is known by over versions: whether those present come in too is no difference."""
    said = replace(way, present=False) if isinstance(way, Enter) else way
    return uuid5(journey_id, repr(said))


def _bring(each: Way, actor: Actor, at: datetime) -> None:
    row, way = each.row, each.way
    assert row.sealed_coming is not None
    assert row.occasion is not None
    coming = _open(row, row.sealed_coming)
    done = coming.rank(row.reached)
    numbers = list(coming[done : done + CHUNK])
    ids = contacts.ids_of(numbers)
    if isinstance(way, Ending):
        answer = f"{ENDED}:{way.on}"
        bulk.execute(_END, [answer, at, current_organization(), row.journey_id, list(ids.values())])
    else:
        people = list(_candidates(way, row, ids, at))
        let_in(row.journey_id, people, actor=actor, at=at, alive=True)
    mine = WayRow.objects.filter(journey_id=row.journey_id, key=row.key)
    mine.update(**({"sealed_coming": None} if len(numbers) < CHUNK else {"reached": numbers[-1]}))


def _candidates(way: Enter, row: WayRow, ids: dict[int, UUID], at: datetime) -> Iterator[Candidate]:
    """Yield the people who come in; of those with a date, only whose date it is, with it as their occasion."""
    if way.kind is not EnterKind.DATE:
        assert row.occasion is not None
        yield from (Candidate(id, number, row.occasion.bytes) for number, id in ids.items())
        return
    window, books = dates.window_of(row.heads), Books(at)
    texts: dict[UUID, str] = {}
    for _, id, _, raw in contacts.open_documents(ids=list(ids.values())):
        found = (
            f"{row.journey_id} {day} {record}"
            for given, record in _dates(way, orjson.loads(raw), books)
            for day in window.occasions(way, given)
        )
        text = next(found, None)
        if text is not None:
            texts[id] = text
    occasions = _occasions(row.journey_id, texts)
    yield from (Candidate(id, number, occasions[id]) for number, id in ids.items() if id in occasions)


def _occasions(journey_id: UUID, texts: Mapping[UUID, str]) -> Mapping[UUID, bytes]:
    """Return each person's occasion blinded: as it is stored already, under a retired key too, else as it is now."""
    blinder = keys.blinder()
    blinds = {id: blinder.candidates(_TABLE, text) for id, text in texts.items()}
    found = {id: present for id, (present, *_) in blinds.items()}
    older = [(id, blind) for id, (_, *retired) in blinds.items() for blind in retired]
    if older:
        asked = [[id for id, _ in older], [blind for _, blind in older], current_organization(), journey_id]
        found |= dict(bulk.read(_KNOWN, asked))
    return found


def _dates(way: Enter, document: Mapping[str, Any], books: Books) -> Iterator[tuple[date, str]]:
    """Yield the dates of a person that a way goes by, each with the id of its record."""
    key, _, part = way.attribute.partition(".")
    if not part:
        if document.get(key):
            yield date.fromisoformat(document[key]), ""
        return
    person = books.questions.person(document, (), None, books.at)
    for record in books.filter(key, way.where).records(person):
        if record.get(part):
            yield date.fromisoformat(record[part]), record.get("id", "")


def _seal(row: WayRow, members: BitMap64) -> bytes:
    return keys.sealer().seal(members.serialize(), _binding(row))


def _open(row: WayRow, sealed: bytes | memoryview[int] | None) -> BitMap64:
    assert sealed is not None
    return BitMap64.deserialize(keys.sealer().open(bytes(sealed), _binding(row)))


def _binding(row: WayRow) -> bytes:
    return keys.binding(current_organization(), _TABLE, row.key)
