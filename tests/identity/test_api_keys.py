"""API keys: what a program may do, in its own organization, and how it is told no."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import HttpRequest
from django.test import Client
from django.urls import clear_url_caches, path
from ninja import NinjaAPI

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.identity import api as identity
from salus.identity import staff
from salus.identity.contracts import Organization, Permission, Role
from salus.identity.models import ApiKey, Staff
from salus.kernel.acting import Actor, ActorKind, system
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.ids import new_id
from salus.kernel.time import FakeClock
from salus.platform.tenancy import acting_for
from salus.wiring import cli

IMPORT = Permission.CONTACTS_IMPORT_RUN
rest = NinjaAPI(urls_namespace="identity-test", docs_url=None, openapi_url=None)
identity.use_problems(rest)


@rest.get("/whoami", auth=identity.api_key_auth(IMPORT))
def whoami(request: HttpRequest) -> dict[str, object]:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return {"kind": actor.kind, "organization": str(actor.organization_id), "staff": Staff.objects.count()}


@rest.post("/rename", auth=identity.api_key_auth(IMPORT))
def rename(request: HttpRequest, name: str, fail: bool = False) -> dict[str, str]:
    Staff.objects.update(name=name)
    if fail:
        raise BadInput("Row 3 has no name.", place="rows[3].name", kept="Nothing was stored.")
    return {"done": name}


@rest.get("/conflict", auth=identity.api_key_auth(IMPORT))
def conflict(request: HttpRequest) -> None:
    raise Conflict("It was approved already.")


urlpatterns = [path("api/", rest.urls)]


@pytest.fixture
def clinic(make_clinic: Callable[..., Organization], clock: FakeClock) -> Organization:
    return make_clinic()


@pytest.fixture(autouse=True)
def mounted(settings: Any) -> Iterator[None]:
    """Serve this module's addresses."""
    settings.ROOT_URLCONF = sys.modules[__name__]
    clear_url_caches()
    yield
    clear_url_caches()


def key_of(clinic: Organization, *scopes: str, **options: Any) -> str:
    with acting_for(clinic.id):
        return identity.create_api_key(
            "Health record",
            scopes or [IMPORT],
            actor=system(clinic.id, "test"),
            allowed=Permission,
            **options,
        )


def program(raw: str = "", **options: Any) -> Client:
    headers = {"host": "localhost", **({"authorization": f"Bearer {raw}"} if raw else {})}
    return Client(headers=headers, **options)


def test_a_key_acts_in_its_own_organization(
    clinic: Organization, make_clinic: Callable[..., Organization]
) -> None:
    other = make_clinic("Elsewhere", demo=False)
    answer = program(key_of(clinic)).get("/api/whoami").json()
    assert answer == {"kind": ActorKind.API_KEY, "organization": str(clinic.id), "staff": len(Role)}
    assert program(key_of(other)).get("/api/whoami").json()["staff"] == 0


def test_without_a_good_key_the_answer_is_a_problem_that_says_so(
    clinic: Organization, clock: FakeClock
) -> None:
    raw = key_of(clinic)
    over = key_of(clinic, expires_at=clock.now() + timedelta(days=1))
    revoked = key_of(clinic)
    with acting_for(clinic.id):
        identity.revoke_api_key(ApiKey.objects.latest("created_at", "id").pk, actor=system(clinic.id, "test"))
    clock.advance(timedelta(days=1))
    strange = [
        "",
        "nonsense",
        raw[:-1] + ("A" if raw[-1] != "A" else "B"),
        raw.replace(clinic.id.hex, new_id().hex),
        over,
        revoked,
    ]
    for wrong in strange:
        answer = program(wrong).get("/api/whoami")
        assert answer.status_code == 401, wrong
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert json.loads(answer.content)["status"] == 401
    assert program(raw).get("/api/whoami").status_code == 200


def test_the_keys_of_somebody_who_leaves_stop_with_their_access(console: Any) -> None:
    organization = console.organization
    console.client("developer")
    with acting_for(organization.id):
        maker = Staff.objects.get(roles=["developer"])
        own = identity.create_api_key(
            "Health record",
            [IMPORT],
            actor=replace(system(organization.id, "t"), id=maker.pk),
            allowed=Permission,
        )
    others = key_of(organization)
    assert program(own).get("/api/whoami").status_code == 200
    with acting_for(organization.id):
        staff.change(maker.pk, actor=system(organization.id, "test"), active=False)
        assert audit.entries(Filters(action=Action.API_KEY_REVOKE))
    assert program(own).get("/api/whoami").status_code == 401
    assert program(others).get("/api/whoami").status_code == 200


def test_a_staff_session_is_no_api_key(console: Any, settings: Any) -> None:
    assert console.client("marketer").get("/api/whoami").status_code == 401


def test_a_key_without_the_scope_finds_nothing(clinic: Organization) -> None:
    answer = program(key_of(clinic, Permission.AUDIT_LOG_READ)).get("/api/whoami")
    assert answer.status_code == 404
    assert answer.json()["detail"] == str(NotFound())


