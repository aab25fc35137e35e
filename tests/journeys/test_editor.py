"""What the canvas asks of the server: whom it answers, and what it says of odd, old and unreadable drawings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from salus.content import api as content
from salus.identity.contracts import Role
from salus.journeys import drafting, queries
from salus.journeys.contracts import Call, Exit, Step, StepKind, Version, VersionStatus
from salus.journeys.rules.reading import write
from salus.kernel.acting import system
from salus.kernel.ids import new_id
from salus.platform.tenancy import acting_for
from salus.vendors import api as vendors
from salus.vendors.contracts import Kind, Relation
from tests.browser import Console
from tests.delivery import office
from tests.journeys.drawn import graph, overdue, short, step
from tests.journeys.house import House, furnish, now
from tests.registered import attest

BAD = "Bring overdue patients back"


@pytest.fixture
def house(console: Console) -> House:
    return furnish(console.organization)


@pytest.fixture
def draft(house: House) -> Version:
    return house.drafted(overdue(house.versions, name=BAD))


def at(version: Version | UUID, what: str) -> str:
    id = version.id if isinstance(version, Version) else version
    return f"/journeys/versions/{id}/canvas/{what}"


def post(console: Console, role: str, version: Version, what: str, body: Any) -> Any:
    return console.client(role).post(at(version, what), body, content_type="application/json")


def present(house: House, version: Version) -> Version:
    with acting_for(house.id):
        return queries.version(version.id)


def test_a_draft_comes_with_what_its_reader_may_do(console: Console, house: House, draft: Version) -> None:
    given = console.client("marketer").get(at(draft, "draft")).json()
    assert given["graph"] == write(draft.graph)
    assert given["edits"]
    assert given["counts"] is None
    assert not console.client("analyst").get(at(draft, "draft")).json()["edits"]
    live = house.start(house.approve(draft))
    given = console.client("marketer").get(at(live, "draft")).json()
    assert not given["edits"], "a version that is live never changes"
    assert given["counts"]["entered"] == 0


def test_the_words_are_those_that_pass_the_check(console: Console, draft: Version, house: House) -> None:
    words = console.client("marketer").get(at(draft, "vocabulary")).json()
    assert words["channels"] == ["email", "portal"], "no service for texts is connected"
    assert str(house.versions["en"]) in {each["id"] for each in words["templates"]}
    assert "privacy_officer" in {each["id"] for each in words["roles"]}
    events = {each["kind"]: each for each in words["events"]}
    assert {"key": "department", "label": "Department", "type": "text"} in events["appointment_booked"][
        "details"
    ]
    birth = next(each for each in words["attributes"] if each["key"] == "birth_date")
    assert birth["type"] == "date"


def test_a_version_that_is_in_use_stays_a_choice_when_a_newer_one_comes(
    console: Console, draft: Version, house: House
) -> None:
    used = house.versions["en"]
    with acting_for(house.id):
        old = content.version(used)
        newer = content.save_version(
            old.template_id,
            language="en",
            subject=old.subject,
            preheader="",
            mjml=old.mjml,
            actor=office.staff(house.organization, Role.AUTHOR),
        )
    words = console.client("marketer").get(at(draft, "vocabulary")).json()
    offered = {each["id"]: each["label"] for each in words["templates"]}
    assert {str(used), str(newer.id)} <= set(offered)
    assert "version 1" in offered[str(used)]


def test_who_may_not_read_the_register_sees_that_a_service_is_called_and_no_name(
    console: Console, house: House
) -> None:
    made: dict[str, Any] = {"actor": system(house.id, "test"), "at": now()}
    with acting_for(house.id):
        vendor_id = vendors.create_vendor("Harbor Print", relation=Relation.OURS, **made)
        called, other = (
            vendors.create_service(
                vendor_id,
                kind=Kind.WEBHOOK,
                name=name,
                address=f"https://{name}.example/",
                may_carry=(),
                **made,
            )
            for name in ("letters", "cards")
        )
        attest(called, **made)
        attest(other, **made)
    tell = Step("tell", StepKind.CALL, "Tell", Call(called, ("given_name",)), {"done": "end"})
    drawn = house.drafted(graph(tell, step("end", Exit())))
    read = console.client("marketer").get(at(drawn, "vocabulary"))
    assert {each["label"] for each in read.json()["services"]} == {
        "Harbor Print: letters",
        "Harbor Print: cards",
    }
    for role in ("author", "analyst"):
        answer = console.client(role).get(at(drawn, "vocabulary"))
        assert answer.json()["services"] == [{"id": str(called), "label": "A vendor's service"}]
        assert "Harbor" not in answer.content.decode()


@pytest.mark.parametrize("what", ["draft", "vocabulary"])
def test_nobody_else_reads_it(console: Console, make_clinic: Any, draft: Version, what: str) -> None:
    assert console.client("developer").get(at(draft, what)).status_code == 404
    elsewhere = Console(console.url, make_clinic())
    assert elsewhere.client("marketer").get(at(draft, "draft")).status_code == 404
    assert elsewhere.client("marketer").get(f"/journeys/{draft.journey_id}/canvas").status_code == 404
    for act in ("check", "save", "hand-in", "simulate"):
        assert post(elsewhere, "marketer", draft, act, "").status_code == 404


@pytest.mark.parametrize("what", ["check", "save", "hand-in"])
def test_who_may_only_read_changes_nothing(console: Console, house: House, draft: Version, what: str) -> None:
    body = {"graph": write(replace(draft.graph, name="Changed")), "seen": draft.changed_at.isoformat()}
    for role in ("analyst", "privacy_officer"):
        assert post(console, role, draft, what, body).status_code == 404
    assert present(house, draft) == draft


def test_a_page_without_its_token_is_refused(console: Console, draft: Version) -> None:
    client = console.client("marketer", enforce_csrf_checks=True)
    assert client.post(at(draft, "save"), {}, content_type="application/json").status_code == 403


def test_a_save_that_knew_another_draft_is_told_so_and_changes_nothing(
    console: Console, house: House, draft: Version
) -> None:
    mine = {"graph": write(replace(draft.graph, name="Mine")), "seen": draft.changed_at.isoformat()}
    with acting_for(house.id):
        drafting.save_draft(
            draft.id,
            replace(draft.graph, name="Theirs"),
            seen=draft.changed_at,
            actor=house.marketer,
            at=now(),
        )
    refused = post(console, "marketer", draft, "save", mine)
    assert refused.status_code == 409
    assert refused.json()["detail"] == (
        "Somebody saved it meanwhile. Their work is there. Load it again first."
    )
    assert present(house, draft).graph.name == "Theirs"
    mine["seen"] = present(house, draft).changed_at.isoformat()
    assert post(console, "marketer", draft, "save", mine).status_code == 200
    assert present(house, draft).graph.name == "Mine"


def test_what_is_handed_in_is_not_drawn_in_any_more(console: Console, house: House, draft: Version) -> None:
    answer = post(console, "marketer", draft, "hand-in", {})
    assert answer.json()["url"] == f"/journeys/{draft.journey_id}/versions"
    handed_in = present(house, draft)
    assert handed_in.status is VersionStatus.SUBMITTED
    body = {"graph": write(draft.graph), "seen": handed_in.changed_at.isoformat()}
    assert post(console, "marketer", draft, "save", body).status_code == 409


def test_a_drawing_that_cannot_be_read_is_a_finding_at_its_step(console: Console, draft: Version) -> None:
    graph = write(draft.graph)
    graph["steps"]["wait"]["at_most"] = {"days": -1}
    (finding,) = post(console, "marketer", draft, "check", {"graph": graph}).json()["findings"]
    assert (finding["step"], finding["severity"]) == ("wait", "error")
    assert finding["what"] == "At most.days is not a whole number from 0 to 3,650."
    (finding,) = post(console, "marketer", draft, "check", {"graph": {"schema": 1}}).json()["findings"]
    assert finding["step"] == ""


@pytest.mark.parametrize("body", ["{", "[]", '"x"', "null", "[" * 100_000])
@pytest.mark.parametrize("what", ["save", "simulate"])
def test_what_is_no_json_is_refused_in_words(
    console: Console, house: House, draft: Version, what: str, body: str
) -> None:
    answer = post(console, "marketer", draft, what, body)
    assert answer.status_code == 400
    assert answer.json()["title"] == "That could not be used"
    assert present(house, draft) == draft


@pytest.mark.parametrize(
    "odd",
    [
        {"happens": {"visit": 2}, "tasks_done": 1, "calls_done": 1},
        {"happens": {"visit": "many"}, "tasks_done": 1, "calls_done": 1},
        {"happens": [], "tasks_done": 1, "calls_done": 1},
        {"happens": {}, "tasks_done": float("nan"), "calls_done": 1},
        {},
        None,
        7,
    ],
)
def test_odd_suppositions_are_refused(console: Console, draft: Version, odd: Any) -> None:
    body = {"graph": write(draft.graph), "supposed": odd}
    assert post(console, "marketer", draft, "simulate", body).status_code == 400


def test_a_step_that_is_not_there_is_nowhere_to_begin(console: Console, draft: Version) -> None:
    supposed = {"happens": {}, "tasks_done": 1, "calls_done": 1}
    body = {"graph": write(draft.graph), "supposed": supposed, "from": "gone"}
    answer = post(console, "marketer", draft, "simulate", body)
    assert (answer.status_code, answer.json()["detail"]) == (400, "There is no such step.")


def test_a_version_that_is_not_of_this_journey_is_not_shown(
    console: Console, house: House, draft: Version
) -> None:
    other = house.drafted(short(house.versions))
    client = console.client("marketer")
    assert client.get(f"/journeys/{draft.journey_id}/canvas?version={draft.id}").status_code == 200
    assert client.get(f"/journeys/{draft.journey_id}/canvas?version={other.id}").status_code == 404
    for odd in ("x", "0", str(new_id())):
        assert client.get(f"/journeys/{draft.journey_id}/canvas?version={odd}").status_code == 404
    assert client.get(f"/journeys/{new_id()}/canvas").status_code == 404
    assert client.get(at(new_id(), "draft")).status_code == 404
