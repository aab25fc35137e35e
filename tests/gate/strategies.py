"""Generated messages and people: wild, but close enough to the rules' borders to cross them often."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any, TypeVar
from uuid import UUID

from hypothesis import strategies as st

from salus.contacts.contracts import Read
from salus.gate.contracts import MessageFacts, PersonFacts, Treatment
from salus.gate.rules.state_rows import COLLECT, SELL, SHARE
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import (
    AddressSource,
    Channel,
    PhiClass,
    Profile,
    Promotes,
    Purpose,
    Relation,
    Remuneration,
    SenderRole,
    Special,
)
from salus.permissions.contracts import (
    Authorization,
    ConfidentialAddress,
    Part2Consent,
    Representative,
    Restriction,
    Standing,
    Suppression,
    TopicChoice,
    UnencryptedPreference,
)

from .world import AT, CARA, CLASS_OF, LONG, MAIL, TOPIC, message, person

T = TypeVar("T")
evidence = st.integers(1, 10**6).map(lambda n: UUID(int=n))
channels = st.sampled_from([Channel.EMAIL, Channel.EMAIL, Channel.PORTAL, Channel.SMS])
codes = st.sampled_from(["E11", "E11.9", "I10", "F10", "F32", "B20", "O09", "Z15"])
topics = st.sampled_from([TOPIC, TOPIC, "*", "other", COLLECT, SHARE, SELL])
addresses = st.sampled_from([MAIL, MAIL, "other@example.org"])
moments = st.sampled_from([AT - timedelta(days=400), AT - timedelta(days=3), AT, AT + timedelta(hours=1), AT + timedelta(days=40), LONG])  # fmt: skip


def few(values: st.SearchStrategy[T], most: int = 2) -> st.SearchStrategy[tuple[T, ...]]:
    return st.lists(values, max_size=most).map(tuple)


@st.composite
def reads(draw: st.DrawFn) -> Read:
    field = draw(st.sampled_from(sorted(CLASS_OF)))
    code = draw(st.none() | codes) if field == "conditions" else None
    special = draw(st.sampled_from([None] * 8 + list(Special)))
    return Read(field, CLASS_OF[field], special, draw(st.sampled_from(["segment", "merge"])), "$", code)


MESSAGE_CHANGES = {
    "promotes": st.sampled_from([Promotes.OWN_HEALTH, *Promotes]),
    "remuneration": st.sampled_from(Remuneration),
    "payer": st.sampled_from(["", "Acme", "acme "]),
    "payer_is_promoted_party": st.booleans(),
    "topic": st.sampled_from([TOPIC, ""]),
    "channel": channels,
    "sender_role": st.sampled_from([SenderRole.PLAN, SenderRole.SUPPLIER, *SenderRole]),
    "reads": few(reads(), 3),
    "conditions": few(codes),
    "individual": st.just(True),
    "clinician_sign_off": evidence,
    "safety_flag": evidence,
    "waiver_id": evidence,
    "compliance_approval": evidence,
    "double_opt_in_required": st.just(False),
}


def _now_and_then(*changes: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Mostly nothing; seldom one of `changes`, which would hide all else if it came often."""
    return st.integers(0, 19).map(lambda n: changes[n - 15] if 15 <= n < 15 + len(changes) else {})


def changed(draw: st.DrawFn, some: dict[str, st.SearchStrategy[Any]], most: int) -> dict[str, Any]:
    """A value for each of a few fields drawn from `some`: most facts stay as they are."""
    names = draw(st.lists(st.sampled_from(sorted(some)), max_size=most, unique=True))
    return {name: draw(some[name]) for name in names}


