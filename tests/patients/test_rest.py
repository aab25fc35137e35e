"""A kiosk or the health record asks for a sign-in code with an API key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from salus.contacts import api as contacts
from salus.identity import api as identity
from salus.identity.contracts import Organization, Permission
from salus.kernel.acting import system
from salus.platform.tenancy import acting_for

from .conftest import patch_of


@pytest.fixture
def clinic(make_clinic: Callable[..., Organization]) -> Organization:
    return make_clinic(demo=False)


def add(clinic: Organization, **values: Any) -> UUID:
    with acting_for(clinic.id):
        [merged] = contacts.merge([patch_of("7001", **values)], actor=system(clinic.id, "test"))
    assert merged.contact_id is not None
    return merged.contact_id


def client(clinic: Organization, *scopes: Permission) -> Client:
    """Return a program with a key of the clinic."""
    with acting_for(clinic.id):
        key = identity.create_api_key(
            "kiosk", scopes, actor=system(clinic.id, "test"), allowed=frozenset(Permission)
        )
    return Client(headers={"host": "localhost", "authorization": f"Bearer {key}"})


def test_a_key_with_the_scope_gets_a_code(clinic: Organization) -> None:
    answer = client(clinic, Permission.PATIENTS_CODE_ISSUE).post(f"/api/v1/patients/{add(clinic)}/code")
    assert answer.status_code == 200
    assert set(answer.json()) == {"code", "until"}
    assert len(answer.json()["code"]) == 6
    assert answer.headers["Cache-Control"] == "no-store"


def test_without_key_or_scope_there_is_nothing(clinic: Organization) -> None:
    address = f"/api/v1/patients/{add(clinic)}/code"
    assert Client(headers={"host": "localhost"}).post(address).status_code == 401
    assert client(clinic, Permission.CONTACTS_RECORD_READ).post(address).status_code == 404


def test_a_key_of_another_clinic_finds_nobody(
    clinic: Organization, make_clinic: Callable[..., Organization]
) -> None:
    other = client(make_clinic("Other Clinic", demo=False), Permission.PATIENTS_CODE_ISSUE)
    assert other.post(f"/api/v1/patients/{add(clinic)}/code").status_code == 404


def test_what_cannot_work_says_why(clinic: Organization) -> None:
    program = client(clinic, Permission.PATIENTS_CODE_ISSUE)
    answer = program.post(f"/api/v1/patients/{add(clinic, birth_date='')}/code")
    assert answer.status_code == 409
    assert "No birth date is on file" in answer.json()["detail"]
    assert program.post("/api/v1/patients/nonsense/code").status_code == 400
