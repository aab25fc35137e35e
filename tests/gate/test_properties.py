"""What must hold whatever the facts are: no restriction opens, no evidence lost opens, strict is stricter."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from salus.contacts.contracts import Read
from salus.gate.contracts import MessageFacts, PersonFacts
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import Channel, Profile
from salus.permissions.contracts import ConfidentialAddress

from .strategies import choices, confidential, messages, people, reads, restrictions, suppressions
from .world import AT, decide, only_at

quick = settings(max_examples=150, deadline=None)


def _with(person: PersonFacts, **changes: Any) -> PersonFacts:
    return replace(person, standing=replace(person.standing, **changes))


@st.composite
def closings(draw: st.DrawFn) -> Any:
    """One more thing that a person forbids, as a change of their standing."""
    name = draw(
        st.sampled_from(["opt_outs", "restrictions", "suppressions", "fundraising_opt_out", "deceased"])
    )
    if name in {"fundraising_opt_out", "deceased"}:
        return {name: UUID(int=99)}
    one = draw({"opt_outs": choices, "restrictions": restrictions, "suppressions": suppressions}[name])
    return {name: (one,)}


@quick
@given(messages(), people(), closings())
def test_what_a_person_forbids_never_opens_a_gate(
    facts: MessageFacts, person: PersonFacts, more: Any
) -> None:
    ((name, value),) = more.items()
    if isinstance(value, tuple):
        value = (*getattr(person.standing, name), *value)
    if decide(facts, _with(person, **{name: value})).allowed:
        assert decide(facts, person).allowed


@quick
@given(messages(), people(), confidential)
def test_asking_for_one_address_only_never_opens_a_gate(
    facts: MessageFacts, person: PersonFacts, asked: ConfidentialAddress
) -> None:
    free = _with(person, confidential_address=None)
    if decide(facts, _with(person, confidential_address=asked)).allowed:
        assert decide(facts, free).allowed


EVIDENCE = ["opt_ins", "authorizations", "part2_consents", "unencrypted", "e_notice", "representative"]
SIGN_OFFS = ["clinician_sign_off", "safety_flag", "waiver_id", "compliance_approval"]


@quick
@given(messages(), people(), st.sampled_from(EVIDENCE), st.integers(0, 5))
def test_losing_evidence_never_opens_a_gate(
    facts: MessageFacts, person: PersonFacts, name: str, index: int
) -> None:
    had = getattr(person.standing, name)
    left = (had[:index] + had[index + 1 :]) if isinstance(had, tuple) else None
    if decide(facts, _with(person, **{name: left})).allowed:
        assert decide(facts, person).allowed


@quick
@given(messages(), people(), st.sampled_from([*SIGN_OFFS, "confirmed", "scope", "double"]))
def test_losing_a_sign_off_never_opens_a_gate(facts: MessageFacts, person: PersonFacts, name: str) -> None:
    changes: dict[str, Any] = {
        "confirmed": {"classification_confirmed": False},
        "scope": {"service_in_scope": False},
        "double": {"double_opt_in_required": True},
    }.get(name) or {name: None}
    if decide(replace(facts, **changes), person).allowed:
        assert decide(facts, person).allowed


@settings(max_examples=300, deadline=None)
@given(messages(Profile.STRICT), people())
def test_strict_never_allows_what_the_federal_floor_refuses(facts: MessageFacts, person: PersonFacts) -> None:
    strict, floor = decide(facts, person), decide(replace(facts, profile=Profile.FEDERAL_FLOOR), person)
    assert not strict.allowed or floor.allowed
    assert strict.floor >= floor.floor


@settings(max_examples=300, deadline=None)
@given(messages(), people(), reads())
def test_reading_more_never_lowers_the_protection_and_never_opens(
    facts: MessageFacts, person: PersonFacts, more: Read
) -> None:
    before, after = decide(facts, person), decide(replace(facts, reads=(*facts.reads, more)), person)
    assert after.floor >= before.floor
    assert set(before.disclosed) <= set(after.disclosed)
    assert not after.allowed or before.allowed


@quick
@given(messages(), people(), st.sampled_from(["CA", "TX", "WA", "NY", "IL", "CO", "NV", "MD"]))
def test_the_law_of_one_more_state_never_opens_a_gate(
    facts: MessageFacts, person: PersonFacts, state: str
) -> None:
    if person.states and decide(facts, replace(person, states=person.states | {state})).allowed:
        assert decide(facts, person).allowed


@quick
@given(messages(), people(), st.sampled_from(["relation", "birth_date", "states", "address"]))
def test_knowing_less_never_opens_a_gate(facts: MessageFacts, person: PersonFacts, name: str) -> None:
    nothing: dict[str, Any] = {name: frozenset() if name == "states" else None}
    unknown = replace(person, **nothing)
    if name == "address" and facts.channel is Channel.PORTAL:
        return
    if decide(facts, unknown).allowed:
        assert decide(facts, person).allowed or name == "birth_date"  # S6 may refuse a minor by name


@settings(max_examples=300, deadline=None)
@given(messages(), people(), st.integers(0, 999))
def test_what_is_allowed_stays_allowed_until_its_clearance_ends(
    facts: MessageFacts, person: PersonFacts, permille: int
) -> None:
    decision = decide(facts, person)
    if not decision.allowed:
        return
    assert decision.valid_until > AT
    later: datetime = AT + (decision.valid_until - AT) * permille / 1000
    assert decide(facts, person, later).allowed
    assert decision.valid_until <= person.standing.valid_until


@quick
@given(messages(), people())
def test_a_message_in_the_portal_needs_no_address_but_every_right(
    facts: MessageFacts, person: PersonFacts
) -> None:
    portal = replace(facts, channel=Channel.PORTAL)
    bare = replace(person, address=None, address_blind=None)
    decision = decide(portal, bare)
    assert decision.reason != "no_address"
    if decision.allowed:
        elsewhere = _with(bare, confidential_address=only_at(None, Channel.EMAIL))
        assert not decide(portal, elsewhere).allowed


@quick
@given(messages(), people())
def test_no_decision_shows_the_address_or_anything_else_of_the_person(
    facts: MessageFacts, person: PersonFacts
) -> None:
    canary = "canary-7f3a@example.org"
    if person.address is not None:
        person = replace(person, address=replace(person.address, value=Phi(canary)))
    person = _with(person, confidential_address=only_at(canary))
    assert canary not in repr(decide(facts, person))
    assert decide(facts, person).valid_until - AT > timedelta(0) or not decide(facts, person).allowed
