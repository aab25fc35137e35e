"""Opt-in and opt-out by topic and channel."""

from __future__ import annotations

from datetime import datetime

from salus.kernel.time import FAR
from salus.kernel.vocabulary import Channel
from salus.permissions.contracts import EVERY_TOPIC, Entry, EntryKind, Standing
from salus.permissions.rules import fold

from .cast import DAY, NOW, ROSA, choice

IN, CONFIRMED, OUT = EntryKind.OPT_IN, EntryKind.OPT_IN_CONFIRMED, EntryKind.OPT_OUT
EMAIL, SMS = Channel.EMAIL, Channel.SMS


def standing(*entries: Entry, at: datetime = NOW) -> Standing:
    return fold(ROSA, 1, entries, at)


def test_a_contact_without_entries_permits_and_forbids_nothing() -> None:
    found = standing()
    assert found.opted_in("newsletter", EMAIL) is None
    assert found.opted_out("newsletter", EMAIL) is None
    assert found.valid_until == FAR


def test_an_opt_in_stands_for_its_topic_and_channel_only() -> None:
    found = standing(choice(IN, NOW - DAY))
    assert found.opted_in("newsletter", EMAIL) is not None
    assert found.opted_in("newsletter", SMS) is None
    assert found.opted_in("events", EMAIL) is None


def test_the_latest_word_wins_and_names_its_evidence() -> None:
    first, out, again = choice(IN, NOW - 3 * DAY), choice(OUT, NOW - 2 * DAY), choice(IN, NOW - DAY)
    after_out = standing(first, out)
    assert after_out.opted_in("newsletter", EMAIL) is None
    barred = after_out.opted_out("newsletter", EMAIL)
    assert barred is not None
    assert barred.evidence_id == out.id
    back = standing(first, out, again).opted_in("newsletter", EMAIL)
    assert back is not None
    assert back.evidence_id == again.id
    assert standing(first, out, again).opted_out("newsletter", EMAIL) is None


def test_at_the_same_instant_the_opt_out_beats_the_opt_in() -> None:
    for pair in ([choice(IN, NOW), choice(OUT, NOW)], [choice(OUT, NOW), choice(IN, NOW)]):
        found = standing(*pair)
        assert found.opted_in("newsletter", EMAIL) is None
        assert found.opted_out("newsletter", EMAIL) is not None


def test_an_opt_out_of_every_topic_bars_all_until_one_is_wanted_again() -> None:
    before, general = choice(IN, NOW - 3 * DAY), choice(OUT, NOW - 2 * DAY, EVERY_TOPIC)
    found = standing(before, general)
    assert found.opted_in("newsletter", EMAIL) is None
    assert found.opted_out("never heard of", EMAIL) is not None
    again = choice(IN, NOW - DAY)
    found = standing(before, general, again)
    assert found.opted_out("newsletter", EMAIL) is None
    assert found.opted_in("newsletter", EMAIL) is not None
    assert found.opted_out("events", EMAIL) is not None


def test_an_opt_out_without_a_channel_covers_all_channels() -> None:
    found = standing(choice(OUT, NOW - DAY, channel=None))
    assert all(found.opted_out("newsletter", channel) for channel in Channel)


def test_double_opt_in_confirms_the_opt_in_that_stands() -> None:
    asked, clicked = choice(IN, NOW - 2 * DAY), choice(CONFIRMED, NOW - DAY)
    pending = standing(asked).opted_in("newsletter", EMAIL)
    assert pending is not None
    assert not pending.confirmed
    confirmed = standing(asked, clicked).opted_in("newsletter", EMAIL)
    assert confirmed is not None
    assert confirmed.confirmed
    assert confirmed.evidence_id == clicked.id


def test_an_old_confirmation_link_does_not_undo_an_opt_out() -> None:
    asked, out, clicked = choice(IN, NOW - 3 * DAY), choice(OUT, NOW - 2 * DAY), choice(CONFIRMED, NOW - DAY)
    assert standing(asked, out, clicked).opted_in("newsletter", EMAIL) is None
    general = choice(OUT, NOW - 2 * DAY, EVERY_TOPIC)
    assert standing(asked, general, clicked).opted_in("newsletter", EMAIL) is None


def test_an_imported_confirmation_stands_on_its_own() -> None:
    found = standing(choice(CONFIRMED, NOW - DAY)).opted_in("newsletter", EMAIL)
    assert found is not None
    assert found.confirmed


def test_an_opt_in_that_ends_is_over_at_its_end_and_cannot_be_confirmed_later() -> None:
    asked = choice(IN, NOW - 2 * DAY, valid_until=NOW)
    assert standing(asked, at=NOW - DAY).valid_until == NOW
    assert standing(asked).opted_in("newsletter", EMAIL) is None
    late = choice(CONFIRMED, NOW + DAY)
    assert standing(asked, late, at=NOW + 2 * DAY).opted_in("newsletter", EMAIL) is None


def test_confirming_an_opt_in_does_not_make_it_last_longer() -> None:
    asked, clicked = choice(IN, NOW - 2 * DAY, valid_until=NOW + DAY), choice(CONFIRMED, NOW - DAY)
    assert standing(asked, clicked).valid_until == NOW + DAY
    assert standing(asked, clicked, at=NOW + DAY).opted_in("newsletter", EMAIL) is None


def test_a_confirmation_that_comes_too_late_is_no_moment_of_change() -> None:
    asked, late = choice(IN, NOW - 2 * DAY, valid_until=NOW - DAY), choice(CONFIRMED, NOW + DAY)
    assert standing(asked, late).valid_until == FAR


def test_what_begins_later_is_not_yet_true_and_bounds_the_standing() -> None:
    later = choice(OUT, NOW + DAY)
    found = standing(choice(IN, NOW - DAY), later)
    assert found.opted_in("newsletter", EMAIL) is not None
    assert found.valid_until == NOW + DAY
