"""Contacts and imports for programs: with a key, its scopes, and errors that say what and where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from salus.audit.models import EntryRow
from salus.identity import api as identity
from salus.identity.contracts import Permission
from salus.intake import api as intake
from salus.kernel.acting import system
from salus.platform.tenancy import acting_for
from tests.intake.clinicfiles import DESK

DECLARED = {"source": "clinical_encounter", "evidence": "health record", "obtained": "2026-01-02"}
P = Permission
CANARY = "Quandrethelmine"
PERSON = {
    "identifiers": {"mrn": "C-7"},
    "emails": [f"{CANARY}@lakepost.test"],
    "phones": ["415-555-0132"],
    "values": {"given_name": CANARY, "birth_date": "1980-02-28"},
    "records": {"conditions": [{"id": "1", "system": "icd10", "code": "e119"}]},
}


class Program:
    """A program with a key."""

    def __init__(self, organization: Any, *scopes: Permission) -> None:
        self.organization = organization
        with acting_for(organization.id):
            key = identity.create_api_key(
                "a program", list(scopes), actor=system(organization.id, "test"), allowed=Permission
            )
        self._client = Client(headers={"host": "localhost", "authorization": f"Bearer {key}"})

    def post(self, path: str, body: Any) -> Any:
        return self._client.post(f"/api/v1{path}", body, content_type="application/json")

    def get(self, path: str) -> Any:
        return self._client.get(f"/api/v1{path}")


@pytest.fixture
def clinic(make_clinic: Callable[..., Any]) -> Any:
    return make_clinic()


@pytest.fixture
def program(clinic: Any) -> Program:
    return Program(clinic, P.CONTACTS_IMPORT_RUN, P.CONTACTS_RECORD_READ, P.CONTACTS_PHI_REVEAL)


def test_a_program_tells_of_people_and_may_repeat_itself(program: Program) -> None:
    body = {"declared": DECLARED, "contacts": [PERSON, {"values": {"given_name": "Orvin"}}]}
    first, again = program.post("/contacts/merge", body), program.post("/contacts/merge", body)

    assert [one["outcome"] for one in first.json()] == ["created", "rejected"]
    assert first.json()[1]["field"] == "identity"
    assert [one["outcome"] for one in again.json()] == ["unchanged", "rejected"]
    assert again.json()[0]["id"] == first.json()[0]["id"]


def test_a_program_finds_and_opens_for_a_purpose_that_is_recorded(program: Program) -> None:
    (told,) = program.post("/contacts/merge", {"declared": DECLARED, "contacts": [PERSON]}).json()
    found = program.post("/contacts/find", {"email": f"{CANARY}@LAKEPOST.test"}).json()
    seen = program.post(
        f"/contacts/{told['id']}/open",
        {"fields": ["given_name", "email", "conditions"], "purpose": "treatment"},
    ).json()

    assert found == {"ids": [told["id"]]}
    assert program.post("/contacts/find", {"identifier": "C-7"}).json() == found
    assert seen["values"]["given_name"] == CANARY
    assert seen["values"]["conditions"][0]["code"] == "E11.9"
    assert seen["addresses"] == {"email": [f"{CANARY.lower()}@lakepost.test"]}
    with acting_for(program.organization.id):
        entry = EntryRow.objects.get(action="contacts:phi:reveal")
        assert (entry.purpose, entry.actor_kind) == ("treatment", "api_key")


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/contacts/merge", {"declared": DECLARED, "contacts": []}, 422),
        ("/contacts/merge", {"contacts": [PERSON]}, 422),
        ("/contacts/merge", {"declared": {**DECLARED, "source": "a friend"}, "contacts": [PERSON]}, 422),
        ("/contacts/find", {"email": f"{CANARY} no address"}, 422),
        (
            "/contacts/00000000-0000-7000-8000-000000000000/open",
            {"fields": ["city"], "purpose": "treatment"},
            404,
        ),
    ],
)
def test_a_bad_call_is_a_problem_that_shows_no_phi(
    program: Program, path: str, body: Any, status: int
) -> None:
    answer = program.post(path, body)

    assert answer["Content-Type"].startswith("application/problem+json")
    assert answer.status_code in {status, 400}
    assert CANARY not in answer.content.decode()


def test_without_its_scope_a_key_opens_nothing(clinic: Any, program: Program) -> None:
    (told,) = program.post("/contacts/merge", {"declared": DECLARED, "contacts": [PERSON]}).json()
    weak = Program(clinic, Permission.CONTACTS_RECORD_READ)

    assert (
        weak.post(f"/contacts/{told['id']}/open", {"fields": ["city"], "purpose": "treatment"}).status_code
        == 404
    )
    assert weak.post("/contacts/merge", {"declared": DECLARED, "contacts": [PERSON]}).status_code == 404
    assert weak.get("/imports").status_code == 404


def test_a_program_of_another_clinic_finds_nobody(program: Program, make_clinic: Callable[..., Any]) -> None:
    (told,) = program.post("/contacts/merge", {"declared": DECLARED, "contacts": [PERSON]}).json()
    other = Program(make_clinic("Other Clinic"), P.CONTACTS_RECORD_READ, P.CONTACTS_PHI_REVEAL)

    assert other.post("/contacts/find", {"identifier": "C-7"}).json() == {"ids": []}
    assert (
        other.post(f"/contacts/{told['id']}/open", {"fields": ["city"], "purpose": "treatment"}).status_code
        == 404
    )


def test_a_program_follows_an_import(program: Program) -> None:
    organization = program.organization.id
    actor = system(organization, "test")
    with acting_for(organization):
        import_id = intake.start_csv(
            [b"Record number,Email\nC-1,nonsense\nC-2,\n"], declaration=DESK, actor=actor, queue=False
        )
    intake.run(organization, import_id, actor=actor)

    assert [one["id"] for one in program.get("/imports").json()] == [str(import_id)]
    shown = program.get(f"/imports/{import_id}").json()
    assert (shown["status"], shown["counts"]["taken"], shown["counts"]["rejected"]) == ("done", 1, 1)
    assert program.get(f"/imports/{import_id}/reasons").json() == [
        {"field": "email", "reason": "is not an e-mail address", "severity": "row", "rows": 1}
    ]