@st.composite
def messages(draw: st.DrawFn, profile: Profile | None = None) -> MessageFacts:
    """A clinic's message of any purpose, with a few facts changed."""
    changes = changed(draw, MESSAGE_CHANGES, 5)
    if draw(st.booleans()):
        changes.setdefault("payer", "Acme")
    changes |= draw(_now_and_then({"classification_confirmed": False}, {"service_in_scope": False}))
    profile = profile or draw(st.sampled_from(Profile))
    return message(draw(st.sampled_from(Purpose)), profile=profile, **changes)


authorizations = st.builds(
    Authorization,
    evidence,
    st.sampled_from([frozenset(Purpose), frozenset(Purpose), frozenset({Purpose.OWN_SERVICE})]),
    st.sampled_from([frozenset(PhiClass), frozenset(PhiClass), frozenset({PhiClass.DIAGNOSIS})]),
    st.sampled_from([frozenset(), frozenset(Special), frozenset({Special.HIV})]),
    st.booleans(),
    st.booleans(),
    st.sampled_from([AT - timedelta(days=500), AT - timedelta(days=20), AT + timedelta(days=2)]),
    moments,
    st.sampled_from([(), ("Acme",), ("Other",)]),
    st.sampled_from(["", "CA"]),
    st.sampled_from([(), (), (), ("164.508(c)(1)(vi) no signature",)]),
)
choices = st.builds(TopicChoice, evidence, topics, channels, st.just(AT - timedelta(days=4)), st.booleans())
purposes_of = st.sampled_from([frozenset(), frozenset(Purpose), frozenset({Purpose.APPOINTMENT})])
restrictions = st.builds(Restriction, evidence, purposes_of, st.frozensets(channels, max_size=2))
suppressions = st.builds(
    Suppression, evidence, channels, st.just("hard_bounce"), st.sampled_from([None, b"cara", b"else"])
)
confidential = st.builds(ConfidentialAddress, evidence, st.none() | channels, st.none() | addresses.map(Phi))


GENEROUS = {
    "opt_ins": tuple(
        TopicChoice(UUID(int=7), topic, channel, AT - timedelta(days=9), True)
        for topic in (TOPIC, COLLECT, SHARE, SELL)
        for channel in Channel
    ),
    "authorizations": (
        Authorization(
            UUID(int=8), frozenset(Purpose), frozenset(PhiClass), frozenset(Special), True, True,
            AT - timedelta(days=30), AT + timedelta(days=200), ("Acme",), "CA",
        ),
    ),
    "part2_consents": (Part2Consent(UUID(int=9), AT + timedelta(days=100), True, True, True),),
    "unencrypted": (
        UnencryptedPreference(UUID(int=10), Channel.SMS, frozenset(Purpose), AT + timedelta(days=90)),
    ),
    "representative": Representative(UUID(int=11), Channel.EMAIL, Phi(MAIL)),
    "e_notice": UUID(int=12),
}  # fmt: skip
"""Somebody who has signed and confirmed everything."""

STANDING_CHANGES = {
    "valid_until": st.sampled_from([AT, AT + timedelta(days=1)]),
    "opt_ins": few(choices, 3),
    "authorizations": few(authorizations),
    "part2_consents": few(
        st.builds(Part2Consent, evidence, moments, st.booleans(), st.booleans(), st.booleans())
    ),
    "unencrypted": few(
        st.builds(
            UnencryptedPreference, evidence, channels, purposes_of, moments, st.none() | addresses.map(Phi)
        ),
        1,
    ),
    "representative": st.none() | st.builds(Representative, evidence, channels, addresses.map(Phi)),
    "e_notice": st.none(),
    "opt_outs": few(choices),
    "restrictions": few(restrictions),
    "confidential_address": confidential,
    "fundraising_opt_out": evidence,
    "suppressions": few(suppressions, 1),
}


@st.composite
def standings(draw: st.DrawFn) -> Standing:
    """Somebody who permits everything, or nothing, with a few entries changed."""
    base: dict[str, Any] = {"at": AT, "valid_until": LONG} | (GENEROUS if draw(st.integers(0, 3)) else {})
    rare = draw(_now_and_then({"deceased": UUID(int=13)}, {"at": AT + timedelta(hours=1)}))
    return Standing(CARA, 1, **(base | changed(draw, STANDING_CHANGES, 3) | rare))


