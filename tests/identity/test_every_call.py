"""Every call of the REST API that changes something takes an `Idempotency-Key`; a new one that does not is found here."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from salus.identity import api as identity
from salus.identity import rules
from salus.identity.contracts import Organization, Permission
from salus.kernel.acting import system
from salus.kernel.ids import new_id
from salus.platform.tenancy import acting_for
from salus.wiring.rest import api

METHODS = ("POST", "PUT", "PATCH", "DELETE")
READS = {
    "POST /api/v1/contacts/find": "an address stands in a body, because it must not stand in a URL",
    "POST /api/v1/contacts/{contact_id}/open": "shows fields, recorded each time: an answer of before would not be",
    "POST /api/v1/journeys/check": "checks the drawing that it is given",
    "POST /api/v1/log/verify": "computes; recorded each time",
    "POST /api/v1/gate/decide": "decides on the facts that it is given; recorded each time",
}
"""What is a POST and changes nothing, with why it is a POST, or why its answer must not be kept."""
REQUIRED = {
    "POST /api/v1/campaigns/{campaign_id}/launch",
    "POST /api/v1/journeys/{journey_id}/people",
}


def calls() -> dict[str, dict[str, Any]]:
    """Return what the document says of each call that might change something."""
    return {
        f"{method.upper()} {path}": about
        for path, found in api.get_openapi_schema()["paths"].items()
        for method, about in found.items()
        if method.upper() in METHODS
    }


def header(about: dict[str, Any]) -> dict[str, Any] | None:
    found = [each for each in about.get("parameters", []) if each["name"] == "Idempotency-Key"]
    assert len(found) < 2, "said twice"
    return found[0] if found else None


@pytest.fixture
def client(make_clinic: Callable[..., Organization]) -> Client:
    clinic = make_clinic(demo=False)
    with acting_for(clinic.id):
        raw = identity.create_api_key(
            "All",
            sorted(set(Permission) - rules.NOT_FOR_KEYS),
            actor=system(clinic.id, "test"),
            allowed=Permission,
        )
    return Client(headers={"host": "localhost", "authorization": f"Bearer {raw}"})


def ask(client: Client, name: str, key: str | None) -> Any:
    method, _, path = name.partition(" ")
    headers = {} if key is None else {"Idempotency-Key": key}
    address = re.sub(r"{\w+}", lambda _: str(new_id()), path)
    return client.generic(method, address, b"{}", content_type="application/json", headers=headers)


def test_the_document_names_the_key_with_every_call_that_changes_something() -> None:
    assert {name for name, about in calls().items() if header(about) is None} == set(READS)
    required = {name for name, about in calls().items() if (found := header(about)) and found["required"]}
    assert required == REQUIRED
    reading = api.get_openapi_schema()["paths"].values()
    assert not [each for found in reading if "get" in found and (each := header(found["get"]))]


def test_every_call_that_changes_something_looks_at_its_key_first(client: Client) -> None:
    for name in calls():
        answer = ask(client, name, "a b")
        looked = (answer.status_code, answer.json().get("place")) == (400, "Idempotency-Key")
        assert looked is (name not in READS), name


def test_a_call_that_was_refused_may_be_made_again_under_its_key(client: Client) -> None:
    """Nobody and nothing is in this organization: what names something is refused, and refused again."""
    for name in calls():
        if "{" in name and name not in READS:
            answers = [ask(client, name, "the-same-for-all") for _ in range(2)]
            assert [each.status_code for each in answers] in ([400, 400], [404, 404], [409, 409]), name
            assert not [each for each in answers if "Idempotent-Replayed" in each.headers]


def test_where_a_key_is_needed_its_absence_is_said(client: Client) -> None:
    for name in REQUIRED:
        answer = ask(client, name, None)
        assert (answer.status_code, answer.json()["place"]) == (400, "Idempotency-Key"), name
