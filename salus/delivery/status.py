"""What a refusal means: the enhanced status first, then what providers are known to write, as data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a refusal says about the address."""

    HARD = "hard"
    """There is no such address: suppress it at once."""
    SOFT = "soft"
    """The address may work again: full, busy, unreachable."""
    POLICY = "policy"
    """They refuse this content, this volume or how it is signed: the address says nothing, the sender must act."""
    REPUTATION = "reputation"
    """They refuse whom it comes from: our network or domain is on a list, or was complained about."""
    MESSAGE = "message"
    """This one message cannot be taken: too large, wrong form."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a refusal means; `site_wide` when it concerns every message to that destination."""

    kind: Kind
    reason: str
    site_wide: bool = False


_STATUS = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})")
_LONGEST = 2000

PROVIDER_TEXTS = (
    # Text that means something else than its status says, or the only hint when there is no status.
    ("over quota", Kind.SOFT, "mailbox_full"),
    ("overquota", Kind.SOFT, "mailbox_full"),
    ("quota exceeded", Kind.SOFT, "mailbox_full"),
    ("exceeded storage", Kind.SOFT, "mailbox_full"),
    ("mailbox full", Kind.SOFT, "mailbox_full"),
    ("mailbox is full", Kind.SOFT, "mailbox_full"),
    ("out of storage", Kind.SOFT, "mailbox_full"),
    ("insufficient system storage", Kind.SOFT, "system_full"),
    ("greylist", Kind.SOFT, "greylisted"),
    ("graylist", Kind.SOFT, "greylisted"),
    ("try again later", Kind.SOFT, "busy"),
    ("user unknown", Kind.HARD, "no_such_mailbox"),
    ("unknown user", Kind.HARD, "no_such_mailbox"),
    ("no such user", Kind.HARD, "no_such_mailbox"),
    ("no such recipient", Kind.HARD, "no_such_mailbox"),
    ("does not exist", Kind.HARD, "no_such_mailbox"),
    ("doesn't exist", Kind.HARD, "no_such_mailbox"),
    ("no mailbox here", Kind.HARD, "no_such_mailbox"),
    ("invalid recipient", Kind.HARD, "no_such_mailbox"),
    ("recipient not found", Kind.HARD, "no_such_mailbox"),
    ("recipientnotfound", Kind.HARD, "no_such_mailbox"),
    ("mailbox not found", Kind.HARD, "no_such_mailbox"),
    ("mailbox unavailable", Kind.HARD, "no_such_mailbox"),
    ("recipient address rejected: access denied", Kind.HARD, "no_such_mailbox"),
    ("doesn't have a ", Kind.HARD, "no_such_mailbox"),
    ("account has been disabled", Kind.HARD, "mailbox_disabled"),
    ("account is disabled", Kind.HARD, "mailbox_disabled"),
    ("inactive", Kind.HARD, "mailbox_disabled"),
    ("blocklist", Kind.REPUTATION, "blocked"),
    ("blacklist", Kind.REPUTATION, "blocked"),
    ("block list", Kind.REPUTATION, "blocked"),
    ("spamhaus", Kind.REPUTATION, "blocked"),
    ("spamcop", Kind.REPUTATION, "blocked"),
    ("reputation", Kind.REPUTATION, "blocked"),
    ("barracudacentral", Kind.REPUTATION, "blocked"),
    ("user complaints", Kind.REPUTATION, "blocked"),
    ("message too large", Kind.MESSAGE, "too_large"),
    ("message size exceeds", Kind.MESSAGE, "too_large"),
    ("exceeds size limit", Kind.MESSAGE, "too_large"),
    ("dmarc", Kind.POLICY, "authentication"),
    ("dkim", Kind.POLICY, "authentication"),
    (" spf ", Kind.POLICY, "authentication"),
    ("unauthenticated", Kind.POLICY, "authentication"),
    ("spam", Kind.POLICY, "content"),
    ("virus", Kind.POLICY, "content"),
    ("rate limit", Kind.POLICY, "rate"),
    ("too many", Kind.POLICY, "rate"),
    ("policy", Kind.POLICY, "policy"),
)

