"""The page of the way of mail: who may see it, who may change it, and what it says while a relay is closed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from salus.delivery import api
from salus.delivery.contracts import Route
from salus.identity import api as identity
from salus.identity.contracts import Organization, Permission, Role
from salus.kernel.acting import system
from salus.platform.tenancy import acting_for
from salus.vendors import api as vendors
from salus.vendors.contracts import Clause, Kind
from tests.browser import (
    NARROW,
    WIDE,
    Console,
    assert_accessible,
    assert_no_sideways_scroll,
    keep_picture,
    sign_in,
)
from tests.delivery import office
from tests.registered import attest

if TYPE_CHECKING:
    from playwright.sync_api import Page

PAGE = "/settings/mail-route/"
READY = f"{PAGE}ready/"
READ, EDIT = Permission.ORGANIZATION_SETTINGS_READ, Permission.ORGANIZATION_SETTINGS_EDIT


def relay(organization: Organization, *, signed: bool = True) -> UUID:
    """Return a relay of the register."""
    now = timezone.now()
    made: dict[str, Any] = {"actor": system(organization.id, "test"), "at": now}
    with acting_for(organization.id):
        vendor_id = vendors.create_vendor("Harbor", **made)
        signed_on = now.date().replace(year=now.year - 1) if signed else None
        vendors.record_agreement(
            vendor_id, signed_on=signed_on, report_hours=24, clauses=frozenset(Clause), **made
        )
        service: dict[str, Any] = {"name": "Harbor Relay", "address": "smtp://relay.harbor.example"}
        id = vendors.create_service(vendor_id, kind=Kind.SMTP_ROUTE, may_carry=["contact"], **service, **made)
        attest(id, **made)
    return id


def present(organization: Organization) -> Route | None:
    with acting_for(organization.id):
        return api.route(timezone.now())


@pytest.mark.parametrize("role", list(Role))
def test_who_may_read_settings_sees_it_and_who_may_change_them_changes_it(
    console: Console, role: Role
) -> None:
    service_id = relay(console.organization)
    may = identity.permissions_of([role])
    client = console.client(role)
    assert client.get(PAGE).status_code == (200 if READ in may else 404)
    client.post(PAGE, {"way": str(service_id), "user": "", "password": ""})
    assert (present(console.organization) is not None) == (EDIT in may)


def test_a_relay_is_chosen_with_a_login_that_is_never_shown_and_left_again(console: Console) -> None:
    service_id = relay(console.organization)
    client = console.client("administrator")
    assert b"Each message goes to the mail host" in client.get(PAGE).content
    shown = client.post(
        PAGE, {"way": str(service_id), "user": "cedar", "password": "kestrel-secret"}, follow=True
    )
    assert b"All mail goes by <b>Harbor Relay</b>" in shown.content
    assert b'value="cedar"' in shown.content
    assert b"kestrel" not in shown.content
    client.post(PAGE, {"way": "direct"})
    assert present(console.organization) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"way": ""}, b"This field is required."),
        ({"way": "01a20c8a-4068-7000-a89f-a275e74f219c"}, b"Select a valid choice"),
        ({"user": "cedar"}, b"Write the password too."),
        ({"password": "x"}, b"Write the user name too."),
        ({"user": "c" * 256, "password": "x"}, b"Write at most 255 characters."),
    ],
)
def test_what_cannot_be_is_said_at_its_field(console: Console, change: dict[str, str], said: bytes) -> None:
    service_id = relay(console.organization)
    given = {"way": str(service_id), "user": "", "password": "", **change}
    answer = console.client("administrator").post(PAGE, given)
    assert answer.status_code == 400
    assert said in answer.content
    assert present(console.organization) is None


def test_a_relay_that_is_closed_says_why_and_what_to_do(console: Console) -> None:
    service_id = relay(console.organization, signed=False)
    client = console.client("administrator")
    shown = client.post(PAGE, {"way": str(service_id)}, follow=True).content
    assert b"the queue is paused" in shown
    assert b"The agreement with the vendor of this service is not signed." in shown
    assert b"Record when it was signed in the vendor register." in shown


@pytest.mark.parametrize("role", list(Role))
def test_who_may_change_settings_keeps_a_relay_ready_and_removes_it(console: Console, role: Role) -> None:
    service_id = relay(console.organization)
    may = EDIT in identity.permissions_of([role])
    client = console.client(role)
    assert client.get(READY).status_code == (200 if may else 404)
    client.post(READY, {"name": "spare", "service": str(service_id), "user": "c", "password": "kestrel"})
    with acting_for(console.organization.id):
        found = api.relays_ready(timezone.now())
    assert [each.name for each in found] == (["spare"] if may else [])
    if not may:
        return
    shown = client.get(PAGE).content
    assert b"spare" in shown
    assert b"kestrel" not in shown
    assert present(console.organization) is None, "mail goes its usual way"
    assert client.get(f"{READY}{service_id}/").status_code == 404
    assert client.get(f"{READY}{found[0].id}/").status_code == 200
    client.post(f"{READY}{found[0].id}/")
    assert b"None is kept ready" in client.get(PAGE).content


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": ""}, b"This field is required."),
        ({"name": "A b"}, b"Write a name of small letters"),
        ({"name": "s" * 63}, b"at most 62 characters"),
        ({"service": "01a20c8a-4068-7000-a89f-a275e74f219c"}, b"Select a valid choice"),
        ({"user": "cedar"}, b"Write the password too."),
    ],
)
def test_what_cannot_be_kept_ready_is_said_at_its_field(
    console: Console, change: dict[str, str], said: bytes
) -> None:
    given = {
        "name": "spare",
        "service": str(relay(console.organization)),
        "user": "",
        "password": "",
        **change,
    }
    answer = console.client("administrator").post(READY, given)
    assert answer.status_code == 400
    assert said in answer.content


def test_a_relay_that_a_rule_asks_for_and_nobody_has_is_missed_on_the_page(
    console: Console, settings: Any, tmp_path: Path
) -> None:
    settings.SALUS_HOME = tmp_path
    rule = '[[default.on]]\nid = "x"\nmatch = "x"\ndo = "switch"\nto = "relay:spare"\nfor = "1 h"\n'
    (tmp_path / "shaping.toml").write_text(rule)
    client = console.client("administrator")
    assert b"Rules of destinations switch to spare, and no relay has that name" in client.get(PAGE).content
    client.post(READY, {"name": "spare", "service": str(relay(console.organization))})
    assert b"no relay has that name" not in client.get(PAGE).content


@pytest.mark.browser
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_page_fits_and_is_accessible(console: Console, page_at: Callable[..., Page], width: int) -> None:
    service_id = relay(console.organization, signed=False)
    page = page_at(width, dark=width == NARROW)
    sign_in(page, "administrator")
    for name in ("route-direct", "route-closed"):
        page.goto(console.url + PAGE)
        assert_accessible(page)
        assert_no_sideways_scroll(page)
        keep_picture(page, name)
        with acting_for(console.organization.id):
            actor = office.staff(console.organization, Role.ADMINISTRATOR)
            api.set_route(service_id, user="cedar", password="x", actor=actor, at=timezone.now())
    page.get_by_role("link", name="Keep a relay ready").click()
    page.get_by_label("Name in rules").fill("spare")
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    keep_picture(page, "route-keep-ready")
    page.get_by_role("button", name="Keep it ready").click()
    expect(page.get_by_role("link", name="Remove spare")).to_be_visible()
    assert_accessible(page)
    keep_picture(page, "route-ready")
    page.get_by_role("link", name="Remove spare").click()
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_text("None is kept ready")).to_be_visible()
