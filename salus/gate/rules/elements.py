"""What a message must carry for each kind of footer (`law.md` 1.4), each with its citation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from salus.gate.contracts import Element
from salus.kernel.vocabulary import Footer, Gate

_E = Element
_ONE_CLICK = (_E.UNSUBSCRIBE_LINK, _E.LIST_UNSUBSCRIBE, _E.LIST_UNSUBSCRIBE_POST)

RANK = (
    Footer.NONE, Footer.TRANSACTIONAL, Footer.BREACH, Footer.TRANSACTIONAL_OPT_OUT, Footer.RESEARCH,
    Footer.COMMERCIAL, Footer.FUNDRAISING,
)  # fmt: skip
"""From the least to the most; when several rules apply, the greatest is used."""

FOOTER_ELEMENTS: Mapping[Footer, tuple[Element, ...]] = MappingProxyType(
    {
        Footer.NONE: (),
        Footer.TRANSACTIONAL: (),
        Footer.BREACH: (_E.BREACH_CONTENT,),
        Footer.TRANSACTIONAL_OPT_OUT: (_E.POSTAL_ADDRESS, *_ONE_CLICK),
        Footer.RESEARCH: (_E.POSTAL_ADDRESS, *_ONE_CLICK, _E.IRB_TEXT),
        Footer.COMMERCIAL: (_E.POSTAL_ADDRESS, *_ONE_CLICK),
        Footer.FUNDRAISING: (_E.POSTAL_ADDRESS, *_ONE_CLICK, _E.FUNDRAISING_OPT_OUT),
    }
)

_CONSENT = frozenset({Gate.OPT_IN, Gate.AUTH, Gate.AUTH_REMUN})


class Said(NamedTuple):
    """What an element is, in words, and where it stands."""

    sentence: str
    citation: str


SAID: Mapping[Element, Said] = MappingProxyType(
    {
        _E.POSTAL_ADDRESS: Said("The sender's valid physical postal address.", "15 USC 7704(a)(5)(A)(iii)"),
        _E.UNSUBSCRIBE_LINK: Said(
            "A clear way to opt out, free, in one step, working 30 days.", "15 USC 7704(a)(3)"
        ),
        _E.LIST_UNSUBSCRIBE: Said("A List-Unsubscribe header with an https address.", "RFC 2369; RFC 8058"),
        _E.LIST_UNSUBSCRIBE_POST: Said("A List-Unsubscribe-Post header, signed: one click.", "RFC 8058"),
        _E.AD_IDENTIFIER: Said("A clear sign that it is an advertisement.", "15 USC 7704(a)(5)(A)(i)"),
        _E.PREFERENCE_LINK: Said("A link to choose which reminders to get.", "16 CFR 316.3; our policy"),
        _E.FUNDRAISING_OPT_OUT: Said(
            "A clear and conspicuous way, without burden, to get no more fundraising.",
            "45 CFR 164.514(f)(2)(ii)",
        ),
        _E.REMUNERATION_STATEMENT: Said("That we are paid for this message.", "45 CFR 164.508(a)(3)(ii)"),
        _E.PART2_NOTICE: Said("The statement against further disclosure.", "42 CFR 2.32"),
        _E.PART2_CONSENT_SCOPE: Said("A copy of the consent or a clear account of its scope.", "42 CFR 2.32"),
        _E.NEUTRAL_SENDER: Said(
            "A sender's name that does not tell of the program.", "42 CFR 2.13; our policy"
        ),
        _E.NEUTRAL_NOTICE: Said(
            "A notice without any word of the condition.", "45 CFR 164.502(b); our policy"
        ),
        _E.HIV_REDISCLOSURE_NOTICE: Said("The notice against passing it on.", "NY Public Health Law 2782(5)"),
        _E.CA_REMUNERATION_SOURCE: Said("Who pays for the message.", "Cal. Civ. Code 56.05"),
        _E.CA_OPT_OUT_14_POINT: Said("How to opt out, in type of 14 points or more.", "Cal. Civ. Code 56.05"),
        _E.TOLL_FREE_NUMBER: Said(
            "A toll-free number to opt out, honored in 30 days.", "Cal. Civ. Code 56.05"
        ),
        _E.IRB_TEXT: Said("The text that the IRB or privacy board approved.", "45 CFR 46.116; 164.512(i)"),
        _E.BREACH_CONTENT: Said(
            "What happened and when, what kinds of PHI, what to do, what we do, how to reach us.",
            "45 CFR 164.404(c)",
        ),
        _E.SMS_IDENTITY: Said("Who sends it and how to reach them.", "47 CFR 64.1200(a)(9)(iv)"),
        _E.SMS_MINIMAL_TEXT: Said("No PHI, at most 160 characters.", "47 CFR 64.1200(a)(9)(iv)"),
        _E.SMS_STOP: Said("How to stop: reply STOP.", "47 CFR 64.1200(a)(10), (a)(12)"),
        _E.SMS_PORTAL_LINK: Said("A link to the portal, where the message is.", "45 CFR 164.312(e)"),
        _E.SMS_AT_MOST_3_A_DAY: Said("At most three in 24 hours.", "Fla. Stat. 501.059 and the like"),
    }
)


def greatest(footers: Iterable[Footer]) -> Footer:
    """Return the footer that asks for the most."""
    return max(footers, key=RANK.index, default=Footer.NONE)


def elements_of(footer: Footer, extra: Iterable[Element], gates: frozenset[Gate]) -> tuple[Element, ...]:
    """Return all elements in the order of `Element`, without doubles.

    A commercial message that rests on no affirmative consent says that it is an advertisement; one
    that needs an authorization naming remuneration says that it is paid for.
    """
    found = {*FOOTER_ELEMENTS[footer], *extra}
    if footer is Footer.COMMERCIAL and not gates & _CONSENT:
        found.add(_E.AD_IDENTIFIER)
    if Gate.AUTH_REMUN in gates:
        found.add(_E.REMUNERATION_STATEMENT)
    return tuple(element for element in Element if element in found)
