"""Fixtures for page tests: a demo organization, a running server, Chromium; see `docs/pages.md`."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from django.contrib.auth import hashers
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.test.utils import override_settings

from salus.kernel.ids import new_id
from salus.kernel.vocabulary import SenderRole

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.browser import Console

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")


class FastArgon2(hashers.Argon2PasswordHasher):
    """Argon2 with the least work: the tests make hundreds of passwords."""

    time_cost, memory_cost, parallelism = 1, 8, 1


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 32

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own, which gives its database connection back."""
        super().process_request_thread(request, client_address)
        connections.close_all()


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture(scope="session")
def fast_passwords() -> Iterator[None]:
    """Hash passwords with little work during the tests, and refuse without waiting."""
    hashers_of_tests = [f"{__name__}.{FastArgon2.__name__}"]
    with override_settings(PASSWORD_HASHERS=hashers_of_tests, SALUS_REFUSAL_PACE=0):
        yield


@pytest.fixture(scope="session")
def web_server(world: Any) -> Iterator[str]:
    """The console on a free port of loopback, in this process, so that a test may set its clock."""
    server = make_server("127.0.0.1", 0, get_wsgi_application(), server_class=_Server, handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def make_clinic(database: Any, fast_passwords: None) -> Callable[..., Any]:
    """Return a maker of organizations with keys, a record and one person a role (a demo, unless told not to)."""
    from salus.identity import api as identity

    def make(name: str = "Cedar Row Clinic", **facts: Any) -> Any:
        given = {
            "name": name,
            "slug": f"clinic-{new_id().hex[-12:]}",
            "sender_role": SenderRole.PROVIDER,
            "postal_address": "40 Cedar Row, Ellery, WA 98100",
            "phone": "206-555-0142",
            "sending_domain": "mail.cedar-row.example.org",
            "time_zone": "America/Los_Angeles",
            "demo": True,
            **facts,
        }
        organization = identity.create_organization(**given)
        if organization.demo:
            identity.create_demo_staff(organization)
        return organization

    return make


@pytest.fixture
def console(web_server: str, make_clinic: Callable[..., Any]) -> Iterator[Console]:
    """A running server and a fresh demo organization, really committed."""
    from tests import browser

    console = browser.Console(web_server, make_clinic())
    browser.use(console)
    yield console
    browser.use(None)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One Chromium for the tests of a file; each page has a fresh profile.

    Not one for all: Playwright's synchronous side keeps an event loop running in this thread, in which
    no test of another file could run its own. Django takes it for async code.
    """
    from playwright.sync_api import sync_playwright

    with pytest.MonkeyPatch.context() as patched, sync_playwright() as playwright:
        patched.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()
        connections.close_all()  # those that this thread opened while the loop was there


@pytest.fixture
def page_at(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Return a maker of pages: `page_at(390)`, `page_at(1280, dark=True, javascript=False)`.

    At the end, a script error or something that the content security policy stopped fails the test.
    """
    contexts, complaints = [], []

    def make(width: int, *, height: int = 900, dark: bool = False, javascript: bool = True) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            java_script_enabled=javascript,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if _is_complaint(said.text) else None)
        return page

    yield make
    for context in contexts:
        context.close()
    assert not complaints, "\n".join(complaints)


def _is_complaint(text: str) -> bool:
    return "Content Security Policy" in text or "Content-Security-Policy" in text or "htmx:" in text
