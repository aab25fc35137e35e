"""The list of sessions and its switches: one's own, somebody's, everybody's, and never another organization's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.identity import session_list
from salus.identity.contracts import Organization, Role
from salus.kernel.errors import NotFound
from salus.platform.tenancy import acting_for
from tests.browser import Console
from tests.identity.people import acting, mark, person


def test_somebody_ends_a_session_of_their_own_and_of_nobody_else(console: Console) -> None:
    here, elsewhere = console.client("author"), console.client("author")
    theirs = mark(console, Role.MARKETER)
    own = console.client("author")
    with acting_for(console.organization.id):
        actor = acting(console.organization, Role.AUTHOR)
        marks = {each.mark for each in session_list.every(actor=actor) if each.staff_id == actor.id}
    assert len(marks) == 3
    assert own.post(f"/sessions/{theirs}/end").status_code == 404
    answers = sorted(own.post(f"/sessions/{each}/end").status_code for each in marks)
    assert answers == [302, 302, 409], "the one that asks is ended by signing out"
    assert [client.get("/account").status_code for client in (here, elsewhere, own)] == [302, 302, 200]
    with acting_for(console.organization.id):
        entry = audit.entries(Filters(action=Action.SESSION_END))[0]
    assert (entry.object_id, entry.details) == (actor.id, {"ended": 1})


@pytest.mark.parametrize("switch", ["one", "theirs", "all"])
def test_an_administrator_ends_one_session_somebodys_or_all(console: Console, switch: str) -> None:
    author, again, marketer = (console.client(role) for role in ("author", "author", "marketer"))
    boss = console.client("administrator")
    with acting_for(console.organization.id):
        author_id = person(console.organization, Role.AUTHOR).pk
    path = {
        "one": f"/sessions/{mark(console, Role.AUTHOR)}/end",
        "theirs": f"/sessions/of/{author_id}/end",
        "all": "/sessions/end",
    }[switch]
    assert boss.post(path, {"from": "all"})["Location"] == "/sessions"
    expected = {"one": (200, 200, 200), "theirs": (302, 302, 200), "all": (302, 302, 302)}[switch]
    assert tuple(client.get("/account").status_code for client in (author, again, marketer)) == expected
    assert boss.get("/sessions").status_code == 200, "the one that asks stays"


def test_the_list_shows_who_where_and_only_here(
    console: Console, make_clinic: Callable[..., Organization]
) -> None:
    console.client("author")
    other = replace(console, organization=make_clinic("Elsewhere"))
    theirs, outsider = mark(other, Role.AUTHOR), other.client("author")
    boss = console.client("security_officer")
    page = boss.get("/sessions").content.decode()
    assert "Priya Raman" in page
    assert "Chrome on Linux" in page
    assert theirs not in page
    with acting_for(other.organization.id):
        their_id = person(other.organization, Role.AUTHOR).pk
    assert boss.post(f"/sessions/{theirs}/end").status_code == 404
    assert boss.post(f"/sessions/of/{their_id}/end").status_code == 404
    boss.post("/sessions/end")
    assert outsider.get("/account").status_code == 200


def test_the_switches_are_for_who_may(console: Console) -> None:
    client = console.client("marketer")
    assert client.get("/sessions").status_code == 404
    assert client.post("/sessions/end").status_code == 404
    assert client.get("/account").status_code == 200


@pytest.mark.parametrize("wrong", ["", "0" * 16, "%", "0" * 15 + "_", "../../x"])
def test_what_names_no_session_ends_none(console: Console, wrong: str) -> None:
    with acting_for(console.organization.id), pytest.raises(NotFound):
        session_list.end_one(wrong, actor=acting(console.organization, Role.ADMINISTRATOR))
