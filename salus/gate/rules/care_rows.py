"""Rows D01 to D12, D29 to D31, D33, D35, D38, D39: care, payment, operations, and recall to care.

Where a cell of the table is prose, it became several rows (D09a, D09b...), each with a test.
"""

from __future__ import annotations

from datetime import date

from salus.gate.contracts import Element
from salus.gate.rules.conditions import (
    CurrentPrescription,
    PromotesIn,
    ReadsResult,
    RelationIn,
    RemunerationIn,
    SenderIn,
    SignedOff,
    SignOff,
)
from salus.gate.rules.demands import (
    AUTH,
    AUTH_REMUN,
    E_NOTICE,
    ENCRYPT,
    OPT_IN,
    SAFETY,
)
from salus.gate.rules.logic import ALWAYS, AllOf, Condition, Not
from salus.gate.rules.phrases import (
    AGE_SEX_VACCINATION,
    AT_MOST_OWN_HEALTH,
    BY_TEXT,
    CARVE_OUT,
    FROM_CARE,
    FROM_WEB,
    IN_TREATMENT,
    NOTHING_PROMOTED,
    OMNIBUS,
    OWN_HEALTH,
    OWN_PEOPLE,
    PAID,
    PAID_BY_PROMOTED,
    PRIMARY_PURPOSE,
    PRIVACY_RULE,
    PROVIDER,
    RECALL_DATA,
    TARGETED,
    TCPA_CONSENT,
    UNPAID,
    UNTARGETED,
    USES_PHI,
)
from salus.gate.rules.rule import Demand, Kind, Layer, Mark, OptOuts, Rule
from salus.gate.rules.words import PATIENTS
from salus.kernel.vocabulary import Footer, Promotes, Protection, Purpose, Relation, Remuneration
from salus.kernel.vocabulary import SenderRole as Role

_P, _F, _PREFER = Purpose, Footer, (Element.PREFERENCE_LINK,)
_ALL = OptOuts.ALL


def _row(
    id: str,
    purpose: Purpose,
    sentence: str,
    citation: str,
    *,
    row: str = "",
    effective: date = PRIVACY_RULE,
    mark: Mark = Mark.PARTLY,
    footer: Footer = Footer.TRANSACTIONAL,
    opt_outs: OptOuts = OptOuts.OWN_TOPIC,
    when: Condition = ALWAYS,
    strict: tuple[Demand, ...] = (),
    floor: tuple[Demand, ...] = (),
    elements: tuple[Element, ...] = (),
    protection: Protection | None = None,
    rulings: tuple[str, ...] = (),
) -> Rule:
    return Rule(
        id, row or id[:3], Layer.FEDERAL, sentence, citation, effective, mark, frozenset({purpose}), when, strict,
        floor, Kind.PERMIT, footer, opt_outs, elements, protection, rulings=rulings,
    )  # fmt: skip


_D03 = AllOf(
    CARVE_OUT, OWN_PEOPLE, NOTHING_PROMOTED, CurrentPrescription(),
    RemunerationIn(frozenset({Remuneration.NONE, Remuneration.IN_KIND, Remuneration.COST_ONLY})),
)  # fmt: skip
_D11 = AllOf(CARVE_OUT, OWN_PEOPLE, NOTHING_PROMOTED, UNPAID, AGE_SEX_VACCINATION)
_D35A = AllOf(CARVE_OUT, OWN_PEOPLE, NOTHING_PROMOTED, UNPAID, RECALL_DATA)
_PLAN_SIDE = SenderIn(frozenset({Role.PLAN, Role.BUSINESS_ASSOCIATE}))
_ENROLLED = RelationIn(frozenset({Relation.ENROLLED}))

