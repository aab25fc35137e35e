"""Who may try out a drawing of their own on the people: only who may draw."""

from __future__ import annotations

from typing import Any

import pytest

from salus.journeys.contracts import Branch, Case, Exit, Version
from salus.journeys.rules.reading import write
from tests.browser import Console
from tests.journeys.drawn import graph, short, step
from tests.journeys.house import House, furnish

ADA = {"version": 1, "where": {"field": "given_name", "equal": "Ada"}}
SUPPOSED = {"happens": {}, "tasks_done": 0.5, "calls_done": 0.5}


@pytest.fixture
def draft(console: Console, monkeypatch: pytest.MonkeyPatch) -> Version:
    """A draft; nobody would come in, so that no engine is needed."""
    monkeypatch.setattr("salus.journeys.simulating._who_would_come", lambda *_: [])
    house: House = furnish(console.organization)
    return house.drafted(short(house.versions))


def steps_of(console: Console, role: str, draft: Version) -> set[str]:
    """Return the steps whose numbers a role gets for a drawing that asks who is Ada."""
    asks = graph(
        step("which", Branch((Case("ada", ADA),)), **{"ada": "is", "else": "other"}),
        step("is", Exit()),
        step("other", Exit()),
    )
    body = {"graph": write(asks), "supposed": SUPPOSED}
    answer: Any = console.client(role).post(
        f"/journeys/versions/{draft.id}/canvas/simulate", body, content_type="application/json"
    )
    assert answer.status_code == 200, answer.content
    return set(answer.json()["counts"]["steps"])


def test_who_may_draw_tries_what_they_drew(console: Console, draft: Version) -> None:
    assert "is" in steps_of(console, "marketer", draft)


def test_who_may_only_look_gets_the_numbers_of_what_is_drawn(console: Console, draft: Version) -> None:
    assert steps_of(console, "analyst", draft) == set(draft.graph.steps)


@pytest.mark.parametrize("share", [10**400, -1, "nan", None, []])
def test_a_share_that_is_none_is_answered_with_its_place(
    console: Console, draft: Version, share: object
) -> None:
    body = {"graph": write(draft.graph), "supposed": {**SUPPOSED, "happens": {"visit": share}}}
    answer: Any = console.client("marketer").post(
        f"/journeys/versions/{draft.id}/canvas/simulate", body, content_type="application/json"
    )
    assert (answer.status_code, answer.json()["place"]) == (400, "supposed")