def test_a_refused_call_is_undone_and_says_where(clinic: Organization) -> None:
    client = program(key_of(clinic), enforce_csrf_checks=True)
    answer = client.post("/api/rename?name=Changed&fail=true")
    assert answer.status_code == 400
    assert answer.json()["place"] == "rows[3].name"
    assert "Nothing was stored." in answer.json()["detail"]
    with acting_for(clinic.id):
        assert not Staff.objects.filter(name="Changed").exists()
    assert client.post("/api/rename?name=Changed").status_code == 200
    with acting_for(clinic.id):
        assert Staff.objects.filter(name="Changed").count() == len(Role)


def test_errors_of_the_kernel_and_of_the_request_are_problems(clinic: Organization) -> None:
    client = program(key_of(clinic))
    assert client.get("/api/conflict").json()["status"] == 409
    unreadable = client.post("/api/rename")
    assert (unreadable.status_code, unreadable.json()["place"]) == (400, "name")


def test_the_secret_is_not_stored_and_the_making_is_recorded(clinic: Organization) -> None:
    raw = key_of(clinic)
    with acting_for(clinic.id), connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(identity_apikey::text, ' ') FROM identity_apikey")
        assert raw.rpartition("_")[2] not in cursor.fetchone()[0]
        entry = audit.entries(Filters(action=Action.API_KEY_CREATE))[0]
    assert entry.fields == (IMPORT.value,)


def test_last_use_is_noted_at_most_once_a_minute(clinic: Organization, clock: FakeClock) -> None:
    client = program(key_of(clinic))

    def last() -> Any:
        with acting_for(clinic.id):
            return ApiKey.objects.get().last_used_at

    first = clock.now()
    client.get("/api/whoami")
    assert last() == first
    clock.advance(timedelta(seconds=30))
    client.get("/api/whoami")
    assert last() == first
    clock.advance(timedelta(seconds=31))
    client.get("/api/whoami")
    assert last() == clock.now()


@pytest.mark.parametrize(
    ("name", "scopes", "days", "place"),
    [
        (" ", [IMPORT], 1, "name"),
        ("x", [], 1, "scopes"),
        ("x", ["a:b:c"], 1, "scopes"),
        ("x", [IMPORT], -1, "expires_at"),
    ],
)
def test_a_key_that_will_not_do_is_refused_with_the_place(
    clinic: Organization, clock: FakeClock, name: str, scopes: list[str], days: int, place: str
) -> None:
    with acting_for(clinic.id), pytest.raises(BadInput) as refused:
        identity.create_api_key(
            name,
            scopes,
            actor=system(clinic.id, "test"),
            allowed=Permission,
            expires_at=clock.now() + timedelta(days=days),
        )
    assert refused.value.place == place


def test_another_organization_cannot_revoke_a_key(
    clinic: Organization, make_clinic: Callable[..., Organization]
) -> None:
    other = make_clinic("Elsewhere", demo=False)
    raw = key_of(clinic)
    with acting_for(clinic.id):
        key_id = ApiKey.objects.get().pk
    with acting_for(other.id), pytest.raises(NotFound):
        identity.revoke_api_key(key_id, actor=system(other.id, "test"))
    assert program(raw).get("/api/whoami").status_code == 200


def test_the_command_line_makes_lists_and_revokes(
    clinic: Organization, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "setup", lambda: None)  # this process is set up already, for another home

    def salus(*words: str) -> tuple[int, str, str]:
        code = cli.main(["apikey", *words, "--organization", clinic.slug])
        said = capsys.readouterr()
        return code, said.out, said.err

    code, raw, _ = salus("create", "--name", "Bulk import", "--scope", IMPORT)
    assert code == 0
    assert program(raw.strip()).get("/api/whoami").status_code == 200
    code, _, why = salus("create", "--name", "x", "--scope", "contacts:record:steal")
    assert (code, "contacts:record:steal" in why) == (2, True)
    assert salus("revoke", "not-an-id")[0] == 2
    assert salus("revoke", str(new_id()))[0] == 1
    _, listed, _ = salus("list")
    assert "Bulk import" in listed
    assert salus("revoke", listed.split()[0])[0] == 0
    assert program(raw.strip()).get("/api/whoami").status_code == 401


def test_every_call_is_recorded_under_the_key_the_refused_ones_too(clinic: Organization) -> None:
    raw = key_of(clinic)
    narrow = key_of(clinic, Permission.CAMPAIGNS_REPORT_READ)
    program(raw).get("/api/whoami")
    program(raw).post("/api/rename?name=Quillfeather&fail=true")
    program(narrow).get("/api/whoami")
    program(raw).get("/api/nowhere")
    with acting_for(clinic.id):
        assert not Staff.objects.filter(name="Quillfeather").exists(), "what a refused call did is undone"
        found = audit.entries(Filters(action=Action.API_KEY_USE))[::-1]
        keys = {key.id for key in identity.api_keys_of_organization()}
    said = [(entry.outcome, entry.details["status"], entry.details["call"]) for entry in found]
    assert said == [
        ("ok", 200, "identity-test:whoami"),
        ("refused", 400, "identity-test:rename"),
        ("refused", 404, "identity-test:whoami"),
        ("refused", 404, ""),
    ]
    assert {entry.actor_id for entry in found} <= keys
    assert all(entry.actor_kind == ActorKind.API_KEY for entry in found)
    assert "Quillfeather" not in repr(found)
