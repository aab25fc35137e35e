"""What holds for the standing of a person of whom two records were merged, whatever was in either ledger."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from hypothesis import HealthCheck, given, settings

from salus.contacts.contracts import Joined
from salus.kernel.ids import new_id
from salus.kernel.phi import Phi
from salus.kernel.time import FAR
from salus.kernel.vocabulary import Channel
from salus.permissions import summary
from salus.permissions.contracts import Entry, EntryKind, Standing
from salus.permissions.joined import person_spans
from salus.permissions.rules import fold, standing_of

from .cast import DAY, GOOD_FORM, NOW, ROSA, choice, entry
from .test_properties import blind, ledgers, moments

K = EntryKind
OTHER = new_id()
MERGED = NOW - timedelta(days=1)
OURS, THEIRS = ("email", "ours@lakepost.test"), ("email", "theirs@lakepost.test")
JOIN = Joined(new_id(), ROSA, OTHER, MERGED, None, frozenset({OURS}), frozenset({THEIRS}))
TOPICS, CHANNELS = ("newsletter", "events"), (Channel.EMAIL, Channel.SMS)


def before(entries: list[Entry], contact_id: UUID) -> list[Entry]:
    return [replace(each, contact_id=contact_id, recorded_at=MERGED - DAY) for each in entries]


def person(entries: list[Entry], moment: object = NOW) -> Standing:
    return standing_of(ROSA, 1, person_spans(ROSA, entries, [JOIN], blind), moment)  # type: ignore[arg-type]


def permitted(standing: Standing) -> set[object]:
    parts = (standing.opt_ins, standing.authorizations, standing.unencrypted, standing.part2_consents)
    return {each.evidence_id for part in parts for each in part} | {standing.e_notice} - {None}


def forbidden(standing: Standing) -> set[object]:
    return {
        each.evidence_id
        for part in (standing.restrictions, standing.suppressions, standing.opt_outs)
        for each in part
    }


@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow])
@given(ledgers(), ledgers(), moments)
def test_the_stricter_of_both_records_holds(ours: list[Entry], theirs: list[Entry], moment: object) -> None:
    ours, theirs = before(ours, ROSA), before(theirs, OTHER)
    one, other = (fold(ROSA, 1, each, moment, blind) for each in (ours, theirs))  # type: ignore[arg-type]
    both = person(ours + theirs, moment)

    assert forbidden(both) == forbidden(one) | forbidden(other)
    for single in ("deceased", "fundraising_opt_out", "representative"):
        either = getattr(one, single) or getattr(other, single)
        assert bool(getattr(both, single)) == bool(either)
    addresses = [each.confidential_address for each in (one, other) if each.confidential_address]
    if addresses:
        assert both.confidential_address is not None
        alike = len({(each.channel, each.value) for each in addresses}) == 1
        if not alike:
            assert both.confidential_address.channel is None
    assert permitted(both) <= permitted(one) | permitted(other)
    for topic in TOPICS:
        for channel in CHANNELS:
            if one.opted_out(topic, channel) or other.opted_out(topic, channel):
                assert both.opted_out(topic, channel)
                assert not both.opted_in(topic, channel)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(ledgers(), ledgers())
def test_a_merge_widens_nothing_to_another_address(ours: list[Entry], theirs: list[Entry]) -> None:
    ours, theirs = before(ours, ROSA), before(theirs, OTHER)
    both = person(ours + theirs)

    def at(address: str) -> set[object]:
        return permitted(both.at_address(Channel.EMAIL, Phi(address)))

    assert at("nobody@lakepost.test") == set()
    assert permitted(both.at_address(Channel.SMS, Phi("+15185550100"))) == set()
    assert at(OURS[1]) <= {each.id for each in ours}
    assert at(THEIRS[1]) <= {each.id for each in theirs}
    assert both.at_address(Channel.PORTAL, None) == both


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(ledgers(), ledgers(), moments)
def test_the_summary_reads_as_the_ledgers_fold(
    ours: list[Entry], theirs: list[Entry], moment: object
) -> None:
    entries = before(ours, ROSA) + before(theirs, OTHER)
    raw = summary.pack(entries, ROSA, [JOIN])
    read = summary.read(raw, ROSA, 1, moment, summary.text_of(moment), blind)  # type: ignore[arg-type]
    assert read is not None
    assert replace(read, valid_until=FAR) == replace(person(entries, moment), valid_until=FAR)


def test_what_is_said_after_the_merge_counts_for_both_and_at_any_address() -> None:
    out = replace(choice(K.OPT_OUT, NOW - 30 * DAY), contact_id=OTHER, recorded_at=NOW - 30 * DAY)
    first = replace(choice(K.OPT_IN, NOW - 20 * DAY), recorded_at=NOW - 20 * DAY)
    assert person([out, first]).opted_in("newsletter", Channel.EMAIL) is None

    anew = replace(choice(K.OPT_IN, NOW), recorded_at=NOW)
    stands = person([out, first, anew]).at_address(Channel.EMAIL, Phi("new@lakepost.test"))
    found = stands.opted_in("newsletter", Channel.EMAIL)
    assert found is not None
    assert found.evidence_id == anew.id
    assert stands.opted_out("newsletter", Channel.EMAIL) is None


def test_a_revocation_that_names_nothing_ends_what_the_other_record_permitted() -> None:
    signed = replace(entry(K.AUTHORIZATION, NOW - 5 * DAY, details=GOOD_FORM), recorded_at=NOW - 5 * DAY)
    revoked = replace(entry(K.AUTHORIZATION_REVOKED, NOW - 9 * DAY), contact_id=OTHER)
    assert person([signed]).authorizations
    assert person([signed, revoked]).authorizations == ()
