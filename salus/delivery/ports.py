"""What wiring gives to delivery: the addresses of pages on higher storeys, and what they know of a sending."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from salus.delivery.contracts import Origin, OriginFacts, Returned, TlsSeen
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


TakeReport = Callable[[bytes, datetime], Returned]
_take_report: TakeReport = lambda raw, at: Returned.NOT_A_REPORT  # noqa: E731 - nobody reads them


def use_reports(take: TakeReport) -> None:
    """Set who reads what others report of our domain, in the organization's context; wiring calls it once."""
    global _take_report
    _take_report = take


def report_came(raw: bytes, at: datetime) -> Returned:
    """Have a report read; return what became of it. Raises `Unavailable` when it may come again later."""
    return _take_report(raw, at)


Tally = Callable[[Sequence[TlsSeen], datetime], None]
_tally: Tally = lambda seen, at: None  # noqa: E731 - nobody counts: then nobody is told


def use_tally(keep: Tally) -> None:
    """Set who keeps how TLS went, in the organization's context; wiring calls it once."""
    global _tally
    _tally = keep


def tally(seen: Sequence[TlsSeen], at: datetime) -> None:
    """Have it kept."""
    _tally(seen, at)


Describe = Callable[[Origin], OriginFacts | None]
_describe: Describe = lambda _: None  # noqa: E731 - a receipt tells what it knows without it


def use_origins(describe_origin: Describe) -> None:
    """Set who knows what a sending is called and who approved it; wiring calls it once."""
    global _describe
    _describe = describe_origin


def describe(origin: Origin) -> OriginFacts | None:
    """Return what is known of a sending beside its messages."""
    return _describe(origin)
