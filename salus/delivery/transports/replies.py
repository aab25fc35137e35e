"""Reads SMTP replies out of a stream of octets, with bounds on all of it (RFC 5321, 4.2)."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field

from salus.delivery.status import Verdict, classify, enhanced_status
from salus.delivery.transports.handover import Reply
from salus.delivery.transports.settings import Limits
from salus.delivery.wording import neutral

_LINE = re.compile(rb"([2-5][0-5][0-9])(?:([ -])([^\r\n]*))?\r?\n")


class NotSmtp(Exception):
    """What the peer said is not an SMTP reply; the text names the rule, never the words."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A complete reply as it came; `lines` may hold anything, and is never kept or shown."""

    code: int
    lines: tuple[str, ...] = field(repr=False)

    @property
    def kind(self) -> int:
        """Return the first digit."""
        return self.code // 100

    def reply(self) -> Reply:
        """Return what may be kept of it; of an acceptance only its codes."""
        enhanced = enhanced_status(self.lines[0])
        if self.kind == 2:
            return Reply(self.code, enhanced, "")
        texts = [line.removeprefix(enhanced).strip() if enhanced else line for line in self.lines[:5]]
        return Reply(self.code, enhanced, neutral(" ".join(texts)))

    def verdict(self) -> Verdict:
        """Return what it means as a refusal."""
        return classify(self.code, enhanced_status(self.lines[0]), " ".join(self.lines[:20]))


class ReplyReader:
    """Cuts a stream into replies; holds at most one line and a bounded number of replies."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._buffer = bytearray()
        self._code = 0
        self._lines: list[str] = []
        self.ready: deque[Heard] = deque()

    @property
    def empty(self) -> bool:
        """Tell whether nothing is left unread, not even half a line."""
        return not (self._buffer or self._lines or self.ready)

    def feed(self, data: bytes) -> None:
        """Take `data` in. Raises `NotSmtp` at the first octet that cannot belong to a reply."""
        self._buffer += data
        start = 0
        while (end := self._buffer.find(b"\n", start) + 1) > 0:
            if end - start > self._limits.reply_line:
                raise NotSmtp("line_too_long")
            self._line(bytes(self._buffer[start:end]))
            start = end
        del self._buffer[:start]
        if len(self._buffer) > self._limits.reply_line:
            raise NotSmtp("line_too_long")

    def _line(self, line: bytes) -> None:
        found = _LINE.fullmatch(line)
        if not found:
            raise NotSmtp("not_a_reply")
        code = int(found[1])
        if self._lines and code != self._code:
            raise NotSmtp("codes_differ")
        self._code = code
        self._lines.append((found[3] or b"").decode("ascii", "replace"))
        if len(self._lines) > self._limits.reply_lines:
            raise NotSmtp("too_many_lines")
        if found[2] == b"-":
            return
        self.ready.append(Heard(code, tuple(self._lines)))
        self._lines = []
        if len(self.ready) > self._limits.replies_waiting:
            raise NotSmtp("too_many_replies")
