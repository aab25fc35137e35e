"""Rows D13 to D21 and D37: what is promoted, who pays, and where the address came from."""

from __future__ import annotations

from datetime import date

from salus.gate.contracts import Reason
from salus.gate.rules.conditions import Individual, PromotesIn, PurposeIn, SignedOff, SignOff
from salus.gate.rules.demands import AUTH, AUTH_REMUN, AUTH_SALE, CLINICIAN, OPT_IN, block
from salus.gate.rules.logic import ALWAYS, AllOf, AnyOf, Condition, Not
from salus.gate.rules.phrases import (
    AT_MOST_OWN_HEALTH,
    CAN_SPAM,
    CARVE_OUT,
    FROM_CARE,
    FROM_WEB,
    OMNIBUS,
    OWN_HEALTH,
    OWN_PATIENT,
    PAID,
    PAID_BY_PROMOTED,
    PRIVACY_RULE,
    TARGETED,
    TREATS,
    UNPAID,
    UNPROVEN,
    UNTARGETED,
)
from salus.gate.rules.rule import Demand, Kind, Layer, Mark, OptOuts, Rule
from salus.gate.rules.words import LABELS
from salus.kernel.vocabulary import Footer, Promotes, Purpose

_P = Purpose
_ALL_BUT = frozenset(Purpose) - {_P.UNCLASSIFIED, _P.SALE_OF_LIST}


def _row(
    id: str,
    purposes: frozenset[Purpose],
    sentence: str,
    citation: str,
    when: Condition,
    strict: tuple[Demand, ...],
    floor: tuple[Demand, ...],
    *,
    effective: date = PRIVACY_RULE,
    mark: Mark = Mark.PARTLY,
    kind: Kind = Kind.PERMIT,
    rulings: tuple[str, ...] = (),
) -> Rule:
    return Rule(
        id, id[:3], Layer.FEDERAL, sentence, citation, effective, mark, purposes, when, strict, floor,
        kind, Footer.COMMERCIAL, OptOuts.ALL, rulings=rulings,
    )  # fmt: skip


def _only(*purposes: Purpose) -> frozenset[Purpose]:
    return frozenset(purposes)


_OWN_SERVICE, _ELECTIVE = _only(_P.OWN_SERVICE), _only(_P.ELECTIVE)
_CARVED = "45 CFR 164.501 marketing (2)(ii)(B); our policy is stricter"
_PAID_TOO = "45 CFR 164.501 marketing (2)(ii); 164.508(a)(3)"
_RECOMMENDED = AllOf(TREATS, OWN_PATIENT, Individual(), UNPAID)
_SIGNED = SignedOff(SignOff.CLINICIAN)
_OPENLY_OURS = PurposeIn(_only(_P.OWN_SERVICE, _P.NEWSLETTER))

