"""The page of the way of mail: who may see it, who may change it, and what it says while a relay is closed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from django.utils import timezone

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
