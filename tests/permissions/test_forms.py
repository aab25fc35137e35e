"""HIPAA authorizations and Part 2 consents: every element, its paragraph, and what lacks without it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from salus.kernel.time import FAR
from salus.permissions import forms
from salus.permissions.contracts import AuthorizationState, EntryKind
from salus.permissions.rules import filed_forms, fold

from .cast import DAY, GOOD_CONSENT, GOOD_FORM, NOW, ROSA, entry

YEAR_END = datetime.fromisoformat("2026-12-31T00:00:00+00:00")


def faults(changes: dict[str, Any], until: datetime | None = YEAR_END) -> tuple[str, ...]:
    return forms.defects(forms.AUTHORIZATION, GOOD_FORM | changes, until)


def consent_faults(changes: dict[str, Any], until: datetime | None = None) -> tuple[str, ...]:
    return forms.defects(forms.PART2_CONSENT, GOOD_CONSENT | changes, until)


def test_a_complete_form_has_no_defect() -> None:
    assert faults({}) == ()
    assert consent_faults({}) == ()


@pytest.mark.parametrize(
    ("changes", "paragraph"),
    [
        ({"information": ""}, "164.508(c)(1)(i)"),
        ({"classes": []}, "164.508(c)(1)(i)"),
        ({"discloser": ""}, "164.508(c)(1)(ii)"),
        ({"recipient": ""}, "164.508(c)(1)(iii)"),
        ({"purpose_text": ""}, "164.508(c)(1)(iv)"),
        ({"signed_at": ""}, "164.508(c)(1)(vi)"),
        ({"signature": "oral"}, "164.508(c)(1)(vi)"),
        ({"signature": "electronic"}, "164.508(c)(1)(vi)"),
        ({"signer": "representative"}, "164.508(c)(1)(vi)"),
        ({"states_right_to_revoke": False}, "164.508(c)(2)(i)"),
        ({"states_how_to_revoke": False}, "164.508(c)(2)(i)"),
        ({"states_revocation_exceptions": False}, "164.508(c)(2)(i)"),
        ({"states_no_conditioning": False}, "164.508(c)(2)(ii)"),
        ({"states_redisclosure": False}, "164.508(c)(2)(iii)"),
        ({"remuneration_involved": True}, "164.508(a)(3)(ii)"),
        ({"sale": True}, "164.508(a)(4)(ii)"),
        ({"incomplete": True}, "164.508(b)(2)(ii)"),
        ({"known_false": True}, "164.508(b)(2)(v)"),
        ({"combined_with": "treatment_consent"}, "164.508(b)(3)"),
        ({"combined_with": "research"}, "164.508(b)(3)"),
        ({"specials": ["psychotherapy_notes"]}, "164.508(b)(3)(ii)"),
        ({"conditioned_on": "treatment", "states_consequences": True}, "164.508(b)(4)"),
        ({"obtained_in_emergency": True}, "Policy"),
    ],
)
def test_each_missing_element_is_one_defect_with_its_paragraph(
    changes: dict[str, Any], paragraph: str
) -> None:
    found = faults(changes)
    assert len(found) == 1
    assert found[0].split(" ")[0] == paragraph


def test_no_end_is_a_defect_unless_an_event_or_research_says_otherwise() -> None:
    assert faults({}, until=None) == ("164.508(c)(1)(v) no expiration",)
    assert faults({"expiration_event": "when I leave the clinic"}, until=None) == ()
    assert faults({"expiration_event": "none"}, until=None) == ("164.508(c)(1)(v) no expiration",)
    assert faults({"expiration_event": "none", "purposes": ["research_recruitment"]}, until=None) == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"signature": "electronic", "intent_action": "typed"},
        {"signer": "representative", "authority": "mother"},
        {"states_how_to_revoke": False, "states_revocation_exceptions": False, "refers_to_notice": True},
        {"remuneration_involved": True, "states_remuneration": True},
        {"sale": True, "states_sale": True},
        {"combined_with": "authorization"},
        {"combined_with": "research", "purposes": ["research_recruitment"]},
        {"specials": ["psychotherapy_notes"], "classes": []},
        {
            "conditioned_on": "treatment",
            "conditioning_exception": "research",
            "purposes": ["research_recruitment"],
            "states_consequences": True,
        },
        {
            "conditioned_on": "enrollment",
            "conditioning_exception": "underwriting",
            "states_consequences": True,
        },
        {
            "conditioned_on": "treatment",
            "conditioning_exception": "third_party_information",
            "states_consequences": True,
        },
    ],
)
def test_what_the_law_allows_is_no_defect(changes: dict[str, Any]) -> None:
    assert faults(changes) == ()


def test_an_authorization_that_conditions_may_not_be_combined_with_another() -> None:
    changes = {
        "combined_with": "authorization",
        "conditioned_on": "eligibility",
        "conditioning_exception": "underwriting",
        "states_consequences": True,
    }
    assert [fault.split(" ")[0] for fault in faults(changes)] == ["164.508(b)(3)"]


CALIFORNIA = {
    "form_state": "CA",
    "typeface_points": 14,
    "separate_language": True,
    "separate_signature": True,
    "states_copy_right": True,
}


def test_a_california_form_meets_56_11() -> None:
    assert faults(CALIFORNIA) == ()
    assert faults(CALIFORNIA | {"typeface_points": 0, "handwritten": True}) == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"typeface_points": 12},
        {"separate_language": False},
        {"separate_signature": False},
        {"states_copy_right": False},
    ],
)
def test_each_rule_of_56_11_is_asked_of_california_forms_alone(changes: dict[str, Any]) -> None:
    assert len(faults(CALIFORNIA | changes)) == 1
    assert faults(CALIFORNIA | changes | {"form_state": "OR"}) == ()


def test_california_wants_a_date_and_not_an_event() -> None:
    found = faults(CALIFORNIA | {"expiration_event": "when I leave"}, until=None)
    assert found == ("CA Civ. Code 56.11 no date after which it ends",)


def test_a_washington_sale_authorization_lasts_a_year_at_most() -> None:
    sale = {
        "form_state": "WA",
        "sale": True,
        "states_sale": True,
        "seller_contact": "a",
        "purchaser_contact": "b",
    }
    assert faults(sale) == ()
    assert len(faults(sale | {"seller_contact": ""})) == 1
    end = forms.term(GOOD_FORM | sale, NOW - 40 * DAY, None)[1]
    assert end == datetime.fromisoformat("2027-01-10T00:00:00+00:00")
    assert forms.term(GOOD_FORM | {"form_state": "WA"}, NOW, None)[1] == FAR


@pytest.mark.parametrize(
    ("changes", "paragraph"),
    [
        ({"names_patient": False}, "2.31(a)(1)"),
        ({"discloser": ""}, "2.31(a)(2)"),
        ({"information": ""}, "2.31(a)(3)"),
        ({"recipient": ""}, "2.31(a)(4)"),
        ({"purpose_text": ""}, "2.31(a)(5)"),
        ({"states_how_to_revoke": False}, "2.31(a)(6)"),
        ({"expiration_event": ""}, "2.31(a)(7)"),
        ({"marketing": True}, "2.31(a)(7)"),
        ({"signed_at": ""}, "2.31(a)(8)"),
        ({"states_redisclosure": False}, "2.31(a)(10)"),
        ({"states_consequences": False}, "2.31(a)(10)"),
        ({"known_false": True}, "2.31(c)"),
    ],
)
def test_each_missing_element_of_a_part_2_consent_is_found(changes: dict[str, Any], paragraph: str) -> None:
    found = consent_faults(changes)
    assert len(found) == 1
    assert paragraph in found[0]


def authorization(**changes: Any) -> Any:
    until = changes.pop("valid_until", NOW + 30 * DAY)
    return entry(EntryKind.AUTHORIZATION, NOW - 10 * DAY, valid_until=until, details=GOOD_FORM | changes)


def test_an_authorization_stands_until_its_end() -> None:
    signed = authorization()
    found = fold(ROSA, 1, [signed], NOW)
    assert [held.evidence_id for held in found.authorizations] == [signed.id]
    assert found.authorizations[0].defects == ()
    assert found.valid_until == NOW + 30 * DAY
    assert fold(ROSA, 1, [signed], NOW + 30 * DAY).authorizations == ()


def test_a_defective_authorization_is_shown_with_its_defects_and_meets_no_state_form() -> None:
    found = fold(ROSA, 1, [authorization(states_redisclosure=False, **CALIFORNIA)], NOW)
    assert found.authorizations[0].defects == ("164.508(c)(2)(iii) redisclosure not stated",)
    assert found.authorizations[0].form_state == ""


def test_a_revocation_ends_one_authorization_or_all_at_once() -> None:
    one, two = authorization(), authorization()
    named = entry(EntryKind.AUTHORIZATION_REVOKED, NOW - DAY, ends=one.id)
    assert [held.evidence_id for held in fold(ROSA, 1, [one, two, named], NOW).authorizations] == [two.id]
    everything = entry(EntryKind.AUTHORIZATION_REVOKED, NOW - DAY)
    assert fold(ROSA, 1, [one, two, everything], NOW).authorizations == ()
    at_once = entry(EntryKind.AUTHORIZATION_REVOKED, one.at)
    assert fold(ROSA, 1, [one, at_once], NOW).authorizations == ()


def test_an_authorization_does_not_hold_before_it_is_signed() -> None:
    found = fold(ROSA, 1, [authorization(signed_at="2026-03-05")], NOW)
    assert found.authorizations == ()
    assert found.valid_until == datetime.fromisoformat("2026-03-05T00:00:00+00:00")


def test_a_defective_part_2_consent_permits_nothing() -> None:
    def held(**changes: Any) -> Any:
        consent = entry(EntryKind.PART2_CONSENT, NOW - 10 * DAY, details=GOOD_CONSENT | changes)
        return fold(ROSA, 1, [consent], NOW).part2_consents

    assert len(held()) == 1
    assert not held()[0].marketing
    assert held(states_consequences=False) == ()


def test_the_file_shows_every_form_with_its_state() -> None:
    valid, expired = authorization(), authorization(valid_until=NOW - DAY)
    defective, revoked = authorization(recipient=""), authorization()
    revocation = entry(EntryKind.AUTHORIZATION_REVOKED, NOW - DAY, ends=revoked.id)
    later = authorization(signed_at="2026-03-05")
    filed = filed_forms([valid, expired, defective, revoked, revocation, later], NOW)
    states = {form.entry.id: form.state for form in filed}
    assert states == {
        valid.id: AuthorizationState.VALID,
        expired.id: AuthorizationState.EXPIRED,
        defective.id: AuthorizationState.DEFECTIVE,
        revoked.id: AuthorizationState.REVOKED,
        later.id: AuthorizationState.NOT_YET,
    }
    assert next(form for form in filed if form.entry.id == revoked.id).revoked_by == revocation.id