CARE_ROWS = (
    _row("D01", _P.APPOINTMENT, "An appointment of one of our own people may be confirmed, reminded of or moved.",
         "45 CFR 164.501 marketing (2)(ii)(A); 164.506(c); 16 CFR 316.3", elements=_PREFER,
         when=AllOf(CARVE_OUT, OWN_PEOPLE, NOTHING_PROMOTED), rulings=("X4",)),
    _row("D02", _P.LAB_NOTICE, "Our own people may be told that a result or a portal message waits, without the result.",
         "45 CFR 164.506(c); 164.524",
         when=AllOf(CARVE_OUT, RelationIn(PATIENTS), NOTHING_PROMOTED, Not(ReadsResult())),
         rulings=("X4",)),
    _row("D03", _P.REFILL, "A refill or adherence reminder for a drug prescribed now or lapsed at most 90 days ago, "
         "paid for at most at its reasonable cost.",
         "45 CFR 164.501 marketing (2)(i); HHS FAQ 1514-1519", effective=OMNIBUS, when=_D03, elements=_PREFER),
    _row("D04a", _P.REFILL, "A refill reminder paid for above its reasonable cost is marketing for pay.",
         "45 CFR 164.501 marketing (2)(i); 164.508(a)(3)(ii)", effective=OMNIBUS, footer=_F.COMMERCIAL, opt_outs=_ALL,
         when=RemunerationIn(frozenset({Remuneration.ABOVE_COST})), strict=(AUTH_REMUN,), floor=(AUTH_REMUN,)),
    _row("D04b", _P.REFILL, "A refill reminder that names a new, added or alternative drug, for pay, is marketing for pay.",
         "45 CFR 164.501 marketing (2)(i); 164.508(a)(3)(ii)", effective=OMNIBUS, footer=_F.COMMERCIAL, opt_outs=_ALL,
         when=AllOf(PromotesIn(frozenset({Promotes.THIRD_PARTY})), PAID), strict=(AUTH_REMUN,), floor=(AUTH_REMUN,)),
    _row("D05", _P.CARE_INSTRUCTIONS, "Care instructions and care coordination for our own patient, unpaid.",
         "45 CFR 164.501 marketing (2)(ii)(A); 164.506(c)", rulings=("X3", "X4"),
         when=AllOf(CARVE_OUT, OWN_PEOPLE, NOTHING_PROMOTED, UNPAID)),
    _row("D06", _P.PROVIDER_TREATMENT, "A provider who treats the patient may be told what treatment needs, encrypted.",
         "45 CFR 164.506(c)(2); 164.502(b)(2)(i)", footer=_F.NONE, rulings=("X3",),
         when=AllOf(CARVE_OUT, PROVIDER, NOTHING_PROMOTED), strict=(ENCRYPT,), floor=(ENCRYPT,),
         protection=Protection.VERIFIED),
    _row("D07a", _P.PAYMENT, "Our own patient, enrollee or guarantor may be billed.",
         "45 CFR 164.501 payment; 164.506", when=AllOf(CARVE_OUT, RelationIn(PATIENTS), NOTHING_PROMOTED),
         rulings=("X4",)),
    Rule("D07b", "D07", Layer.FEDERAL, "Billing by text message needs prior express consent: the health care "
         "exemption leaves billing out.", "47 CFR 64.1200(a)(9)(iv)", TCPA_CONSENT, Mark.PARTLY,
         frozenset({_P.PAYMENT}), BY_TEXT, strict=(OPT_IN,), floor=(OPT_IN,)),
    _row("D08", _P.CONDITION_EDUCATION, "Education about a condition for which we treat the person now: nothing "
         "promoted, nobody pays, opt-out offered.", "45 CFR 164.501 marketing (2)(ii)(A), (C)",
         footer=_F.TRANSACTIONAL_OPT_OUT, opt_outs=_ALL, when=IN_TREATMENT, rulings=("X1",)),
    _row("D09a", _P.CONDITION_EDUCATION, "Education about a condition for which we do not, as far as the record shows, "
         "treat the person now.", "45 CFR 164.501 marketing (2)(ii); our policy is stricter", mark=Mark.POLICY,
         footer=_F.COMMERCIAL, opt_outs=_ALL, rulings=("X1",),
         when=AllOf(CARVE_OUT, NOTHING_PROMOTED, UNPAID, Not(IN_TREATMENT)), strict=(AUTH,)),
    _row("D09b", _P.CONDITION_EDUCATION, "Education about a condition for which somebody gives us anything.",
         "45 CFR 164.501 marketing (2)(ii); 164.508(a)(3)", footer=_F.COMMERCIAL, opt_outs=_ALL, rulings=("X1",),
         when=AllOf(CARVE_OUT, NOTHING_PROMOTED, PAID), strict=(AUTH,), floor=(AUTH,)),
    _row("D10", _P.GENERAL_EDUCATION, "General health education, with no PHI used to choose who gets it.",
         "45 CFR 164.501 marketing (not about a product or service)", footer=_F.COMMERCIAL, opt_outs=_ALL,
         when=AllOf(NOTHING_PROMOTED, UNTARGETED), strict=(OPT_IN,)),
    _row("D11", _P.PREVENTIVE_REMINDER, "A reminder of preventive care to our own people, chosen by age, sex or a "
         "vaccination that is due.", "45 CFR 164.501 marketing (2)(ii)(A)", footer=_F.TRANSACTIONAL_OPT_OUT,
         opt_outs=_ALL, when=_D11),
    _row("D12a", _P.PREVENTIVE_REMINDER, "A reminder of preventive care chosen by diagnosis or risk, for a condition "
         "for which we treat the person now.", "45 CFR 164.501 marketing (2)(ii)(A), (C)", footer=_F.COMMERCIAL,
         opt_outs=_ALL, when=AllOf(IN_TREATMENT, Not(_D11)), rulings=("X1",)),
    _row("D12b", _P.PREVENTIVE_REMINDER, "A reminder of preventive care chosen by diagnosis or risk, not in treatment "
         "for it here.", "45 CFR 164.501 marketing (2)(ii); our policy is stricter", mark=Mark.POLICY,
         footer=_F.COMMERCIAL, opt_outs=_ALL, strict=(AUTH,), rulings=("X1",),
         when=AllOf(CARVE_OUT, NOTHING_PROMOTED, UNPAID, Not(_D11), Not(IN_TREATMENT))),
    _row("D12c", _P.PREVENTIVE_REMINDER, "A reminder of preventive care for which somebody gives us anything.",
         "45 CFR 164.501 marketing (2)(ii); 164.508(a)(3)", footer=_F.COMMERCIAL, opt_outs=_ALL, rulings=("X1",),
         when=AllOf(CARVE_OUT, NOTHING_PROMOTED, PAID), strict=(AUTH,), floor=(AUTH,)),
    _row("D29", _P.SURVEY, "A survey of our own people for our own quality improvement, opt-out offered.",
         "45 CFR 164.501 health care operations (1)", footer=_F.TRANSACTIONAL_OPT_OUT, opt_outs=_ALL,
         when=AllOf(CARVE_OUT, OWN_PEOPLE, NOTHING_PROMOTED, UNPAID)),
    _row("D30a", _P.PUBLIC_HEALTH_ALERT, "A public health alert by region; who opted out of marketing is left out.",
         "45 CFR 164.501 (not marketing)", mark=Mark.RECALLED, opt_outs=_ALL,
         when=AllOf(NOTHING_PROMOTED, UNTARGETED, Not(SignedOff(SignOff.SAFETY)))),
    _row("D30b", _P.PUBLIC_HEALTH_ALERT, "A public health alert by region with a safety flag goes also to who opted "
         "out of marketing.", "45 CFR 164.501 (not marketing)", mark=Mark.RECALLED, opt_outs=OptOuts.IGNORED,
         when=AllOf(NOTHING_PROMOTED, UNTARGETED, SignedOff(SignOff.SAFETY)), strict=(SAFETY,), floor=(SAFETY,)),
    _row("D31a", _P.PLAN_BENEFIT, "A plan may write to its enrollee about benefits, renewal and claims, unpaid.",
         "45 CFR 164.501 marketing (2)(ii)(B)", when=AllOf(_PLAN_SIDE, _ENROLLED, UNPAID, NOTHING_PROMOTED)),
    _row("D31b", _P.PLAN_BENEFIT, "A plan may tell its enrollee of its own health benefits and services, unpaid.",
         "45 CFR 164.501 marketing (2)(ii)(B)", footer=_F.COMMERCIAL, opt_outs=_ALL,
         when=AllOf(_PLAN_SIDE, _ENROLLED, UNPAID, OWN_HEALTH)),
    _row("D33", _P.TRANSACTIONAL, "A message about the person's own order, delivery, account or security.",
         "15 USC 7702(17); 16 CFR 316.3(c)", effective=PRIMARY_PURPOSE, mark=Mark.RECALLED, when=NOTHING_PROMOTED),
    _row("D35a", _P.RE_ENGAGEMENT, "A recall to care of our own people, chosen by age, sex, vaccination or last visit.",
         "45 CFR 164.501 marketing (2)(ii)(A), as D11", footer=_F.TRANSACTIONAL_OPT_OUT, opt_outs=_ALL, when=_D35A),
    _row("D35b", _P.RE_ENGAGEMENT, "A recall to care for a condition for which we treat the person now.",
         "45 CFR 164.501 marketing (2)(ii)(A), (C), as D08", footer=_F.TRANSACTIONAL_OPT_OUT, opt_outs=_ALL,
         when=AllOf(IN_TREATMENT, Not(_D35A)), rulings=("X1",)),
    _row("D35c", _P.RE_ENGAGEMENT, "A recall that uses PHI beyond that, of somebody not in treatment here.",
         "45 CFR 164.501 marketing (2)(ii), as D09; our policy is stricter", mark=Mark.POLICY, footer=_F.COMMERCIAL,
         opt_outs=_ALL, strict=(AUTH,), rulings=("X1",),
         when=AllOf(CARVE_OUT, NOTHING_PROMOTED, UNPAID, USES_PHI, Not(_D35A), Not(IN_TREATMENT))),
    _row("D35d", _P.RE_ENGAGEMENT, "Winning somebody back with our own services, at an address that came with care.",
         "45 CFR 164.501 marketing (2)(ii)(B), as D13; our policy is stricter", mark=Mark.POLICY,
         footer=_F.COMMERCIAL, opt_outs=_ALL, strict=(AUTH,), rulings=("X2",),
         when=AllOf(CARVE_OUT, OWN_HEALTH, UNPAID, FROM_CARE, UNTARGETED)),
    _row("D35e", _P.RE_ENGAGEMENT, "Winning somebody back at an address that they gave for messages.",
         "CAN-SPAM, as D14", mark=Mark.POLICY, footer=_F.COMMERCIAL, opt_outs=_ALL, strict=(OPT_IN,),
         when=AllOf(AT_MOST_OWN_HEALTH, FROM_WEB, UNTARGETED, Not(_D35A))),
    _row("D35f", _P.RE_ENGAGEMENT, "Winning somebody back with our own services, chosen by PHI.",
         "45 CFR 164.501 marketing (2)(ii)(B), as D15; our policy is stricter", mark=Mark.POLICY,
         footer=_F.COMMERCIAL, opt_outs=_ALL, strict=(AUTH,), rulings=("X2",),
         when=AllOf(CARVE_OUT, OWN_HEALTH, UNPAID, TARGETED)),
    _row("D35g", _P.RE_ENGAGEMENT, "A recall or win-back that uses PHI and for which somebody gives us anything.",
         "45 CFR 164.501 marketing (2)(ii); 164.508(a)(3)", footer=_F.COMMERCIAL, opt_outs=_ALL,
         when=AllOf(CARVE_OUT, AT_MOST_OWN_HEALTH, PAID, USES_PHI), strict=(AUTH,), floor=(AUTH,)),
    _row("D38", _P.BREACH_NOTICE, "A breach notice goes by e-mail only to who agreed to electronic notice; first-class "
         "mail to all others.", "45 CFR 164.404(d)(1)(i)", effective=date(2009, 9, 23), mark=Mark.VERIFIED,
         footer=_F.BREACH, opt_outs=OptOuts.IGNORED, strict=(E_NOTICE,), floor=(E_NOTICE,)),
    _row("D39", _P.GOVERNMENT_PROGRAM, "Information about Medicare, Medicaid and other public programs.",
         "HHS FAQ (not marketing)", mark=Mark.RECALLED, opt_outs=_ALL, when=NOTHING_PROMOTED),
)  # fmt: skip
"""The rows of care; `D19b` closes the gap that the exception for D03 would leave."""

D19B = _row(
    "D19b", _P.REFILL, "A refill reminder that the drug's maker pays for, outside the exception for current drugs.",
    "45 CFR 164.501 marketing (2)(i); 164.508(a)(3)(ii)", row="D19", effective=OMNIBUS, footer=_F.COMMERCIAL,
    opt_outs=_ALL, when=AllOf(PAID_BY_PROMOTED, Not(_D03)), strict=(AUTH_REMUN,), floor=(AUTH_REMUN,),
)  # fmt: skip