care_days = st.sampled_from([date(2026, 11, 24), date(2026, 6, 1), date(2025, 11, 24), date(2025, 11, 23), date(2027, 1, 1)])  # fmt: skip
treatments = st.builds(Treatment, codes, care_days)
births = st.sampled_from([
    None, date(1980, 3, 1), date(1980, 3, 1), date(1980, 3, 1), date(2008, 11, 24), date(2008, 11, 25),
    date(2013, 11, 24), date(2013, 11, 25), date(2020, 2, 29),
])  # fmt: skip


_STATES = st.sampled_from(["CA", "TX", "WA", "NY", "FL", "CO", "CT", "NV", "IL", "MD", "OK", "MA", "OH"])
PERSON_CHANGES = {
    "source": st.sampled_from([AddressSource.WEBSITE_SIGNUP, *AddressSource]),
    "relation": st.sampled_from([None, *Relation]),
    "birth_date": births,
    "treatments": few(treatments),
    "prescriptions": few(treatments),
    "specials": st.sampled_from(Special).map(lambda one: frozenset({one})),
    "time_zone": st.sampled_from(["America/Los_Angeles", "Pacific/Honolulu", ""]),
}


@st.composite
def people(draw: st.DrawFn) -> PersonFacts:
    """A patient with a few facts changed; half of them in treatment, half web prospects of some state."""
    kind = draw(st.integers(0, 3))
    base: dict[str, Any] = {}
    if kind == 0:
        base = {"relation": Relation.PROSPECT, "source": AddressSource.WEBSITE_SIGNUP}
    elif kind == 1:
        base = {"treatments": tuple(Treatment(code, date(2026, 6, 1)) for code in ("E11.9", "I10"))}
    base["states"] = draw(st.frozensets(_STATES, min_size=1, max_size=2))
    rare = draw(
        _now_and_then(
            {"recorded_deceased": True}, {"address": None}, {"address_blind": None}, {"states": frozenset()}
        )
    )
    return person(standing=draw(standings()), **(base | changed(draw, PERSON_CHANGES, 3) | rare))


AUTHORIZATION_FLAWS: dict[str, st.SearchStrategy[Any]] = {
    "purposes": st.just(frozenset({Purpose.SURVEY})),
    "classes": st.sampled_from([frozenset(), frozenset({PhiClass.DIAGNOSIS})]),
    "specials": st.sampled_from([frozenset(), frozenset({Special.HIV}), frozenset(Special)]),
    "remuneration_stated": st.booleans(),
    "sale_stated": st.booleans(),
    "valid_from": moments,
    "valid_until": moments,
    "parties": st.sampled_from([(), ("ACME ",), ("Other",)]),
    "form_state": st.sampled_from(["", "CA"]),
    "defects": st.just(("164.508(c)(1)(vi) no signature",)),
}


@st.composite
def near(draw: st.DrawFn, facts: MessageFacts, who: PersonFacts) -> tuple[MessageFacts, PersonFacts]:
    """A case a step or two away from a given one: what it takes to fall off the edge of a rule."""
    has = replace(who.standing, **changed(draw, STANDING_CHANGES, 1))
    spoils: bool = draw(st.booleans())
    if has.authorizations and spoils:
        flawed = replace(has.authorizations[0], **changed(draw, AUTHORIZATION_FLAWS, 2))
        has = replace(has, authorizations=(flawed, *has.authorizations[1:]))
    changes = changed(draw, PERSON_CHANGES, 1)
    if "source" in changes:
        changes["address_source"] = changes.pop("source")
    return replace(facts, **changed(draw, MESSAGE_CHANGES, 2)), replace(who, standing=has, **changes)
