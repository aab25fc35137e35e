"""Rows D22 to D28, D32, D34, D36, D40 and the sender's role: giving, research, events, letters, prospects."""

from __future__ import annotations

from datetime import date

from salus.gate.contracts import Element, Reason
from salus.gate.rules.conditions import PurposeIn, ReadsAny, RelationIn, SignedOff, SignOff
from salus.gate.rules.demands import AUTH, DOUBLE_OPT_IN, FUND, OPT_IN, WAIVER, block
from salus.gate.rules.logic import ALWAYS, AllOf, AnyOf, Condition, Not
from salus.gate.rules.phrases import (
    AT_MOST_OWN_HEALTH,
    CAN_SPAM,
    CARVE_OUT,
    FROM_CARE,
    FROM_WEB,
    FUNDRAISING_DATA,
    GENERAL_FUNDRAISING,
    NOTHING_PROMOTED,
    OMNIBUS,
    OWN_HEALTH,
    PRIVACY_RULE,
    SUPPLIER,
    TARGETED,
    UNPAID,
    UNTARGETED,
)
from salus.gate.rules.rule import Demand, Kind, Layer, Mark, OptOuts, Rule
from salus.gate.rules.words import FUNDRAISING
from salus.kernel.vocabulary import Footer, PhiClass, Purpose, Relation

_P, _F = Purpose, Footer


def _row(
    id: str,
    purpose: Purpose,
    sentence: str,
    citation: str,
    when: Condition,
    strict: tuple[Demand, ...],
    floor: tuple[Demand, ...],
    *,
    row: str = "",
    footer: Footer = Footer.COMMERCIAL,
    effective: date = PRIVACY_RULE,
    mark: Mark = Mark.PARTLY,
    elements: tuple[Element, ...] = (),
    rulings: tuple[str, ...] = (),
) -> Rule:
    return Rule(
        id, row or id[:3], Layer.FEDERAL, sentence, citation, effective, mark, frozenset({purpose}), when, strict,
        floor, Kind.PERMIT, footer, OptOuts.ALL, elements, rulings=rulings,
    )  # fmt: skip


_WAIVED = SignedOff(SignOff.WAIVER)
_BY_DEPARTMENT = ReadsAny(frozenset({PhiClass.DEPARTMENT, PhiClass.PHYSICIAN, PhiClass.OUTCOME}))
_STRICTER = "our policy is stricter"

