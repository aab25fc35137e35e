"""Words that tell a condition, and names that may be shown as the sender."""

from __future__ import annotations

import pytest

from salus.content.inspecting import neutral_words, sender_name
from salus.content.words import telling


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Your A1c is due", "A1c"),
        ("your a1C", "A1c"),
        ("HbA1c", "HbA1c"),
        ("H.I.V.", "HIV"),
        ("H I V", "HIV"),
        ("blood-sugar tips", "blood sugar"),
        ("Blood   sugar", "blood sugar"),
        ("DIABETES", "diabetes"),
        ("Su diabetes", "diabetes"),
        ("próstata", "próstata"),
        ("prostata", "próstata"),
        ("can\u00adcer", "cancer"),
        ("c\u200dancer", "cancer"),
        ("mental_health", "mental health"),
        ("Ask about PrEP", "PrEP"),
        ("Embarazo", "embarazo"),
        ("Alzheimer's", "Alzheimer's"),
    ],
)
def test_words_are_found_however_they_are_written(text: str, shown: str) -> None:
    assert shown in [word.shown for word in telling(text)]


@pytest.mark.parametrize(
    "text",
    [
        "A reminder from Cedar Row Clinic",
        "Es hora de su visita de temporada",
        "Hearing aids and you",  # AIDS only in capitals
        "Prepare for your visit",
        "The cancelled visit",
        "We are hiring",
        "Flu season is near",
        "",
    ],
)
def test_common_words_are_left_alone(text: str) -> None:
    assert not telling(text)


def test_a_problem_names_the_word_and_a_better_one() -> None:
    assert [
        str(problem.what) + " " + problem.next_step for problem in neutral_words("Your A1c", "subject")
    ] == ["“A1c” tells a condition. A subject travels in the open: say “check-up”."]


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "x" * 71,
        "HIV Center",
        "Cedar Row Oncology",
        "{{ contact.given_name }}",
        "a\nb",
        "a\u202eb",
        "<b>",
    ],
)
def test_a_sender_name_tells_nothing_and_is_the_same_for_all(name: str) -> None:
    assert sender_name(name)


def test_a_plain_sender_name_is_fine() -> None:
    assert not sender_name("Cedar Row Clinic")
