"""The page of stopped addresses: who sees it, what it says, and lifting with a reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from salus.delivery import api, suppressing
from salus.delivery.contracts import Sign
from salus.delivery.suppressing import Came
from salus.identity import api as identity
from salus.identity.contracts import Permission, Role
from salus.kernel.acting import system
from salus.kernel.ids import new_id
from salus.kernel.phi import Phi
from salus.platform.tenancy import acting_for
from tests.browser import (
    NARROW,
    WIDE,
    Console,
    assert_accessible,
    assert_no_sideways_scroll,
    keep_picture,
    sign_in,
)

from . import office

if TYPE_CHECKING:
    from playwright.sync_api import Page

PAGE = "/stopped-addresses/"
READ, WRITE = Permission.PERMISSIONS_ENTRY_READ, Permission.PERMISSIONS_ENTRY_WRITE


def stop(console: Console, name: str, sign: Sign = Sign.HARD, status: str = "550 5.1.1") -> UUID:
    """Let an address of an invented person be stopped; return the entry."""
    organization, now = console.organization, datetime.now(UTC)
    with acting_for(organization.id):
        actor = system(organization.id, "test")
        address = f"{name}@lakepost.example.test"
        [person] = office.admit([office.patient(name, address, now)], actor)
        came = Came(new_id(), person, Phi(address), sign, "no_such_mailbox", status, now)
        suppressing.note([came], actor=actor)
        return api.stopped(1, datetime.now(UTC))[0].entry_id


@pytest.mark.parametrize("role", list(Role))
def test_who_may_read_permissions_sees_it_and_who_may_write_them_lifts(console: Console, role: Role) -> None:
    entry_id = stop(console, f"ivo-{role}")
    may = identity.permissions_of([role])
    client = console.client(role)
    shown = client.get(PAGE)
    assert shown.status_code == (200 if READ in may else 404)
    if READ in may:
        assert b"There is no such mailbox" in shown.content
        assert b"550 5.1.1" in shown.content
        assert b"lakepost" not in shown.content
    answer = client.post(f"{PAGE}{entry_id}/", {"why": "Typing error"})
    assert answer.status_code == (302 if WRITE in may else 404)
    with acting_for(console.organization.id):
        assert api.one_stopped(entry_id, datetime.now(UTC)).stands != (WRITE in may)


def test_odd_requests_have_an_answer(console: Console) -> None:
    client = console.client("privacy_officer")
    entry_id = stop(console, "odo")
    for odd in ("x", str(new_id()), "%00"):
        assert client.get(f"{PAGE}?before={odd}").status_code == 404
    assert client.get(f"{PAGE}{new_id()}/").status_code == 404
    for why in ("", "   ", "x" * 301):
        assert client.post(f"{PAGE}{entry_id}/", {"why": why}).status_code == 422
    assert client.post(f"{PAGE}{entry_id}/", {"why": "Asked by phone"}).status_code == 302
    assert client.post(f"{PAGE}{entry_id}/", {"why": "Asked by phone"}).status_code == 409
    assert b"This was lifted" in client.get(f"{PAGE}{entry_id}/").content


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_somebody_looks_and_lifts(console: Console, page_at: Callable[..., Page], size: int) -> None:
    stop(console, f"una-{size}", Sign.COMPLAINT, "abuse")
    stop(console, f"uwe-{size}")
    page = page_at(size)
    sign_in(page, "privacy_officer")
    page.goto(f"{console.url}{PAGE}")
    page.get_by_role("heading", name="Stopped addresses").wait_for()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    keep_picture(page, f"stopped-{size}")
    page.get_by_role("link", name="Look and lift").first.click()
    page.get_by_role("heading", name="Write to this address again?").wait_for()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    keep_picture(page, f"lift-{size}")
    page.get_by_label("Why").fill("They called: it was a typing error")
    page.get_by_role("button", name="Lift it").click()
    page.get_by_text("Lifted. Messages may go there again").wait_for()
    assert_accessible(page)
