"""For every rule a case that shows what it does: how it decides, what opens it, and what its loss changes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from salus.gate.contracts import MessageFacts, PersonFacts, Reason
from salus.kernel.vocabulary import (
    AddressSource,
    Channel,
    Profile,
    Promotes,
    Purpose,
    Relation,
    Remuneration,
    SenderRole,
    Special,
)

from .world import (
    AT,
    TOPIC,
    bounced,
    consent,
    guardian,
    in_clear,
    message,
    only_at,
    opted_in,
    opted_out,
    person,
    read,
    restricted,
    signed,
)

P, R, Pr = Purpose, Reason, Promotes
FLOOR = Profile.FEDERAL_FLOOR
WEB = AddressSource.WEBSITE_SIGNUP


@dataclass(frozen=True)
class Witness:
    """`reason` with the rule (None: allowed); `opens` makes it allowed; `dropped` is the reason without
    the rule (for a rule that permits: in the opened case). `shows` names what else changes when the
    rule adds something but refuses nothing."""

    rule: str
    facts: MessageFacts
    who: PersonFacts
    reason: Reason | None
    opens: dict[str, Any] = field(default_factory=dict)
    dropped: Reason | None = R.NO_RULE
    shows: str = ""
    at: datetime = AT
    drop_as_is: bool = False


def _reading(special: Special) -> Any:
    return (read("conditions", special=special),)


E11 = {"reads": (read("conditions", "E11"),), "conditions": ("E11",)}
OURS = {"promotes": Pr.OWN_HEALTH}
KIND = {"remuneration": Remuneration.IN_KIND, "payer": "Acme"}
PAID = {"remuneration": Remuneration.COST_ONLY, "payer": "Acme", "payer_is_promoted_party": True}
SMS: dict[str, Any] = {"channel": Channel.SMS}
AUTH, REMUN, OPT = R.NO_AUTHORIZATION, R.NO_AUTHORIZATION_REMUNERATION, R.NO_OPT_IN
NAMES_ACME = {"remuneration_stated": True, "parties": ("Acme",)}


def _auth(purpose: Purpose, **more: Any) -> dict[str, Any]:
    return {"authorizations": signed(purpose, **more)}


def _w(
    rule: str, facts: MessageFacts, who: PersonFacts, reason: Reason | None = None, **more: Any
) -> Witness:
    return Witness(rule, facts, who, reason, **more)


def _permit(rule: str, purpose: Purpose, reason: Reason | None, who: Any = None, **facts: Any) -> Witness:
    """A rule that permits: opened, where it needs that, by an authorization or an opt-in."""
    opens = {
        None: {},
        AUTH: _auth(purpose),
        REMUN: _auth(purpose, **NAMES_ACME),
        OPT: {"opt_ins": opted_in()},
    }[reason]
    return Witness(rule, message(purpose, **facts), person(**(who or {})), reason, opens)


IN_CARE = {"treatments": "E11.9"}
FROM_WEB = {"source": WEB}
PROSPECT = {"source": WEB, "relation": Relation.PROSPECT}
DECISION_TABLE = (
    _permit("D01", P.APPOINTMENT, None),
    _permit("D02", P.LAB_NOTICE, None),
    _permit("D03", P.REFILL, None, {"prescriptions": "860975"}, reads="medications", conditions=("860975",)),
    _permit("D04a", P.REFILL, REMUN, {"prescriptions": "860975"}, remuneration=Remuneration.ABOVE_COST, payer="Acme"),
    _w("D04b", message(P.REFILL, promotes=Pr.THIRD_PARTY, **KIND), person(**_auth(P.REFILL, parties=("Acme",))), REMUN,
       opens=_auth(P.REFILL, **NAMES_ACME), dropped=None, drop_as_is=True),
    _permit("D05", P.CARE_INSTRUCTIONS, None, reads="conditions procedures"),
    _permit("D06", P.PROVIDER_TREATMENT, None,
            {"relation": Relation.TREATING_PROVIDER, "birth_date": None, "states": ""}, reads="conditions"),
    _permit("D07a", P.PAYMENT, None, {"relation": Relation.FORMER}),
    _w("D07b", message(P.PAYMENT, **SMS), person(unencrypted=in_clear(P.PAYMENT)), OPT,
       opens={"opt_ins": opted_in(channel=Channel.SMS)}, dropped=None),
    _permit("D08", P.CONDITION_EDUCATION, None, IN_CARE, **E11),
    _permit("D09a", P.CONDITION_EDUCATION, AUTH, **E11),
    _permit("D09b", P.CONDITION_EDUCATION, AUTH, IN_CARE, **E11, **KIND),
    _permit("D10", P.GENERAL_EDUCATION, OPT),
    _permit("D11", P.PREVENTIVE_REMINDER, None, reads="birth_date vaccinations"),
    _permit("D12a", P.PREVENTIVE_REMINDER, None, IN_CARE, **E11),
    _permit("D12b", P.PREVENTIVE_REMINDER, AUTH, **E11),
    _permit("D12c", P.PREVENTIVE_REMINDER, AUTH, IN_CARE, **E11, **KIND),
    _permit("D13a", P.OWN_SERVICE, AUTH, **OURS),
    _permit("D13b", P.APPOINTMENT, AUTH, **OURS),
    _permit("D13c", P.OWN_SERVICE, AUTH, **OURS, **KIND),
    _permit("D14a", P.OWN_SERVICE, OPT, FROM_WEB, **OURS),
    _permit("D14b", P.SOCIAL_EVENT, OPT, FROM_WEB, **OURS),
    _permit("D15a", P.OWN_SERVICE, AUTH, FROM_WEB, **OURS, reads="conditions"),
    _permit("D15b", P.SURVEY, AUTH, FROM_WEB, **OURS, reads="encounters"),
    _permit("D16a", P.ELECTIVE, AUTH, **OURS),
    _permit("D16b", P.ELECTIVE, AUTH, **OURS, **KIND),
    _permit("D16c", P.ELECTIVE, OPT, FROM_WEB, **OURS),
    _permit("D17a", P.THIRD_PARTY_PRODUCT, AUTH, promotes=Pr.THIRD_PARTY),
    _permit("D17b", P.NEWSLETTER, AUTH, promotes=Pr.THIRD_PARTY),
    _permit("D18a", P.THIRD_PARTY_PRODUCT, None, promotes=Pr.THIRD_PARTY, individual=True, clinician_sign_off=UUID(int=5)),
    _permit("D18b", P.THIRD_PARTY_PRODUCT, AUTH, promotes=Pr.THIRD_PARTY, individual=True),
    _permit("D19a", P.SURVEY, REMUN, **PAID),
    _permit("D19b", P.REFILL, REMUN, **PAID),
    _permit("D20a", P.OWN_NON_HEALTH, AUTH, promotes=Pr.OWN_NON_HEALTH),
    _permit("D20b", P.NEWSLETTER, AUTH, promotes=Pr.OWN_NON_HEALTH),
    _w("D21", message(P.SALE_OF_LIST, profile=FLOOR), person(), REMUN, opens=_auth(P.SALE_OF_LIST, sale_stated=True)),
    _permit("D22", P.FUNDRAISING_OWN, None, reads="birth_date encounters insurance_type"),
    _permit("D23", P.FUNDRAISING_OWN, AUTH, reads="department"),
    _permit("D24", P.FUNDRAISING_OWN, AUTH, reads="conditions"),
    _permit("D25", P.FUNDRAISING_OTHERS, AUTH),
    _permit("D26a", P.RESEARCH_RECRUITMENT, None, reads="conditions", waiver_id=UUID(int=6)),
    _permit("D26b", P.RESEARCH_RECRUITMENT, AUTH, reads="conditions"),
    _permit("D27", P.SOCIAL_EVENT, OPT),
    _permit("D28a", P.SOCIAL_EVENT, AUTH, reads="encounters"),
    _w("D28b", message(P.SOCIAL_EVENT, **OURS, reads="encounters", profile=FLOOR), person(), AUTH,
       opens=_auth(P.SOCIAL_EVENT), dropped=None, drop_as_is=True),
    _permit("D29", P.SURVEY, None, reads="encounters department"),
    _permit("D30a", P.PUBLIC_HEALTH_ALERT, None),
    _permit("D30b", P.PUBLIC_HEALTH_ALERT, None, {"opt_outs": opted_out("*")}, safety_flag=UUID(int=7)),
    _permit("D31a", P.PLAN_BENEFIT, None, {"relation": Relation.ENROLLED}, sender_role=SenderRole.PLAN),
    _permit("D31b", P.PLAN_BENEFIT, None, {"relation": Relation.ENROLLED}, sender_role=SenderRole.PLAN, **OURS),
    _permit("D32", P.PLAN_PROSPECT, OPT, PROSPECT, sender_role=SenderRole.PLAN, **OURS),
    _permit("D33", P.TRANSACTIONAL, None, PROSPECT),
    _permit("D34a", P.MILESTONE, OPT, reads="birth_date"),
    _permit("D34b", P.MILESTONE, AUTH, reads="procedures"),
    _permit("D35a", P.RE_ENGAGEMENT, None, reads="encounters"),
    _permit("D35b", P.RE_ENGAGEMENT, None, IN_CARE, **E11),
    _permit("D35c", P.RE_ENGAGEMENT, AUTH, **E11),
    _permit("D35d", P.RE_ENGAGEMENT, AUTH, **OURS),
    _permit("D35e", P.RE_ENGAGEMENT, OPT, FROM_WEB, **OURS),
    _permit("D35f", P.RE_ENGAGEMENT, AUTH, **OURS, reads="conditions"),
    _permit("D35g", P.RE_ENGAGEMENT, AUTH, **OURS, **KIND),
    _permit("D36a", P.NEWSLETTER, OPT, {**FROM_WEB, "opt_ins": opted_in(confirmed=False)}, double_opt_in_required=False),
    _permit("D36b", P.NEWSLETTER, OPT),
    _permit("D36c", P.NEWSLETTER, AUTH, {"opt_ins": opted_in()}, **OURS),
    _permit("D36d", P.NEWSLETTER, AUTH, {"opt_ins": opted_in()}, reads="conditions"),
    _w("D37a", message(P.APPOINTMENT), person(source=AddressSource.PURCHASED), R.ADDRESS_SOURCE, dropped=None),
    _permit("D37b", P.OWN_SERVICE, None, {"source": AddressSource.UNKNOWN}, profile=FLOOR, **OURS),
    _w("D38", message(P.BREACH_NOTICE), person(), R.NO_E_NOTICE, opens={"e_notice": UUID(int=8)}),
    _permit("D39", P.GOVERNMENT_PROGRAM, None),
    _w("D40", message(P.UNCLASSIFIED), person(), R.UNCLASSIFIED, drop_as_is=True),
    _permit("L1", P.SURVEY, AUTH, sender_role=SenderRole.SUPPLIER),
)  # fmt: skip

HIV, SUD, GENETIC = Special.HIV, Special.PART2_SUD, Special.GENETIC
REPRODUCTIVE, MENTAL, SENSITIVE = Special.REPRODUCTIVE, Special.MENTAL_HEALTH, Special.SENSITIVE_DEMOGRAPHIC
CHILD, TODDLER = {"birth_date": date(2012, 5, 5)}, {"birth_date": date(2020, 5, 5)}
RESEARCH = {"waiver_id": UUID(int=6)}


def _special(rule: str, special: Special, purpose: Purpose, who: Any = None, **facts: Any) -> Witness:
    """A rule that asks for an authorization that names the category."""
    return Witness(
        rule, message(purpose, reads=_reading(special), **facts), person(**(who or {})), R.NO_SPECIAL_AUTHORIZATION,
        _auth(purpose, specials=frozenset({special})), None,
    )  # fmt: skip


OVERLAYS = (
    _w("S1", message(P.APPOINTMENT, reads=_reading(Special.PSYCHOTHERAPY_NOTES)), person(), R.NEVER_IN_MESSAGES,
       dropped=None),
    _w("S2a", message(P.CARE_INSTRUCTIONS, reads=_reading(SUD)), person(), R.NO_PART2_CONSENT,
       opens={"part2_consents": consent(tpo=True)}, dropped=None),
    _w("S2b", message(P.OWN_SERVICE, reads=_reading(SUD), profile=FLOOR, **OURS), person(), R.NO_PART2_CONSENT,
       opens={"part2_consents": consent(marketing=True), **_auth(P.OWN_SERVICE, specials=frozenset({SUD}))},
       dropped=None),
    _w("S2c", message(P.FUNDRAISING_OWN, reads=_reading(SUD)),
       person(**_auth(P.FUNDRAISING_OWN, specials=frozenset({SUD}))), R.NO_PART2_CONSENT,
       opens={"part2_consents": consent(fundraising=True)}, dropped=None),
    _w("S3", message(P.CARE_INSTRUCTIONS, reads=_reading(HIV)), person(), dropped=None, shows="floor"),
    _w("S4a", message(P.CARE_INSTRUCTIONS, reads=_reading(REPRODUCTIVE)), person(), dropped=None, shows="floor"),
    _special("S4b", REPRODUCTIVE, P.RESEARCH_RECRUITMENT, **RESEARCH),
    _special("S5a", GENETIC, P.RESEARCH_RECRUITMENT, **RESEARCH, profile=FLOOR),
    _special("S5b", GENETIC, P.CARE_INSTRUCTIONS),
    _w("S5c", message(P.PLAN_BENEFIT, sender_role=SenderRole.PLAN, reads=_reading(GENETIC)),
       person(relation=Relation.ENROLLED, **_auth(P.PLAN_BENEFIT, specials=frozenset({GENETIC}))), R.BLOCKED_BY_RULE,
       dropped=None),
    _w("S6a", message(P.APPOINTMENT), person(**CHILD), R.MINOR_WITHOUT_REPRESENTATIVE,
       opens={"representative": guardian()}, dropped=None),
    _w("S6b", message(P.APPOINTMENT), person(**TODDLER, **FROM_WEB, representative=guardian()), R.BLOCKED_BY_RULE,
       dropped=None),
    _w("S7a", message(P.CARE_INSTRUCTIONS, reads=_reading(MENTAL)), person(), dropped=None, shows="floor"),
    _special("S7b", MENTAL, P.RESEARCH_RECRUITMENT, **RESEARCH),
    _w("S8", message(P.APPOINTMENT), person(deceased=UUID(int=9)), R.DECEASED, dropped=None),
    _w("S9", message(P.APPOINTMENT), person(confidential_address=only_at("else@example.org")), R.CONFIDENTIAL_MEANS,
       opens={"confidential_address": only_at()}, dropped=None),
    _w("S10", message(P.APPOINTMENT, reads=(read("birth_date", special=SENSITIVE),)), person(),
       R.NO_COMPLIANCE_APPROVAL, opens={"compliance_approval": UUID(int=10)}, dropped=None),
)  # fmt: skip

SELL = {"profile": FLOOR}
SOLD = _auth(P.SALE_OF_LIST, sale_stated=True)
LONG_AGO = datetime(2025, 10, 1, tzinfo=UTC)
COLLECTS = opted_in("consumer_health_data")
SHARES = opted_in("consumer_health_data_sharing")
INTERESTS = {"reads": "health_interests"}
NIGHT = datetime(2026, 11, 25, 1, 30, tzinfo=UTC)
"""20:30 on Tuesday in New York."""
LATE = datetime(2026, 11, 25, 2, 30, tzinfo=UTC)
"""21:30 there."""
EARLY = datetime(2026, 11, 25, 13, 30, tzinfo=UTC)
"""8:30 there."""
SUNDAY = datetime(2026, 11, 29, 16, 30, tzinfo=UTC)
"""11:30 on a Sunday there."""
BY_TEXT = {"unencrypted": in_clear(*Purpose), "opt_ins": opted_in(channel=Channel.SMS)}


def _state(
    rule: str, states: str, facts: MessageFacts, reason: Reason | None, who: Any, **more: Any
) -> Witness:
    return Witness(rule, facts, person(states=states, **who), reason, dropped=None, **more)


def _hours(rule: str, states: str, at: datetime) -> Witness:
    return _state(
        rule, states, message(P.GENERAL_EDUCATION, profile=FLOOR, **SMS), R.QUIET_HOURS, BY_TEXT, at=at
    )


def _paid_in_california(code: str) -> tuple[MessageFacts, dict[str, Any]]:
    facts = message(P.CONDITION_EDUCATION, reads=(read("conditions", code),), conditions=(code,), **PAID)
    return facts, _auth(P.CONDITION_EDUCATION, form_state="CA", **NAMES_ACME)


STATES = (
    _state("CA:authorization_form", "CA", message(P.OWN_SERVICE, **OURS), R.STATE_LAW, _auth(P.OWN_SERVICE),
           opens=_auth(P.OWN_SERVICE, form_state="CA")),
    _state("CA:marketing_remunerated_tailored.a", "CA", _paid_in_california("J00")[0], R.STATE_LAW,
           _paid_in_california("J00")[1]),
    _state("CA:marketing_remunerated_tailored.b", "CA", _paid_in_california("E11")[0], None,
           _paid_in_california("E11")[1], shows="elements"),
    _state("CA:marketing_use", "CA", message(P.OWN_SERVICE, reads="department", profile=FLOOR), AUTH, {},
           opens=_auth(P.OWN_SERVICE, form_state="CA")),
    _state("CA:confidential_communications", "CA", message(P.PLAN_BENEFIT, sender_role=SenderRole.PLAN), None,
           {"relation": Relation.ENROLLED}, shows="rule_ids"),
    _state("TX:marketing", "TX", message(P.OWN_SERVICE, profile=FLOOR, **OURS), AUTH, {}, opens=_auth(P.OWN_SERVICE)),
    _state("TX:e_disclosure", "TX", message(P.SOCIAL_EVENT), AUTH, {"opt_ins": opted_in()}, opens=_auth(P.SOCIAL_EVENT)),
    _state("TX:sale", "TX", message(P.SALE_OF_LIST, **SELL), R.STATE_LAW, SOLD),
    _state("WA:consumer_health_data_collect.a", "WA", message(P.GENERAL_EDUCATION, **INTERESTS), OPT,
           {**PROSPECT, "opt_ins": opted_in()}, opens={"opt_ins": opted_in() + COLLECTS}),
    _state("WA:consumer_health_data_collect.b", "WA", message(P.GENERAL_EDUCATION, **INTERESTS, **KIND), OPT,
           {**PROSPECT, "opt_ins": opted_in() + COLLECTS}, opens={"opt_ins": opted_in() + COLLECTS + SHARES}),
    _state("WA:consumer_health_data_sell", "WA", message(P.SALE_OF_LIST, **SELL), R.STATE_LAW,
           _auth(P.SALE_OF_LIST, sale_stated=True, valid_from=LONG_AGO), opens=SOLD),
    Witness("WA:hipaa_exemption", message(P.GENERAL_EDUCATION, **INTERESTS), person(states="WA", opt_ins=opted_in()),
            None, dropped=OPT),
    _state("WA:marketing_fundraising", "WA", message(P.FUNDRAISING_OWN), None, {}, shows="rule_ids"),
    _special("NY:hiv", HIV, P.CARE_INSTRUCTIONS, {"states": "NY"}),
    _state("CO:sensitive_data", "CO", message(P.GENERAL_EDUCATION, **INTERESTS), OPT,
           {**PROSPECT, "opt_ins": opted_in()}, opens={"opt_ins": opted_in() + COLLECTS}),
    _state("CT:consumer_health_data", "CT", message(P.SALE_OF_LIST, **SELL), OPT, {**PROSPECT, **SOLD},
           opens={"opt_ins": opted_in("consumer_health_data_sale")}),
    _state("NV:consumer_health_data.a", "NV", message(P.GENERAL_EDUCATION, sender_role=SenderRole.SUPPLIER, **INTERESTS),
           OPT, {**PROSPECT, "opt_ins": opted_in()}, opens={"opt_ins": opted_in() + COLLECTS}),
    _state("NV:consumer_health_data.b", "NV",
           message(P.GENERAL_EDUCATION, sender_role=SenderRole.SUPPLIER, **INTERESTS, **KIND), OPT,
           {**PROSPECT, "opt_ins": opted_in() + COLLECTS}, opens={"opt_ins": opted_in() + COLLECTS + SHARES}),
    _state("NV:consumer_health_data.c", "NV", message(P.SALE_OF_LIST, sender_role=SenderRole.SUPPLIER, **SELL), None,
           SOLD, shows="rule_ids"),
    _special("IL:mental_health", MENTAL, P.CARE_INSTRUCTIONS, {"states": "IL"}),
    _special("IL:genetic", GENETIC, P.CARE_INSTRUCTIONS, {"states": "IL"}, profile=FLOOR),
    _state("MA:security_program", "MA", message(P.APPOINTMENT), None, {}, shows="rule_ids"),
    _hours("TX:sms_solicitation", "TX", SUNDAY),
    _hours("FL:sms_quiet_hours", "FL", NIGHT),
    _hours("CT:sms_quiet_hours", "CT", EARLY),
    _hours("MD:sms_quiet_hours", "MD", NIGHT),
    _hours("OK:sms_quiet_hours", "OK", NIGHT),
    _hours("WA:sms_quiet_hours", "WA", NIGHT),
    _hours("*:sms_quiet_hours", "OH", LATE),
)  # fmt: skip

TEXTED = {"unencrypted": in_clear(*Purpose)}
EVERYBODY = (
    _w("A1", message(P.APPOINTMENT), person(suppressions=bounced()), R.SUPPRESSED, dropped=None),
    _w("A2", message(P.APPOINTMENT), person(opt_outs=opted_out()), R.OPTED_OUT, dropped=None),
    _w("A3", message(P.APPOINTMENT), person(restrictions=restricted()), R.RESTRICTED, dropped=None),
    _w("A4", message(P.APPOINTMENT, service_in_scope=False), person(), R.SERVICE_OUT_OF_SCOPE,
       opens={"service_in_scope": True}, dropped=None),
    _w("A5", message(P.APPOINTMENT, **SMS), person(opt_ins=opted_in(channel=Channel.SMS)), R.NOT_ENCRYPTED,
       opens=TEXTED, dropped=None),
    _w("A6", message(P.APPOINTMENT, classification_confirmed=False), person(), R.NOT_CONFIRMED,
       opens={"classification_confirmed": True}, dropped=None),
    _w("A7", message(P.APPOINTMENT), person(address=None), R.NO_ADDRESS, dropped=None),
    _w("U1", message(P.GENERAL_EDUCATION, remuneration=Remuneration.IN_KIND), person(opt_ins=opted_in()),
       R.UNKNOWN_FACT, opens={"payer": "Acme"}, dropped=None),
    _w("U2", message(P.GENERAL_EDUCATION, topic=""), person(**_auth(P.GENERAL_EDUCATION)), R.UNKNOWN_FACT,
       opens={"topic": TOPIC}, dropped=None),
    _w("U3", message(P.TRANSACTIONAL), person(relation=None), R.UNKNOWN_FACT, dropped=None),
    _w("U4", message(P.TRANSACTIONAL), person(birth_date=None), R.UNKNOWN_FACT, dropped=None),
    _w("U5", message(P.TRANSACTIONAL), person(states=""), R.UNKNOWN_FACT, dropped=None),
    _w("U6", message(P.TRANSACTIONAL, **SMS), person(time_zone="", **BY_TEXT), R.UNKNOWN_FACT, dropped=None),
    _w("T1a", message(P.APPOINTMENT, **SMS), person(**TEXTED), OPT, opens={"opt_ins": opted_in(channel=Channel.SMS)},
       dropped=None),
    _w("T1b", message(P.GENERAL_EDUCATION, double_opt_in_required=False, **SMS),
       person(**TEXTED, opt_ins=opted_in(channel=Channel.SMS, confirmed=False)), OPT,
       opens={"opt_ins": opted_in(channel=Channel.SMS)}, dropped=None),
    _w("T2", message(P.APPOINTMENT, **SMS), person(**BY_TEXT), dropped=None, shows="floor"),
    _w("T3", message(P.APPOINTMENT, **SMS), person(**BY_TEXT), R.QUIET_HOURS, dropped=None, at=EARLY),
)  # fmt: skip

WITNESSES = (*DECISION_TABLE, *OVERLAYS, *STATES, *EVERYBODY)


def opened(witness: Witness) -> tuple[MessageFacts, PersonFacts]:
    """The case with what opens it: sign-offs go to the message, the rest to the standing."""
    of_message = {k: v for k, v in witness.opens.items() if k in MessageFacts.__dataclass_fields__}
    of_person = {k: v for k, v in witness.opens.items() if k not in of_message}
    who = replace(witness.who, standing=replace(witness.who.standing, **of_person))
    return replace(witness.facts, **of_message), who
