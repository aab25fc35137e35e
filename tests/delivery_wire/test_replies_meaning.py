"""What a refusal means, and what of its words may be kept."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salus.delivery.status import Kind, classify, enhanced_status
from salus.delivery.wording import LONGEST, WORDS, neutral


@pytest.mark.parametrize(
    ("code", "enhanced", "text", "kind", "reason"),
    [
        (
            550,
            "5.1.1",
            "The email account that you tried to reach does not exist",
            Kind.HARD,
            "no_such_mailbox",
        ),
        (550, "", "No such user here", Kind.HARD, "no_such_mailbox"),
        (550, "5.4.1", "Recipient address rejected: Access denied", Kind.HARD, "no_such_mailbox"),
        (
            554,
            "",
            "delivery error: dd This user doesn't have a yahoo.com account",
            Kind.HARD,
            "no_such_mailbox",
        ),
        (550, "5.2.1", "The email account is disabled", Kind.HARD, "mailbox_disabled"),
        (556, "5.1.10", "Domain takes no mail", Kind.HARD, "domain_takes_no_mail"),
        (552, "5.2.2", "Mailbox full", Kind.SOFT, "mailbox_full"),
        (550, "5.1.1", "The user is over quota", Kind.SOFT, "mailbox_full"),
        (452, "4.2.2", "Mailbox full", Kind.SOFT, "mailbox_full"),
        (451, "4.7.1", "Greylisting in action", Kind.SOFT, "greylisted"),
        (421, "4.7.28", "unusual rate of unsolicited mail", Kind.POLICY, "rate"),
        (550, "5.7.1", "Our system has detected that this message is spam", Kind.POLICY, "policy"),
        (550, "5.7.515", "Access denied, domain does not pass", Kind.POLICY, "authentication"),
        (550, "5.7.1", "Blocked using Spamhaus", Kind.REPUTATION, "blocked"),
        (550, "5.7.606", "Access denied, banned sending IP", Kind.REPUTATION, "blocked"),
        (421, "4.7.0", "[TSS04] temporarily deferred due to user complaints", Kind.REPUTATION, "blocked"),
        (552, "", "Message size exceeds fixed maximum", Kind.MESSAGE, "too_large"),
        (552, "5.3.4", "Message too big", Kind.MESSAGE, "too_large"),
        (550, "5.6.7", "SMTPUTF8 needed", Kind.MESSAGE, "needs_smtputf8"),
        (0, "4.4.7", "expired", Kind.SOFT, "expired"),
        (450, "4.1.1", "User unknown, try later", Kind.SOFT, "mailbox_trouble"),
        (550, "", "something nobody has heard of", Kind.SOFT, "not_said"),
    ],
)
def test_a_refusal_is_classified_by_status_and_then_by_what_providers_write(
    code: int, enhanced: str, text: str, kind: Kind, reason: str
) -> None:
    verdict = classify(code, enhanced, text)
    assert (verdict.kind, verdict.reason) == (kind, reason)


@pytest.mark.parametrize(
    ("code", "enhanced", "site_wide"),
    [
        (421, "", True),
        (421, "4.7.0", True),
        (451, "4.3.2", True),
        (451, "4.4.5", True),
        (450, "4.2.1", False),
        (452, "4.2.2", False),
        (550, "5.1.1", False),
    ],
)
def test_only_what_concerns_the_whole_destination_slows_it_down(
    code: int, enhanced: str, site_wide: bool
) -> None:
    assert classify(code, enhanced).site_wide is site_wide


def test_greylisting_of_one_message_slows_nobody_down() -> None:
    assert not classify(451, "4.7.1", "greylisted").site_wide


@given(st.integers(400, 499), st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_a_temporary_refusal_never_condemns_an_address(code: int, text: str) -> None:
    assert classify(code, enhanced_status(text), text).kind is not Kind.HARD


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("5.1.1 No", "5.1.1"),
        ("4.7.28", "4.7.28"),
        ("5.1.1-No", ""),
        ("5.1", ""),
        ("x 5.1.1", ""),
        ("6.1.1 No", ""),
    ],
)
def test_a_status_counts_only_at_the_start_of_a_reply(text: str, status: str) -> None:
    assert enhanced_status(text) == status


def test_what_is_kept_of_a_reply_cannot_hold_a_name_an_address_or_a_number() -> None:
    said = "<ana.diaz@example.org>: Ana Diaz (born 1980-02-01, MRN 12345) user unknown; see https://x.example/ana"
    assert neutral(said) == "… user unknown …"
    assert neutral("Mailbox of diaz, ana is over quota") == "mailbox of … is over quota"
    assert neutral("5.7.1 blocked by policy 10.1.2.3") == "5.7.1 blocked by policy …"


@given(st.text(max_size=500))
@settings(max_examples=300, deadline=None)
def test_every_word_that_is_kept_is_on_the_list(text: str) -> None:
    kept = neutral(text)
    assert len(kept) <= LONGEST
    for word in kept.split():
        assert word == "…" or word in WORDS or enhanced_status(word) == word
