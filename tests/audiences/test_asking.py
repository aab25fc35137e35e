"""Expressions that are read once and asked of many people, and events that are compared with one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from salus.audiences import api as audiences
from salus.kernel.errors import BadInput
from salus.kernel.ids import new_id
from salus.timeline.contracts import Event, EventKind

AT = datetime(2026, 3, 2, 15, tzinfo=UTC)
RECORDS = {"record": "appointments", "status": ["booked"], "date": {"after": "2026-03-01"}}


def tree(where: Any) -> Any:
    return {"version": 1, "where": where}


def event(kind: EventKind, **details: Any) -> Event:
    return Event(1, new_id(), kind, AT, AT, None, details)


def test_a_question_says_what_it_looks_at(tenant: UUID) -> None:
    questions = audiences.Questions()
    asked = questions.read(
        tree({"all": [{"field": "state", "equal": "OH"}, {"did": "visit"}, {"consent": "deceased"}]})
    )
    assert asked.fields == {"state"}
    assert asked.asks_events
    assert asked.asks_standing
    plain = questions.read(tree({"field": "age", "above": 60}))
    assert plain.fields == {"birth_date"}
    assert not plain.asks_events
    assert not plain.asks_standing


def test_a_question_is_asked_of_one_person_after_the_other(tenant: UUID) -> None:
    questions = audiences.Questions()
    asked = questions.read(tree({"field": "state", "equal": "OH"}))
    ana, ben = (questions.person({"state": state}, (), None, AT) for state in ("OH", "TX"))
    assert asked.holds(ana)
    assert not asked.holds(ben)


def test_the_records_that_a_rule_counts_are_told(tenant: UUID) -> None:
    questions = audiences.Questions()
    kept = {"id": "2", "date": "2026-03-20", "status": "booked"}
    document = {
        "appointments": [
            {"id": "1", "date": "2026-02-20", "status": "booked"},
            kept,
            {"id": "3", "date": "2026-03-21", "status": "cancelled"},
        ]
    }
    asked = questions.read(tree(RECORDS))
    assert asked.records(questions.person(document, (), None, AT)) == [kept]


def test_an_event_is_met_by_its_kinds_and_details(tenant: UUID) -> None:
    wanted = audiences.Questions().happening(
        {"did": ["form_completed"], "where": {"form": {"equal": "visit_feedback"}, "rating": {"at_most": 2}}}
    )
    assert wanted.kinds == {EventKind.FORM_COMPLETED}
    assert wanted.is_met_by(event(EventKind.FORM_COMPLETED, form="visit_feedback", rating=1))
    assert not wanted.is_met_by(event(EventKind.FORM_COMPLETED, form="visit_feedback", rating=5))
    assert not wanted.is_met_by(event(EventKind.FORM_COMPLETED))
    assert not wanted.is_met_by(event(EventKind.VISIT, form="visit_feedback", rating=1))


@pytest.mark.parametrize(
    "other",
    [
        {"did_not": "visit"},
        {"did": "visit", "at_least": 2},
        {"did": "visit", "at": {"within_last": {"days": 2}}},
        {"field": "state", "equal": "OH"},
        {"did": "nothing_of_the_kind"},
        {},
    ],
)
def test_what_is_no_single_event_is_refused(tenant: UUID, other: Any) -> None:
    with pytest.raises(BadInput):
        audiences.Questions().happening(other)
