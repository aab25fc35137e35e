"""What makes a signed form good: the elements of a HIPAA authorization and of a Part 2 consent, as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from salus.kernel.time import FAR
from salus.kernel.vocabulary import Purpose, Special
from salus.permissions.details import moment_of

Details = Mapping[str, Any]
Test = Callable[[Details, datetime | None], bool]

WA_YEAR = timedelta(days=365)
CA_POINTS = 14


@dataclass(frozen=True, slots=True)
class Element:
    """One thing that a form needs: the paragraph, what is wrong without it, and the test it passes.

    `when` says for which forms it is asked at all.
    """

    paragraph: str
    fault: str
    met: Test
    when: Test = lambda details, until: True

    @property
    def defect(self) -> str:
        """The words shown to staff: "164.508(c)(1)(v) no expiration"."""
        return f"{self.paragraph} {self.fault}"


def _has(*names: str) -> Test:
    """Pass when every named detail is present and not empty or false."""
    return lambda details, until: all(details.get(name) for name in names)


def _lacks(name: str) -> Test:
    return lambda details, until: not details.get(name)


def _research_only(details: Details) -> bool:
    return tuple(details.get("purposes", ())) == (Purpose.RESEARCH_RECRUITMENT.value,)


def _describes(details: Details, until: datetime | None) -> bool:
    """Words for the reader and classes for the gate: both must say what is covered."""
    return bool(details.get("information")) and bool(details.get("classes") or details.get("specials"))


def _purposes(details: Details, until: datetime | None) -> bool:
    return bool(details.get("purpose_text")) and bool(details.get("purposes"))


def _ends(details: Details, until: datetime | None) -> bool:
    """Ask for a date or an event; "none" and "end of the study" only for research."""
    if until is not None:
        return True
    event = str(details.get("expiration_event", "")).strip().lower()
    if event in {"none", "never"}:
        return _research_only(details)
    return bool(event)


def _signed(details: Details, until: datetime | None) -> bool:
    how = details.get("signature")
    if how == "electronic" and not details.get("intent_action"):
        return False  # 15 USC 7006(5): a process adopted with the intent to sign
    return how in {"written", "electronic"} and moment_of(details.get("signed_at")) is not None


def _authority(details: Details, until: datetime | None) -> bool:
    signer = details.get("signer")
    return signer == "self" or (signer == "representative" and bool(details.get("authority")))


def _revocation(details: Details, until: datetime | None) -> bool:
    """Ask for the right, and either how with its exceptions, or a reference to the notice that says so."""
    said = details.get("states_how_to_revoke") and details.get("states_revocation_exceptions")
    return bool(details.get("states_right_to_revoke")) and bool(said or details.get("refers_to_notice"))


def _conditioning_said(details: Details, until: datetime | None) -> bool:
    return bool(
        details.get("states_consequences" if details.get("conditioned_on") else "states_no_conditioning")
    )


def _may_condition(details: Details, until: datetime | None) -> bool:
    """Allow the three exceptions of (b)(4)."""
    on, exception = details.get("conditioned_on"), details.get("conditioning_exception")
    psychotherapy = Special.PSYCHOTHERAPY_NOTES.value in details.get("specials", ())
    if not on:
        return True
    if exception == "research":
        return on == "treatment" and _research_only(details)
    if exception == "underwriting":
        return on in {"enrollment", "eligibility"} and not psychotherapy
    return exception == "third_party_information" and on == "treatment"


def _may_combine(details: Details, until: datetime | None) -> bool:
    """Allow the exceptions of (b)(3): research with research, authorizations unless one conditions."""
    other = details.get("combined_with")
    if not other:
        return True
    if other == "research":
        return _research_only(details)
    return other == "authorization" and not details.get("conditioned_on")


def _psychotherapy_alone(details: Details, until: datetime | None) -> bool:
    """See that an authorization for psychotherapy notes covers nothing else."""
    specials = set(details.get("specials", ()))
    if Special.PSYCHOTHERAPY_NOTES.value not in specials:
        return True
    return len(specials) == 1 and not details.get("classes")


def _in_state(state: str, only_sale: bool = False) -> Test:
    return lambda details, until: (
        details.get("form_state") == state and (not only_sale or bool(details.get("sale")))
    )


def _readable(details: Details, until: datetime | None) -> bool:
    return bool(details.get("handwritten")) or float(details.get("typeface_points") or 0) >= CA_POINTS


HIPAA = "164.508"
CA = "CA Civ. Code 56.11"
WA = "RCW 19.373.070"

AUTHORIZATION: tuple[Element, ...] = (
    Element(f"{HIPAA}(c)(1)(i)", "no specific description of the information", _describes),
    Element(f"{HIPAA}(c)(1)(ii)", "nobody named who may disclose", _has("discloser")),
    Element(f"{HIPAA}(c)(1)(iii)", "nobody named who may receive", _has("recipient")),
    Element(f"{HIPAA}(c)(1)(iv)", "no purpose", _purposes),
    Element(f"{HIPAA}(c)(1)(v)", "no expiration", _ends),
    Element(f"{HIPAA}(c)(1)(vi)", "no signature with its date", _signed),
    Element(f"{HIPAA}(c)(1)(vi)", "no description of the signer's authority", _authority),
    Element(f"{HIPAA}(c)(2)(i)", "right to revoke not stated in full", _revocation),
    Element(f"{HIPAA}(c)(2)(ii)", "conditioning not stated", _conditioning_said),
    Element(f"{HIPAA}(c)(2)(iii)", "redisclosure not stated", _has("states_redisclosure")),
    Element(
        f"{HIPAA}(a)(3)(ii)",
        "remuneration not stated",
        _has("states_remuneration"),
        when=_has("remuneration_involved"),
    ),
    Element(f"{HIPAA}(a)(4)(ii)", "sale not stated", _has("states_sale"), when=_has("sale")),
    Element(f"{HIPAA}(b)(2)(ii)", "not filled out completely", _lacks("incomplete")),
    Element(f"{HIPAA}(b)(2)(v)", "material information known to be false", _lacks("known_false")),
    Element(f"{HIPAA}(b)(3)", "combined with another document", _may_combine),
    Element(f"{HIPAA}(b)(3)(ii)", "psychotherapy notes with anything else", _psychotherapy_alone),
    Element(f"{HIPAA}(b)(4)", "care is made to depend on it", _may_condition),
    Element("Policy", "taken during an emergency", _lacks("obtained_in_emergency")),
    Element(CA, "type smaller than 14 points", _readable, when=_in_state("CA")),
    Element(CA, "not separate from other text", _has("separate_language"), when=_in_state("CA")),
    Element(CA, "signature serves another purpose too", _has("separate_signature"), when=_in_state("CA")),
    Element(
        CA, "no date after which it ends", lambda details, until: until is not None, when=_in_state("CA")
    ),
    Element(CA, "right to a copy not stated", _has("states_copy_right"), when=_in_state("CA")),
    Element(WA, "seller's contact missing", _has("seller_contact"), when=_in_state("WA", only_sale=True)),
    Element(
        WA, "purchaser's contact missing", _has("purchaser_contact"), when=_in_state("WA", only_sale=True)
    ),
    Element(
        WA, "right to refuse not stated", _has("states_no_conditioning"), when=_in_state("WA", only_sale=True)
    ),
)
"""45 CFR 164.508 and what states add. Texas takes an electronic or written permission (H&S 181.152),
which `(c)(1)(vi)` asks already: an oral one is never enough."""


def _part2_ends(details: Details, until: datetime | None) -> bool:
    """Ask for a date or an event; "none" is enough for treatment, payment and operations alone."""
    if until is not None:
        return True
    event = str(details.get("expiration_event", "")).strip().lower()
    if event in {"none", "never"}:
        return bool(details.get("tpo")) and not (details.get("marketing") or details.get("fundraising"))
    return bool(event)


def _part2_purpose(details: Details, until: datetime | None) -> bool:
    named = details.get("tpo") or details.get("marketing") or details.get("fundraising")
    return bool(details.get("purpose_text")) and bool(named)


PART2 = "42 CFR 2.31"

PART2_CONSENT: tuple[Element, ...] = (
    Element(f"{PART2}(a)(1)", "patient not named", _has("names_patient")),
    Element(f"{PART2}(a)(2)", "nobody named who may disclose", _has("discloser")),
    Element(f"{PART2}(a)(3)", "no specific description of the information", _has("information")),
    Element(f"{PART2}(a)(4)", "nobody named who may receive", _has("recipient")),
    Element(f"{PART2}(a)(5)", "no purpose", _part2_purpose),
    Element(
        f"{PART2}(a)(6)",
        "right to revoke and how not stated",
        _has("states_right_to_revoke", "states_how_to_revoke"),
    ),
    Element(f"{PART2}(a)(7)", "no expiration", _part2_ends),
    Element(f"{PART2}(a)(8)", "no signature with its date", _signed),
    Element(f"{PART2}(a)(8)", "no description of the signer's authority", _authority),
    Element(f"{PART2}(a)(10)", "redisclosure not stated", _has("states_redisclosure"), when=_has("tpo")),
    Element(
        f"{PART2}(a)(10)", "consequences of refusal not stated", _has("states_consequences"), when=_has("tpo")
    ),
    Element(f"{PART2}(c)", "not filled out completely", _lacks("incomplete")),
    Element(f"{PART2}(c)", "material information known to be false", _lacks("known_false")),
)


def defects(elements: tuple[Element, ...], details: Details, until: datetime | None) -> tuple[str, ...]:
    """Return the defects of a form that ends at `until` (None: no date), in the order of the law."""
    return tuple(
        element.defect
        for element in elements
        if element.when(details, until) and not element.met(details, until)
    )


def term(details: Details, at: datetime, until: datetime | None) -> tuple[datetime, datetime]:
    """Return from when to when the form holds: from its signature, at most a year for a WA sale."""
    signed = moment_of(details.get("signed_at"))
    start = max(at, signed) if signed else at
    end = until or FAR
    if details.get("form_state") == "WA" and details.get("sale"):
        end = min(end, (signed or start) + WA_YEAR)
    return start, end
