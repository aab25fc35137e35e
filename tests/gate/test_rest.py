"""The gate for programs: a key with the scope decides, others find nothing, and the log knows of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, cast
from uuid import UUID

import pytest
from ninja import NinjaAPI
from ninja.testing import TestClient

from salus.audit import api as audit
from salus.gate.rules.table import RULES_VERSION
from salus.gate.web.rest import router
from salus.identity.api import use_problems
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor, ActorKind

from .test_facts_file import case


@pytest.fixture(scope="module")
def client() -> TestClient:
    api = NinjaAPI(urls_namespace="gate-test", docs_url=None, openapi_url=None)
    use_problems(api)
    api.add_router("", router)
    return TestClient(api)


@pytest.fixture
def key(tenant: UUID) -> Actor:
    return Actor(
        ActorKind.API_KEY, tenant, UUID(int=3), permissions=frozenset({Permission.GATE_DECIDE_RUN.value})
    )


def post(client: TestClient, body: Any, actor: Actor | None) -> Any:
    text = body if isinstance(body, str) else json.dumps(body)
    return client.post("/gate/decide", data=cast("Any", text), content_type="application/json", actor=actor)


def test_a_key_with_the_scope_decides_and_only_the_act_is_recorded(client: TestClient, key: Actor) -> None:
    answer = post(client, [case(), case({"purpose": "unclassified"})], key)
    assert answer.status_code == 200
    assert [one["reason"] for one in answer.json()] == [None, "unclassified"]
    entry = audit.entries(limit=1)[0]
    assert entry.action == "gate:clearance:decide"
    assert entry.details == {"cases": 2, "persons": 2, "allowed": 1}
    assert entry.rule_version == RULES_VERSION
    assert "cara" not in repr(entry)


def test_a_fault_names_its_place(client: TestClient, key: Actor) -> None:
    answer = post(client, case(person={"birth_date": "soon"}), key)
    assert answer.status_code == 400
    assert answer.json()["place"] == "$.persons[0].birth_date"
    assert post(client, "{", key).status_code == 400


def test_without_a_key_or_the_scope_there_is_nothing(client: TestClient, key: Actor) -> None:
    assert post(client, case(), None).status_code == 401
    assert post(client, case(), replace(key, permissions=frozenset())).status_code == 404
    assert post(client, case(), replace(key, kind=ActorKind.STAFF)).status_code == 401


def test_schema_and_explanations_are_there_for_programs(client: TestClient, key: Actor) -> None:
    assert client.get("/gate/schema", actor=key).json()["title"] == "Facts for the gate"
    assert client.get("/gate/codes/TX:marketing", actor=key).json()["code"] == "TX:marketing"
    assert client.get("/gate/codes/nonsense", actor=key).status_code == 404
