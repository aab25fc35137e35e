"""What every message must meet: the person's own word, a service in scope, protection, and known facts."""

from __future__ import annotations

from datetime import date, time

from salus.gate.contracts import Element, Reason
from salus.gate.rules.conditions import (
    ChannelIn,
    Confirmed,
    PurposeIn,
    RelationIn,
    SignedOff,
    SignOff,
    Unknown,
    UnknownFact,
)
from salus.gate.rules.demands import (
    BAA,
    DOUBLE_OPT_IN,
    ENCRYPT,
    NOT_OPTED_OUT,
    OPT_IN,
    RESTRICTION,
    SUPPRESSION,
    block,
)
from salus.gate.rules.logic import ALWAYS, AllOf, Condition, Not
from salus.gate.rules.phrases import (
    BY_TEXT,
    FROM_WEB,
    PAID,
    PRIVACY_RULE,
    PROVIDER,
    SOLICITS,
    TCPA_CONSENT,
)
from salus.gate.rules.rule import Demand, Layer, Mark, Rule, Window
from salus.kernel.vocabulary import Channel, Protection, Purpose, Relation

_P, _E = Purpose, Element
_SECURITY_RULE = date(2005, 4, 20)


def _always(
    id: str,
    layer: Layer,
    sentence: str,
    citation: str,
    demand: Demand,
    when: Condition = ALWAYS,
    *,
    effective: date = PRIVACY_RULE,
    mark: Mark = Mark.VERIFIED,
    rulings: tuple[str, ...] = (),
) -> Rule:
    return Rule(
        id, id, layer, sentence, citation, effective, mark, when=when, strict=(demand,), floor=(demand,), rulings=rulings
    )  # fmt: skip


def _unknown(number: int, fact: UnknownFact, when: Condition = ALWAYS) -> Rule:
    return _always(
        f"U{number}", Layer.ORGANIZATION, f"Nothing is decided while we do not know: {fact.value}.",
        "our policy: what is missing blocks; 45 CFR 164.502(a)", block(Reason.UNKNOWN_FACT, fact.value),
        AllOf(when, Unknown(fact)), mark=Mark.POLICY,
    )  # fmt: skip


_WITHOUT_TOPIC = PurposeIn(
    frozenset(
        {_P.APPOINTMENT, _P.LAB_NOTICE, _P.REFILL, _P.CARE_INSTRUCTIONS, _P.PROVIDER_TREATMENT, _P.PAYMENT}
        | {_P.TRANSACTIONAL, _P.BREACH_NOTICE, _P.SALE_OF_LIST, _P.UNCLASSIFIED}
    )
)
_WEB_PROSPECT = AllOf(RelationIn(frozenset({Relation.PROSPECT})), FROM_WEB)

ALWAYS_ROWS = (
    _always("A1", Layer.PATIENT, "Nothing goes to an address or channel that bounced, complained or was closed.",
            "CAN-SPAM, 15 USC 7704(a)(4); Gmail and Yahoo sender rules", SUPPRESSION, mark=Mark.PARTLY, rulings=("X4",)),
    _always("A2", Layer.PATIENT, "An opt-out is honored at once.",
            "15 USC 7704(a)(4); 16 CFR 316.5; 45 CFR 164.514(f)(2)", NOT_OPTED_OUT, mark=Mark.PARTLY,
            rulings=("X4", "X14")),
    _always("A3", Layer.PATIENT, "A restriction that we agreed to is kept.", "45 CFR 164.522(a)", RESTRICTION),
    _always("A4", Layer.ORGANIZATION, "The service that carries it is under a signed agreement that covers it.",
            "45 CFR 164.502(e), 164.504(e), 164.314(a)", BAA, mark=Mark.RECALLED, rulings=("X15",)),
    _always("A5", Layer.ORGANIZATION, "It is protected on its way; in clear only where law lets the person choose that.",
            "45 CFR 164.312(e); 78 FR 5634", ENCRYPT, effective=_SECURITY_RULE, rulings=("X10", "X11")),
    _always("A6", Layer.ORGANIZATION, "What it is for was confirmed by a second person.", "our policy: never guessed",
            block(Reason.NOT_CONFIRMED), Not(Confirmed()), mark=Mark.POLICY),
    _always("A7", Layer.ORGANIZATION, "There is an address to send it to.", "our policy",
            block(Reason.NO_ADDRESS), AllOf(Not(ChannelIn(frozenset({Channel.PORTAL}))), Unknown(UnknownFact.ADDRESS)),
            mark=Mark.POLICY),
    _unknown(1, UnknownFact.PAYER, PAID),
    _unknown(2, UnknownFact.TOPIC, Not(_WITHOUT_TOPIC)),
    _unknown(3, UnknownFact.RELATION),
    _unknown(4, UnknownFact.BIRTH_DATE, AllOf(Not(PROVIDER), Not(_WEB_PROSPECT))),
    _unknown(5, UnknownFact.STATE, Not(PROVIDER)),
    _unknown(6, UnknownFact.TIME_ZONE, BY_TEXT),
    Rule("T1a", "T1", Layer.FEDERAL, "A text message needs prior express consent; the free health care exemption is "
         "not relied on.", "47 CFR 64.1200(a)(1), (a)(9)(iv)", TCPA_CONSENT, Mark.PARTLY,
         frozenset(Purpose) - {_P.PAYMENT}, AllOf(BY_TEXT, Not(SOLICITS)), (OPT_IN,), (OPT_IN,), rulings=("X4",)),
    Rule("T1b", "T1", Layer.FEDERAL, "A text message that markets needs prior express written consent, confirmed.",
         "47 CFR 64.1200(a)(2), (f)(9)", TCPA_CONSENT, Mark.PARTLY, when=AllOf(BY_TEXT, SOLICITS),
         strict=(DOUBLE_OPT_IN,), floor=(DOUBLE_OPT_IN,)),
    Rule("T2", "T2", Layer.ORGANIZATION, "A text message travels in clear: it holds no more than a link to the portal.",
         "45 CFR 164.312(e); 47 CFR 64.1200(a)(9)(iv), (a)(10)", TCPA_CONSENT, Mark.PARTLY, when=BY_TEXT,
         elements=(_E.SMS_IDENTITY, _E.SMS_MINIMAL_TEXT, _E.SMS_STOP, _E.SMS_PORTAL_LINK),
         protection=Protection.PORTAL),
    Rule("T3", "T3", Layer.ORGANIZATION, "Text messages arrive between 9:00 and 20:00 where the person is, security codes "
         "and safety alerts excepted.", "our policy, stricter than 47 CFR 64.1200(c)(1)", TCPA_CONSENT, Mark.POLICY,
         frozenset(Purpose) - {_P.TRANSACTIONAL}, AllOf(BY_TEXT, Not(SignedOff(SignOff.SAFETY))), floor=None,
         window=Window(time(9), time(20))),
)  # fmt: skip
