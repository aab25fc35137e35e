"""The page of destinations: who sees it, what it says, lifting; and a plan that cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from django.conf import settings

from salus.identity import api as identity
from salus.identity.contracts import Permission, Role
from salus.kernel.ids import new_id
from salus.platform.tenancy import acting_for
from salus.shaping import api, store
from salus.shaping.contracts import Act, Measure, Rate, Whose
from tests.browser import (
    NARROW,
    WIDE,
    Console,
    assert_accessible,
    assert_no_sideways_scroll,
    keep_picture,
    sign_in,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

PAGE = "/settings/destinations/"
READ, EDIT = Permission.ORGANIZATION_SETTINGS_READ, Permission.ORGANIZATION_SETTINGS_EDIT


def take(console: Console, act: Act = Act.SUSPEND, rule: str = "yahoo-complaints") -> UUID:
    """Let a destination be suspended, or slowed down; return the measure."""
    at = datetime.now(UTC)
    slow = Rate(10, 60.0) if act is Act.THROTTLE else None
    made = Measure(
        new_id(), console.organization.id, "yahoo", act, Whose.EVERYBODY, at + timedelta(hours=2), slow, None
    )
    store.take(made, "yahoo", f"{rule}-{made.id.hex[-6:]}", "421 4.7.0", at)
    return made.id


@pytest.mark.parametrize("role", list(Role))
def test_who_may_read_settings_sees_it_and_who_may_change_them_lifts(console: Console, role: Role) -> None:
    id, may = take(console), identity.permissions_of([role])
    client = console.client(role)
    shown = client.get(PAGE)
    assert shown.status_code == (200 if READ in may else 404)
    if READ in may:
        assert b"Nothing goes there" in shown.content
        assert b"421 4.7.0" in shown.content
    assert client.post(f"{PAGE}{id}/").status_code == (302 if EDIT in may else 404)
    with acting_for(console.organization.id):
        assert api.measure(id).stands(datetime.now(UTC)) != (EDIT in may)


def test_what_ended_cannot_be_lifted_and_what_is_not_there_is_not_there(console: Console) -> None:
    client, id = console.client("administrator"), take(console)
    assert client.post(f"{PAGE}{id}/").status_code == 302
    assert client.post(f"{PAGE}{id}/").status_code == 409
    assert b"This has ended" in client.get(f"{PAGE}{id}/").content
    assert client.get(f"{PAGE}{new_id()}/").status_code == 404


def test_a_plan_that_cannot_be_is_said_with_its_place(console: Console) -> None:
    path = Path(settings.SALUS_HOME) / api.FILE
    path.write_text("[site.google]\nconnections = -1\n")
    try:
        shown = console.client("administrator").get(PAGE).content.decode()
    finally:
        path.unlink()
    assert "site.google.connections" in shown
    assert "no sender starts with it" in shown


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_somebody_looks_and_lifts(console: Console, page_at: Callable[..., Page], size: int) -> None:
    from playwright.sync_api import expect

    take(console)
    take(console, Act.THROTTLE, "yahoo-unusual-traffic")
    path = Path(settings.SALUS_HOME) / api.FILE
    path.write_text(
        '[pool.notices]\nfor = ["transactional"]\n[[pool.notices.source]]\nname = "notices.cedar-row.example"\n'
        'addresses = ["203.0.113.9", "2001:db8::9"]\nwarm_up = "month"\n'
        f"since = {datetime.now(UTC).date() - timedelta(days=5)}\n"
    )
    try:
        page = page_at(size)
        sign_in(page, "administrator")
        page.goto(f"{console.url}{PAGE}")
        expect(page.get_by_role("heading", name="In force")).to_be_visible()
        assert_accessible(page)
        assert_no_sideways_scroll(page)
        keep_picture(page, f"destinations-{size}")
        page.get_by_role("link", name="Look and lift").first.click()
        expect(page.get_by_role("heading", name="as before?")).to_be_visible()
        assert_accessible(page)
        assert_no_sideways_scroll(page)
        keep_picture(page, f"destination-lift-{size}")
        page.get_by_role("button", name="Lift it").click()
        expect(page.get_by_text("Lifted. Senders know it")).to_be_visible()
        assert_accessible(page)
    finally:
        path.unlink()
