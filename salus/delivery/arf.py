"""Reads complaints: the Abuse Reporting Format (RFC 5965) that feedback loops send when a reader pressed "spam".

As with bounces everything is bounded and nothing raises; of the returned message only its return path is read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from salus.delivery.dsn import MAX_OCTETS
from salus.delivery.parts import flatten, header_fields, read_part


class Feedback(StrEnum):
    """What is reported (RFC 5965, 7.3; RFC 6430; RFC 6591)."""

    ABUSE = "abuse"
    FRAUD = "fraud"
    OPT_OUT = "opt-out"
    VIRUS = "virus"
    NOT_SPAM = "not-spam"
    AUTH_FAILURE = "auth-failure"
    OTHER = "other"

    @property
    def is_a_persons(self) -> bool:
        """Return whether somebody says by it that they do not want our mail."""
        return self in {Feedback.ABUSE, Feedback.FRAUD, Feedback.OPT_OUT}


@dataclass(frozen=True, slots=True)
class Complaint:
    """A feedback report; `return_paths` are the addresses that may be our message's, unproven."""

    feedback: Feedback
    return_paths: tuple[str, ...] = field(default=(), repr=False)


_ADDRESS = re.compile(r"([A-Za-z0-9+._-]{1,64}@[A-Za-z0-9.-]{1,253})")
_RETURNED = frozenset({"message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "message/global"})


def parse(raw: bytes) -> Complaint | None:
    """Return the complaint in `raw` (a whole message as it came), None when there is none. Never raises."""
    text = raw[:MAX_OCTETS].decode("latin-1").replace("\r\n", "\n")
    parts = flatten(read_part(text))
    report = next((part for part in parts if part.kind == "message/feedback-report"), None)
    if report is None:
        return None
    fields = header_fields(report.text().lstrip("\n"))
    word = fields.get("feedback-type", "").strip().lower()
    feedback = Feedback(word) if word in set(Feedback) else Feedback.OTHER
    named = [fields.get("original-mail-from", "")]
    for part in parts:
        if part.kind in _RETURNED:
            head = header_fields(part.text().lstrip("\n").partition("\n\n")[0])
            named.append(head.get("return-path", ""))
    found = [match[1].lower() for each in named[:8] if (match := _ADDRESS.search(each))]
    return Complaint(feedback, tuple(dict.fromkeys(found)))
