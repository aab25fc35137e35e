"""The dictionary holds every attribute of the checklist, and labels each in both languages."""

from __future__ import annotations

import pytest

from salus.contacts.code_lists import CODE_LISTS
from salus.contacts.contracts import AttributeType
from salus.contacts.dictionary import ADDRESS_FIELDS, DICTIONARY, RESERVED
from salus.kernel.vocabulary import Special

SECTION_D = {
    "C089 age": "birth_date",
    "C090 gender": "gender",
    "C091 location": "postal_code city state country",
    "C092 ethnicity": "race ethnicity",
    "C093 education": "education_level",
    "C094 employment": "employment_status",
    "C095 marital": "marital_status",
    "C096 family": "family_status",
    "C097 C099 income": "income",
    "C098 language": "language spoken_languages",
    "C100 insurance": "insurance_type insurance_payer coverages",
    "C101 religion": "religion",
    "C102 conditions": "conditions",
    "C103 medications": "medications",
    "C104 treatment plans": "treatment_plans",
    "C105 procedures": "procedures",
    "C106 labs": "labs",
    "C107 hospital": "hospitalizations",
    "C108 vaccination": "vaccinations",
    "C109 risk": "risk_factors",
    "C110 lifestyle": "lifestyle_risks",
    "C111 pregnancy": "pregnant due_date",
    "C120 attendance": "appointments",
    "C121 C122 purchases": "purchases",
    "C123 use of services": "encounters",
    "C124 interests": "health_interests",
    "milestones: enrolment": "member_since",
}


@pytest.mark.parametrize("row", SECTION_D)
def test_every_row_of_section_d_has_its_attributes(row: str) -> None:
    assert all(key in DICTIONARY for key in SECTION_D[row].split())


def test_every_attribute_is_labelled_in_english_and_spanish() -> None:
    assert all(one.label and one.label_es and one.label != one.label_es for one in DICTIONARY.values())


def test_no_attribute_is_named_like_a_part_of_the_document() -> None:
    assert not set(DICTIONARY) & (RESERVED | set(ADDRESS_FIELDS))


def test_the_attributes_that_can_discriminate_are_marked() -> None:
    marked = {key for key, one in DICTIONARY.items() if one.special is Special.SENSITIVE_DEMOGRAPHIC}

    assert marked == {"race", "ethnicity", "religion", "income", "marital_status", "family_status"}


def test_every_clinical_attribute_knows_where_it_comes_from_in_fhir() -> None:
    records = {key for key, one in DICTIONARY.items() if one.type is AttributeType.RECORDS} - {"purchases"}

    assert all(DICTIONARY[key].origin for key in records)


def test_code_lists_belong_to_coded_attributes_and_understand_their_labels() -> None:
    for key, codes in CODE_LISTS.items():
        assert DICTIONARY[key].type in {AttributeType.CODE, AttributeType.CODES}
        for code, (english, spanish) in codes.labels.items():
            assert codes.code_of(code) == code
            assert codes.code_of(english.upper()) is not None
            assert codes.code_of(spanish) is not None