MARKETING_ROWS = (
    _row("D13a", _OWN_SERVICE, "Announcing our own health services at an address that came with care.", _CARVED,
         AllOf(CARVE_OUT, AT_MOST_OWN_HEALTH, UNPAID, FROM_CARE, UNTARGETED), (AUTH,), (), mark=Mark.POLICY,
         rulings=("X2", "X11")),
    _row("D13b", LABELS, "A message of another kind that promotes our own health services, at an address that came "
         "with care: what it promotes decides, not its label.", f"{_CARVED}; 16 CFR 316.3",
         AllOf(CARVE_OUT, OWN_HEALTH, UNPAID, FROM_CARE, UNTARGETED), (AUTH,), (), mark=Mark.POLICY,
         rulings=("X2", "X11")),
    _row("D13c", _OWN_SERVICE | LABELS | _only(_P.NEWSLETTER), "Promoting our own health services when somebody gives "
         "us anything for it and PHI is used.", _PAID_TOO,
         AllOf(CARVE_OUT, AT_MOST_OWN_HEALTH, PAID, AnyOf(FROM_CARE, TARGETED), AnyOf(_OPENLY_OURS, OWN_HEALTH)),
         (AUTH,), (AUTH,)),
    _row("D14a", _OWN_SERVICE, "Announcing our own services at an address that the person gave for messages.",
         "CAN-SPAM, 15 USC 7704(a)", AllOf(AT_MOST_OWN_HEALTH, FROM_WEB, UNTARGETED), (OPT_IN,), (),
         effective=CAN_SPAM, mark=Mark.RECALLED),
    _row("D14b", LABELS, "A message of another kind that promotes our own health services, at an address that the "
         "person gave for messages.", "CAN-SPAM, 15 USC 7704(a); 16 CFR 316.3",
         AllOf(OWN_HEALTH, FROM_WEB, UNTARGETED), (OPT_IN,), (), effective=CAN_SPAM, mark=Mark.RECALLED),
    _row("D15a", _OWN_SERVICE, "Announcing our own health services to people chosen by PHI.", _CARVED,
         AllOf(CARVE_OUT, AT_MOST_OWN_HEALTH, UNPAID, TARGETED), (AUTH,), (), mark=Mark.POLICY, rulings=("X2",)),
    _row("D15b", LABELS, "A message of another kind that promotes our own health services to people chosen by PHI.",
         f"{_CARVED}; 16 CFR 316.3", AllOf(CARVE_OUT, OWN_HEALTH, UNPAID, TARGETED), (AUTH,), (), mark=Mark.POLICY,
         rulings=("X2",)),
    _row("D16a", _ELECTIVE, "Our own elective, cosmetic, weight-loss or wellness services, at an address that came with "
         "care or to people chosen by PHI.", _CARVED,
         AllOf(CARVE_OUT, AT_MOST_OWN_HEALTH, UNPAID, AnyOf(FROM_CARE, TARGETED)), (AUTH,), (), mark=Mark.POLICY,
         rulings=("X2",)),
    _row("D16b", _ELECTIVE, "The same when somebody gives us anything for it.", _PAID_TOO,
         AllOf(CARVE_OUT, AT_MOST_OWN_HEALTH, PAID, AnyOf(FROM_CARE, TARGETED)), (AUTH,), (AUTH,), rulings=("X2",)),
    _row("D16c", _ELECTIVE, "Our own elective services, no PHI used, at an address that the person gave for messages.",
         "CAN-SPAM, 15 USC 7704(a), as D14", AllOf(AT_MOST_OWN_HEALTH, FROM_WEB, UNTARGETED), (OPT_IN,), (),
         effective=CAN_SPAM, mark=Mark.RECALLED, rulings=("X2",)),
    _row("D17a", _only(_P.THIRD_PARTY_PRODUCT), "Somebody else's product or service is marketing, paid or not.",
         "45 CFR 164.508(a)(3)(i)", Not(_RECOMMENDED), (AUTH,), (AUTH,), rulings=("X5",)),
    _row("D17b", _ALL_BUT - _only(_P.THIRD_PARTY_PRODUCT), "A message of another kind that promotes somebody else's "
         "product or service.", "45 CFR 164.508(a)(3)(i); 16 CFR 316.3",
         PromotesIn(frozenset({Promotes.THIRD_PARTY})), (AUTH,), (AUTH,), rulings=("X5",)),
    _row("D18a", _only(_P.THIRD_PARTY_PRODUCT), "A treating provider recommends a treatment to one patient, unpaid, and "
         "a clinician has signed it off.", "45 CFR 164.501 marketing (2)(ii)(A), (C); HHS FAQ 1519",
         AllOf(_RECOMMENDED, _SIGNED), (CLINICIAN,), (), rulings=("X5",)),
    _row("D18b", _only(_P.THIRD_PARTY_PRODUCT), "A treating provider recommends a treatment to one patient, unpaid, "
         "without a clinician's sign-off.", "45 CFR 164.501 marketing (2)(ii)(A), (C); our policy is stricter",
         AllOf(_RECOMMENDED, Not(_SIGNED)), (AUTH,), (), mark=Mark.POLICY, rulings=("X5",)),
    _row("D19a", _ALL_BUT - _only(_P.REFILL), "The party whose product is described pays us for the message.",
         "45 CFR 164.501 marketing (2)(ii); 164.508(a)(3)(ii)", PAID_BY_PROMOTED, (AUTH_REMUN,), (AUTH_REMUN,),
         effective=OMNIBUS, mark=Mark.VERIFIED, rulings=("X5",)),
    _row("D20a", _only(_P.OWN_NON_HEALTH), "Our own product that has nothing to do with health.",
         "45 CFR 164.501 marketing (1)", ALWAYS, (AUTH,), (AUTH,)),
    _row("D20b", _ALL_BUT - _only(_P.OWN_NON_HEALTH), "A message of another kind that promotes our own product that "
         "has nothing to do with health.", "45 CFR 164.501 marketing (1); 16 CFR 316.3",
         PromotesIn(frozenset({Promotes.OWN_NON_HEALTH})), (AUTH,), (AUTH,)),
    _row("D21", _only(_P.SALE_OF_LIST), "PHI is never sold through a message; only a manual legal release can do it.",
         "45 CFR 164.502(a)(5)(ii); 164.508(a)(4)", ALWAYS, (block(Reason.BLOCKED_BY_RULE), AUTH_SALE), (AUTH_SALE,),
         effective=OMNIBUS),
    _row("D37a", frozenset(Purpose), "The address was bought, scraped, or nobody knows where it came from.",
         "Gmail and Yahoo sender rules; 45 CFR 164.530(c) (no proof of relation)", UNPROVEN,
         (block(Reason.ADDRESS_SOURCE),), (), effective=CAN_SPAM, mark=Mark.POLICY, kind=Kind.ADD, rulings=("X11",)),
    _row("D37b", _only(_P.OWN_SERVICE, _P.ELECTIVE, _P.NEWSLETTER, _P.RE_ENGAGEMENT), "Promotion of our own services at "
         "such an address: the federal floor asks no more than CAN-SPAM.", "CAN-SPAM, 15 USC 7704(a)",
         AllOf(UNPROVEN, UNTARGETED, AT_MOST_OWN_HEALTH), (block(Reason.ADDRESS_SOURCE),), (), effective=CAN_SPAM,
         mark=Mark.RECALLED),
)  # fmt: skip
