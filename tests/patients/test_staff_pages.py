"""Staff hand a sign-in code to a patient: the pages, the address for programs, and outsiders."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from playwright.sync_api import Page

from salus.contacts import api as contacts
from salus.kernel.acting import system
from salus.patients.models import AccessRow
from salus.platform.tenancy import acting_for

from ..browser import (
    NARROW,
    WIDE,
    Console,
    assert_accessible,
    assert_no_sideways_scroll,
    keep_picture,
    sign_in,
)
from .conftest import patch_of

FIND, ISSUE = "/patients/code", "/patients/code/issue"


def add(console: Console, number: str = "7001", **values: Any) -> UUID:
    with acting_for(console.organization.id):
        patches = [patch_of(number, **values)]
        [merged] = contacts.merge(patches, actor=system(console.organization.id, "test"))
    assert merged.contact_id is not None
    return merged.contact_id


def test_a_care_coordinator_finds_checks_and_reads_a_code(console: Console) -> None:
    rosa = add(console)
    client = console.client("care_coordinator")
    confirm = client.post(FIND, {"record_number": " 7001 "}).content.decode()
    assert "Rosa Example" in confirm
    assert "1961-04-17" in confirm
    answer = client.post(ISSUE, {"contact_id": str(rosa), "checked": "on"})
    code = re.search(r'class="open">(\d{6})<', answer.content.decode())
    assert code is not None
    with acting_for(console.organization.id), connection.cursor() as cursor:
        assert AccessRow.objects.get(contact_id=rosa).code is not None
        cursor.execute(
            "SELECT action, purpose FROM audit_entry WHERE organization_id = %s AND actor_kind = 'staff' "
            "AND action IN ('contacts:phi:reveal', 'patients:code:issue') ORDER BY id",
            [console.organization.id],
        )
        assert cursor.fetchall() == [
            ("contacts:phi:reveal", "patient_verification"),
            ("patients:code:issue", ""),
        ]


def test_no_code_without_saying_that_it_was_checked(console: Console) -> None:
    rosa = add(console)
    answer = console.client("care_coordinator").post(ISSUE, {"contact_id": str(rosa)})
    assert "Ask the person for both first." in answer.content.decode()
    with acting_for(console.organization.id):
        assert not AccessRow.objects.exists()


def test_what_cannot_work_is_said_at_once(console: Console) -> None:
    nameless = add(console, "7002", birth_date="")
    client = console.client("care_coordinator")
    assert (
        "Nobody here has this record number." in client.post(FIND, {"record_number": "9999"}).content.decode()
    )
    answer = client.post(ISSUE, {"contact_id": str(nameless), "checked": "on"})
    assert "No birth date is on file" in answer.content.decode()
    assert "Record number" in client.post(ISSUE, {"contact_id": "nonsense"}).content.decode()


@pytest.mark.parametrize("role", ["marketer", "analyst", "auditor", "administrator"])
def test_other_roles_find_nothing_there(console: Console, role: str) -> None:
    rosa = add(console)
    client = console.client(role)
    assert client.get(FIND).status_code == 404
    assert client.post(ISSUE, {"contact_id": str(rosa), "checked": "on"}).status_code == 404


def test_an_outsider_finds_nobody_and_makes_no_code(
    console: Console, make_clinic: Callable[..., Any], web_server: str
) -> None:
    rosa = add(console)
    other = Console(web_server, make_clinic("Other Clinic")).client("care_coordinator")
    assert (
        "Nobody here has this record number." in other.post(FIND, {"record_number": "7001"}).content.decode()
    )
    assert other.post(ISSUE, {"contact_id": str(rosa), "checked": "on"}).status_code == 404
    with acting_for(console.organization.id):
        assert not AccessRow.objects.exists()


@pytest.mark.browser
def test_the_pages_are_kind_to_everybody(console: Console, page_at: Callable[..., Page]) -> None:
    add(console)
    for width in (NARROW, WIDE):
        page = page_at(width)
        page.set_default_timeout(30_000)
        sign_in(page, "care_coordinator")
        page.goto(console.url + FIND)
        for name, act in (("find", "Find this person"), ("confirm", "Make a code"), ("issued", "")):
            if width == NARROW:
                assert_accessible(page)
            assert_no_sideways_scroll(page)
            keep_picture(page, f"patients-{name}")
            if name == "find":
                page.get_by_label("Record number").fill("7001")
            elif name == "confirm":
                page.get_by_label("I asked for the name").check()
            if act:
                with page.expect_navigation():
                    page.get_by_role("button", name=act).click()
        assert page.get_by_role("heading", level=1).inner_text() == "Read this code to the person"
