"""What programs are told of reports, receipts and the log, and what they are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.identity import api as identity
from salus.identity.contracts import Permission
from salus.kernel.acting import system
from salus.kernel.ids import new_id
from salus.platform.tenancy import acting_for
from tests.browser import Console
from tests.reports.world import World

Ask = Callable[..., Any]
ALL = (
    Permission.CAMPAIGNS_REPORT_READ,
    Permission.CAMPAIGNS_RECIPIENTS_READ,
    Permission.DELIVERY_RECEIPT_READ,
    Permission.DELIVERY_MESSAGE_RECALL,
    Permission.AUDIT_LOG_READ,
    Permission.AUDIT_LOG_VERIFY,
)


def key_of(organization_id: Any, *scopes: Permission) -> Client:
    """Return a program with a key that may do this much."""
    with acting_for(organization_id):
        raw = identity.create_api_key(
            "a program", scopes or ALL, actor=system(organization_id, "test"), allowed=Permission
        )
    return Client(headers={"host": "localhost", "authorization": f"Bearer {raw}"})


@pytest.fixture
def program(shared: World) -> Client:
    """A program that may do everything here."""
    return key_of(shared.organization.id)


def test_the_report_adds_up(shared: World, program: Client) -> None:
    told = program.get(f"/api/v1/reports/campaigns/{shared.campaign_id}").json()
    assert told["planned"] == told["cleared"] + told["refused"] == len(shared.people)
    assert told["cleared"] == sum(told["outcomes"].values())
    assert told["unaccounted"] == 0
    assert sum(each["count"] for each in told["refused_by_reason"]) == told["refused"]
    assert all(each["citations"] for each in told["refused_by_reason"])
    assert "name" not in told
    assert "A1c" not in str(told)
    with acting_for(shared.organization.id):
        entry = audit.entries(Filters(action=Action.REPORT_READ))[0]
    assert entry.actor_kind == "api_key"


def test_recipients_are_ids_only(shared: World, program: Client) -> None:
    address = f"/api/v1/reports/campaigns/{shared.campaign_id}/recipients"
    told = program.get(address, {"figure": "portal"}).json()
    assert {each["message_id"] for each in told["items"]} == {str(id) for id in shared.messages["portal"]}
    assert told["after"] is None
    assert "Givenname" not in str(told)
    wrong = program.get(address, {"figure": "nonsense"})
    assert (wrong.status_code, wrong["Content-Type"]) == (400, "application/problem+json")
    assert wrong.json()["place"] == "figure"


def test_the_receipt_comes_with_its_proof(shared: World, program: Client) -> None:
    told = program.get(f"/api/v1/messages/{shared.message('accepted')}/receipt").json()
    assert told["proven"] is True
    assert told["faults"] == []
    assert told["rules"][0]["code"] == "D08"
    assert told["proof"]["steps"][-1]["checkpoint"]
    assert told["tls"]["peer"] == "partner"
    with acting_for(shared.organization.id):
        entry = audit.entries(Filters(action=Action.RECEIPT_READ))[0]
    assert entry.actor_kind == "api_key"


def test_a_program_recalls_a_message(own: World) -> None:
    program = key_of(own.organization.id, Permission.DELIVERY_MESSAGE_RECALL)
    assert program.post(f"/api/v1/messages/{own.message('portal')}/recall").status_code == 204
    assert program.post(f"/api/v1/messages/{own.message('portal')}/recall").status_code == 204
    assert program.post(f"/api/v1/messages/{own.message('accepted')}/recall").status_code == 404


def test_the_log_is_listed_filtered_and_verified(shared: World, program: Client) -> None:
    told = program.get("/api/v1/log/entries", {"action": "content:"}).json()
    assert {each["action"] for each in told["items"]} >= {"content:version:create"}
    entry = program.get(f"/api/v1/log/entries/{told['items'][0]['id']}").json()
    assert entry["proven"] is True
    assert entry["proof"]["checkpoint"].startswith("salus/")
    verdict = program.post("/api/v1/log/verify").json()
    assert (verdict["verified"], verdict["faults"]) == (True, [])


@pytest.mark.parametrize(
    ("query", "place"),
    [({"action": "rosa"}, "action"), ({"since": "2026-01-01T00:00:00"}, "since"), ({"patient": "rosa"}, "patient"),
     ({"after": "x"}, "after")],
)  # fmt: skip
def test_a_bad_question_is_answered_with_its_place(
    program: Client, query: dict[str, str], place: str
) -> None:
    answer = program.get("/api/v1/log/entries", query)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert answer.json()["place"].endswith(place)


def test_pages_of_entries_follow_one_another(shared: World, program: Client) -> None:
    with acting_for(shared.organization.id):
        actor = system(shared.organization.id, "test")
        made = {
            str(audit.record(Action.TIMELINE_READ, actor=actor, object_kind="contact", outcome="paged"))
            for _ in range(55)
        }
    seen: set[str] = set()
    query: dict[str, str] = {"outcome": "paged"}
    while True:
        told = program.get("/api/v1/log/entries", query).json()
        seen |= {each["id"] for each in told["items"]}
        if told["after"] is None:
            break
        query["after"] = told["after"]
    assert seen == made


def addresses(world: World) -> list[tuple[str, str, Permission]]:
    """Return every address with the scope that it needs."""
    campaign, message = world.campaign_id, world.message("accepted")
    return [
        ("get", f"/api/v1/reports/campaigns/{campaign}", Permission.CAMPAIGNS_REPORT_READ),
        ("get", f"/api/v1/reports/campaigns/{campaign}/recipients", Permission.CAMPAIGNS_RECIPIENTS_READ),
        ("get", f"/api/v1/messages/{message}/receipt", Permission.DELIVERY_RECEIPT_READ),
        ("post", f"/api/v1/messages/{message}/recall", Permission.DELIVERY_MESSAGE_RECALL),
        ("get", "/api/v1/log/entries", Permission.AUDIT_LOG_READ),
        ("get", f"/api/v1/log/entries/{new_id()}", Permission.AUDIT_LOG_READ),
        ("post", "/api/v1/log/verify", Permission.AUDIT_LOG_VERIFY),
    ]


def test_every_address_wants_its_own_scope(shared: World) -> None:
    nobody = Client(headers={"host": "localhost"})
    for method, address, scope in addresses(shared):
        refused = getattr(nobody, method)(address)
        assert (refused.status_code, refused["Content-Type"]) == (401, "application/problem+json"), address
        others = [each for each in ALL if each is not scope]
        absent = getattr(key_of(shared.organization.id, *others), method)(address)
        assert (absent.status_code, absent["Content-Type"]) == (404, "application/problem+json"), address


def test_another_organizations_key_finds_nothing(shared: World, outsider: Console) -> None:
    program = key_of(outsider.organization.id)
    for method, address, _ in addresses(shared)[:4]:
        assert getattr(program, method)(address).status_code == 404, address
    told = program.get("/api/v1/log/entries", {"action": "delivery:"}).json()
    assert told["items"] == []


def test_the_openapi_document_lists_them_and_there_is_no_page_of_others_scripts(shared: World) -> None:
    client = Client(headers={"host": "localhost"})
    document = client.get("/api/v1/openapi.json").json()
    assert document["info"]["title"] == "Salus"
    assert {"/api/v1/messages/{message_id}/receipt", "/api/v1/log/verify"} <= set(document["paths"])
    assert client.get("/api/v1/docs").status_code == 404
