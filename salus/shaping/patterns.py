"""Patterns over what mail hosts say: RE2's language, so that no pattern and no reply takes more than linear time.

Python's own engine backtracks: `(a+)+$` against thirty letters of a hostile host would hold a sender for minutes,
and the host chooses the text. RE2 has no back-references and no look-around for that reason (ADR 159).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import re2

from salus.kernel.errors import BadInput

LONGEST_PATTERN, LONGEST_TEXT = 300, 1000
"""Characters; of a longer reply the beginning is looked at."""


def check(pattern: object, place: str) -> str:
    """Return `pattern` if it is one. Raises `BadInput` with the reason."""
    if not isinstance(pattern, str) or not pattern or len(pattern) > LONGEST_PATTERN:
        raise BadInput(f"Write a pattern of 1 to {LONGEST_PATTERN} characters.", place=place)
    try:
        _compiled(pattern)
    except re2.error as fault:
        said = fault.args[0].decode() if isinstance(fault.args[0], bytes) else str(fault)
        raise BadInput(f"That is not a pattern of RE2: {said}.", place=place) from None
    return pattern


def fits(pattern: str, text: str) -> bool:
    """Tell whether `pattern` is found anywhere in the first `LONGEST_TEXT` characters."""
    return bool(_compiled(pattern)(text[:LONGEST_TEXT]))


@lru_cache(maxsize=2000)
def _compiled(pattern: str) -> Callable[[str], object]:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = 1 << 20
    search: Callable[[str], object] = re2.compile(pattern, options).search
    return search
