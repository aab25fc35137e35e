"""What wiring gives to delivery: the addresses of pages on higher storeys."""

from __future__ import annotations

from salus.delivery.links import Pages
from salus.kernel.errors import Unavailable

_pages: Pages | None = None


def use_pages(pages: Pages) -> None:
    """Set the addresses that messages carry; wiring calls it once."""
    global _pages
    _pages = pages


def pages() -> Pages:
    """Return the addresses; raises `Unavailable` when wiring gave none."""
    if _pages is None:
        raise Unavailable("Nobody said where the portal is.")
    return _pages
