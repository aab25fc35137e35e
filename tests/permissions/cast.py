"""Invented ledger entries for the tests of permissions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from salus.kernel.ids import new_id
from salus.kernel.vocabulary import Channel
from salus.permissions.contracts import Entry, EntryKind

ROSA = UUID("018f0000-0000-7000-8000-00000000a0a0")
DAY = timedelta(days=1)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

GOOD_FORM: dict[str, Any] = {
    "information": "My e-mail address and that I am treated for diabetes",
    "discloser": "Cedar Row Clinic",
    "recipient": "Cedar Row Clinic's outreach team",
    "purpose_text": "To tell me about new glucose meters",
    "signed_at": "2026-01-10",
    "signature": "written",
    "signer": "self",
    "states_right_to_revoke": True,
    "states_how_to_revoke": True,
    "states_revocation_exceptions": True,
    "states_no_conditioning": True,
    "states_redisclosure": True,
    "purposes": ["third_party_product"],
    "classes": ["contact", "diagnosis"],
}

GOOD_CONSENT: dict[str, Any] = {
    "names_patient": True,
    "information": "All records of my treatment",
    "discloser": "Cedar Row Recovery",
    "recipient": "My treating providers",
    "purpose_text": "For treatment, payment and operations",
    "signed_at": "2026-01-10",
    "signature": "written",
    "signer": "self",
    "states_right_to_revoke": True,
    "states_how_to_revoke": True,
    "states_redisclosure": True,
    "states_consequences": True,
    "expiration_event": "none",
    "tpo": True,
}


def entry(kind: EntryKind, at: datetime = NOW - 10 * DAY, **more: Any) -> Entry:
    """Return an entry of Rosa's ledger; everything not given is as plain as can be."""
    given: dict[str, Any] = {
        "id": new_id(),
        "contact_id": ROSA,
        "recorded_at": at,
        "evidence": "test",
        **more,
    }
    return Entry(kind=kind, at=at, **given)


def choice(kind: EntryKind, at: datetime, topic: str = "newsletter", **more: Any) -> Entry:
    """Return an opt-in, confirmation or opt-out, by e-mail when no channel is given."""
    more.setdefault("channel", Channel.EMAIL)
    return entry(kind, at, topic=topic, **more)
