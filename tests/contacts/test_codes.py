"""Codes: one spelling, hierarchy, value sets, and what is specially protected."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salus.contacts.codes import ICD10_PREFIX, icd10, normal_code
from salus.contacts.special_codes import (
    special_of,
    specials_asked,
    specials_of,
    specials_of_code,
    specials_of_record,
)
from salus.contacts.value_sets import VALUE_SETS, covers, name_of, patterns
from salus.kernel.vocabulary import Special

ICD10_CODES = st.from_regex(r"\A[A-Z][0-9][0-9A-B](\.[0-9]{1,4})?\Z")


@pytest.mark.parametrize(
    ("system", "code", "normal"),
    [
        ("icd10", "e119", "E11.9"),
        ("icd10", " E11 ", "E11"),
        ("icd10", "U07.1", "U07.1"),
        ("icd10", "44054006", None),
        ("snomed", "44054006", "44054006"),
        ("snomed", "E11.9", None),
        ("cvx", "8", "08"),
        ("loinc", "4548-4", "4548-4"),
        ("loinc", "4548", None),
        ("cpt", "g0105", "G0105"),
        ("elsewhere", "1", None),
    ],
)
def test_a_code_is_spelled_one_way_or_is_none(system: str, code: str, normal: str | None) -> None:
    assert normal_code(system, code) == normal


@settings(max_examples=150, deadline=None)
@given(ICD10_CODES, st.integers(1, 8))
def test_an_icd10_code_is_covered_by_its_own_beginnings_and_by_nothing_longer(code: str, length: int) -> None:
    beginning = code[:length].rstrip(".")

    assert covers(beginning, code)
    assert covers(code, beginning) == (icd10(beginning) == icd10(code))


def test_codes_without_hierarchy_cover_only_themselves() -> None:
    assert covers("4548-4", "4548-4")
    assert not covers("4405400", "44054006")
    assert not covers("4548", "4548-4")


def test_a_hcpcs_code_that_looks_like_icd10_is_still_found() -> None:
    assert covers("G0105", "G0105")


@pytest.mark.parametrize("code", ["E11.9", "E10.65", "44054006", "E08.00"])
def test_the_value_set_of_diabetes_covers_icd10_and_snomed(code: str) -> None:
    assert covers("vs:diabetes", code)


@pytest.mark.parametrize("code", ["E12", "R73.03", "I10", "15777000"])
def test_what_is_near_diabetes_is_not_diabetes(code: str) -> None:
    assert not covers("vs:diabetes", code)


def test_a_value_set_that_does_not_exist_is_refused() -> None:
    with pytest.raises(KeyError):
        patterns("vs:dragonpox")


def test_every_value_set_is_well_formed() -> None:
    for name, one in VALUE_SETS.items():
        assert one.icd10 or one.exact, name
        assert all(ICD10_PREFIX.fullmatch(code) for code in one.icd10), name


@pytest.mark.parametrize(
    ("system", "code", "special"),
    [
        ("icd10", "F11.20", Special.PART2_SUD),
        ("icd10", "F10.10", Special.PART2_SUD),
        ("icd10", "B20", Special.HIV),
        ("icd10", "Z21", Special.HIV),
        ("snomed", "86406008", Special.HIV),
        ("icd10", "O80", Special.REPRODUCTIVE),
        ("icd10", "Z34.82", Special.REPRODUCTIVE),
        ("snomed", "72892002", Special.REPRODUCTIVE),
        ("icd10", "F33.1", Special.MENTAL_HEALTH),
        ("icd10", "Z15.01", Special.GENETIC),
        ("cpt", "59400", Special.REPRODUCTIVE),
        ("cpt", "81211", Special.GENETIC),
        ("cpt", "90834", Special.MENTAL_HEALTH),
        ("icd10", "E11.9", None),
        ("cpt", "76830", None),
        ("cpt", "99213", None),
    ],
)
def test_a_record_is_protected_by_its_code(system: str, code: str, special: Special | None) -> None:
    assert special_of("conditions" if system == "icd10" else "procedures", system, code) is special


def test_tobacco_is_no_substance_use_disorder() -> None:
    """42 CFR 2.11."""
    assert specials_of_code("icd10", "F17.210") == frozenset()


def test_the_strictest_category_is_named_when_several_apply() -> None:
    assert specials_of_code("icd10", "O99.320") == {Special.PART2_SUD, Special.REPRODUCTIVE}
    assert special_of("conditions", "icd10", "O99.320") is Special.PART2_SUD


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("F", {Special.PART2_SUD, Special.MENTAL_HEALTH}),
        ("F1", {Special.PART2_SUD}),
        ("F11.20", {Special.PART2_SUD}),
        ("E11", set()),
        ("vs:diabetes", set()),
        ("vs:hiv", {Special.HIV}),
        ("vs:substance_use", {Special.PART2_SUD}),
        ("72892002", {Special.REPRODUCTIVE}),
    ],
)
def test_a_question_reveals_what_its_answers_could_be(asked: str, found: set[Special]) -> None:
    assert specials_asked("conditions", asked) == found


def test_a_question_for_any_condition_can_reveal_everything() -> None:
    assert special_of("conditions", "", None) is Special.PART2_SUD
    assert Special.HIV in specials_asked("medications", None)
    assert specials_asked("city", None) == frozenset()
    assert special_of("pregnant", "", None) is Special.REPRODUCTIVE


@settings(max_examples=100, deadline=None)
@given(ICD10_CODES, st.integers(1, 6))
def test_a_wider_question_never_reveals_less(code: str, length: int) -> None:
    assert specials_of_code("icd10", code) <= specials_asked("conditions", code[:length].rstrip("."))


@pytest.mark.parametrize(
    ("text", "special"),
    [
        ("Suboxone 8 MG / 2 MG Sublingual Film", Special.PART2_SUD),
        ("Camila 28 Day Pack", Special.REPRODUCTIVE),
        ("Biktarvy Oral Tablet", Special.HIV),
        ("Sertraline 50 MG Oral Tablet", Special.MENTAL_HEALTH),
        ("BRCA1 gene analysis", Special.GENETIC),
    ],
)
def test_words_tell_what_codes_do_not(text: str, special: Special) -> None:
    assert specials_of_record({"id": "1", "text": text}) == {special}


@pytest.mark.parametrize(
    "text", ["Hearing aids", "Depression screening (procedure)", "Drug abuse screening test", "Metformin"]
)
def test_words_that_only_sound_alike_tell_nothing(text: str) -> None:
    assert specials_of_record({"id": "1", "text": text}) == frozenset()


def test_a_document_names_all_its_categories() -> None:
    document = {
        "race": ["white"],
        "department": "Behavioral health",
        "pregnant": True,
        "conditions": [{"id": "1", "system": "icd10", "code": "B20"}],
        "medications": [{"id": "2", "text": "Methadone 10 MG"}],
    }

    assert specials_of(document) == {
        Special.MENTAL_HEALTH,
        Special.REPRODUCTIVE,
        Special.HIV,
        Special.PART2_SUD,
    }
    assert specials_of({"race": ["white"], "pregnant": False}) == frozenset()


def test_a_code_is_named_by_the_value_set_that_says_most() -> None:
    assert name_of("vs:diabetes") == "Diabetes"
    assert name_of("4548-4") == "Hemoglobin A1c, 4548-4"
    assert name_of("E11.9") == "Type 2 diabetes, E11.9"
    assert name_of("860975") == "860975"
    assert name_of("vs:nothing") == "vs:nothing"
