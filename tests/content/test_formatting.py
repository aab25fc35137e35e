"""Values in words, and only those that a version reads."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from salus.content import wording
from salus.content.people import label_of

from .desk import ROSA, TODAY, compile_, page, render, values, words


def contact(body: str, person: dict[str, Any] | None = None, language: str = "en") -> dict[str, Any]:
    compiled = compile_(page(body), language=language)
    return dict(values(compiled, ROSA if person is None else person)["contact"])


def test_nothing_is_stored_that_the_version_does_not_read() -> None:
    assert contact("{{ contact.given_name }}") == {"given_name": "Rosa"}
    assert contact("hello") == {}


def test_a_tested_field_is_stored_raw_and_a_printed_one_in_words() -> None:
    assert contact('{% if contact.gender == "female" %}x{% endif %}') == {"gender__raw": "female"}
    assert contact("{{ contact.gender }}", language="es") == {"gender": "Femenino"}


def test_only_records_that_can_show_are_stored_and_only_their_parts() -> None:
    made = contact('{% for r in contact.labs if r.code == "4548-4" %}{{ r.value }}{% endfor %}')
    assert made == {"labs": [{"code": "4548-4", "value": "7.9"}, {"code": "4548-4", "value": "8.4"}]}


def test_a_question_for_codes_stores_the_answer_and_no_record() -> None:
    made = contact('{% if contact.conditions is having("vs:diabetes") %}x{% endif %}')
    assert made == {"conditions__within": "|vs:diabetes|"}
    made = contact('{% if contact.conditions is having("B20") %}x{% endif %}')
    assert made == {"conditions__within": ""}


def test_a_list_of_codes_stores_only_what_is_asked_for() -> None:
    person = {**ROSA, "treatment_plans": ["diabetes_self_management", "weight_management"]}
    made = contact('{% if "weight_management" in contact.treatment_plans %}x{% endif %}', person)
    assert made == {"treatment_plans__raw": "|weight_management|"}


def test_absent_fields_are_empty_and_never_missing() -> None:
    body = (
        "{{ contact.city }}{{ contact.age }}{{ contact.pregnant }}{{ contact.risk_factors }}"
        "{% for r in contact.procedures %}{{ r.text }}{{ r.end }}{% endfor %}{% if contact.due_date is upcoming %}{% endif %}"
    )
    assert contact(body, {}) == {
        "age": "", "city": "", "due_date__upcoming": "", "pregnant": "", "procedures": [], "risk_factors": "",
    }  # fmt: skip
    assert words(render(page(body), {})) == ""


def test_records_come_newest_first_and_appointments_soonest_first() -> None:
    person = {
        "labs": [{"id": "1", "date": "2020-01-01"}, {"id": "2", "date": "2024-01-01"}],
        "appointments": [
            {"id": "1", "date": "2027-03-01", "time": "09:00"},
            {"id": "2", "date": "2026-12-01", "time": "14:30"},
        ],
    }
    made = contact(
        "{% for r in contact.labs %}{{ r.date }}{% endfor %}{% for a in contact.appointments %}{{ a.date }}{% endfor %}",
        person,
    )
    assert made["labs"] == [{"date": "January 1, 2024"}, {"date": "January 1, 2020"}]
    assert made["appointments"][0] == {"date": "Tuesday, December 1, 2026 at 2:30 PM"}


def test_a_date_is_upcoming_from_its_own_day_on() -> None:
    person = {
        "appointments": [
            {"id": str(n), "date": day} for n, day in enumerate(["2026-11-23", "2026-11-24", "2026-11-25"])
        ]
    }
    shown = words(
        render(
            page("{% for a in contact.appointments if a.date is upcoming %}{{ a.date }};{% endfor %}"), person
        )
    )
    assert shown == "November 24, 2026;November 25, 2026;"
    shown = words(
        render(page("{% for a in contact.appointments if a.date is past %}{{ a.date }}{% endfor %}"), person)
    )
    assert shown == "November 23, 2026"


def test_a_moment_is_compared_by_its_day() -> None:
    person = {"appointments": [{"id": "1", "date": "2026-12-08", "time": "14:30"}]}
    for test in ('a.date == "2026-12-08"', 'a.date <= "2026-12-08"', 'a.date > "2026-12-07"'):
        shown = words(
            render(page("{% for a in contact.appointments if " + test + " %}yes{% endfor %}"), person)
        )
        assert shown == "yes", test


def test_an_age_counts_whole_years() -> None:
    assert wording.age_on("1961-11-25", date(2026, 11, 24)) == 64
    assert wording.age_on("1961-11-24", date(2026, 11, 24)) == 65
    assert wording.age_on("2024-02-29", date(2025, 2, 28)) == 0
    assert wording.age_on("2024-02-29", date(2025, 3, 1)) == 1
    assert wording.age_on("2030-01-01", TODAY) is None
    assert wording.age_on("unknown", TODAY) is None


@pytest.mark.parametrize(
    ("text", "english", "spanish"),
    [
        ("2026-03-03", "March 3, 2026", "3 de marzo de 2026"),
        ("2026-12-08T14:30:00", "Tuesday, December 8, 2026 at 2:30 PM", "martes 8 de diciembre de 2026 a las 2:30 p. m."),
        ("2026-12-08T00:05:00", "Tuesday, December 8, 2026 at 12:05 AM", "martes 8 de diciembre de 2026 a las 12:05 a. m."),
        ("2026-12-08T13:00:00-05:00", "Tuesday, December 8, 2026 at 1:00 PM", "martes 8 de diciembre de 2026 a la 1:00 p. m."),
        ("spring 2026", "spring 2026", "spring 2026"),
        ("2026-13-01", "2026-13-01", "2026-13-01"),
    ],
)  # fmt: skip
def test_dates_in_words(text: str, english: str, spanish: str) -> None:
    assert wording.when(text, "en") == english
    assert wording.when(text, "es") == spanish


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (8.2, "8.2"),
        (8.0, "8"),
        (188, "188"),
        (0.05, "0.05"),
        (1250, "1250"),
        (12500, "12,500"),
        (45000.5, "45,000.5"),
        (-3.25, "-3.25"),
        (1 / 3, "0.3333"),
        (1e20, "100,000,000,000,000,000,000"),
    ],
)
def test_numbers_as_people_write_them(value: float, shown: str) -> None:
    assert wording.number(value, "en") == shown
    assert wording.number(value, "es") == shown


def test_lists_in_words() -> None:
    assert wording.listed([], "en") == ""
    assert wording.listed(["a"], "en") == "a"
    assert wording.listed(["a", "b", "c"], "en") == "a, b and c"
    assert wording.listed(["agua", "sal"], "es") == "agua y sal"
    assert wording.listed(["español", "inglés"], "es") == "español e inglés"
    assert wording.listed(["agua", "hielo"], "es") == "agua y hielo"


def test_moments_are_told_in_the_zone_they_are_given_in() -> None:
    assert wording.moment(datetime(2026, 7, 4, 12, 0), "en") == "Saturday, July 4, 2026 at 12:00 PM"  # noqa: DTZ001


def test_words_for_codes() -> None:
    assert label_of("gender", "female", "en") == "Female"
    assert label_of("language", "es", "es") == "español"
    assert label_of("state", "ME", "en") == "Maine"
    assert label_of("health_interests", "heart_health", "en") == "heart health"
