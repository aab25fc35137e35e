"""Overlays S1 to S10: what is always added for special categories and special people (`law.md` 1.3)."""

from __future__ import annotations

from datetime import date

from salus.gate.contracts import Element, Reason
from salus.gate.rules.cases import Age
from salus.gate.rules.conditions import AgeIn, Deceased, PurposeIn, RevealsAny
from salus.gate.rules.demands import (
    AUTH,
    COMPLIANCE,
    CONFIDENTIAL,
    FUND,
    REPRESENTATIVE,
    block,
    part2,
    special,
)
from salus.gate.rules.logic import ALWAYS, AllOf, Condition, Not
from salus.gate.rules.phrases import FROM_SIGN_UP, MARKETS, MINOR, PLAN, PRIVACY_RULE, PROVIDER
from salus.gate.rules.rule import Demand, Layer, Mark, OptOuts, Rule
from salus.gate.rules.words import ANY_PURPOSE, FUNDRAISING
from salus.kernel.vocabulary import Protection, Purpose, Special

_P, _E = Purpose, Element
_PART2_SINCE = date(1987, 8, 10)
"""42 CFR part 2; the text as amended binds since 16 February 2026."""


def _overlay(
    id: str,
    sentence: str,
    citation: str,
    when: Condition,
    strict: tuple[Demand, ...] | None,
    floor: tuple[Demand, ...] | None,
    *,
    row: str = "",
    purposes: frozenset[Purpose] = ANY_PURPOSE,
    effective: date = PRIVACY_RULE,
    mark: Mark = Mark.RECALLED,
    elements: tuple[Element, ...] = (),
    protection: Protection | None = None,
) -> Rule:
    return Rule(
        id, row or id.rstrip("abcd"), Layer.OVERLAY, sentence, citation, effective, mark, purposes, when, strict,
        floor, opt_outs=OptOuts.IGNORED, elements=elements, protection=protection,
    )  # fmt: skip


def _reveals(category: Special) -> RevealsAny:
    return RevealsAny(frozenset({category}))


_SUD, _HIV = _reveals(Special.PART2_SUD), _reveals(Special.HIV)
_REPRODUCTIVE, _GENETIC = _reveals(Special.REPRODUCTIVE), _reveals(Special.GENETIC)
_MENTAL = _reveals(Special.MENTAL_HEALTH)
_PART2_ELEMENTS = (_E.PART2_NOTICE, _E.PART2_CONSENT_SCOPE, _E.NEUTRAL_SENDER, _E.NEUTRAL_NOTICE)
_NEUTRAL = (_E.NEUTRAL_NOTICE,)
_BLOCKED = (block(Reason.BLOCKED_BY_RULE),)
_NOT_FUNDRAISING = Not(PurposeIn(FUNDRAISING))

