"""Events over HTTP and from files: one or many, what is answered, who may tell, and what is too much."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import jsonschema
import pytest
from django.core.cache import cache
from django.test import Client

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.contacts import api as contacts
from salus.identity import api as identity
from salus.identity.contracts import Permission
from salus.kernel.acting import system
from salus.platform.tenancy import acting_for
from salus.timeline import api
from salus.timeline.web import rest
from salus.wiring import cli
from salus.wiring.rest import api as programs

from .test_telling import GOOD, person

EVENTS = "/api/v1/events"
AT = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
Program = Callable[..., Client]


def program_of(organization: UUID, *scopes: Permission) -> Client:
    with acting_for(organization):
        key = identity.create_api_key(
            "a program", scopes, actor=system(organization, "test"), allowed=Permission
        )
    return Client(headers={"host": "localhost", "authorization": f"Bearer {key}"})


@pytest.fixture
def clinic(organization: UUID) -> UUID:
    """An organization with one patient, R7."""
    with acting_for(organization):
        contacts.merge([person("R7")], actor=system(organization, "test"))
    return organization


@pytest.fixture
def program(clinic: UUID) -> Client:
    """A program that may tell of events."""
    cache.clear()
    return program_of(clinic, Permission.TIMELINE_EVENT_WRITE)


def event(kind: str = "visit", key: str | None = "k1", **more: Any) -> dict[str, Any]:
    whole = {"kind": kind, "identifier": {"system": "mrn", "value": "R7"}, "at": AT, "key": key,
             "details": GOOD.get(kind, {}), **more}  # fmt: skip
    return {name: value for name, value in whole.items() if value is not None}


def post(program: Client, body: Any, **headers: str) -> Any:
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    return program.post(EVENTS, data=text, content_type="application/json", headers=headers)


def test_one_event_is_told_and_told_again(program: Client, clinic: UUID) -> None:
    first = post(program, event("lab_available"))
    assert (first.status_code, first.json()["stored"]) == (200, 1)
    again = post(program, event("lab_available"))
    assert again.json() == {
        "stored": 0, "known": 1, "refused": 0,
        "events": [{"index": 0, "outcome": "known", "place": "", "reason": ""}],
    }  # fmt: skip
    with acting_for(clinic):
        assert [one.details["code"] for one in api.events_since(0, 10)] == ["4548-4"]


def test_of_many_the_good_ones_are_stored_and_each_bad_one_is_answered(program: Client, clinic: UUID) -> None:
    bad = [event(key="2", at="soon"), event(key="3", identifier={"system": "mrn", "value": "X"}), "x"]
    answer = post(program, {"events": [event(), *bad, event(key="5"), event()]})
    assert answer.status_code == 207
    found = answer.json()
    assert (found["stored"], found["known"], found["refused"]) == (2, 1, 3)
    assert [(one["index"], one["outcome"], one["place"]) for one in found["events"]] == [
        (0, "stored", ""), (1, "refused", "at"), (2, "refused", "identifier"), (3, "refused", "event"),
        (4, "stored", ""), (5, "known", ""),
    ]  # fmt: skip
    assert all(one["reason"] for one in found["events"] if one["outcome"] == "refused")
    with acting_for(clinic):
        assert len(api.events_since(0, 10)) == 2


def test_a_call_by_name_is_harmless_to_repeat(program: Client) -> None:
    call = {"events": [event(key=None), event("discharge", key=None)]}
    assert post(program, call, **{"Idempotency-Key": "monday"}).json()["stored"] == 2
    again = post(program, call, **{"Idempotency-Key": "monday"})
    assert (again.json()["stored"], again.headers["Idempotent-Replayed"]) == (2, "true")
    assert post(program, call).json()["refused"] == 2


def test_a_call_of_which_some_was_refused_is_told_again_under_its_name(program: Client, clinic: UUID) -> None:
    """Events without keys are known by the name of the call: another name would store the good ones twice."""
    stranger = event("discharge", key=None, identifier={"system": "mrn", "value": "X"})
    partly = {"events": [event(key=None), stranger]}
    for stored, known in ((1, 0), (0, 1)):
        answer = post(program, partly, **{"Idempotency-Key": "tuesday"})
        found = answer.json()
        assert (answer.status_code, found["stored"], found["known"], found["refused"]) == (
            207,
            stored,
            known,
            1,
        )
    mended = {"events": [event(key=None), event("discharge", key=None)]}
    answer = post(program, mended, **{"Idempotency-Key": "tuesday"})
    assert (answer.status_code, answer.json()["stored"], answer.json()["known"]) == (200, 1, 1)
    assert post(program, partly, **{"Idempotency-Key": "tuesday"}).status_code == 422
    with acting_for(clinic):
        assert len(api.events_since(0, 10)) == 2


@pytest.mark.parametrize(
    ("body", "status", "place"),
    [
        ("{", 400, "body"),
        (b"\xff", 400, "body"),
        ("[" * 5_000, 400, "body"),
        ([event()], 400, "body"),
        (7, 400, "body"),
        ({"events": []}, 400, "events"),
        ({"events": {}}, 400, "events"),
        ({"events": [event()], "more": 1}, 400, "events"),
        ({"events": [event()] * 1_001}, 400, "events"),
        (event(at="soon"), 400, "at"),
        (event("message_opened", details={}), 400, "kind"),
        (event(identifier=None, email="a@b"), 400, "email"),
        (event(identifier={"system": "mrn", "value": "X"}), 404, ""),
    ],
)
def test_what_cannot_be_used_is_a_problem_that_says_where(
    program: Client, clinic: UUID, body: Any, status: int, place: str
) -> None:
    answer = post(program, body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert (found["status"], found.get("place", "")) == (status, place)
    assert found["detail"]
    with acting_for(clinic):
        assert api.head() == 0


def test_a_call_that_is_too_large_is_refused_before_it_is_read(program: Client) -> None:
    answer = post(program, json.dumps({"events": [event()], "more": "x" * 3_000_000}))
    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")


def test_a_name_of_a_call_that_is_too_long_is_refused(program: Client) -> None:
    answer = post(program, event(), **{"Idempotency-Key": "x" * 256})
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


def test_whoever_calls_too_often_is_asked_to_wait(
    program: Client, clinic: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest.THROTTLE, "num_requests", 3)
    monkeypatch.setattr(rest.THROTTLE, "duration", 600)
    answers = [post(program, event(key=str(n))) for n in range(5)]
    refused = [one for one in answers if one.status_code == 429]
    assert [one.status_code for one in answers] == [200, 200, 200, 429, 429]
    assert 0 < int(refused[0].headers["retry-after"]) <= 600
    assert refused[0].headers["content-type"] == "application/problem+json"
    other = program_of(clinic, Permission.TIMELINE_EVENT_WRITE)
    assert post(other, event(key="x")).status_code == 200


def test_only_a_key_with_the_scope_may_tell(program: Client, clinic: UUID, other_organization: UUID) -> None:
    assert post(Client(headers={"host": "localhost"}), event()).status_code == 401
    assert post(program_of(clinic, Permission.CONTACTS_RECORD_READ), event()).status_code == 404
    stranger = program_of(other_organization, Permission.TIMELINE_EVENT_WRITE)
    with acting_for(clinic):
        rosa = contacts.find_by_identifier("mrn", "R7")
    for named in (event(), event(identifier=None, contact_id=str(rosa))):
        assert post(stranger, named).status_code == 404
    with acting_for(clinic):
        assert api.head() == 0


def test_the_call_is_recorded_under_the_key(program: Client, clinic: UUID) -> None:
    post(program, {"events": [event(), event(key="2"), event(at="soon")]})
    with acting_for(clinic):
        (entry,) = audit.entries(Filters(action=Action.TIMELINE_APPEND), after=None, limit=5)
    assert entry.actor_kind == "api_key"
    assert entry.details == {"events": 2, "known": 0, "refused": 1}


def test_the_published_description_takes_what_the_endpoint_takes(program: Client) -> None:
    document = program.get("/api/v1/openapi.json").json()
    described = document["paths"]["/api/v1/events"]["post"]
    assert set(described["responses"]) == {"200", "207"}
    schema = described["requestBody"]["content"]["application/json"]["schema"]
    every = [event(kind, key=kind) for kind in GOOD]
    for body in (*every, {"events": every}):
        jsonschema.validate(body, schema)
        assert post(program, body).status_code == 200
    for body in ({"events": []}, event(at=None), event("message_opened"), event(details={"weight": 1}), {}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(body, schema)
    assert programs.get_openapi_schema()["paths"]["/api/v1/events"]


# The command


@pytest.fixture
def salus(clinic: UUID, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run `salus event` for the clinic in this process."""
    monkeypatch.setattr(cli, "setup", lambda: None)
    facts = SimpleNamespace(id=clinic)
    monkeypatch.setattr("salus.wiring.cli.event.organization_named", lambda slug: facts)

    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = cli.main(["event", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_a_file_of_events_is_taken_in_and_again_without_doubles(
    salus: Any, clinic: UUID, tmp_path: Path
) -> None:
    file = tmp_path / "events.ndjson"
    good = [json.dumps(event(kind, key=None)) for kind in GOOD]
    file.write_text("\n".join([*good, "", "{", json.dumps(event(at="soon")), "[]"]) + "\n")
    code, out, err = salus("tell", str(file))
    assert (code, out) == (1, f"{len(GOOD)} stored, 0 known before, 3 refused.\n")
    first = len(GOOD) + 2
    assert [line.partition(":")[0] for line in err.splitlines()] == [
        f"line {first}, event", f"line {first + 1}, at", f"line {first + 2}, event",
    ]  # fmt: skip
    code, out, _ = salus("tell", str(file), "--json")
    assert (code, json.loads(out)["known"], json.loads(out)["stored"]) == (1, len(GOOD), 0)
    assert salus("tell", str(tmp_path / "absent"))[0] == 2
    assert json.loads(salus("schema")[1]) == api.schema()
