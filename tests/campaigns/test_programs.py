"""Campaigns for programs: the addresses at /api/v1, and the command."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from salus.campaigns import api
from salus.campaigns.contracts import Status
from salus.identity import api as identity
from salus.identity.contracts import Organization, Permission
from salus.kernel.acting import system
from salus.platform.tenancy import acting_for
from salus.wiring import cli

from .conftest import NAME, Clinic

P = Permission
LIST = "/api/v1/campaigns"
Salus = Callable[..., tuple[int, str, str]]


def program(organization: Organization, *scopes: Permission) -> Client:
    with acting_for(organization.id):
        key = identity.create_api_key(
            "a program", scopes, actor=system(organization.id, "test"), allowed=Permission
        )
    return Client(headers={"host": "localhost", "authorization": f"Bearer {key}"})


def post(client: Client, address: str, body: dict[str, Any] | None = None, once: str = "") -> Any:
    headers = {"Idempotency-Key": once} if once else {}
    return client.post(address, data=body or {}, content_type="application/json", headers=headers)


@pytest.fixture
def whole(clinic: Clinic) -> Client:
    """A program that may do everything that programs may do with campaigns."""
    return program(
        clinic.organization,
        P.CAMPAIGNS_CAMPAIGN_READ,
        P.CAMPAIGNS_CAMPAIGN_EDIT,
        P.CAMPAIGNS_CAMPAIGN_LAUNCH,
    )


def draft_of(clinic: Clinic) -> dict[str, Any]:
    return {
        "name": NAME,
        "segment_id": str(clinic.segment_id),
        "versions": {language: str(id) for language, id in clinic.versions.items()},
    }


def test_a_program_makes_plans_and_launches_what_a_person_approved(clinic: Clinic, whole: Client) -> None:
    made = post(whole, LIST, draft_of(clinic), once="first")
    assert made.status_code == 201
    address = f"{LIST}/{made.json()['id']}"
    assert post(whole, LIST, draft_of(clinic), once="first").json() == made.json()
    assert post(whole, LIST, draft_of(clinic) | {"name": "Another"}, once="first").status_code == 422
    started = post(whole, f"{address}/plan", once="plan")
    assert (started.status_code, started.json()["status"]) == (202, "planning")
    assert post(whole, f"{address}/plan", once="plan").status_code == 202
    api.make_plan(clinic.id, clinic.campaign(made.json()["id"]).id)
    shown = whole.get(address).json()
    assert shown["plan"]["planned"] == shown["plan"]["cleared"] + sum(shown["plan"]["refused"].values()) == 6
    early = post(whole, f"{address}/launch", once="go")
    assert early.status_code == 409
    assert early.headers["content-type"] == "application/problem+json"
    with acting_for(clinic.id):
        api.approve(
            clinic.campaign(shown["id"]).id, actor=clinic.officer, at=clinic.campaign(shown["id"]).changed_at
        )
    for _ in range(2):
        launched = post(whole, f"{address}/launch", once="go")
        assert (launched.status_code, launched.json()["status"]) == (200, "sending")
    progress = launched.json()["progress"]
    words = ("accepted", "portal", "portal_unnotified", "bounced", "gave_up", "cancelled", "queued")
    assert progress["cleared"] == sum(progress[word] for word in words) == 4
    assert post(whole, f"{address}/launch", once="again").status_code == 409


def test_a_launch_without_a_key_or_a_zone_is_refused_with_its_place(clinic: Clinic, whole: Client) -> None:
    approved = clinic.approved()
    address = f"{LIST}/{approved.id}/launch"
    missing = post(whole, address)
    assert (missing.status_code, missing.json()["place"]) == (400, "Idempotency-Key")
    naive = post(whole, address, {"not_before": "2099-12-01T10:00:00"}, once="x")
    assert (naive.status_code, naive.json()["place"]) == (400, "not_before")
    timed = post(whole, address, {"not_before": "2099-12-01T10:00:00-08:00"}, once="x")
    assert timed.json()["launch_at"] == "2099-12-01T18:00:00Z"
    assert clinic.campaign(approved.id).status is Status.SCHEDULED


def test_no_address_lets_a_program_approve(clinic: Clinic, whole: Client) -> None:
    planned = clinic.planned()
    assert post(whole, f"{LIST}/{planned.id}/approve").status_code == 404
    paths = whole.get("/api/v1/openapi.json").json()["paths"]
    assert not [path for path in paths if "approve" in path]


def test_bad_input_names_its_place(clinic: Clinic, whole: Client) -> None:
    nameless = post(whole, LIST, {**draft_of(clinic), "name": "  "})
    assert (nameless.status_code, nameless.json()["place"]) == (400, "name")
    assert post(whole, LIST, {"name": NAME}).status_code == 400
    assert post(whole, f"{LIST}/nonsense/plan").status_code == 400


def test_campaigns_are_listed_page_by_page(clinic: Clinic, whole: Client) -> None:
    made = [str(clinic.draft().id) for _ in range(3)]
    first = whole.get(f"{LIST}?limit=2").json()
    rest = whole.get(LIST, {"limit": 1, "before": first["before"]}).json()
    assert [each["id"] for each in (*first["campaigns"], *rest["campaigns"])] == made[::-1]


def test_a_key_does_only_what_its_scopes_say(clinic: Clinic) -> None:
    draft = clinic.draft()
    reader = program(clinic.organization, P.CAMPAIGNS_CAMPAIGN_READ)
    assert reader.get(f"{LIST}/{draft.id}").status_code == 200
    assert post(reader, LIST, draft_of(clinic)).status_code == 404
    assert post(reader, f"{LIST}/{draft.id}/launch", once="x").status_code == 404
    assert Client(headers={"host": "localhost"}).get(LIST).status_code == 401


def test_an_outsiders_key_finds_nothing(clinic: Clinic, make_clinic: Callable[..., Organization]) -> None:
    draft = clinic.draft()
    other = program(make_clinic("Northfield Clinic"), P.CAMPAIGNS_CAMPAIGN_READ, P.CAMPAIGNS_CAMPAIGN_LAUNCH)
    assert other.get(f"{LIST}/{draft.id}").status_code == 404
    assert post(other, f"{LIST}/{draft.id}/launch", once="x").status_code == 404
    assert other.get(LIST).json()["campaigns"] == []


@pytest.fixture
def salus(clinic: Clinic, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Salus:
    """Run a command for the clinic in this process."""
    monkeypatch.setattr(cli, "setup", lambda: None)

    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = cli.main(["campaign", *words, "--organization", clinic.organization.slug])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_the_command_plans_to_the_end_and_says_why(clinic: Clinic, salus: Salus) -> None:
    draft = clinic.draft()
    code, out, err = salus("plan", str(draft.id))
    assert code == 0
    assert "6 of 6 people decided" in err
    assert "6 people = 4 may receive it + 2 may not" in out
    assert "opted_out: The person opted out of this. [15 USC 7704(a)(4)" in out
    code, out, _ = salus("show", str(draft.id), "--json")
    assert json.loads(out)["plan"] == {
        "planned": 6,
        "cleared": 4,
        "refused": {"opted_out": 1, "no_address": 1},
    }
    assert str(draft.id) in salus("list")[1]


def test_the_command_pauses_resumes_and_cancels_and_cannot_approve(clinic: Clinic, salus: Salus) -> None:
    sending = clinic.sending()
    for word, status in (
        ("pause", Status.PAUSED),
        ("resume", Status.SENDING),
        ("cancel", Status.CANCELLED),
    ):
        assert salus(word, str(sending.id))[0] == 0
        assert clinic.campaign(sending.id).status is status
    code, _, err = salus("resume", str(sending.id))
    assert code == 1
    assert "was cancelled cannot be resumed" in err
    assert salus("pause", "nonsense")[0] == 2
    with pytest.raises(SystemExit):
        salus("approve", str(sending.id))


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-12-01T10:00:00"]
)
def test_a_moment_that_is_none_is_refused_with_its_place(clinic: Clinic, whole: Client, moment: str) -> None:
    assert whole.get(LIST, {"before": moment}).json()["place"] == "before"
    campaign = clinic.draft()
    refused = post(whole, f"{LIST}/{campaign.id}/launch", {"not_before": moment}, once="x")
    assert (refused.status_code, refused.json()["place"]) == (400, "not_before")
