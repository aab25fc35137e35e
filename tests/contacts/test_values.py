"""Values are checked against their attribute, and read from text, with a reason when they do not fit."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salus.contacts.contracts import AttributeType
from salus.contacts.dictionary import DICTIONARY
from salus.contacts.values import check_record, check_value, date_in, reader
from salus.kernel.errors import BadInput

READABLE = sorted(key for key, one in DICTIONARY.items() if one.type is not AttributeType.RECORDS)


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("given_name", "Amalthea  Rosk", "Amalthea Rosk"),
        ("birth_date", "1980-02-29", "1980-02-29"),
        ("gender", "F", "female"),
        ("state", "Kansas", "KS"),
        ("state", "wa", "WA"),
        ("country", "USA", "US"),
        ("language", "es-MX", "es"),
        ("language", "Spanish", "es"),
        ("time_zone", "America/Chicago", "America/Chicago"),
        ("marital_status", "Married", "married"),
        ("race", "2106-3;Asian", ["white", "asian"]),
        ("income", "$54,000", 54000),
        ("pregnant", "Yes", True),
        ("postal_code", "66801-1234", "66801-1234"),
        ("health_interests", "Heart health; Sleep;", ["heart_health", "sleep"]),
    ],
)
def test_text_is_read_as_its_attribute_says(key: str, text: str, value: object) -> None:
    assert reader(key)(text) == value


@pytest.mark.parametrize(
    ("key", "text", "reason"),
    [
        ("birth_date", "1980-02-30", "not a day of the calendar"),
        ("birth_date", "02/03/1980", "not a date like"),
        ("birth_date", "1800-01-01", "before 1870"),
        ("gender", "frog", "is none of: female, male"),
        ("state", "Atlantis", "not a state of the USA"),
        ("country", "Neverland", "not a country code"),
        ("income", "a lot", "not a number"),
        ("income", "nan", "not a number"),
        ("pregnant", "perhaps", "neither yes nor no"),
        ("postal_code", "#", "not a ZIP code"),
        ("given_name", "a\x07b", "cannot be shown"),
        ("given_name", "x" * 501, "longer than 500"),
        ("time_zone", "Mars/Olympus", "not a time zone"),
    ],
)
def test_text_that_does_not_fit_is_refused_with_a_reason(key: str, text: str, reason: str) -> None:
    with pytest.raises(BadInput, match=reason) as refused:
        reader(key)(text)

    assert text not in str(refused.value) or len(text) < 2


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(READABLE), st.text(max_size=30))
def test_what_is_read_is_in_normal_form(key: str, text: str) -> None:
    try:
        value = reader(key)(text.strip())
    except BadInput:
        return
    if value != "":
        assert check_value(key, value) == value


@settings(max_examples=100, deadline=None)
@given(
    st.dates(date(1900, 1, 1), date(2099, 1, 1)), st.sampled_from(["MM/DD/YYYY", "DD.MM.YYYY", "YYYYMMDD"])
)
def test_a_date_is_read_as_its_format_says(day: date, form: str) -> None:
    text = (
        form.replace("YYYY", f"{day.year}").replace("MM", f"{day.month:02d}").replace("DD", f"{day.day:02d}")
    )

    assert date_in(text, form) == day.isoformat()


@pytest.mark.parametrize("form", ["MM/DD", "YYYY-YYYY-DD-MM", "dd.mm.yyyy"])
def test_a_date_format_needs_its_three_parts(form: str) -> None:
    with pytest.raises(BadInput, match="YYYY, MM and DD"):
        reader("birth_date", date_format=form)


def test_a_record_is_brought_to_normal_form() -> None:
    record = {
        "id": "1",
        "code": "e119",
        "system": "icd10",
        "date": "2024-01-02T10:00:00Z",
        "text": "",
        "value": 7.0,
    }

    assert check_record("conditions", record) == {
        "id": "1",
        "code": "E11.9",
        "system": "icd10",
        "date": "2024-01-02",
        "value": 7,
    }


@pytest.mark.parametrize(
    ("record", "place"),
    [
        ({"code": "E11", "system": "icd10"}, "conditions"),
        ({"id": "1", "code": "E11"}, "conditions.code"),
        ({"id": "1", "system": "icd9"}, "conditions.system"),
        ({"id": "1", "date": "soon"}, "conditions.date"),
        ({"id": "1", "value": "high"}, "conditions.value"),
        ({"id": "1", "note": "x"}, "conditions.note"),
    ],
)
def test_a_faulty_record_is_refused_with_its_place(record: dict[str, object], place: str) -> None:
    with pytest.raises(BadInput) as refused:
        check_record("conditions", record)

    assert refused.value.place == place


def test_what_is_not_in_the_dictionary_is_refused() -> None:
    for attempt in (
        lambda: check_value("shoe_size", 42),
        lambda: check_value("conditions", []),
        lambda: check_record("city", {"id": "1"}),
        lambda: reader("shoe_size"),
    ):
        with pytest.raises(BadInput):
            attempt()
