"""Journeys for programs, at /api/v1: lists, numbers, checks, people put in, diaries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.identity import api as identity
from salus.identity.contracts import Organization, Permission
from salus.journeys import drafting, numbers, queries
from salus.journeys.contracts import Enter, EnterKind, Exit, Status
from salus.journeys.rules.reading import write
from salus.kernel.acting import system
from salus.platform.tenancy import acting_for
from tests.journeys.drawn import graph, overdue, short, step
from tests.journeys.house import House, furnish, now
from tests.journeys.running import put_live

P = Permission
LIST = "/api/v1/journeys"


@pytest.fixture
def house(make_clinic: Callable[..., Organization]) -> House:
    return furnish(make_clinic())


def program(organization: Organization, *scopes: Permission) -> Client:
    with acting_for(organization.id):
        key = identity.create_api_key(
            "a program", scopes, actor=system(organization.id, "test"), allowed=Permission
        )
    return Client(headers={"host": "localhost", "authorization": f"Bearer {key}"})


@pytest.fixture
def whole(house: House) -> Client:
    """A program that may do everything that programs may do with journeys."""
    return program(
        house.organization, P.JOURNEYS_JOURNEY_READ, P.JOURNEYS_PEOPLE_READ, P.JOURNEYS_PEOPLE_ENROL
    )


def post(client: Client, address: str, body: object, once: str = "") -> Any:
    headers = {"Idempotency-Key": once} if once else {}
    return client.post(address, data=body, content_type="application/json", headers=headers)


def test_journeys_are_listed_page_by_page_and_read_one_by_one(house: House, whole: Client) -> None:
    made = [str(house.drafted(short(name=f"Number {count}")).journey_id) for count in range(3)]
    first = whole.get(f"{LIST}?limit=2").json()
    rest = whole.get(LIST, {"limit": 1, "before": first["before"]}).json()
    assert [each["id"] for each in (*first["journeys"], *rest["journeys"])] == made[::-1]
    live = house.live(short(house.versions, name="Visits"))
    shown = whole.get(f"{LIST}/{live.journey_id}").json()
    assert (shown["name"], shown["status"], shown["live"]) == ("Visits", "live", str(live.id))
    assert [each["status"] for each in shown["versions"]] == ["live"]
    assert shown["graph"] == write(live.graph)


def test_the_numbers_add_up_and_are_those_of_the_engine(house: House, whole: Client) -> None:
    running = put_live(house.id, overdue(house.versions))
    running.enter(*house.people.values())
    running.run()
    found = whole.get(f"{LIST}/{running.journey_id}/counts").json()
    assert found["entered"] == 5 == sum(found[name] for name in ("waiting", "completed", "exited", "refused"))
    for key, each in found["steps"].items():
        assert each["arrived"] == each["here"] + sum(each["left"].values()), key
    letter = found["steps"]["letter"]
    assert letter["outcomes"] == [{"outcome": "sent", "reason": "", "people": 5}]
    with acting_for(house.id):
        assert found["waiting"] == numbers.counts(running.journey_id).waiting
    one = whole.get(f"{LIST}/{running.journey_id}/counts", {"version": str(running.version_id)}).json()
    assert one == found


def test_a_drawing_is_checked_without_being_stored(house: House, whole: Client) -> None:
    good = post(whole, f"{LIST}/check", {"graph": write(short(house.versions))}).json()
    assert good["holds"]
    assert good["longest_hours"] == 24
    bad = post(whole, f"{LIST}/check", {"graph": write(short())}).json()
    assert not bad["holds"]
    assert {each["step"] for each in bad["findings"] if each["severity"] == "error"} == {"letter"}
    with acting_for(house.id):
        assert queries.journeys() == []


def test_a_fault_of_a_document_names_its_place(whole: Client) -> None:
    fault = post(whole, f"{LIST}/check", {"graph": {**write(short()), "colour": "red"}})
    assert fault.status_code == 400
    assert fault.headers["content-type"] == "application/problem+json"
    assert fault.json()["place"].startswith("$")
    assert post(whole, f"{LIST}/check", {}).status_code == 400
    assert post(whole, f"{LIST}/check", [1]).status_code == 400


def test_the_version_being_drawn_is_checked_as_of_now(house: House, whole: Client) -> None:
    live = house.live(short(house.versions))
    assert whole.get(f"{LIST}/{live.journey_id}/check").json()["holds"]
    with acting_for(house.id):
        draft = drafting.new_draft(live.id, actor=house.marketer, at=now())
        drafting.save_draft(draft.id, short(), seen=draft.changed_at, actor=house.marketer, at=now())
    assert not whole.get(f"{LIST}/{live.journey_id}/check").json()["holds"]


def test_a_program_puts_people_in_once(house: House, whole: Client) -> None:
    running = put_live(house.id, short(house.versions))
    address = f"{LIST}/{running.journey_id}/people"
    body = {"numbers": ["mrn-ada", "mrn-nobody", "mrn-bert", "mrn-ada"]}
    first = post(whole, address, body, once="a-key").json()
    assert (first["asked"], len(first["entered"]), first["unknown"], first["repeated"]) == (4, 2, [2], 1)
    assert post(whole, address, body, once="a-key").json() == first
    assert post(whole, address, {"numbers": ["mrn-bert"]}, once="a-key").status_code == 422
    again = post(whole, address, body, once="another-key").json()
    assert [each["reason"] for each in again["refused"]] == ["inside_already"] * 2
    assert running.counts().entered == 2


@pytest.mark.parametrize(
    "body",
    [{}, {"numbers": []}, {"numbers": [""]}, {"numbers": ["1"] * 1001}, {"numbers": "mrn-ada"}, "text"],
)
def test_a_list_that_is_none_is_refused(house: House, whole: Client, body: object) -> None:
    running = put_live(house.id, short(house.versions))
    assert post(whole, f"{LIST}/{running.journey_id}/people", body, once="x").status_code == 400


def test_without_a_key_of_its_own_a_call_is_refused_with_its_place(house: House, whole: Client) -> None:
    running = put_live(house.id, short(house.versions))
    missing = post(whole, f"{LIST}/{running.journey_id}/people", {"numbers": ["mrn-ada"]})
    assert (missing.status_code, missing.json()["place"]) == (400, "Idempotency-Key")


def test_a_journey_that_takes_nobody_from_programs_says_so(house: House, whole: Client) -> None:
    by_hand = put_live(house.id, graph(step("end", Exit()), enter=(Enter(EnterKind.BY_HAND),)))
    answer = post(whole, f"{LIST}/{by_hand.journey_id}/people", {"numbers": ["mrn-ada"]}, once="x")
    assert answer.status_code == 409
    open_ = put_live(house.id, short(house.versions))
    open_.stand(Status.PAUSED)
    answer = post(whole, f"{LIST}/{open_.journey_id}/people", {"numbers": ["mrn-ada"]}, once="x")
    assert answer.status_code == 409


def test_a_contacts_diaries_are_read_on_record(house: House, whole: Client) -> None:
    running = put_live(house.id, short(house.versions))
    ada = house.people["ada"]
    running.enter(ada)
    running.run()
    [found] = whole.get(f"/api/v1/contacts/{ada}/journeys").json()["diaries"]
    assert (found["fate"], found["step"]) == ("waiting", "pause")
    assert [(each["step"], each["outcome"]) for each in found["visits"]] == [("letter", "sent")]
    with acting_for(house.id):
        looks = audit.entries(Filters(action=Action.JOURNEY_PEOPLE_READ, patient_id=ada))
    assert len(looks) == 1


def test_a_key_does_only_what_its_scopes_say(house: House) -> None:
    running = put_live(house.id, short(house.versions))
    reader = program(house.organization, P.JOURNEYS_JOURNEY_READ)
    assert reader.get(f"{LIST}/{running.journey_id}").status_code == 200
    assert reader.get(f"/api/v1/contacts/{house.people['ada']}/journeys").status_code == 404
    refused = post(reader, f"{LIST}/{running.journey_id}/people", {"numbers": ["mrn-ada"]}, once="x")
    assert refused.status_code == 404
    assert Client(headers={"host": "localhost"}).get(LIST).status_code == 401


def test_no_address_lets_a_program_approve_or_start(whole: Client) -> None:
    paths = [path for path in whole.get("/api/v1/openapi.json").json()["paths"] if "journeys" in path]
    assert paths
    assert not [path for path in paths if "approve" in path or "start" in path]


@pytest.mark.parametrize("before", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_moment_at_the_end_of_time_is_answered(whole: Client, before: str) -> None:
    answer = whole.get(LIST, {"before": before})
    assert (answer.status_code, answer.json()["place"]) == (400, "before")


def test_an_outsiders_key_finds_nothing(house: House, make_clinic: Callable[..., Organization]) -> None:
    running = put_live(house.id, short(house.versions))
    running.enter(house.people["ada"])
    other = program(make_clinic(), P.JOURNEYS_JOURNEY_READ, P.JOURNEYS_PEOPLE_READ, P.JOURNEYS_PEOPLE_ENROL)
    for address in ("", "/counts", "/check"):
        assert other.get(f"{LIST}/{running.journey_id}{address}").status_code == 404
    assert post(other, f"{LIST}/{running.journey_id}/people", {"numbers": ["1"]}, once="x").status_code == 404
    assert other.get(f"/api/v1/contacts/{house.people['ada']}/journeys").status_code == 404
    assert other.get(LIST).json()["journeys"] == []
