"""Whether the person's standing satisfies a gate: one small function a gate, each gives its evidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from salus.gate.contracts import GateResult, MessageFacts, PersonFacts, Reason
from salus.gate.rules.moment import Moment
from salus.gate.rules.rule import Demand, OptOuts
from salus.kernel.phi import Phi
from salus.kernel.time import FAR
from salus.kernel.vocabulary import Channel, Gate, PhiClass, Profile, Promotes, Special
from salus.permissions.contracts import Authorization, Standing


class Answer(NamedTuple):
    """Whether a gate is open, on which evidence, until when; `detail` says what is missing.

    `reason` is given for a refusal instead of the gate's own.
    """

    satisfied: bool
    evidence: UUID | None = None
    until: datetime = FAR
    detail: str = ""
    reason: Reason | None = None


OPEN, SHUT = Answer(True), Answer(False)


@dataclass(frozen=True, slots=True)
class Step:
    """One gate of a plan, ready to be checked for a person."""

    demand: Demand
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
        passed, detail = self.passed, answer.detail or self.demand.detail
        return GateResult(
            passed.gate, passed.rule_id, passed.citation, answer.satisfied, answer.evidence, detail
        )


Check = Callable[[Step, PersonFacts, Moment], Answer]


def _authorization(step: Step, person: PersonFacts, now: Moment) -> Answer:
    """Look for an authorization without defects, in force, for this purpose, classes and categories.

    The one that lasts longest is taken. `detail` says why the nearest one does not do.
    """
    best, missing = None, []
    for found in person.standing.authorizations:
        why = _falls_short(step, found, now)
        if why:
            missing.append(why)
        elif best is None or found.valid_until > best.valid_until:
            best = found
    if best is None:
        return _not_authorized(step, missing)
    until = best.valid_until
    if step.demand.max_days is not None:
        until = min(until, best.valid_from + timedelta(days=step.demand.max_days))
    return Answer(True, best.evidence_id, until)


WRONG_FORM, TOO_OLD = "not in the form that the state asks for", "signed too long ago"


def _not_authorized(step: Step, missing: list[str]) -> Answer:
    """Say that state law is the reason only where nothing else is wrong with an authorization."""
    for why in missing:
        if why in {WRONG_FORM, TOO_OLD}:
            return Answer(False, detail=why)
    demand, detail = step.demand, missing[0] if missing else ""
    if demand.reason is not Reason.STATE_LAW:
        return Answer(False, detail=detail)
    paid = demand.gate is Gate.AUTH_REMUN
    return Answer(
        False, None, FAR, detail, Reason.NO_AUTHORIZATION_REMUNERATION if paid else Reason.NO_AUTHORIZATION
    )


def _falls_short(step: Step, found: Authorization, now: Moment) -> str:
    """Return why an authorization does not satisfy the gate, or nothing when it does.

    What a state alone asks for comes last: see `_not_authorized`.
    """
    demand = step.demand
    if step.facts.purpose not in found.purposes:
        return "names other purposes"
    if found.defects:
        return f"not valid: {found.defects[0]}"
    if not found.valid_from <= now.at < found.valid_until:
        return "not in force"
    if not step.classes <= found.classes:
        return "does not describe all the information used"
    if not step.specials <= found.specials or (demand.special and demand.special not in found.specials):
        return "does not name the special category"
    if demand.gate is Gate.AUTH_REMUN and not _states_it(demand, found):
        return "does not state the remuneration"
    if _party_missing(step.facts, found):
        return "does not name the third party"
    if demand.form and found.form_state != demand.form:
        return WRONG_FORM
    if demand.max_days is not None and found.valid_from + timedelta(days=demand.max_days) <= now.at:
        return TOO_OLD
    return ""


def _states_it(demand: Demand, found: Authorization) -> bool:
    return found.sale_stated if demand.sale else found.remuneration_stated


def _party_missing(facts: MessageFacts, found: Authorization) -> bool:
    """In the strict profile a third party whose product is promoted must be named."""
    third_party = facts.promotes is Promotes.THIRD_PARTY or facts.payer_is_promoted_party
    if facts.profile is not Profile.STRICT or not third_party or not facts.payer:
        return False
    payer = facts.payer.strip().casefold()
    return all(payer != party.strip().casefold() for party in found.parties)


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


def settle(step: Step) -> Answer:
    """Return the answer of a gate in `OF_THE_MESSAGE`: the same for everybody."""
    gate, facts = step.demand.gate, step.facts
    if gate is Gate.BAA_OK:
        return OPEN if facts.service_in_scope else SHUT
    evidence = getattr(facts, _SIGN_OFFS[gate]) if gate in _SIGN_OFFS else None
    return SHUT if evidence is None else Answer(True, evidence)


_SIGN_OFFS = {
    Gate.WAIVER_ID: "waiver_id",
    Gate.SAFETY_FLAG: "safety_flag",
    Gate.CLINICIAN_SIGN_OFF: "clinician_sign_off",
    Gate.COMPLIANCE_APPROVAL: "compliance_approval",
}

OF_THE_MESSAGE = frozenset(_SIGN_OFFS) | {Gate.BAA_OK, Gate.BLOCK}
"""Gates that are open or shut for everybody alike."""

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
    Gate.REPRESENTATIVE: _representative,
    Gate.ENCRYPT: _encrypted,
}
"""Every gate that a person's standing decides has its check."""

GUARDS = frozenset(
    {Gate.RESTRICTION_OK, Gate.CONFIDENTIAL_ADDR, Gate.SUPPRESSION_OK, Gate.NOT_OPTED_OUT, Gate.FUND}
)
"""Gates that are open unless the person has said something: see `said_nothing`."""


def said_nothing(standing: Standing) -> bool:
    """Return whether every guard is open because nothing in the standing could shut one."""
    return not (
        standing.suppressions
        or standing.opt_outs
        or standing.restrictions
        or standing.confidential_address is not None
        or standing.fundraising_opt_out is not None
    )


assert set(CHECKS) | OF_THE_MESSAGE == set(Gate)
