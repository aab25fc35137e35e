"""What wiring gives to delivery: the addresses of pages on higher storeys, and what they know of a sending."""

from __future__ import annotations

from collections.abc import Callable

from salus.delivery.contracts import Origin, OriginFacts
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


Describe = Callable[[Origin], OriginFacts | None]
_describe: Describe = lambda _: None  # noqa: E731 - a receipt tells what it knows without it


def use_origins(describe_origin: Describe) -> None:
    """Set who knows what a sending is called and who approved it; wiring calls it once."""
    global _describe
    _describe = describe_origin


def describe(origin: Origin) -> OriginFacts | None:
    """Return what is known of a sending beside its messages."""
    return _describe(origin)
