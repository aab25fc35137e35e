"""Every word is there in both languages, and templates ask for no other."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

from salus.delivery.contracts import State
from salus.kernel.vocabulary import PhiClass, Protection, Purpose, Special
from salus.portal import rules, words
from salus.portal.words import LANGUAGES, Words, catalog, topic_words

WEB = Path(words.__file__).parent / "web"


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("section", ["say", "purposes", "disclosed"])
def test_both_languages_say_everything_with_the_same_facts(section: str) -> None:
    for key, said in catalog()[section].items():
        assert set(said) == set(LANGUAGES), key
        assert all(said.values()), key
        assert places(said["en"]) == places(said["es"]), key
        if section != "disclosed":
            assert said["en"] != said["es"], key


def test_the_catalog_covers_the_closed_vocabularies() -> None:
    say = catalog()["say"]
    assert set(catalog()["purposes"]) == {purpose.value for purpose in Purpose}
    assert set(catalog()["disclosed"]) == {word.value for word in (*PhiClass, *Special)}
    assert {f"state_{state.value}" for state in rules.SHOWN} <= set(say)
    assert {f"reached_{level.name.lower()}" for level in Protection} | {"reached_none"} <= set(say)
    assert {f"ground_{kind.value}" for kind in rules.GROUNDS} <= set(say)
    assert set(State) - rules.SHOWN == {
        State.CLEARED, State.LEASED, State.DEFERRED, State.REFUSED, State.CANCELLED
    }  # fmt: skip


def test_pages_ask_only_for_words_that_are_there() -> None:
    asked = set()
    for template in WEB.glob("templates/portal/*.html"):
        asked |= set(re.findall(r"\bt\.(\w+)", template.read_text()))
    for module in WEB.glob("*.py"):
        asked |= set(re.findall(r"words\[\"(\w+)\"\]", module.read_text()))
        asked |= set(re.findall(r"\.say\(\s*\"(\w+)\"", module.read_text()))
        asked |= set(re.findall(r"with_phone\(request, \"(\w+)\"", module.read_text()))
        for key in re.findall(r"says\(request, \"(\w+)\"", module.read_text()):
            asked |= {key, f"{key}_title"}
    assert asked - set(catalog()["say"]) == set()
    assert len(asked) > 60


@pytest.mark.parametrize("banned", ["oops", "invalid", "error", "!"])
def test_nobody_is_blamed_or_shouted_at(banned: str) -> None:
    assert not [key for key, said in catalog()["say"].items() if banned in said["en"].lower()]


def test_what_a_message_tells_is_one_sentence() -> None:
    assert Words("en").disclosed(("contact",)) == "Nothing but your address."
    assert (
        Words("en").disclosed(("contact", "diagnosis", "lab"))
        == "Something that you are treated for and a test."
    )
    assert Words("es").disclosed(("medication",)) == "Una medicina."
    assert Words("en").disclosed(("hiv", "mental_health")) == "A specially protected part of your record."


def test_topics_are_shown_as_people_read_them() -> None:
    assert topic_words("diabetes_care") == "Diabetes care"
    assert topic_words("COVID shots") == "COVID shots"
    assert Words("de").language == "en"
