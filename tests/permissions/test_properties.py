"""What holds for every ledger, whatever is in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from salus.kernel.time import FAR
from salus.kernel.vocabulary import Channel
from salus.permissions import summary
from salus.permissions.contracts import EVERY_TOPIC, Entry, EntryKind, Standing
from salus.permissions.details import SHAPES
from salus.permissions.rules import fold

from .cast import DAY, GOOD_CONSENT, GOOD_FORM, NOW, ROSA, entry
from .test_standing import WARNED

K = EntryKind
CHANNELS = (Channel.EMAIL, Channel.SMS)
moments = st.integers(-6, 6).map(lambda days: NOW + days * DAY)
DETAILS: dict[EntryKind, st.SearchStrategy[dict[str, Any]]] = {
    K.AUTHORIZATION: st.sampled_from([GOOD_FORM, GOOD_FORM | {"recipient": ""}]),
    K.PART2_CONSENT: st.sampled_from([GOOD_CONSENT, GOOD_CONSENT | {"names_patient": False}]),
    K.UNENCRYPTED_PREFERENCE: st.just(WARNED),
    K.SUPPRESSION: st.sampled_from([{"reason": "complaint"}, {"reason": "manual", "address": "a@b.example"}]),
    K.SUPPRESSION_LIFTED: st.sampled_from([{}, {"address": "a@b.example"}]),
    K.REPRESENTATIVE: st.just({"value": "mother@home.example"}),
    K.RESTRICTION: st.sampled_from([{}, {"channels": ["email"]}]),
}


@st.composite
def one_entry(draw: st.DrawFn, kinds: tuple[EntryKind, ...] = tuple(EntryKind)) -> Entry:
    kind = draw(st.sampled_from(kinds))
    shape, at = SHAPES[kind], draw(moments)
    channels = {
        "none": st.none(),
        "required": st.sampled_from(CHANNELS),
        "optional": st.sampled_from((*CHANNELS, None)),
    }
    lasts = draw(st.none() if shape.expires == "never" else st.none() | st.integers(1, 6))
    topics = ["newsletter", "events"] + ([EVERY_TOPIC] if kind is K.OPT_OUT else [])
    return entry(
        kind,
        at,
        topic=draw(st.sampled_from(topics)) if shape.topic else "",
        channel=draw(channels[shape.channel]),
        valid_until=at + lasts * DAY if lasts else None,
        key=draw(st.sampled_from(["", "", "", "one", "two"])),
        details=draw(DETAILS.get(kind, st.just({}))),
    )


@st.composite
def ledgers(draw: st.DrawFn) -> list[Entry]:
    """Draw up to eight entries, some of which end another by name."""
    entries = draw(st.lists(one_entry(), max_size=8))
    for place, ender in enumerate(entries):
        targets = [held.id for held in entries if held.kind is SHAPES[ender.kind].ends]
        names: bool = draw(st.booleans())
        if targets and names:
            entries[place] = replace(ender, ends=draw(st.sampled_from(targets)))
    return entries


def blind(channel: Channel, value: str) -> bytes:
    return f"{channel}:{value}".encode()


def at(entries: list[Entry], moment: datetime) -> Standing:
    return fold(ROSA, 1, entries, moment, blind)


def body(standing: Standing) -> Standing:
    """Return the standing without the moments that say when it was asked."""
    return replace(standing, at=NOW, valid_until=FAR)


@given(ledgers(), moments, st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_order_and_repetition_make_no_difference(entries: list[Entry], moment: datetime, random: Any) -> None:
    mixed = entries + [entry for entry in entries if random.random() < 0.4]
    random.shuffle(mixed)
    assert at(mixed, moment) == at(entries, moment)


@given(ledgers(), moments)
@settings(max_examples=200, deadline=None)
def test_valid_until_is_the_first_moment_at_which_anything_changes(
    entries: list[Entry], moment: datetime
) -> None:
    now = at(entries, moment)
    hours = (moment + step * DAY / 4 for step in range(1, 4 * 30))
    changed = next((later for later in hours if body(at(entries, later)) != body(now)), FAR)
    assert now.valid_until == changed
    if now.valid_until != FAR:
        assert body(at(entries, now.valid_until)) != body(now)


RESTRICTING = (
    K.OPT_OUT,
    K.AUTHORIZATION_REVOKED,
    K.RESTRICTION,
    K.UNENCRYPTED_PREFERENCE_REVOKED,
    K.FUNDRAISING_OPT_OUT,
    K.SUPPRESSION,
    K.DECEASED,
    K.PART2_CONSENT_REVOKED,
    K.E_NOTICE_WITHDRAWN,
)


def opens(standing: Standing) -> set[Any]:
    """Return all that the standing permits."""
    agreed = {"e-notice"} if standing.e_notice else set()
    choices = {
        (topic, channel)
        for topic in ("newsletter", "events")
        for channel in CHANNELS
        if standing.opted_in(topic, channel) and not standing.opted_out(topic, channel)
    }
    held: list[Any] = [*standing.authorizations, *standing.unencrypted, *standing.part2_consents]
    return agreed | choices | {part.evidence_id for part in held}


def bars(standing: Standing) -> set[Any]:
    """Return all that the standing forbids."""
    flags = {name for name in ("deceased", "fundraising_opt_out") if getattr(standing, name)}
    outs = {
        (topic, channel)
        for topic in ("newsletter", "events", "any other")
        for channel in CHANNELS
        if standing.opted_out(topic, channel)
    }
    held: list[Any] = [*standing.restrictions, *standing.suppressions]
    return flags | outs | {part.evidence_id for part in held}


@given(ledgers(), one_entry(RESTRICTING), moments)
@settings(max_examples=200, deadline=None)
def test_adding_a_restriction_never_widens(entries: list[Entry], more: Entry, moment: datetime) -> None:
    without, with_it = at(entries, moment), at([*entries, replace(more, key="")], moment)
    assert opens(with_it) <= opens(without)
    assert bars(with_it) >= bars(without)


@given(ledgers(), moments)
@settings(max_examples=100, deadline=None)
def test_what_is_opted_out_is_never_opted_in(entries: list[Entry], moment: datetime) -> None:
    standing = at(entries, moment)
    for choice in standing.opt_ins:
        assert standing.opted_out(choice.topic, choice.channel) is None


@given(ledgers(), moments)
@settings(max_examples=150, deadline=None)
def test_the_stored_summary_reads_as_the_fold(entries: list[Entry], moment: datetime) -> None:
    found = summary.read(summary.pack(entries), ROSA, 1, moment, summary.text_of(moment), blind)
    assert found == at(entries, moment)
    assert summary.pack(entries) == summary.pack(entries[::-1])
