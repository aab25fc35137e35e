"""Shows beside a segment what the gate would ask: a few sorts of message put to the gate itself.

Nothing is decided here: each line is the gate's own decision about an invented patient who has signed
nothing and refused nothing, with what is missing and its citations.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from salus.audiences.contracts import Asked
from salus.contacts import api as contacts
from salus.contacts.contracts import Address, Read
from salus.content.contracts import Classification
from salus.gate import api as gate
from salus.gate.contracts import PersonFacts, Treatment
from salus.identity import api as identity
from salus.kernel.phi import Phi
from salus.kernel.time import FAR
from salus.kernel.vocabulary import (
    AddressSource,
    Channel,
    Gate,
    PhiClass,
    Promotes,
    Purpose,
    Relation,
    Remuneration,
)
from salus.permissions.contracts import Standing

NOBODY = UUID(int=0)
STATE = "OH"
"""Where the invented patient lives: a state without rules of its own in the table, so federal law shows."""
_NONE, _OWN, _PARTY = Promotes.NOTHING, Promotes.OWN_HEALTH, Promotes.THIRD_PARTY
MESSAGES: Sequence[tuple[str, Purpose, Promotes, bool]] = (
    ("Appointment reminder", Purpose.APPOINTMENT, _NONE, True),
    ("Education, in treatment for it", Purpose.CONDITION_EDUCATION, _NONE, True),
    ("Education, others", Purpose.CONDITION_EDUCATION, _NONE, False),
    ("Our own service", Purpose.OWN_SERVICE, _OWN, True),
    ("A partner’s product", Purpose.THIRD_PARTY_PRODUCT, _PARTY, True),
)
_WORDS = {
    Gate.OPT_IN: "an opt-in",
    Gate.AUTH: "an authorization",
    Gate.AUTH_REMUN: "an authorization that names the payment",
    Gate.SPECIAL_AUTH: "an authorization for what is specially protected",
    Gate.PART2: "a Part 2 consent",
    Gate.BLOCK: "never by message",
}


def _example(code: str) -> str:
    """Return a record's code that `code`, which may be a value set, covers."""
    wanted = contacts.patterns(code)
    return next(iter(wanted.prefixes), "") or min(wanted.exact)


def preview(reads: tuple[Read, ...]) -> Sequence[Asked]:
    """Return one line for each sort of message to people of whom `reads` is told."""
    coded = any(one.phi_class is PhiClass.DIAGNOSIS and one.code for one in reads)
    return [
        _line(reads, words if coded else words.partition(",")[0], purpose, promotes, treated)
        for words, purpose, promotes, treated in MESSAGES
        if coded or purpose is not Purpose.CONDITION_EDUCATION or treated
    ]


def _line(reads: tuple[Read, ...], words: str, purpose: Purpose, promotes: Promotes, treated: bool) -> Asked:
    now = datetime.now(UTC)
    codes = tuple(
        dict.fromkeys(one.code for one in reads if one.phi_class is PhiClass.DIAGNOSIS and one.code)
    )
    facts = gate.message_facts(
        Classification(
            purpose, promotes, Remuneration.NONE, "preview", conditions=codes, confirmed_by=NOBODY
        ),
        reads=reads,
        organization=identity.organization(),
        channel=Channel.EMAIL,
    )
    person = PersonFacts(
        contact_id=NOBODY,
        version=1,
        address=Address(
            Channel.EMAIL, Phi("somebody@example.org"), AddressSource.CLINICAL_ENCOUNTER, "", None
        ),
        address_blind=b"",
        address_source=AddressSource.CLINICAL_ENCOUNTER,
        relation=Relation.PATIENT,
        birth_date=date(now.year - 45, 1, 1),
        states=frozenset({STATE}),
        treatments=tuple(
            Treatment(_example(code), now.date() - timedelta(days=30)) for code in codes if treated
        ),
        specials=frozenset(one.special for one in reads if one.special),
        standing=Standing(NOBODY, 0, now, FAR),
    )
    (decision,) = gate.decide(facts, [person], now)
    missing = [one for one in decision.results if not one.satisfied]
    citations = tuple(dict.fromkeys(one.citation for one in missing))[:2]
    if not citations and decision.rule_ids:
        citations = gate.explain(decision.rule_ids[0]).citations[:2]
    if decision.allowed:
        opt_out = any(one.gate is Gate.NOT_OPTED_OUT for one in decision.results)
        return Asked("clear", words, "no opt-out" if opt_out else "nothing", citations)
    needed = [_WORDS.get(one.gate, one.gate.value.replace("_", " ").lower()) for one in missing]
    refused = any(one.gate is Gate.BLOCK for one in missing) or not missing
    return Asked(
        "refuse" if refused else "wait",
        words,
        " and ".join(dict.fromkeys(needed)) or "it is not allowed",
        citations,
    )
