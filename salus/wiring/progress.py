"""One line on the terminal that shows how far a step is; without a terminal, nothing."""

from __future__ import annotations

import sys
import time

_WIDTH = 30
_PAUSE = 0.1


class Line:
    """Is told words, how much is done, and of how much (0: unknown); `end` leaves the line as it is."""

    def __init__(self) -> None:
        self._moves = sys.stderr.isatty()
        self._words = ""
        self._shown_at = 0.0

    def __call__(self, words: str, done: int, total: int) -> None:
        """Show it."""
        now = time.monotonic()
        if not self._moves or (words == self._words and done != total and now - self._shown_at < _PAUSE):
            return
        if self._words and words != self._words:
            sys.stderr.write("\n")
        self._words, self._shown_at = words, now
        filled = min(_WIDTH, _WIDTH * done // total) if total else 0
        amount = (
            f"{size(done)} of {size(total)}" if total >= 1 << 20 else f"{done} of {total}" if total else ""
        )
        sys.stderr.write(f"\r{words:16} [{'#' * filled:{_WIDTH}}] {amount:24}")
        sys.stderr.flush()

    def end(self) -> None:
        """Go to the next line."""
        if self._words:
            sys.stderr.write("\n")
            self._words = ""


def size(count: int) -> str:
    """Return bytes in words a person reads: "1.4 GB"."""
    value, unit = float(count), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1_000:
            break
        value, unit = value / 1_000, larger
    return f"{value:,.0f} {unit}" if unit == "bytes" or value >= 100 else f"{value:,.1f} {unit}"
