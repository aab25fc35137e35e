"""A slow, straightforward evaluator of the same table, written apart from the program: its oracle.

It asks every rule about the raw facts of one message and one person, one after the other, with no
compiling, no traits, no sharing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from salus.gate.contracts import MessageFacts, PersonFacts, Reason
from salus.gate.rules import conditions as c
from salus.gate.rules import logic
from salus.gate.rules.cases import Age
from salus.gate.rules.codes import CHRONIC, PlainCodes
from salus.gate.rules.reasons import RANK
from salus.gate.rules.rule import Demand, Kind, OptOuts, Rule
from salus.kernel.vocabulary import Channel, Gate, PhiClass, Profile, Promotes, Protection, Purpose, Special
from salus.permissions.contracts import Authorization

CODES = PlainCodes()
CARE = set(PhiClass) - {PhiClass.CONTACT, PhiClass.DEMOGRAPHIC, PhiClass.ENGAGEMENT}


@dataclass
class Verdict:
    allowed: bool
    reason: Reason | None
    rule_ids: list[str]
    gates: dict[tuple[Gate, str, str, str, str], bool]
    floor: Protection


class Oracle:
    def __init__(self, facts: MessageFacts, person: PersonFacts, at: datetime, rules: Sequence[Rule]) -> None:
        self.f, self.p, self.at, self.rules = facts, person, at, rules
        self.today = at.date()
        self.classes = {read.phi_class for read in facts.reads} | {PhiClass.CONTACT}
        if facts.conditions:
            self.classes |= {PhiClass.MEDICATION if facts.purpose is Purpose.REFILL else PhiClass.DIAGNOSIS}
        self.specials = {read.special for read in facts.reads if read.special} | set(person.specials)
        field = "medications" if facts.purpose is Purpose.REFILL else "conditions"
        for code in facts.conditions:
            self.specials |= CODES.specials_of(field, code)
        for read in facts.reads:
            if read.code:
                self.specials |= CODES.specials_of(read.field, read.code)
        if facts.sender_role.value == "part2_program" and (
            person.relation is not None and person.relation.value in {"patient", "enrolled", "former"}
        ):
            self.specials.add(Special.PART2_SUD)
        self.health_specials = self.specials - {Special.SENSITIVE_DEMOGRAPHIC}

    def holds(self, when: logic.Condition, gates: set[Gate]) -> bool:  # noqa: C901
        f, p = self.f, self.p
        match when:
            case logic.Always():
                return True
            case logic.AllOf(parts):
                return all(self.holds(part, gates) for part in parts)
            case logic.AnyOf(parts):
                return any(self.holds(part, gates) for part in parts)
            case logic.Not(part):
                return not self.holds(part, gates)
            case c.PurposeIn(purposes):
                return f.purpose in purposes
            case c.PromotesIn(words):
                return f.promotes in words
            case c.RemunerationIn(words):
                return f.remuneration in words
            case c.PaidByPromotedParty():
                return f.payer_is_promoted_party and f.remuneration.value in {"cost_only", "above_cost"}
            case c.ReadsOnly(classes):
                return self.classes <= classes and not self.health_specials
            case c.ReadsAny(classes):
                return not self.classes.isdisjoint(classes)
            case c.ReadsResult():
                fields = [r.field for r in f.reads if r.phi_class is PhiClass.LAB]
                return len(fields) > fields.count("event:lab_available")
            case c.SenderIn(roles):
                return f.sender_role in roles
            case c.ChannelIn(channels):
                return f.channel in channels
            case c.Individual():
                return f.individual
            case c.SignedOff(kind):
                return getattr(f, kind.value) is not None
            case c.Confirmed():
                return f.classification_confirmed
            case c.NamesOnlyItsConditions():
                read = [r.code for r in f.reads if r.phi_class is PhiClass.DIAGNOSIS]
                covered = [code is not None and self.named(code) for code in read]
                return bool(f.conditions) and all(covered)
            case c.Chronic():
                known = [any(code.startswith(start) for start in CHRONIC) for code in f.conditions]
                return bool(known) and all(known)
            case c.RelationIn(relations):
                return p.relation in relations
            case c.SourceIn(sources):
                return p.address_source in sources
            case c.LivesIn(state):
                return state in p.states
            case c.RevealsAny(specials):
                return bool(self.specials & specials)
            case c.ActiveTreatment():
                return any(
                    self.named(one.code) and one.last_care <= self.today and self.within_a_year(one.last_care)
                    for one in p.treatments
                )
            case c.CurrentPrescription():
                return f.purpose is Purpose.REFILL and any(
                    (not f.conditions or self.named(one.code)) and (self.today - one.last_care).days <= 90
                    for one in p.prescriptions
                )
            case c.AgeIn(ages):
                return self.age() in ages
            case c.Deceased():
                return p.recorded_deceased or p.standing.deceased is not None
            case c.Unknown(fact):
                return {
                    "PAYER": not f.payer.strip(),
                    "TOPIC": not f.topic.strip(),
                    "RELATION": p.relation is None,
                    "BIRTH_DATE": p.birth_date is None,
                    "STATE": not p.states,
                    "TIME_ZONE": not p.time_zone,
                    "ADDRESS": p.address is None,
                }[fact.name]
            case c.Demanded(asked):
                return bool(asked & gates)
        raise AssertionError(when)

    def named(self, code: str) -> bool:
        return any(code.startswith(one) for one in self.f.conditions)

    def within_a_year(self, day: date) -> bool:
        """The same day of next year, or 28 February for 29 February, is the last."""
        try:
            last = day.replace(year=day.year + 1)
        except ValueError:
            last = date(day.year + 1, 2, 28)
        return self.today <= last

    def age(self) -> Age:
        born, day = self.p.birth_date, (self.at - timedelta(hours=12)).date()
        if born is None:
            return Age.UNKNOWN
        years = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
        return Age.UNDER_13 if years < 13 else Age.MINOR if years < 18 else Age.ADULT

    def apply(self) -> list[Rule]:
        def ask(gates: set[Gate]) -> list[Rule]:
            return [
                rule
                for rule in self.rules
                if rule.demands(self.f.profile) is not None
                and rule.effective <= self.today
                and (not rule.purposes or self.f.purpose in rule.purposes)
                and self.holds(rule.when, gates)
            ]

        gates = {demand.gate for rule in ask(set()) for demand in rule.demands(self.f.profile) or ()}
        found = ask(gates)
        exempt = {row for rule in found for row in rule.exempts}
        return [rule for rule in found if rule.row not in exempt]

    def decide(self) -> Verdict:
        rules = self.apply()
        scope = max((rule.opt_outs for rule in rules), key=lambda one: one.value)
        reasons = [] if any(rule.kind is Kind.PERMIT for rule in rules) else [Reason.NO_RULE]
        gates: dict[Any, Any] = {}
        for rule in rules:
            for demand in rule.demands(self.f.profile) or ():
                opened = self.satisfied(demand, scope)
                key = (demand.gate, demand.topic, str(demand.special), demand.form, demand.consent)
                gates[key] = gates.get(key, True) and opened
                reasons += [] if opened else [self.reason(demand)]
        if self.p.standing.valid_until <= self.at or self.p.standing.at > self.at:
            reasons.append(Reason.UNKNOWN_FACT)
        if self.p.time_zone and not all(self.in_hours(rule) for rule in rules):
            reasons.append(Reason.QUIET_HOURS)
        return Verdict(
            not reasons, min(reasons, key=RANK.__getitem__, default=None), [rule.id for rule in rules], gates,
            self.floor(rules),
        )  # fmt: skip

    def floor(self, rules: list[Rule]) -> Protection:
        levels = [Protection.NAMED] + [rule.protection for rule in rules if rule.protection]
        harmless = {PhiClass.CONTACT, PhiClass.DEMOGRAPHIC, PhiClass.DATES_OF_CARE}
        if self.f.profile is Profile.STRICT and self.classes - harmless:
            levels.append(Protection.VERIFIED)
        if self.health_specials:
            levels.append(Protection.KEY)
        return max(levels)

    def in_hours(self, rule: Rule) -> bool:
        if rule.window is None:
            return True
        local = self.at.astimezone(ZoneInfo(self.p.time_zone))
        start = rule.window.start
        if local.strftime("%a") == "Sun" and rule.window.sunday_start:
            start = rule.window.sunday_start
        return start <= local.time() < rule.window.end

    def satisfied(self, demand: Demand, scope: OptOuts) -> bool:
        f, s = self.f, self.p.standing
        signed = {
            Gate.WAIVER_ID: f.waiver_id,
            Gate.SAFETY_FLAG: f.safety_flag,
            Gate.CLINICIAN_SIGN_OFF: f.clinician_sign_off,
            Gate.COMPLIANCE_APPROVAL: f.compliance_approval,
        }
        if demand.gate in signed:
            return signed[demand.gate] is not None
        by_gate: dict[Gate, Callable[[], bool]] = {
            Gate.BLOCK: lambda: False,
            Gate.BAA_OK: lambda: f.service_in_scope,
            Gate.FUND: lambda: s.fundraising_opt_out is None,
            Gate.E_NOTICE: lambda: s.e_notice is not None,
            Gate.AUTH: lambda: self.authorized(demand),
            Gate.AUTH_REMUN: lambda: self.authorized(demand),
            Gate.SPECIAL_AUTH: lambda: self.authorized(demand),
            Gate.OPT_IN: lambda: self.opted_in(demand),
            Gate.NOT_OPTED_OUT: lambda: not self.opted_out(scope),
            Gate.RESTRICTION_OK: lambda: not any(
                (f.purpose in r.purposes or not r.purposes) and (f.channel in r.channels or not r.channels)
                for r in s.restrictions
            ),
            Gate.SUPPRESSION_OK: lambda: not any(
                x.channel == f.channel and (None in {x.address_blind, self.p.address_blind} or x.address_blind == self.p.address_blind)
                for x in s.suppressions
            ),
            Gate.CONFIDENTIAL_ADDR: lambda: s.confidential_address is None
            or (s.confidential_address.channel == f.channel and self.at_address(s.confidential_address.value)),
            Gate.REPRESENTATIVE: lambda: s.representative is not None
            and (f.channel is Channel.PORTAL or (s.representative.channel == f.channel and self.at_address(s.representative.value))),
            Gate.PART2: lambda: any(x.valid_until > self.at and getattr(x, demand.consent) for x in s.part2_consents),
            Gate.ENCRYPT: lambda: f.channel is not Channel.SMS
            or any(
                x.channel is Channel.SMS and f.purpose in x.purposes and x.valid_until > self.at
                and (x.address is None or self.at_address(x.address))
                for x in s.unencrypted
            ),
        }  # fmt: skip
        return by_gate[demand.gate]()

    def at_address(self, value: object) -> bool:
        if self.f.channel is Channel.PORTAL:
            return True
        return self.p.address is not None and value is not None and self.p.address.value == value

    def authorized(self, demand: Demand) -> bool:
        return any(self.covers(demand, one) for one in self.p.standing.authorizations)

    def covers(self, demand: Demand, one: Authorization) -> bool:
        f = self.f
        payer = f.payer.strip().lower()
        third = f.promotes is Promotes.THIRD_PARTY or f.payer_is_promoted_party
        return all(
            [
                not one.defects,
                f.purpose in one.purposes,
                one.valid_from <= self.at,
                self.at < one.valid_until,
                self.classes & CARE <= one.classes,
                self.health_specials <= one.specials,
                demand.special is None or demand.special in one.specials,
                not demand.form or one.form_state == demand.form,
                demand.gate is not Gate.AUTH_REMUN or (one.sale_stated if demand.sale else one.remuneration_stated),
                demand.max_days is None or self.at < one.valid_from + timedelta(days=demand.max_days),
                f.profile is not Profile.STRICT or not third or not f.payer
                or payer in [party.strip().lower() for party in one.parties],
            ]
        )  # fmt: skip

    def reason(self, demand: Demand) -> Reason:
        """State law is blamed only where its own wish is all that is missing."""
        plain = replace(demand, form="", max_days=None)
        if demand.reason is not Reason.STATE_LAW or plain == demand or self.authorized(plain):
            return demand.reason
        return Reason.NO_AUTHORIZATION if demand.gate is Gate.AUTH else Reason.NO_AUTHORIZATION_REMUNERATION

    def opted_in(self, demand: Demand) -> bool:
        confirm = demand.confirmed or self.f.double_opt_in_required
        for choice in self.p.standing.opt_ins:
            wanted = demand.topic or self.f.topic
            right_channel = bool(demand.topic) or choice.channel == self.f.channel
            if choice.topic == wanted and right_channel and (choice.confirmed or not confirm):
                return True
        return not demand.topic and self.f.channel is not Channel.SMS and self.authorized(demand)

    def opted_out(self, scope: OptOuts) -> bool:
        """An opt-out of everything is lifted for a topic by a standing opt-in for that topic."""
        own = any(x.topic == self.f.topic and x.channel == self.f.channel for x in self.p.standing.opt_outs)
        everything = any(x.topic == "*" and x.channel == self.f.channel for x in self.p.standing.opt_outs)
        back = any(x.topic == self.f.topic and x.channel == self.f.channel for x in self.p.standing.opt_ins)
        everything = everything and not back
        if self.f.channel is Channel.SMS and self.f.safety_flag is None:
            return own or everything
        return {OptOuts.IGNORED: False, OptOuts.OWN_TOPIC: own, OptOuts.ALL: own or everything}[scope]


def judge(facts: MessageFacts, person: PersonFacts, at: datetime, rules: Sequence[Rule]) -> Verdict:
    """Return the oracle's verdict."""
    return Oracle(facts, person, at, rules).decide()
