"""What page tests share: sign in as a role, look with axe, look for sideways scroll, keep a picture."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.test import Client, RequestFactory
from playwright.sync_api import Page

from salus.identity import ports, sessions
from salus.identity.contracts import Organization, Role
from salus.identity.demo import _email
from salus.identity.models import User
from salus.platform.tenancy import acting_for

WIDE, NARROW = 1280, 390


@dataclass(frozen=True)
class Console:
    """A running server, and the demo organization of this test with one person a role."""

    url: str
    organization: Organization

    def cookie(self, role: str | Role) -> dict[str, str]:
        """Return the cookie of a fresh session of the person with this role, second factor passed."""
        with acting_for(self.organization.id):
            user = User.objects.get(email=_email(self.organization, Role(role)))
        request = RequestFactory().get("/", headers={"User-Agent": "Mozilla/5.0 (X11; Linux) Chrome/1.0"})
        request.session = sessions.SessionStore()
        sessions.start(request, user, "totp", ports.now())
        request.session.save()
        return {"name": settings.SESSION_COOKIE_NAME, "value": str(request.session.session_key)}

    def client(self, role: str | Role, **options: Any) -> Client:
        """Return a Django test client that is signed in as this role: for tests that need no browser."""
        client = Client(headers={"host": "localhost"}, **options)
        cookie = self.cookie(role)
        client.cookies[cookie["name"]] = cookie["value"]
        return client


_present: Console | None = None


def use(console: Console | None) -> None:
    """Say which console `sign_in` means; the fixture does it."""
    global _present
    _present = console


def sign_in(page: Page, role: str | Role) -> None:
    """Sign the page's browser in as the person with this role (without walking through the form)."""
    assert _present is not None, "use the fixture `console`"
    page.context.clear_cookies()
    page.context.add_cookies([{**_present.cookie(role), "url": _present.url}])  # type: ignore[typeddict-item]


def assert_accessible(page: Page) -> None:
    """Fail when axe-core finds something serious or critical."""
    from axe_playwright_python.sync_playwright import Axe

    page.wait_for_load_state()  # axe fails on a document that has no root yet
    found = Axe().run(page).response["violations"]
    serious = [
        f"{each['id']}: {each['help']}: {[node['html'][:160] for node in each['nodes']][:3]}"
        for each in found
        if each["impact"] in {"serious", "critical"}
    ]
    assert not serious, "\n".join(serious)


def assert_no_sideways_scroll(page: Page) -> None:
    """Fail when the page is wider than its window, and name what sticks out."""
    wide = page.evaluate(
        """() => {
            const width = document.documentElement.clientWidth;
            if (document.documentElement.scrollWidth <= width) return [];
            return [...document.querySelectorAll("body *")]
                .filter((element) => element.getBoundingClientRect().right > width + 1)
                .map((element) => element.outerHTML.slice(0, 120)).slice(0, 5);
        }"""
    )
    assert not wide, "\n".join(wide)


def keep_picture(page: Page, name: str) -> None:
    """Save a picture of the whole page under `SALUS_SCREENSHOTS`, when that is set."""
    folder = os.environ.get("SALUS_SCREENSHOTS")
    if folder:
        size = page.viewport_size or {"width": 0}
        file = re.sub(r"[^a-z0-9-]+", "-", name.lower())
        page.screenshot(path=Path(folder) / f"{file}-{size['width']}.png", full_page=True)
