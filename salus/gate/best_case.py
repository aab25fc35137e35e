"""Whether a message could go to anybody at all: invented people who have signed everything and refused nothing.

A journey or a plan that the gate would refuse for everyone is found before anybody is in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import product
from uuid import UUID

from salus.contacts import api as contacts
from salus.contacts.contracts import Address
from salus.gate.contracts import Decision, MessageFacts, PersonFacts, Treatment
from salus.kernel.errors import BadInput
from salus.kernel.phi import Phi
from salus.kernel.time import FAR
from salus.kernel.vocabulary import AddressSource, Channel, PhiClass, Relation, Special
from salus.permissions.contracts import (
    Authorization,
    Part2Consent,
    Standing,
    TopicChoice,
    UnencryptedPreference,
)

NOBODY = UUID(int=0)
STATE = "OH"
"""Where they live: a state without rules of its own in the table."""
_ZONE = "America/New_York"
ANY_DRUG = "860975"
"""What they take where a message names nothing: metformin, by its RxNorm code."""
_VALUES = {Channel.SMS: "+12025550100"}
_YEAR = timedelta(days=365)


def moment(at: datetime) -> datetime:
    """Return noon of the day of `at` where they live, for text messages have hours."""
    return at.replace(hour=17, minute=0, second=0, microsecond=0)


def people(facts: MessageFacts, at: datetime) -> Iterator[PersonFacts]:
    """Yield people of every relation, by every source of an address, in treatment for it and not."""
    for relation, source, treated in product(Relation, AddressSource, (True, False)):
        yield _person(facts, at, relation, source, treated=treated)


def lacks(decision: Decision) -> int:
    """Return how much is missing for a decision to be another one: the fewer, the nearer."""
    return sum(not one.satisfied for one in decision.results)


def _person(
    facts: MessageFacts, at: datetime, relation: Relation, source: AddressSource, *, treated: bool
) -> PersonFacts:
    care = tuple(Treatment(code, at.date()) for code in map(_example, facts.conditions) if treated)
    channel = Channel.SMS if facts.channel is Channel.SMS else Channel.EMAIL
    value = Phi(_VALUES.get(channel, "somebody@example.org"))
    return PersonFacts(
        contact_id=NOBODY,
        version=1,
        address=Address(channel, value, source, "", None),
        address_blind=None,
        address_source=source,
        relation=relation,
        birth_date=date(at.year - 45, 1, 1),
        states=frozenset({STATE}),
        treatments=care,
        specials=frozenset(one.special for one in facts.reads if one.special),
        standing=_standing(facts, at),
        prescriptions=care or ((Treatment(ANY_DRUG, at.date()),) if treated else ()),
        time_zone=_ZONE,
    )


def _standing(facts: MessageFacts, at: datetime) -> Standing:
    since, until = at - _YEAR, at + _YEAR
    return Standing(
        NOBODY,
        1,
        at,
        FAR,
        opt_ins=tuple(
            TopicChoice(NOBODY, facts.topic, channel, since, confirmed=True) for channel in Channel
        ),
        authorizations=tuple(
            Authorization(
                NOBODY,
                frozenset({facts.purpose}),
                frozenset(PhiClass),
                specials,
                remuneration_stated=True,
                sale_stated=True,
                valid_from=since,
                valid_until=until,
                parties=(facts.payer,) if facts.payer else (),
                form_state=STATE,
            )
            for specials in (
                frozenset(Special) - {Special.PSYCHOTHERAPY_NOTES},
                frozenset({Special.PSYCHOTHERAPY_NOTES}),
            )
        ),
        unencrypted=tuple(
            UnencryptedPreference(NOBODY, channel, frozenset({facts.purpose}), until) for channel in Channel
        ),
        part2_consents=(Part2Consent(NOBODY, until, tpo=True, marketing=True, fundraising=True),),
        e_notice=NOBODY,
    )


def _example(code: str) -> str:
    """Return a code that a record may have and that `code`, which may be a value set, covers."""
    try:
        wanted = contacts.patterns(code)
    except KeyError:
        raise BadInput("names a value set that does not exist", place=code) from None
    return next(iter(wanted.prefixes), "") or min(wanted.exact)
