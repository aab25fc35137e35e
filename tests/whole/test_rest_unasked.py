"""The REST API is asked what nobody thought of, from its own OpenAPI document: it never breaks, and never answers with another's."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.formats import unregister_string_format

from salus.identity import api as identity
from salus.kernel.ids import new_id
from salus.kernel.vocabulary import SenderRole
from tests.whole.two_clinics import Side, furnish, prints

EXAMPLES = 12
"""Of each call, for data that fits the document, and as many for data that does not."""


def calls(*, that_can_be_wrong: bool = False) -> list[str]:
    """Return every call of the API, as method and path; or those to which something can be given that does not fit."""
    from salus.wiring.rest import api

    return [
        f"{method.upper()} {path}"
        for path, found in api.get_openapi_schema()["paths"].items()
        for method, about in found.items()
        if not that_can_be_wrong or _can_be_wrong(about)
    ]


def _can_be_wrong(about: dict[str, Any]) -> bool:
    shapes = [each["schema"] for each in about.get("parameters", [])]
    return "requestBody" in about or any(set(each) - {"type", "title", "default"} for each in shapes)


@dataclass
class Worlds:
    """Who asks, who is not to be seen, the document, and a look past every check."""

    mine: Side
    theirs: Side
    schema: Any
    connection: psycopg.Connection


def clinic(name: str) -> Any:
    organization = identity.create_organization(
        name=name,
        slug=f"clinic-{new_id().hex[-12:]}",
        sender_role=SenderRole.PROVIDER,
        postal_address="40 Cedar Row, Ellery, WA 98100",
        phone="206-555-0142",
        sending_domain="mail.cedar-row.example.org",
        time_zone="America/Los_Angeles",
        demo=True,
    )
    identity.create_demo_staff(organization)
    return organization


@pytest.fixture(scope="module")
def worlds(world: Any, django_db_blocker: Any, fast_passwords: None) -> Iterator[Worlds]:
    with django_db_blocker.unblock(), psycopg.connect(world.superuser_dsn, autocommit=True) as connection:
        mine, theirs = furnish(clinic("Cedar Row Clinic")), furnish(clinic("Northfield Clinic"))
        known = sorted(mine.every_id() | theirs.every_id())
        schemathesis.openapi.format("uuid", st.sampled_from(known) | st.uuids().map(str))
        schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())
        yield Worlds(mine, theirs, schema, connection)
        unregister_string_format("uuid")


@pytest.mark.parametrize(
    ("call", "mode"),
    [
        *((call, GenerationMode.POSITIVE) for call in calls()),
        *((call, GenerationMode.NEGATIVE) for call in calls(that_can_be_wrong=True)),
    ],
)
def test_no_call_breaks_or_tells_of_another_organization(
    worlds: Worlds, call: str, mode: GenerationMode
) -> None:
    method, _, path = call.partition(" ")
    operation = worlds.schema[path][method]
    before = list(prints(worlds.connection, worlds.theirs))

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        answer = case.call(headers={"Authorization": f"Bearer {worlds.mine.key}"})
        asked = f"{case.formatted_path} {case.query} {case.headers} {case.body}"
        # Whoever plans a campaign asks the audience engine, which does not run here.
        away = answer.status_code == 503 and "audience engine is not running" in answer.text
        assert answer.status_code < 500 or away, (answer.status_code, answer.text)
        assert answer.status_code != 401
        assert worlds.theirs.seen_in(answer.text, asked=asked) == []
        if worlds.theirs.every_id() & set(map(str, (case.path_parameters or {}).values())):
            assert answer.status_code >= 400

    ask()
    assert list(prints(worlds.connection, worlds.theirs)) == before


def test_without_a_good_key_every_call_is_refused(worlds: Worlds) -> None:
    wrong = worlds.mine.key[:-4] + "AAAA"
    swapped = worlds.mine.key.replace(worlds.mine.id.hex, worlds.theirs.id.hex)
    for call in calls():
        method, _, path = call.partition(" ")
        operation = worlds.schema[path][method]
        case = operation.Case(
            path_parameters={each: str(uuid.UUID(int=1)) for each in ("contact_id",) if each in path}
        )
        for key in (None, wrong, swapped):
            headers = {"Authorization": f"Bearer {key}"} if key else {}
            if "{" not in path:
                assert case.call(headers=headers).status_code == 401, (call, key)


def test_a_wrong_answer_would_be_found(worlds: Worlds) -> None:
    """The search for another's words and numbers finds both, unless they were part of the question."""
    word, id = next(iter(worlds.theirs.words)), str(worlds.theirs.ids["campaign"][0])
    assert worlds.theirs.seen_in(f'{{"name": "{word}"}}') == [word]
    assert worlds.theirs.seen_in(f'{{"id": "{id}"}}') == [id]
    assert worlds.theirs.seen_in(f'{{"id": "{id}"}}', asked=f"/campaigns/{id}") == []
