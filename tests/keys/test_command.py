"""`salus keys` as an administrator types it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from salus.identity import api as identity
from salus.identity.contracts import Organization
from salus.kernel.ids import new_id
from salus.kernel.vocabulary import SenderRole
from salus.keys import api as keys
from salus.platform.tenancy import acting_for
from salus.wiring.cli import main

Salus = Callable[..., tuple[int, str, str]]


@pytest.fixture
def salus(database: Any, settings: Any, capsys: pytest.CaptureFixture[str]) -> Salus:
    settings.HOME = database.home

    def run(*words: str) -> tuple[int, str, str]:
        return (main(words), *capsys.readouterr())

    return run


@pytest.fixture
def clinic(database: Any) -> Organization:
    return identity.create_organization(
        name="Keyed Clinic",
        slug=f"keyed-{new_id().hex[-12:]}",
        sender_role=SenderRole.PROVIDER,
        postal_address="1 Main Street, Springfield, IL 62701",
        phone="+12175550100",
        sending_domain="keyed.example",
    )


def test_keys_are_listed_rotated_and_never_shown(salus: Salus, clinic: Organization) -> None:
    with acting_for(clinic.id):
        secret = keys.audience_file_key()
    code, out, _ = salus("keys", "rotate", "data", "--organization", clinic.slug)
    assert (code, "version 2" in out) == (0, True)
    code, out, err = salus("keys", "list", "--organization", clinic.slug)
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()].count("data") == 2
    assert secret.hex() not in out + err


def test_the_records_to_publish_are_those_of_the_keys(salus: Salus, clinic: Organization) -> None:
    code, out, _ = salus("keys", "dkim", "news.keyed.example", "--organization", clinic.slug)
    assert code == 0
    with acting_for(clinic.id):
        made = keys.dkim_keys("news.keyed.example")
    assert out.splitlines() == [f"{key.selector}._domainkey.news.keyed.example TXT {key.txt}" for key in made]


def test_a_wrong_kind_or_domain_is_a_usage_fault(salus: Salus, clinic: Organization) -> None:
    assert salus("keys", "rotate", "audience", "--organization", clinic.slug)[0] == 2
    assert salus("keys", "dkim", "not a domain", "--organization", clinic.slug)[0] == 2
    assert salus("keys", "list", "--organization", "nobody")[0] == 1
