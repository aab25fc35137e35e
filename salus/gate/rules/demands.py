"""The gates that rules set, by name, each with the reason that a refusal gives."""

from __future__ import annotations

from salus.gate.contracts import Reason
from salus.gate.rules.rule import Demand
from salus.kernel.vocabulary import Gate, Special

AUTH = Demand(Gate.AUTH, Reason.NO_AUTHORIZATION)
AUTH_REMUN = Demand(Gate.AUTH_REMUN, Reason.NO_AUTHORIZATION_REMUNERATION)
AUTH_SALE = Demand(Gate.AUTH_REMUN, Reason.NO_AUTHORIZATION_REMUNERATION, sale=True)
OPT_IN = Demand(Gate.OPT_IN, Reason.NO_OPT_IN)
DOUBLE_OPT_IN = Demand(Gate.OPT_IN, Reason.NO_OPT_IN, confirmed=True)
FUND = Demand(Gate.FUND, Reason.FUNDRAISING_OPTED_OUT)
E_NOTICE = Demand(Gate.E_NOTICE, Reason.NO_E_NOTICE)
WAIVER = Demand(Gate.WAIVER_ID, Reason.NO_WAIVER)
CLINICIAN = Demand(Gate.CLINICIAN_SIGN_OFF, Reason.NO_AUTHORIZATION)
SAFETY = Demand(Gate.SAFETY_FLAG, Reason.BLOCKED_BY_RULE)
COMPLIANCE = Demand(Gate.COMPLIANCE_APPROVAL, Reason.NO_COMPLIANCE_APPROVAL)
REPRESENTATIVE = Demand(Gate.REPRESENTATIVE, Reason.MINOR_WITHOUT_REPRESENTATIVE)
RESTRICTION = Demand(Gate.RESTRICTION_OK, Reason.RESTRICTED)
CONFIDENTIAL = Demand(Gate.CONFIDENTIAL_ADDR, Reason.CONFIDENTIAL_MEANS)
SUPPRESSION = Demand(Gate.SUPPRESSION_OK, Reason.SUPPRESSED)
NOT_OPTED_OUT = Demand(Gate.NOT_OPTED_OUT, Reason.OPTED_OUT)
BAA = Demand(Gate.BAA_OK, Reason.SERVICE_OUT_OF_SCOPE)
ENCRYPT = Demand(Gate.ENCRYPT, Reason.NOT_ENCRYPTED)


def block(reason: Reason, detail: str = "") -> Demand:
    """Return the gate that nothing satisfies."""
    return Demand(Gate.BLOCK, reason, detail=detail)


def special(category: Special) -> Demand:
    """Return the gate that asks for an authorization naming a special category."""
    return Demand(Gate.SPECIAL_AUTH, Reason.NO_SPECIAL_AUTHORIZATION, special=category)


def part2(consent: str) -> Demand:
    """Return the gate that asks for a 42 CFR 2.31 consent to "tpo", "marketing" or "fundraising"."""
    return Demand(Gate.PART2, Reason.NO_PART2_CONSENT, consent=consent)


def separate_opt_in(topic: str) -> Demand:
    """Return the gate that asks for a consent of its own, kept as an opt-in for `topic`."""
    return Demand(Gate.OPT_IN, Reason.NO_OPT_IN, topic=topic, detail=topic)
