"""The two evaluators: SQL over the store and the predicate for one person must never disagree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from salus.audiences.nodes import Moment, Node
from salus.audiences.parse import parse
from salus.audiences.predicate import Person, holds
from salus.kernel.time import FAR
from salus.kernel.vocabulary import Purpose
from salus.permissions.contracts import Authorization, Standing
from salus.timeline.contracts import Event, EventKind

from .conftest import NO_LISTS, Lists, People, Someone
from .worlds import LEXICON, NOON, NOW, STATIC, WORDS, documents, events, moments, standings, tree, trees

World = tuple[Moment, list[Someone], Lists, list[dict[str, Any]]]


@st.composite
def worlds(draw: Any) -> World:
    """Draw a moment, a dozen people, who of them is on lists, and a dozen segments about them."""
    moment = draw(moments)
    at: datetime = moment.at
    people = [
        (draw(documents(at)), draw(events(UUID(int=n), at)), draw(standings(UUID(int=n), at)))
        for n in range(1, draw(st.integers(1, 6)) + 1)
    ]
    members = st.frozensets(st.integers(1, len(people) + 2))
    lists = {segment_id: draw(members) for segment_id in STATIC}
    return moment, people, lists, draw(st.lists(trees(at), min_size=1, max_size=6))


def true_of(node: Node, people: Sequence[Someone], moment: Moment, lists: Lists = NO_LISTS) -> set[int]:
    def lists_of(number: int) -> set[UUID]:
        return {segment_id for segment_id, members in lists.items() if number in members}

    return {
        number
        for number, (document, happened, standing) in enumerate(people, 1)
        if holds(node, Person(document, happened, standing, moment, LEXICON, lists_of(number)))
    }


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(worlds())
def test_sql_and_predicate_name_the_same_people(people: People, world: World) -> None:
    moment, some, lists, segments = world
    people.fill(some, lists)
    with people.asker(moment) as asker:
        for segment in segments:
            node = parse(segment, LEXICON)
            expected = true_of(node, some, moment, lists)
            assert set(asker.members(node)) == expected, segment
            assert asker.count(node) == len(expected)


AT = NOON
DAY = AT.date()
LEAP = Moment(datetime(2024, 2, 29, 12, tzinfo=UTC))
COMMON = Moment(datetime(2025, 3, 1, 2, tzinfo=UTC), "America/New_York")
KIRITIMATI = Moment(datetime(2025, 2, 28, 11, tzinfo=UTC), "Pacific/Kiritimati")


def _day_tests(today: date) -> list[dict[str, Any]]:
    edges = [today + timedelta(n) for n in (-31, -30, -29, -1, 0, 1, 29, 30, 31)]
    found: list[dict[str, Any]] = [{"exists": True}, {"exists": False}]
    spans = [("days", 0), ("days", 1), ("days", 30), ("days", 365), ("weeks", 1), ("months", 0)]
    spans += [("months", 1), ("months", 12), ("years", 1), ("years", 4)]
    words = ("within_last", "within_next", "older_than", "later_than")
    found += [{word: {unit: count}} for (unit, count), word in product(spans, words)]
    found += [{"anniversary_within": {"days": n}} for n in (0, 1, 2, 28, 59, 60, 364, 365, 366)]
    found += [{word: one.isoformat()} for one in edges for word in ("equal", "before", "after")]
    found.append({"in": [one.isoformat() for one in edges[:3]]})
    found.append({"between": {"from": edges[1].isoformat(), "to": edges[-2].isoformat()}})
    return found


def _days(today: date) -> list[date]:
    leaps = [date(year, 2, 29) for year in (1980, 2020, 2024)]
    ends = [
        date(year, month, day) for year in (1981, 2024) for month, day in ((2, 28), (3, 1), (12, 31), (1, 1))
    ]
    return [*leaps, *ends, *(today + timedelta(n) for n in (*range(-33, 33), -366, -365, 365, 366))]


@pytest.mark.parametrize("moment", [LEAP, COMMON, KIRITIMATI, NOW], ids=["leap", "common", "east", "now"])
def test_every_date_operator_agrees_around_its_edges_in_every_zone(people: People, moment: Moment) -> None:
    today = moment.at.date()
    some = [
        _someone(
            n,
            {"due_date": day.isoformat(), "birth_date": day.isoformat()}
            | ({"time_zone": zone} if zone else {}),
        )
        for n, (day, zone) in enumerate(
            product(_days(today), ["", "Pacific/Pago_Pago", "Pacific/Kiritimati"]), 1
        )
    ]
    ages: list[dict[str, Any]] = [
        {word: n}
        for n in (-1, 0, 0.5, 1, 4, 44, 45)
        for word in ("equal", "above", "below", "at_least", "at_most")
    ]
    ages += [{"in": [0, 44]}, {"between": {"from": 0.5, "to": 44}}, {"exists": True}, {"exists": False}]
    segments = [{"field": "due_date", **test} for test in _day_tests(today)]
    segments += [{"field": "age", **test} for test in ages]
    _agree(people, some, moment, segments)


def test_every_text_and_number_operator_agrees(people: People) -> None:
    words = [*WORDS, "S", "i", "ı", "ΑΣ", "ας", "ß", "\u1e9e", "%", "_", "100%"]
    numbers = [0, -1, 0.1, 1, 1.5, 1e14, -1e15]
    some = [_someone(n, {"city": word}) for n, word in enumerate(words, 1)]
    some += [_someone(100 + n, {"income": number}) for n, number in enumerate(numbers, 1)]
    segments: list[dict[str, Any]] = [
        {"field": "city", word: text} for word in ("equal", "contains", "starts_with") for text in words
    ]
    segments += [
        {"field": "income", word: number}
        for word in ("equal", "above", "below", "at_least", "at_most")
        for number in numbers
    ]
    segments += [{"field": "city", "in": words[:4]}, {"field": "income", "in": numbers[:3]}]
    _agree(people, some, NOW, segments)


def test_codes_and_records_agree(people: People) -> None:
    codes = ["E11", "E11.9", "E110", "E1", "e11.9", "44054006", "4548-4", "G0105", "O09.90", "smoking"]
    asked = [*codes, "E", "G01", "O", "vs:diabetes", "vs:hba1c", "vs:pregnancy", "vs:colonoscopy"]
    records = [
        {
            "id": "1",
            "code": code,
            "date": (DAY - timedelta(days)).isoformat(),
            "value": value,
            "status": status,
        }
        for (code, days), (value, status) in product(
            product(codes, (0, 90, 91)), ((9, "final"), (9.5, "active"))
        )
    ]
    some = [_someone(n, {"labs": [one], "risk_factors": [one["code"]]}) for n, one in enumerate(records, 1)]
    some += [
        _someone(500 + n, {"labs": [first, second]})
        for n, (first, second) in enumerate(product(records[:12], records[:12]), 1)
    ]
    segments: list[dict[str, Any]] = [{"field": "risk_factors", "has": code} for code in asked]
    for code, least in product(asked, (1, 2)):
        segments.append({"record": "labs", "code": code, "at_least": least})
    either: tuple[str | list[str], ...] = ("E11", ["E11.9", "4548-4"])
    for some_codes in either:
        segments.append({"latest": "labs", "code": some_codes, "value": {"above": 9}})
        segments.append(
            {"latest": "labs", "code": some_codes, "date": {"within_last": {"days": 90}}, "status": "final"}
        )
        segments.append({"latest": "labs", "code": some_codes, "date": {"older_than": {"days": 90}}})
    _agree(people, some, NOW, segments + [{"not": one} for one in segments[-6:]])


def test_moments_authorizations_and_distances_agree_to_the_last_tick(people: People) -> None:
    tick = timedelta(microseconds=1)
    midnight = datetime(2025, 6, 1, 5, tzinfo=UTC)  # in Chicago
    times = [
        at + step
        for at in (AT, AT - timedelta(30), midnight, midnight + timedelta(1))
        for step in (-tick, 0 * tick, tick)
    ]
    some = [_someone(n, {}, [_event(n, at)]) for n, at in enumerate(times, 1)]
    some += [
        _someone(100 + n, {"postal_code": code}, forms=[(AT + begins, AT + ends)])
        for n, (code, begins, ends) in enumerate(
            product(("60601-1234", "60137", "9681"), (-tick, 0 * tick, tick), (0 * tick, tick)), 1
        )
    ]
    tests: list[dict[str, Any]] = [
        {"within_last": {"days": 30}}, {"within_last": {"hours": 0}}, {"older_than": {"days": 30}},
        {"before": "2025-06-01"}, {"after": "2025-06-01"}, {"between": {"from": "2025-06-01", "to": "2025-06-01"}},
        {"before": AT.isoformat()}, {"after": AT.isoformat()},
    ]  # fmt: skip
    segments: list[dict[str, Any]] = [
        {word: "message_opened", "at": test} for test in tests for word in ("did", "did_not")
    ]
    segments += [{"consent": "authorized"}, {"consent": "authorized", "purpose": "newsletter"}]
    segments += [{"near": {"postal_code": "60601"}, "miles": miles} for miles in (0.001, 22, 23, 5_000)]
    _agree(people, some, NOW, segments)


def _someone(
    number: int,
    document: dict[str, Any],
    happened: Sequence[Event] = (),
    forms: Sequence[tuple[datetime, datetime]] = (),
) -> Someone:
    contact_id = UUID(int=number)
    authorizations = tuple(
        Authorization(
            contact_id, frozenset({Purpose.NEWSLETTER}), frozenset(), frozenset(), False, False, *times
        )
        for times in forms
    )
    return document, happened, Standing(contact_id, 1, AT, FAR, authorizations=authorizations)


def _event(number: int, at: datetime) -> Event:
    return Event(number, UUID(int=number), EventKind.MESSAGE_OPENED, at, at, None, {})


def _agree(people: People, some: list[Someone], moment: Moment, segments: list[dict[str, Any]]) -> None:
    ordered = [(document, [_moved(one, n) for one in happened], standing)
               for n, (document, happened, standing) in enumerate(some, 1)]  # fmt: skip
    people.fill(ordered)
    with people.asker(moment) as asker:
        for segment in segments:
            node = parse(tree(segment), LEXICON)
            assert set(asker.members(node)) == true_of(node, ordered, moment), segment


def _moved(event: Event, number: int) -> Event:
    return replace(event, contact_id=UUID(int=number))
