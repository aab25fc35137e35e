"""The mails that were caught, in memory, bounded in number and size; the oldest goes first."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Mail:
    """One message as it was received, for one recipient or several."""

    number: int
    received_at: datetime
    behavior: str
    sender: str = field(repr=False)
    recipients: tuple[str, ...] = field(repr=False)
    tls_version: str = ""
    cipher: str = ""
    data: bytes = field(default=b"", repr=False)


class Mailbox:
    """Keeps at most `most` mails and `octets` octets; with `most` 0 it only counts (a sink)."""

    def __init__(self, most: int = 5000, octets: int = 128 * 1024 * 1024) -> None:
        self._most, self._octets = most, octets
        self._mails: OrderedDict[int, Mail] = OrderedDict()
        self._held = 0
        self.received = 0
        self.received_octets = 0
        self.by_behavior: Counter[str] = Counter()

    @property
    def keeps(self) -> bool:
        """Tell whether mails are kept at all."""
        return self._most > 0

    def count(self, behavior: str, octets: int) -> int:
        """Count one received mail; return its number."""
        self.received += 1
        self.received_octets += octets
        self.by_behavior[behavior] += 1
        return self.received

    def keep(self, mail: Mail) -> None:
        """Keep a mail that was counted."""
        self._mails[mail.number] = mail
        self._held += len(mail.data)
        while len(self._mails) > self._most or self._held > self._octets:
            _, oldest = self._mails.popitem(last=False)
            self._held -= len(oldest.data)

    def get(self, number: int) -> Mail | None:
        """Return a mail that is still kept."""
        return self._mails.get(number)

    def newest(self, behavior: str = "", recipient: str = "") -> Iterator[Mail]:
        """Yield kept mails, newest first, of one behavior or one recipient if asked."""
        for mail in reversed(list(self._mails.values())):
            if behavior and mail.behavior != behavior:
                continue
            if recipient and recipient not in mail.recipients:
                continue
            yield mail