OTHER_ROWS = (
    _row("D22", _P.FUNDRAISING_OWN, "Raising funds for ourselves with demographics, dates of care and insurance status "
         "only.", "45 CFR 164.514(f)(1)-(2); 164.520(b)(1)(iii)(A)", AllOf(CARVE_OUT, GENERAL_FUNDRAISING), (FUND,),
         (FUND,), footer=_F.FUNDRAISING, effective=OMNIBUS, mark=Mark.VERIFIED, rulings=("X6",)),
    _row("D23", _P.FUNDRAISING_OWN, "Raising funds for ourselves by department, treating physician or outcome.",
         f"45 CFR 164.514(f)(1)(iii)-(v); {_STRICTER}", AllOf(CARVE_OUT, _BY_DEPARTMENT, FUNDRAISING_DATA),
         (AUTH, FUND), (FUND,), footer=_F.FUNDRAISING, effective=OMNIBUS, mark=Mark.VERIFIED, rulings=("X6",)),
    _row("D24", _P.FUNDRAISING_OWN, "Raising funds with diagnosis, treatment, medication or any other PHI.",
         "45 CFR 164.514(f)(1); 164.508(a)(1)", AllOf(CARVE_OUT, Not(FUNDRAISING_DATA)), (AUTH, FUND), (AUTH, FUND),
         footer=_F.FUNDRAISING, effective=OMNIBUS, mark=Mark.VERIFIED, rulings=("X6",)),
    _row("D25", _P.FUNDRAISING_OTHERS, "Raising funds for somebody else.",
         "45 CFR 164.514(f)(1) (for its own benefit)", ALWAYS, (AUTH, FUND), (AUTH, FUND), footer=_F.FUNDRAISING,
         effective=OMNIBUS, mark=Mark.VERIFIED),
    _row("D26a", _P.RESEARCH_RECRUITMENT, "Recruiting for research under a waiver of an IRB or privacy board.",
         "45 CFR 164.512(i)", _WAIVED, (WAIVER,), (WAIVER,), footer=_F.RESEARCH, mark=Mark.RECALLED),
    _row("D26b", _P.RESEARCH_RECRUITMENT, "Recruiting for research without a waiver.", "45 CFR 164.508; 164.512(i)",
         Not(_WAIVED), (AUTH,), (AUTH,), footer=_F.RESEARCH, mark=Mark.RECALLED),
    _row("D27", _P.SOCIAL_EVENT, "An invitation that promotes nothing, no PHI used.",
         "45 CFR 164.501 marketing (no product or service)", AllOf(NOTHING_PROMOTED, UNTARGETED), (OPT_IN,), ()),
    _row("D28a", _P.SOCIAL_EVENT, "An invitation that promotes nothing, to people chosen by PHI.",
         f"45 CFR 164.501 marketing (no product or service); {_STRICTER}", AllOf(NOTHING_PROMOTED, TARGETED), (AUTH,),
         (), mark=Mark.POLICY),
    _row("D28b", _P.SOCIAL_EVENT, "An invitation that promotes something, to people chosen by PHI.",
         "45 CFR 164.508(a)(3)(i)", AllOf(Not(NOTHING_PROMOTED), TARGETED), (AUTH,), (AUTH,)),
    _row("D32", _P.PLAN_PROSPECT, "Plan options for somebody who is not enrolled, no PHI used.",
         "CAN-SPAM, 15 USC 7704(a); Medicare Advantage rules not verified",
         AllOf(Not(RelationIn(frozenset({Relation.ENROLLED}))), AT_MOST_OWN_HEALTH, FROM_WEB, UNTARGETED), (OPT_IN,),
         (OPT_IN,), effective=CAN_SPAM, mark=Mark.RECALLED),
    _row("D34a", _P.MILESTONE, "A birthday or anniversary wish that promotes nothing, no PHI of care used.",
         "45 CFR 164.501 health care operations", AllOf(NOTHING_PROMOTED, UNTARGETED), (OPT_IN,), (),
         mark=Mark.RECALLED),
    _row("D34b", _P.MILESTONE, "A wish on an anniversary of care.",
         f"45 CFR 164.501 health care operations; {_STRICTER}", AllOf(NOTHING_PROMOTED, TARGETED), (AUTH, OPT_IN), (),
         mark=Mark.POLICY),
    _row("D36a", _P.NEWSLETTER, "The newsletter for somebody who signed up for it and confirmed.",
         "CAN-SPAM, 15 USC 7704(a)", AllOf(AT_MOST_OWN_HEALTH, FROM_WEB, UNTARGETED), (DOUBLE_OPT_IN,), (),
         effective=CAN_SPAM, mark=Mark.RECALLED),
    _row("D36b", _P.NEWSLETTER, "The newsletter at an address that came with care, promoting nothing, as D10.",
         "45 CFR 164.501 marketing (not about a product or service)", AllOf(NOTHING_PROMOTED, FROM_CARE, UNTARGETED),
         (DOUBLE_OPT_IN,), (), mark=Mark.POLICY),
    _row("D36c", _P.NEWSLETTER, "The newsletter at an address that came with care, promoting our own health services, "
         "as D13.", f"45 CFR 164.501 marketing (2)(ii)(B); {_STRICTER}",
         AllOf(CARVE_OUT, OWN_HEALTH, UNPAID, FROM_CARE, UNTARGETED), (AUTH, DOUBLE_OPT_IN), (), mark=Mark.POLICY,
         rulings=("X2",)),
    _row("D36d", _P.NEWSLETTER, "The newsletter to people chosen by PHI, as D15.",
         f"45 CFR 164.501 marketing (2)(ii)(B); {_STRICTER}", AllOf(CARVE_OUT, AT_MOST_OWN_HEALTH, UNPAID, TARGETED),
         (AUTH, DOUBLE_OPT_IN), (), mark=Mark.POLICY, rulings=("X2",)),
    _row("D40", _P.UNCLASSIFIED, "Nobody has said what this message is for.", "our policy: never guessed", ALWAYS,
         (block(Reason.UNCLASSIFIED),), (block(Reason.UNCLASSIFIED),), footer=_F.NONE, mark=Mark.POLICY),
)  # fmt: skip

_FREE_OF_HIPAA = frozenset(
    {_P.TRANSACTIONAL, _P.BREACH_NOTICE, _P.PUBLIC_HEALTH_ALERT, _P.GOVERNMENT_PROGRAM, _P.UNCLASSIFIED}
    | {_P.SALE_OF_LIST, _P.PROVIDER_TREATMENT}
)
_CARVED = FUNDRAISING | {
    _P.APPOINTMENT, _P.LAB_NOTICE, _P.REFILL, _P.CARE_INSTRUCTIONS, _P.PAYMENT, _P.CONDITION_EDUCATION,
    _P.PREVENTIVE_REMINDER, _P.SURVEY, _P.PLAN_BENEFIT,
}  # fmt: skip

SENDER_ROWS = (
    Rule("L1", "L1", Layer.FEDERAL, "The sender is a supplier, not a covered entity: HIPAA's exceptions are not its own, "
         "so it needs an authorization as any third party does.", "45 CFR 160.103; 164.508(a)(3)(i)", PRIVACY_RULE,
         Mark.RECALLED, frozenset(Purpose) - _FREE_OF_HIPAA,
         AllOf(SUPPLIER, AnyOf(PurposeIn(_CARVED), TARGETED, FROM_CARE)), (AUTH,), (AUTH,), Kind.PERMIT,
         Footer.COMMERCIAL, OptOuts.ALL),
)  # fmt: skip
