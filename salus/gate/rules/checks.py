"""Whether the person's standing satisfies a gate: one small function a gate, each gives its evidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from salus.gate.contracts import GateResult, MessageFacts, PersonFacts
from salus.gate.rules.moment import Moment
from salus.gate.rules.rule import Demand, OptOuts
from salus.kernel.phi import Phi
from salus.kernel.time import FAR
from salus.kernel.vocabulary import Channel, Gate, PhiClass, Profile, Promotes, Special
from salus.permissions.contracts import Authorization


class Answer(NamedTuple):
    """Whether a gate is open, on which evidence, until when; `detail` says what is missing."""

    satisfied: bool
    evidence: UUID | None = None
    until: datetime = FAR
    detail: str = ""


OPEN, SHUT = Answer(True), Answer(False)


@dataclass(frozen=True, slots=True)
class Step:
    """One gate of a plan, ready to be checked for a person."""

    demand: Demand
    rule_id: str
    citation: str
    facts: MessageFacts
    opt_outs: OptOuts
    classes: frozenset[PhiClass]
    """The classes of care that an authorization must cover."""
    specials: frozenset[Special]
    """The special categories that it must cover."""
    passed: GateResult
    """The result when the gate is open and needs no evidence."""

    def result(self, answer: Answer) -> GateResult:
        """Return the result to record."""
        if answer is OPEN:
            return self.passed
        return GateResult(
            self.demand.gate,
            self.rule_id,
            self.citation,
            answer.satisfied,
            answer.evidence,
            answer.detail or self.demand.detail,
        )


Check = Callable[[Step, PersonFacts, Moment], Answer]


def _authorization(step: Step, person: PersonFacts, now: Moment) -> Answer:
    """Look for an authorization without defects, in force, for this purpose, classes and categories.

    The one that lasts longest is taken. `detail` says why the nearest one does not do.
    """
    best, missing = None, ""
    for found in person.standing.authorizations:
        why = _falls_short(step, found, now)
        if why:
            missing = missing or why
        elif best is None or found.valid_until > best.valid_until:
            best = found
    if best is None:
        return Answer(False, detail=missing) if missing else SHUT
    until = best.valid_until
    if step.demand.max_days is not None:
        until = min(until, best.valid_from + timedelta(days=step.demand.max_days))
    return Answer(True, best.evidence_id, until)


def _falls_short(step: Step, found: Authorization, now: Moment) -> str:
    """Return why an authorization does not satisfy the gate, or nothing when it does."""
    demand, facts = step.demand, step.facts
    if facts.purpose not in found.purposes:
        return "names other purposes"
    if found.defects:
        return f"not valid: {found.defects[0]}"
    if not found.valid_from <= now.at < found.valid_until:
        return "not in force"
    if not step.classes <= found.classes:
        return "does not describe all the information used"
    if not step.specials <= found.specials or (demand.special and demand.special not in found.specials):
        return "does not name the special category"
    if demand.form and found.form_state != demand.form:
        return "not in the form that the state asks for"
    if demand.gate is Gate.AUTH_REMUN and not (
        found.sale_stated if demand.sale else found.remuneration_stated
    ):
        return "does not state the remuneration"
    if demand.max_days is not None and found.valid_from + timedelta(days=demand.max_days) <= now.at:
        return "signed too long ago"
    return _party_missing(facts, found)


def _party_missing(facts: MessageFacts, found: Authorization) -> str:
    """In the strict profile a third party whose product is promoted must be named."""
    third_party = facts.promotes is Promotes.THIRD_PARTY or facts.payer_is_promoted_party
    if facts.profile is Profile.STRICT and third_party and facts.payer:
        payer = facts.payer.strip().casefold()
        if all(payer != party.strip().casefold() for party in found.parties):
            return "does not name the third party"
    return ""


def _opt_in(step: Step, person: PersonFacts, now: Moment) -> Answer:
    """Look for an opt-in for the topic on the channel; a signed authorization says no less, except by text."""
    demand, facts = step.demand, step.facts
    topic = demand.topic or facts.topic
    unconfirmed = False
    for choice in person.standing.opt_ins:
        if choice.topic == topic and (demand.topic or choice.channel is facts.channel):
            if choice.confirmed or not (demand.confirmed or facts.double_opt_in_required):
                return Answer(True, choice.evidence_id)
            unconfirmed = True
    if not demand.topic and facts.channel is not Channel.SMS:
        answer = _authorization(step, person, now)
        if answer.satisfied:
            return answer
    return Answer(False, detail="opt-in not confirmed") if unconfirmed else SHUT


def _not_opted_out(step: Step, person: PersonFacts, now: Moment) -> Answer:
    """Look for an opt-out; a text message obeys "stop everything" whatever it is for, safety alerts excepted."""
    standing, facts = person.standing, step.facts
    if not standing.opt_outs:
        return OPEN
    stop_all = facts.channel is Channel.SMS and facts.safety_flag is None
    if step.opt_outs is OptOuts.IGNORED and not stop_all:
        return OPEN
    choice = standing.opted_out(facts.topic, facts.channel)
    if choice is None:
        return OPEN
    if step.opt_outs is not OptOuts.ALL and choice.topic != facts.topic and not stop_all:
        return OPEN
    return Answer(False, choice.evidence_id)


def _suppression(step: Step, person: PersonFacts, now: Moment) -> Answer:
    for found in person.standing.suppressions:
        if found.channel is step.facts.channel and (
            found.address_blind is None
            or person.address_blind is None
            or found.address_blind == person.address_blind
        ):
            return Answer(False, found.evidence_id, detail=found.reason)
    return OPEN


def _restriction(step: Step, person: PersonFacts, now: Moment) -> Answer:
    for found in person.standing.restrictions:
        if (not found.purposes or step.facts.purpose in found.purposes) and (
            not found.channels or step.facts.channel in found.channels
        ):
            return Answer(False, found.evidence_id)
    return OPEN


def _confidential(step: Step, person: PersonFacts, now: Moment) -> Answer:
    asked = person.standing.confidential_address
    if asked is None:
        return OPEN
    if asked.channel is not step.facts.channel:
        return Answer(False, asked.evidence_id)
    return Answer(_goes_to(step.facts, person, asked.value), asked.evidence_id)


def _representative(step: Step, person: PersonFacts, now: Moment) -> Answer:
    who = person.standing.representative
    if who is None:
        return SHUT
    if step.facts.channel is Channel.PORTAL:
        return Answer(True, who.evidence_id)
    if who.channel is not step.facts.channel:
        return Answer(False, who.evidence_id)
    return Answer(_goes_to(step.facts, person, who.value), who.evidence_id)


def _goes_to(facts: MessageFacts, person: PersonFacts, value: Phi[str] | None) -> bool:
    """Return whether the message goes to exactly this address; in the portal there is none."""
    if facts.channel is Channel.PORTAL:
        return True
    return value is not None and person.address is not None and person.address.value == value


def _encrypted(step: Step, person: PersonFacts, now: Moment) -> Answer:
    """Mail and portal are always protected; a text message only with the person's recorded wish (E3)."""
    if step.facts.channel is not Channel.SMS:
        return OPEN
    for wish in person.standing.unencrypted:
        here = wish.address is None or _goes_to(step.facts, person, wish.address)
        if (
            here
            and wish.channel is Channel.SMS
            and step.facts.purpose in wish.purposes
            and wish.valid_until > now.at
        ):
            return Answer(True, wish.evidence_id, wish.valid_until)
    return SHUT


