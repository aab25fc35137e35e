"""The words of a receipt's page."""

from __future__ import annotations

from salus.delivery.contracts import State
from salus.timeline.contracts import EventKind

STATES = {
    State.CLEARED: ("wait", "Waiting to be sent"),
    State.LEASED: ("wait", "With a sender"),
    State.DEFERRED: ("wait", "Tried again later"),
    State.ACCEPTED: ("clear", "Sent"),
    State.BOUNCED: ("broke", "Bounced"),
    State.GAVE_UP: ("broke", "Given up"),
    State.PORTAL: ("portal", "In the portal"),
    State.PORTAL_UNNOTIFIED: ("wait", "In the portal, not told yet"),
    State.OPENED: ("portal", "Read in the portal"),
    State.EXPIRED: ("", "Expired in the portal"),
    State.RECALLED: ("refuse", "Recalled"),
    State.REFUSED: ("refuse", "Not allowed"),
    State.CANCELLED: ("", "Stopped"),
}

ABOUT = {
    "notice": "The notice of a portal message",
    "code": "A sign-in code",
    "letter": "One letter in the portal",
}

BY_CHANNEL = {"email": "One e-mail", "portal": "One message in the portal", "sms": "One text message"}

LEVELS = {
    "named": ("clear", "TLS, peer named", "protected by TLS to a named peer"),
    "verified": ("clear", "TLS, peer verified", "protected by verified TLS"),
    "key": ("clear", "Encrypted to the reader's key", "encrypted to the reader's own key"),
    "portal": ("portal", "Kept in the portal", "kept in the portal"),
}
"""The meaning, the tag, and the end of a sentence."""

PEERS = {
    "webpki": ("The certificate is valid for the name of their mail host", "RFC 5280"),
    "partner": ("The certificate is the one that was agreed on with this partner", "our policy, pinned"),
    "mta-sts": ("Their published policy names this host, and its certificate is valid", "RFC 8461"),
    "dane": ("The peer's key equals its DNSSEC-signed TLSA record", "RFC 7672"),
}

ELEMENTS = {
    "postal_address": "postal address",
    "unsubscribe_link": "link to stop these messages",
    "list_unsubscribe": "unsubscribe header",
    "list_unsubscribe_post": "one-click unsubscribe",
    "preference_link": "link to choices",
    "ad_identifier": "said to be an advertisement",
    "fundraising_opt_out": "way out of fundraising",
    "remuneration_statement": "who pays for it",
    "part2_notice": "Part 2 notice",
    "neutral_sender": "neutral sender name",
    "neutral_notice": "neutral notice",
}

STEPS = {
    State.ACCEPTED: ("clear", "lock", "Handed over, protected"),
    State.DEFERRED: ("wait", "clock", "Not taken yet, tried again later"),
    State.BOUNCED: ("refuse", "cross", "Refused by their mail server"),
    State.GAVE_UP: ("refuse", "cross", "Given up"),
    State.PORTAL: ("portal", "phone", "Put into the portal"),
    State.CANCELLED: ("refuse", "bar", "Stopped before sending"),
}

EVENTS = {
    EventKind.MESSAGE_OPENED: ("mail", "Opened"),
    EventKind.MESSAGE_CLICKED: ("next", "Clicked"),
    EventKind.MESSAGE_READ: ("eye", "Read in the portal"),
}

RECALLS = {
    "wrong_person": "It went to the wrong person",
    "wrong_content": "Something in it is wrong",
    "sent_twice": "It was sent twice",
    "not_needed": "It is not needed any more",
    "other": "Another reason",
}
"""Why a message was taken back from the portal."""

FETCHED = {
    "person": "By a person, as far as can be told",
    "proxy": "By a mail provider's proxy: it says nothing about the reader",
    "scanner": "By a security scanner",
}
