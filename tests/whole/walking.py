"""Walks every page of the console that staff can reach by links, and holds each to what every page promises."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from tests.browser import assert_accessible, assert_no_sideways_scroll, keep_picture

from .by_hand import SECRETS
from .the_job import ID

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROLES = ("privacy_officer", "marketer", "author", "administrator", "auditor")
"""Together they may open everything that can be reached by a link."""
FILES = re.compile(r"\.json$|/export/$")
"""What a link gives as a file."""
ROOMS_AT_LEAST = 3


def kind_of(address: str) -> tuple[str, ...]:
    """Return what kind of page an address is: its path without ids, and what is asked for beside it."""
    parts = urlsplit(address)
    path = re.sub(r"/\d+(?=/|$)", "/N", ID.sub("ID", parts.path))
    return path, *sorted(name for name, _ in parse_qsl(parts.query))


def links_of(page: Page) -> list[str]:
    """Return where the page leads to within the console."""
    found: list[str] = page.eval_on_selector_all(
        "a[href]:not([target])", "links => links.map(link => link.href)"
    )
    here = urlsplit(page.url).netloc
    return [
        each.partition("#")[0]
        for each in found
        if urlsplit(each).netloc == here and not urlsplit(each).path.startswith(("/p/", "/t/"))
    ]


def walk(page: Page, seen: set[tuple[str, ...]]) -> Iterator[str]:
    """Open every kind of page that can be reached from home and was not seen yet; yield its address."""
    waiting, own = [page.url], True
    while waiting:
        address = waiting.pop(0)
        if FILES.search(urlsplit(address).path) or (kind_of(address) in seen and not own):
            continue
        own = False
        seen.add(kind_of(address))
        answer = page.goto(address)
        assert answer is not None
        assert answer.ok, f"a link leads to {kind_of(address)}, which answers {answer.status}"
        yield address
        waiting += links_of(page)


def look(page: Page, address: str) -> None:
    """Hold a page to what every page promises."""
    name = " ".join(kind_of(address))
    try:
        assert_accessible(page)
        assert_no_sideways_scroll(page)
    except AssertionError as fault:
        raise AssertionError(f"{name} at {page.viewport_size}: {fault}") from None
    title = page.title()
    assert title.endswith(" · Salus"), name
    assert not [word for word in (*SECRETS, "diabetes") if word in f"{title} {address}".lower()], name
    assert page.get_by_role("heading", level=1).count() == 1, name
    assert page.locator("nav#nav a").count() >= ROOMS_AT_LEAST, f"{name}: the way to the other rooms"
    assert page.locator("main .btn.is-main:visible").count() <= 1, f"{name}: one main button a page"
    keep_picture(page, name)