def _part2(step: Step, person: PersonFacts, now: Moment) -> Answer:
    best: Answer = SHUT
    for consent in person.standing.part2_consents:
        if consent.valid_until <= now.at or not getattr(consent, step.demand.consent):
            continue
        if best is SHUT or consent.valid_until > best.until:
            best = Answer(True, consent.evidence_id, consent.valid_until)
    return best


def _fundraising(step: Step, person: PersonFacts, now: Moment) -> Answer:
    refused = person.standing.fundraising_opt_out
    return OPEN if refused is None else Answer(False, refused)


def _e_notice(step: Step, person: PersonFacts, now: Moment) -> Answer:
    agreed = person.standing.e_notice
    return SHUT if agreed is None else Answer(True, agreed)


def _signed(field: str) -> Check:
    def check(step: Step, person: PersonFacts, now: Moment) -> Answer:
        evidence = getattr(step.facts, field)
        return SHUT if evidence is None else Answer(True, evidence)

    return check


def _in_scope(step: Step, person: PersonFacts, now: Moment) -> Answer:
    return OPEN if step.facts.service_in_scope else SHUT


def _never(step: Step, person: PersonFacts, now: Moment) -> Answer:
    return SHUT


CHECKS: dict[Gate, Check] = {
    Gate.OPT_IN: _opt_in,
    Gate.AUTH: _authorization,
    Gate.AUTH_REMUN: _authorization,
    Gate.SPECIAL_AUTH: _authorization,
    Gate.FUND: _fundraising,
    Gate.PART2: _part2,
    Gate.E_NOTICE: _e_notice,
    Gate.RESTRICTION_OK: _restriction,
    Gate.CONFIDENTIAL_ADDR: _confidential,
    Gate.SUPPRESSION_OK: _suppression,
    Gate.NOT_OPTED_OUT: _not_opted_out,
    Gate.WAIVER_ID: _signed("waiver_id"),
    Gate.SAFETY_FLAG: _signed("safety_flag"),
    Gate.CLINICIAN_SIGN_OFF: _signed("clinician_sign_off"),
    Gate.COMPLIANCE_APPROVAL: _signed("compliance_approval"),
    Gate.REPRESENTATIVE: _representative,
    Gate.BAA_OK: _in_scope,
    Gate.ENCRYPT: _encrypted,
    Gate.BLOCK: _never,
}
"""Every gate has its check."""

assert set(CHECKS) == set(Gate)