# RFC 3463 and the IANA registry of enhanced status codes, by subject and detail.
_DETAILS = {
    (1, 1): (Kind.HARD, "no_such_mailbox"),
    (1, 2): (Kind.HARD, "no_such_domain"),
    (1, 3): (Kind.HARD, "bad_address"),
    (1, 4): (Kind.SOFT, "ambiguous_address"),
    (1, 6): (Kind.HARD, "mailbox_moved"),
    (1, 7): (Kind.POLICY, "bad_sender_address"),
    (1, 8): (Kind.POLICY, "bad_sender_domain"),
    (1, 9): (Kind.MESSAGE, "incompatible_relay"),
    (1, 10): (Kind.HARD, "domain_takes_no_mail"),
    (2, 1): (Kind.HARD, "mailbox_disabled"),
    (2, 2): (Kind.SOFT, "mailbox_full"),
    (2, 3): (Kind.MESSAGE, "too_large"),
    (2, 4): (Kind.SOFT, "list_trouble"),
    (3, 4): (Kind.MESSAGE, "too_large"),
    (4, 4): (Kind.SOFT, "no_route"),
    (4, 7): (Kind.SOFT, "expired"),
    (5, 3): (Kind.SOFT, "too_many_recipients"),
    (6, 7): (Kind.MESSAGE, "needs_smtputf8"),
    (7, 1): (Kind.POLICY, "policy"),
    (7, 23): (Kind.POLICY, "authentication"),
    (7, 25): (Kind.POLICY, "authentication"),
    (7, 26): (Kind.POLICY, "authentication"),
    (7, 27): (Kind.POLICY, "bad_sender_domain"),
    (7, 28): (Kind.POLICY, "rate"),
    (7, 515): (Kind.POLICY, "authentication"),
    (7, 606): (Kind.REPUTATION, "blocked"),
}
_SUBJECTS = {
    1: (Kind.SOFT, "address_trouble"),
    2: (Kind.SOFT, "mailbox_trouble"),
    3: (Kind.SOFT, "system_trouble"),
    4: (Kind.SOFT, "network_trouble"),
    5: (Kind.MESSAGE, "protocol_trouble"),
    6: (Kind.MESSAGE, "content_form"),
    7: (Kind.POLICY, "policy"),
}
# What speaks louder than an enhanced status: providers use 5.1.1 and 5.7.1 for nearly anything.
_LOUD = frozenset({"mailbox_full", "greylisted", "blocked", "authentication"})


def classify(code: int, enhanced: str, text: str = "") -> Verdict:
    """Return what a refusal with reply `code` (0 when unknown), `enhanced` status and `text` means.

    A temporary refusal (4xx) is never HARD: the same address may work in an hour.
    """
    lowered = text[:_LONGEST].lower()
    temporary = code // 100 == 4 or (not code and enhanced.startswith("4."))
    kind, reason = _meaning(code, enhanced, lowered)
    if temporary and kind is Kind.HARD:
        kind, reason = Kind.SOFT, "mailbox_trouble"
    return Verdict(kind, reason, site_wide=_site_wide(code, enhanced, reason, temporary=temporary))


def _meaning(code: int, enhanced: str, lowered: str) -> tuple[Kind, str]:
    hint = next(((kind, reason) for words, kind, reason in PROVIDER_TEXTS if words in lowered), None)
    found = _STATUS.fullmatch(enhanced)
    if found:
        subject, detail = int(found[2]), int(found[3])
        if hint and (hint[1] in _LOUD or subject == 0 or (subject, detail) in {(4, 1), (5, 0), (7, 0)}):
            return hint
        if known := _DETAILS.get((subject, detail)):
            return known
        if subject in _SUBJECTS:
            return hint or _SUBJECTS[subject]
    if hint:
        return hint
    # Without a status or a known word: 552 is size or space, 553 and 551 are addresses (RFC 5321 4.2.3).
    return {
        421: (Kind.SOFT, "busy"),
        551: (Kind.HARD, "mailbox_moved"),
        552: (Kind.SOFT, "mailbox_full"),
        553: (Kind.HARD, "bad_address"),
        556: (Kind.HARD, "domain_takes_no_mail"),
    }.get(code, (Kind.SOFT, "not_said"))


def _site_wide(code: int, enhanced: str, reason: str, *, temporary: bool) -> bool:
    if code == 421 or reason in {"rate", "blocked"}:
        return True
    return temporary and reason != "greylisted" and enhanced.startswith(("4.3.", "4.4.", "4.7."))


def enhanced_status(text: str) -> str:
    """Return the enhanced status that `text` begins with ("5.1.1"), or an empty string (RFC 2034)."""
    found = _STATUS.match(text)
    return found[0] if found and text[found.end() : found.end() + 1] in ("", " ", "\t") else ""
