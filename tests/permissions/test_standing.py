"""The other parts of a standing: restrictions, addresses, suppressions, persons, preferences."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from salus.kernel.phi import Phi
from salus.kernel.time import FAR
from salus.kernel.vocabulary import Channel, Purpose
from salus.permissions.contracts import Entry, EntryKind, Standing
from salus.permissions.rules import fold

from .cast import DAY, NOW, ROSA, entry

K = EntryKind


def standing(*entries: Entry, at: datetime = NOW) -> Standing:
    return fold(ROSA, 1, entries, at, blind=lambda channel, value: f"{channel}:{value}".encode())


def test_a_restriction_stands_until_it_is_ended_or_over() -> None:
    held = entry(K.RESTRICTION, details={"purposes": ["fundraising_own"], "channels": ["email"]})
    found = standing(held).restrictions
    assert found[0].purposes == {Purpose.FUNDRAISING_OWN}
    assert found[0].channels == {Channel.EMAIL}
    ended = entry(K.RESTRICTION_ENDED, NOW, ends=held.id)
    assert standing(held, ended).restrictions == ()
    assert standing(held, ended, at=NOW - DAY).valid_until == NOW
    limited = entry(K.RESTRICTION, valid_until=NOW)
    assert standing(limited).restrictions == ()


def test_the_end_of_a_restriction_does_not_reach_one_that_begins_just_then() -> None:
    held, ended = entry(K.RESTRICTION, NOW), entry(K.RESTRICTION_ENDED, NOW)
    assert [part.evidence_id for part in standing(held, ended).restrictions] == [held.id]


def test_the_latest_confidential_address_replaces_the_one_before_for_good() -> None:
    first = entry(
        K.CONFIDENTIAL_ADDRESS, NOW - 3 * DAY, channel=Channel.EMAIL, details={"value": "a@b.example"}
    )
    second = entry(
        K.CONFIDENTIAL_ADDRESS, NOW - 2 * DAY, channel=Channel.EMAIL, details={"value": "c@d.example"}
    )
    found = standing(first, second).confidential_address
    assert found is not None
    assert found.value == Phi("c@d.example")
    ended = entry(K.CONFIDENTIAL_ADDRESS_ENDED, NOW - DAY, ends=second.id)
    assert standing(first, second, ended).confidential_address is None


def test_of_two_confidential_addresses_of_one_instant_paper_only_wins() -> None:
    def address() -> Entry:
        return entry(K.CONFIDENTIAL_ADDRESS, NOW, channel=Channel.EMAIL, details={"value": "a@b.example"})

    first, paper, last = address(), entry(K.CONFIDENTIAL_ADDRESS, NOW), address()
    for order in ([first, paper], [paper, last], [last, paper, first]):
        found = standing(*order).confidential_address
        assert found is not None
        assert found.channel is None


def test_entries_with_the_same_key_are_one_and_the_first_counts() -> None:
    first, second = suppression(Channel.EMAIL, key="bounce-1"), suppression(Channel.SMS, key="bounce-1")
    for order in ([first, second], [second, first]):
        assert [part.evidence_id for part in standing(*order).suppressions] == [first.id]


def suppression(channel: Channel = Channel.EMAIL, key: str = "", **details: Any) -> Entry:
    known = {"reason": "hard_bounce", **details}
    return entry(K.SUPPRESSION, NOW - 5 * DAY, channel=channel, key=key, details=known)


def test_a_suppression_covers_one_address_or_the_channel() -> None:
    one, whole = suppression(address="a@b.example"), suppression()
    found = standing(one, whole).suppressions
    assert {part.address_blind for part in found} == {b"email:a@b.example", None}
    given = suppression(address_blind="ab" * 16)
    assert standing(given).suppressions[0].address_blind == bytes.fromhex("ab" * 16)


def test_a_suppression_whose_address_cannot_be_blinded_covers_the_whole_channel() -> None:
    assert fold(ROSA, 1, [suppression(address="a@b.example")], NOW).suppressions[0].address_blind is None


def test_lifting_a_suppression_reaches_only_the_same_address_and_channel() -> None:
    one, other, text = (
        suppression(address="a@b.example"),
        suppression(address="c@d.example"),
        suppression(Channel.SMS),
    )
    lifted = entry(K.SUPPRESSION_LIFTED, NOW - DAY, channel=Channel.EMAIL, details={"address": "a@b.example"})
    left = standing(one, other, text, lifted).suppressions
    assert {part.evidence_id for part in left} == {other.id, text.id}
    by_name = entry(K.SUPPRESSION_LIFTED, NOW - DAY, channel=Channel.EMAIL, ends=other.id)
    left = standing(one, other, text, by_name).suppressions
    assert {part.evidence_id for part in left} == {one.id, text.id}


def test_fundraising_follows_the_latest_word_and_the_opt_out_at_a_tie() -> None:
    out, back = entry(K.FUNDRAISING_OPT_OUT, NOW - 2 * DAY), entry(K.FUNDRAISING_OPT_IN, NOW - DAY)
    assert standing(out).fundraising_opt_out == out.id
    assert standing(out, back).fundraising_opt_out is None
    again = entry(K.FUNDRAISING_OPT_OUT, NOW - DAY)
    assert standing(out, back, again).fundraising_opt_out == again.id


def test_a_death_stands_until_it_is_withdrawn() -> None:
    died = entry(K.DECEASED)
    assert standing(died).deceased == died.id
    assert standing(died, entry(K.DECEASED_WITHDRAWN, NOW - DAY)).deceased is None


def test_a_representative_acts_until_the_end() -> None:
    mother = entry(
        K.REPRESENTATIVE,
        channel=Channel.EMAIL,
        valid_until=NOW + DAY,
        details={"value": "mother@home.example"},
    )
    found = standing(mother)
    assert found.representative is not None
    assert found.representative.value == Phi("mother@home.example")
    assert found.valid_until == NOW + DAY
    assert standing(mother, at=NOW + DAY).representative is None


WARNED = {
    "address": "rosa@lakepost.example",
    "purposes": ["appointment_confirm_remind_reschedule", "newsletter"],
    "warning_text_version": "2026-1",
    "warned_at": "2026-01-10T10:00:00+00:00",
    "accepted_at": "2026-01-10T10:01:00+00:00",
    "method": "portal",
}


def preference(**changes: Any) -> Entry:
    return entry(
        K.UNENCRYPTED_PREFERENCE, channel=Channel.EMAIL, valid_until=NOW + DAY, details=WARNED | changes
    )


def test_an_unencrypted_preference_never_reaches_marketing() -> None:
    found = standing(preference()).unencrypted
    assert found[0].purposes == {Purpose.APPOINTMENT}
    assert found[0].address == Phi("rosa@lakepost.example")
    assert standing(preference(purposes=["newsletter"])).unencrypted == ()


def test_who_was_not_warned_first_has_no_preference() -> None:
    assert standing(preference(accepted_at="2026-01-10T09:00:00+00:00")).unencrypted == ()
    assert standing(preference(warned_at="")).unencrypted == ()
    assert standing(preference(warning_text_version="")).unencrypted == ()


def test_a_preference_is_revoked_and_ends() -> None:
    held = preference()
    assert standing(held, at=NOW + DAY).unencrypted == ()
    assert standing(held, entry(K.UNENCRYPTED_PREFERENCE_REVOKED, NOW)).unencrypted == ()


def test_an_agreement_to_electronic_notice_can_be_withdrawn() -> None:
    agreed = entry(K.E_NOTICE)
    assert standing(agreed).e_notice == agreed.id
    assert standing(agreed, entry(K.E_NOTICE_WITHDRAWN, NOW - DAY)).e_notice is None


def test_an_end_that_names_an_entry_ends_it_even_when_a_clock_ran_ahead() -> None:
    held = entry(K.SUPPRESSION, NOW, channel=Channel.EMAIL, details={"reason": "complaint"})
    lifted = entry(K.SUPPRESSION_LIFTED, NOW - DAY, channel=Channel.EMAIL, ends=held.id)
    assert standing(held, lifted).suppressions == ()
    assert standing(held, lifted).valid_until == FAR
