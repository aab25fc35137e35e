"""The posture page and `salus doctor` on a real clinic: who sees it, and real faults that it finds."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from salus.identity import api as identity
from salus.identity.contracts import Permission, Role
from salus.kernel.acting import system
from salus.platform.tenancy import acting_for
from salus.privacy import api as privacy
from salus.privacy.contracts import Backups, Ruleset
from salus.vendors import api as vendors
from salus.vendors.contracts import Kind
from salus.wiring import cli
from salus.wiring.setup import facts
from tests.browser import (
    NARROW,
    WIDE,
    Console,
    assert_accessible,
    assert_no_sideways_scroll,
    keep_picture,
    sign_in,
)

SEES = {"administrator", "security_officer", "privacy_officer", "developer", "auditor"}


def checks(console: Console) -> set[str]:
    with acting_for(console.organization.id):
        return {each.check for each in privacy.posture(timezone.now(), Ruleset.PROPOSED).findings}


@pytest.mark.parametrize("role", [each.value for each in Role])
def test_those_who_see_the_settings_see_the_posture_and_nobody_else(console: Console, role: str) -> None:
    answer = console.client(role).get("/posture/")
    assert answer.status_code == (200 if role in SEES else 404)


def test_the_signed_out_go_to_the_sign_in_page(console: Console) -> None:
    from django.test import Client

    assert Client(headers={"host": "localhost"}).get("/posture/").status_code == 302


def test_it_finds_what_is_really_so(console: Console) -> None:
    organization = console.organization
    actor, now = system(organization.id, "test"), timezone.now()
    assert "vendors" not in checks(console)
    with acting_for(organization.id):
        vendor_id = vendors.create_vendor("Harbor Print and Post", actor=actor, at=now)
        vendors.create_service(
            vendor_id, kind=Kind.WEBHOOK, name="Letters", address="https://hooks.harbor.example/s",
            may_carry=["contact"], actor=actor, at=now,
        )  # fmt: skip
        identity.create_api_key("Old program", ["timeline:event:write"], actor=actor, allowed=Permission)
        for member in identity.staff_members():
            if Role.PRIVACY_OFFICER in member.roles:
                identity.change_staff(member.id, actor=actor, active=False)
        identity.create_staff(
            name="Nora New", email=f"nora@{organization.slug}.example", roles=[Role.ANALYST], actor=actor
        )
    assert {"vendors", "api-keys", "privacy-officer", "second-factor", "test-message", "backup"} <= checks(
        console
    )


@pytest.fixture
def backup_of_three_days(monkeypatch: pytest.MonkeyPatch) -> None:
    """The law is content with the backups, and what was proposed is not."""
    now = timezone.now()
    made = Backups(now - timedelta(days=3), now - timedelta(days=40), drill_passed=True)
    monkeypatch.setattr(facts, "_backups", lambda: made)


@pytest.mark.usefixtures("backup_of_three_days")
def test_only_the_law_leaves_out_what_was_proposed(console: Console) -> None:
    client = console.client("security_officer")
    assert "Proposed, not law" in client.get("/posture/").content.decode()
    assert "Proposed, not law" not in client.get("/posture/?rules=law").content.decode()


@pytest.mark.usefixtures("backup_of_three_days")
def test_doctor_tells_a_monitor(console: Console, capsys: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(cli, "setup", lambda: None)  # this process is set up already
    code = cli.main(["doctor", "--organization", console.organization.slug, "--json"])
    (report,) = json.loads(capsys.readouterr().out)["reports"]
    assert code == 1
    assert report["worst"] == "high"
    assert {"check", "severity", "what", "mend", "citation", "proposed_not_law"} == set(report["findings"][0])
    assert datetime.fromisoformat(report["at"]).tzinfo == UTC
    cli.main(["doctor", "--organization", console.organization.slug])
    said = capsys.readouterr().out
    assert "Mend:" in said
    assert "proposed, not law" in said


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_page_is_accessible_and_fits(console: Console, page_at: Callable[..., Page], width: int) -> None:
    page = page_at(width)
    sign_in(page, "security_officer")
    page.goto(f"{console.url}/posture/")
    expect(page.get_by_role("heading", name="To mend")).to_be_visible()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    keep_picture(page, "posture")
