"""Kinds, times and counts in words."""

from __future__ import annotations

from salus.retention import api
from salus.retention.contracts import Kind

KINDS = {
    Kind.MESSAGES: ("Sent messages", "Addresses, words and files go. Receipts stay."),
    Kind.CONVERSATIONS: (
        "What patients wrote",
        "Their words in the portal go, with files, once answered or settled.",
    ),
    Kind.TASKS: ("Tasks that ended", "Title, instructions and note go. That there was a task stays."),
    Kind.REJECTS: ("Refused rows", "Rows that an import did not take go."),
    Kind.COPIES: ("Copies for patients", "The file of a request for a copy goes. The request stays."),
    Kind.MAIL_REPORTS: ("Mail reports", "What others reported of your sending domain goes."),
    Kind.DOCUMENTS: (
        "Requests and disclosures",
        "What people asked of the privacy office, and what was disclosed by hand, goes.",
    ),
}
"""What each kind is called, and what of it goes."""


def days(number: int | None) -> str:
    """Return a time in words."""
    if number is None:
        return "Until its person is erased"
    if number == api.SIX_YEARS:
        return "6 years"
    return f"{number:,} day{'' if number == 1 else 's'}"