OVERLAYS = (
    _overlay("S1", "Psychotherapy notes are never in a segment, a merge field or a message.",
             "45 CFR 164.508(a)(2), (b)(3)(ii)", _reveals(Special.PSYCHOTHERAPY_NOTES),
             (block(Reason.NEVER_IN_MESSAGES),), (block(Reason.NEVER_IN_MESSAGES),)),
    _overlay("S2a", "A record of substance use treatment needs the patient's Part 2 consent, the notice with each "
             "disclosure, and the portal.", "42 CFR 2.31, 2.32, 2.33", AllOf(_SUD, Not(MARKETS), _NOT_FUNDRAISING),
             (part2("tpo"),), (part2("tpo"),), effective=_PART2_SINCE, mark=Mark.VERIFIED, elements=_PART2_ELEMENTS,
             protection=Protection.PORTAL),
    _overlay("S2b", "A record of substance use treatment is left out of all marketing; the floor asks for an "
             "authorization and a Part 2 consent that names marketing.", "42 CFR 2.31, 2.33; 45 CFR 164.508(a)(3)",
             AllOf(_SUD, MARKETS), (*_BLOCKED, AUTH, part2("marketing")), (AUTH, part2("marketing")),
             effective=_PART2_SINCE, mark=Mark.VERIFIED, elements=_PART2_ELEMENTS, protection=Protection.PORTAL),
    _overlay("S2c", "Fundraising that would tell of substance use treatment needs a Part 2 consent that names it, and "
             "an opt-out offered before the first use.", "45 CFR 164.520(b)(1)(iii)(D); 42 CFR 2.31",
             AllOf(_SUD, PurposeIn(FUNDRAISING)), (part2("fundraising"), FUND), (part2("fundraising"), FUND),
             effective=_PART2_SINCE, elements=_PART2_ELEMENTS, protection=Protection.PORTAL),
    _overlay("S3", "What tells of HIV goes by the portal only, and no notice names it.", "state law, e.g. NY PHL 2782",
             _HIV, (), (), elements=_NEUTRAL, protection=Protection.PORTAL),
    _overlay("S4a", "What tells of reproductive health goes by the portal only.",
             "45 CFR 164.502; state shield laws (the 2024 rule was vacated on 18 June 2025)", _REPRODUCTIVE, (), (),
             mark=Mark.POLICY, elements=_NEUTRAL, protection=Protection.PORTAL),
    _overlay("S4b", "Marketing that tells of reproductive health needs an authorization that names it.",
             "our policy; state shield laws", AllOf(_REPRODUCTIVE, MARKETS), (special(Special.REPRODUCTIVE),), None,
             mark=Mark.POLICY),
    _overlay("S5a", "What tells of genetics needs an authorization that names it when it is not for care.",
             "45 CFR 164.508(a)(1); 164.502(a)(5)(i)", AllOf(_GENETIC, MARKETS), (special(Special.GENETIC),),
             (special(Special.GENETIC),), protection=Protection.KEY),
    _overlay("S5b", "What tells of genetics needs an authorization that names it, for care too.",
             "our policy; 45 CFR 164.502(a)(5)(i)", AllOf(_GENETIC, Not(MARKETS)), (special(Special.GENETIC),), (),
             mark=Mark.POLICY, protection=Protection.KEY),
    _overlay("S5c", "A health plan never uses genetic information for underwriting.", "45 CFR 164.502(a)(5)(i)",
             AllOf(_GENETIC, PLAN), _BLOCKED, _BLOCKED, purposes=frozenset({_P.PLAN_BENEFIT, _P.PLAN_PROSPECT})),
    _overlay("S6a", "For a minor the address is the representative's, or the minor's own where the minor lawfully "
             "consented alone.", "45 CFR 164.502(g)(3)", AllOf(MINOR, Not(PROVIDER)), (REPRESENTATIVE,),
             (REPRESENTATIVE,)),
    _overlay("S6b", "A child under 13 cannot sign up on a website.", "16 CFR 312",
             AllOf(AgeIn(frozenset({Age.UNDER_13})), FROM_SIGN_UP), _BLOCKED, _BLOCKED),
    _overlay("S7a", "What tells of mental health goes by the portal only.", "state law, e.g. 740 ILCS 110", _MENTAL, (),
             (), elements=_NEUTRAL, protection=Protection.PORTAL),
    _overlay("S7b", "Marketing that tells of mental health needs an authorization that names it.",
             "our policy; state law, e.g. 740 ILCS 110", AllOf(_MENTAL, MARKETS), (special(Special.MENTAL_HEALTH),),
             None, mark=Mark.POLICY),
    _overlay("S8", "Nothing is sent to somebody who has died.", "45 CFR 164.502(f)", Deceased(),
             (block(Reason.DECEASED),), (block(Reason.DECEASED),)),
    _overlay("S9", "Where somebody asked for one address or means, only that one is used.", "45 CFR 164.522(b)",
             ALWAYS, (CONFIDENTIAL,), (CONFIDENTIAL,), mark=Mark.VERIFIED),
    _overlay("S10", "Choosing by ethnicity, religion, income, marital or family status needs the compliance officer's "
             "approval with its purpose.", "ACA section 1557; 45 CFR 92",
             _reveals(Special.SENSITIVE_DEMOGRAPHIC), (COMPLIANCE,), (COMPLIANCE,)),
)  # fmt: skip
