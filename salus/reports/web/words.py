"""What figures, outcomes and protections are called on pages, and which meaning each has."""

from __future__ import annotations

from dataclasses import dataclass

from salus.delivery import api as delivery
from salus.delivery.contracts import By, State
from salus.reports.contracts import Figure, Reveal


@dataclass(frozen=True, slots=True)
class Called:
    """A figure as people say it: its kind is that of a tag (clear, portal, wait, refuse, broke or "")."""

    label: str
    note: str
    kind: str


FIGURES = {
    Figure.ALL: Called("Everybody who was planned for", "", ""),
    Figure.CLEARED: Called("Allowed", "", "clear"),
    Figure.REFUSED: Called("Not allowed", "A rule stopped it; nothing was sent", "refuse"),
    Figure.ACCEPTED: Called(
        "Sent by mail", "Their mail server took it, over an encrypted connection", "clear"
    ),
    Figure.PORTAL: Called("In the portal", "They were told that a message waits", "portal"),
    Figure.UNNOTIFIED: Called("In the portal, not told yet", "Tell them another way", "wait"),
    Figure.BOUNCED: Called("Bounced", "Their mail server refused it", "broke"),
    Figure.GAVE_UP: Called("Given up", "Tried for five days", "broke"),
    Figure.CANCELLED: Called("Stopped", "By staff, or by the gate just before sending", ""),
    Figure.QUEUED: Called("Waiting", "Not handed over yet", "wait"),
    Figure.OPENED: Called("Opened by a person", "", "clear"),
    Figure.CLICKED: Called("Clicked by a person", "", "clear"),
    Figure.READ: Called("Read in the portal", "", "portal"),
    Figure.UNCERTAIN: Called("May have arrived twice", "The connection broke after hand-over", "wait"),
}

PROTECTIONS = {
    "verified": Called("TLS, peer verified", "A pinned or published policy says who they are", "clear"),
    "named": Called("TLS, peer named", "Their server proved the name that DNS gave", "clear"),
    "key": Called("To the reader's own key", "S/MIME or OpenPGP", "clear"),
    "portal": Called("Portal", "It never left; they prove who they are and read it here", "portal"),
}

STATES = {
    State.CLEARED: ("wait", "Waiting"),
    State.LEASED: ("wait", "With a sender"),
    State.DEFERRED: ("wait", "Tried again later"),
    State.ACCEPTED: ("clear", "Sent"),
    State.BOUNCED: ("broke", "Bounced"),
    State.GAVE_UP: ("broke", "Given up"),
    State.PORTAL: ("portal", "In the portal"),
    State.PORTAL_UNNOTIFIED: ("wait", "In the portal, not told"),
    State.OPENED: ("portal", "Read in the portal"),
    State.EXPIRED: ("", "Expired in the portal"),
    State.RECALLED: ("", "Recalled"),
    State.REFUSED: ("refuse", "Not allowed"),
    State.CANCELLED: ("", "Stopped"),
}

REVEALS = {
    Reveal.TREATMENT: "Treatment",
    Reveal.PAYMENT: "Payment",
    Reveal.OPERATIONS: "Health care operations",
    Reveal.PATIENT_ASKED: "The patient asked",
}

COUNTING = (
    "Nothing", "One thing", "Two things", "Three things", "Four things", "Five things", "Six things",
    "Seven things", "Eight things", "Nine things", "Ten things",
)  # fmt: skip


def waiting(count: int) -> str:
    """Return the headline of the first page: "Three things are waiting for you"."""
    words = COUNTING[count] if count < len(COUNTING) else f"{count} things"
    return f"{words} {'is' if count < 2 else 'are'} waiting for you"


PERSON = By.PERSON
FETCHERS = {
    By.PERSON: "by a person",
    By.PROXY: "by a mail provider's proxy only",
    By.SCANNER: "by a security scanner only",
}
"""Each message stands under one of them, the most telling."""

plain = delivery.plain_reason
