"""The line about the log at the foot of the navigation, and the table of rooms."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.urls import clear_url_caches, include, path

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor
from salus.kernel.time import SystemClock
from salus.platform.web.shell import Who
from salus.reports import api as reports
from salus.wiring.navigation import ROOMS, pulse


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("log")


urlpatterns = [path("log", include(([path("", page, name="log")], "reports")))]


@pytest.fixture
def mounted(settings: Any) -> Iterator[None]:
    """Serve a page of the log."""
    settings.ROOT_URLCONF = sys.modules[__name__]
    clear_url_caches()
    yield
    clear_url_caches()


def asked_by(*permissions: Permission) -> HttpRequest:
    request = RequestFactory().get("/")
    request.who = Who("Clinic", "Ruth Abara", "Auditor", frozenset(word.value for word in permissions))  # type: ignore[attr-defined]
    return request


def test_who_may_read_the_log_sees_how_it_was_found(tenant: UUID, actor: Actor, mounted: None) -> None:
    audit.record(Action.AUDIT_LOG_READ, actor=actor, object_kind="log")
    audit.integrate()
    audit.checkpoint(SystemClock())
    assert pulse(asked_by(Permission.AUDIT_LOG_READ)) is None, "nothing was verified yet: nothing is claimed"
    reports.verify_log(actor=replace(actor, permissions=frozenset({Permission.AUDIT_LOG_VERIFY})))
    line = pulse(asked_by(Permission.AUDIT_LOG_READ))
    assert line is not None
    assert (line.headline, line.when, line.url) == ("Log verified", "just now", "/log")
    assert line.detail.endswith(" entries, none changed")
    assert pulse(asked_by(Permission.CAMPAIGNS_REPORT_READ)) is None


def test_without_a_page_of_the_log_the_line_is_left_out(tenant: UUID) -> None:
    assert pulse(asked_by(Permission.AUDIT_LOG_READ)) is None


def test_every_room_needs_a_permission_that_exists_or_none() -> None:
    words = {permission.value for permission in Permission}
    assert all(not room.permission or room.permission in words for room in ROOMS)
