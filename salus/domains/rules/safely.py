"""Takes single values out of what strangers wrote: only what has its form, and bounded."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from salus.domains.contracts import BadReport

MOST: Final = 10**12
_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9])?")
_WORD = re.compile(r"[!-~]{1,255}")


def number(text: object) -> int:
    """Return a count; raises `BadReport` for what is none, or more than there could be."""
    if isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) <= 13:
        text = int(text)
    if isinstance(text, bool) or not isinstance(text, int) or not 0 <= text <= MOST:
        raise BadReport("A count is no number.")
    return text


def host(text: object) -> str:
    """Return the name of a domain; raises `BadReport`."""
    if not isinstance(text, str) or not _HOST.fullmatch(text):
        raise BadReport("A name is none.")
    return text


def called(text: object) -> str:
    """Return what somebody calls themselves, as plain letters on one line, shortened; raises `BadReport` for nothing."""
    plain = " ".join(str(text or "").encode("ascii", "replace").decode().split())
    shown = "".join(each for each in plain if each.isprintable())[:100]
    if not shown:
        raise BadReport("Nobody says who reports.")
    return shown


def word(text: object) -> str:
    """Return an id; raises `BadReport`."""
    if not isinstance(text, str) or not _WORD.fullmatch(text):
        raise BadReport("Its id is none.")
    return text


def day_of(seconds: int) -> datetime:
    """Return a moment of this century; raises `BadReport`."""
    if not 946_684_800 <= seconds < 4_102_444_800:
        raise BadReport("Its time is none.")
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
