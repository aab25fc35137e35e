"""The commands with which an installation begins: an organization, and somebody who can sign in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from salus.identity import api as identity
from salus.identity.contracts import Role
from salus.kernel.ids import new_id
from salus.platform.tenancy import acting_for
from salus.wiring import cli

Salus = Callable[..., tuple[int, str, str]]


@pytest.fixture
def salus(
    database: Any, fast_passwords: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Salus:
    """Run a command in this process, which is set up already for the home of the tests."""
    monkeypatch.setattr(cli, "setup", lambda: None)

    def run(*words: str) -> tuple[int, str, str]:
        code = cli.main(words)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def facts(slug: str, **changes: str) -> list[str]:
    given = {
        "name": "Harbor Clinic",
        "address": "1 Quay, Ellery",
        "phone": "206-555-0143",
        "domain": "mail.harbor.example.org",
    }
    return [
        "organization",
        "create",
        slug,
        *(f"--{key}={value}" for key, value in {**given, **changes}.items()),
    ]


def test_an_installation_begins_with_an_organization_and_an_administrator(salus: Salus) -> None:
    slug = f"harbor-{new_id().hex[-8:]}"
    assert salus(*facts(slug))[0] == 0
    assert slug in salus("organization", "list")[1]
    email = f"admin@{slug}.example.org"
    code, said, _ = salus(
        "staff",
        "add",
        "--organization",
        slug,
        "--name",
        "Nora Quist",
        "--email",
        email,
        "--role",
        "administrator",
    )
    assert code == 0
    path = said.rpartition("://")[2].partition("/")[2].strip()
    assert "Welcome, Nora Quist" in Client(headers={"host": "localhost"}).get(f"/{path}").content.decode()
    with acting_for(identity.find_organization(slug).id):
        assert identity.staff_members()[0].roles == (Role.ADMINISTRATOR,)
    assert salus("staff", "invite", "--organization", slug, "--email", email.upper())[0] == 0
    assert Client(headers={"host": "localhost"}).get(f"/{path}").status_code == 404
    assert "Nora Quist  Administrator" in salus("staff", "list", "--organization", slug)[1]


def test_what_will_not_do_is_refused_with_the_place(salus: Salus) -> None:
    slug = f"harbor-{new_id().hex[-8:]}"
    code, _, why = salus(*facts(slug, profile="lenient"))
    assert (code, "profile" in why) == (2, True)
    salus(*facts(slug))
    assert salus(*facts(slug))[0] == 1
    code, _, why = salus(
        "staff", "add", "--organization", slug, "--name", "N", "--email", "n@x.example.org", "--role", "king"
    )
    assert (code, "king" in why) == (2, True)
    assert salus("staff", "invite", "--organization", slug, "--email", "nobody@x.example.org")[0] == 1
    assert salus("staff", "list", "--organization", "no-such-clinic")[0] == 1
