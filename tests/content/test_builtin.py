"""What comes with Salus: the notice, the starters, the sample person."""

from __future__ import annotations

from datetime import date

import pytest

from salus.contacts.contracts import AttributeType
from salus.content import builtin, compiling, inspecting, people, previews
from salus.content.rules import check_classification
from salus.content.words import telling
from salus.kernel.vocabulary import Purpose

from .desk import DOMAIN, HOUSE, LINKS, ORG, words

STARTERS = {starter.key: starter for starter in builtin.starters(DOMAIN)}


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_notice_says_nothing_but_that_there_is_something(language: str) -> None:
    made = builtin.notice(language).render({"contact": {}, "org": ORG, "link": {"portal": LINKS["portal"]}})
    assert made.subject in {
        "You have a new message from Cedar Row Clinic",
        "Tiene un mensaje nuevo de Cedar Row Clinic",
    }
    assert made.html.count("<a ") == 1
    assert made.html.count(LINKS["portal"]) == 1
    assert "<img" not in made.html
    assert not telling(words(made))
    assert not builtin.notice(language).needs
    assert not builtin.notice(language).links


def test_the_notice_ignores_values_of_a_person() -> None:
    made = builtin.notice("en").render({"contact": {"given_name": "Canary"}, "org": ORG, "link": LINKS})
    assert "Canary" not in made.html + made.text + made.subject


@pytest.mark.parametrize("key", sorted(STARTERS))
@pytest.mark.parametrize("language", ["en", "es"])
def test_every_starter_can_be_saved_and_shown(key: str, language: str) -> None:
    draft = STARTERS[key].drafts[language]
    inspected = inspecting.inspect(draft, HOUSE, people.attributes(), people.special_of)
    assert inspected.analysis.problems == ()
    sources = compiling.build(inspected)
    made = previews.render(
        sources, inspected.analysis, language, builtin.sample_person(), HOUSE, date(2026, 11, 24)
    )
    assert made.rendered.text
    assert "{{" not in made.rendered.html + made.rendered.text
    assert not telling(made.rendered.subject)


@pytest.mark.parametrize("key", sorted(STARTERS))
def test_every_starter_has_a_sound_classification(key: str) -> None:
    assert check_classification(STARTERS[key].classification) == ()


def test_the_starters_cover_the_demo() -> None:
    assert {starter.classification.purpose for starter in STARTERS.values()} == {
        Purpose.CONDITION_EDUCATION,
        Purpose.PREVENTIVE_REMINDER,
        Purpose.APPOINTMENT,
        Purpose.NEWSLETTER,
        Purpose.OWN_SERVICE,
        Purpose.FUNDRAISING_OWN,
    }
    assert not any(
        read.field
        for language in ("en", "es")
        for read in inspecting.inspect(
            STARTERS["newsletter"].drafts[language], HOUSE, people.attributes(), people.special_of
        ).analysis.reads
    )


def test_both_languages_of_a_starter_disclose_the_same() -> None:
    for starter in STARTERS.values():
        english, spanish = (
            {
                (read.field, read.origin, read.code)
                for read in inspecting.inspect(
                    starter.drafts[language], HOUSE, people.attributes(), people.special_of
                ).analysis.reads
            }
            for language in ("en", "es")
        )
        assert english == spanish, starter.key


def test_the_sample_person_fits_the_dictionary() -> None:
    known = people.attributes()
    for key, value in builtin.sample_person().items():
        assert isinstance(value, list) == (known[key].type in {AttributeType.RECORDS, AttributeType.CODES})
