"""What the portal says, in English and Spanish; the words themselves are data (`data/words.json`)."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from importlib import resources
from typing import Final

LANGUAGES: Final = ("en", "es")
DATE_FORMATS: Final = {"en": "F j, Y", "es": r"j \d\e F \d\e Y"}
AND: Final = {"en": "and", "es": "y"}

Catalog = Mapping[str, Mapping[str, Mapping[str, str]]]


@functools.cache
def catalog() -> Catalog:
    """Return all words: by section ("say", "purposes", "disclosed"), key and language."""
    source = resources.files("salus.portal").joinpath("data", "words.json")
    found: Catalog = json.loads(source.read_text(encoding="utf-8"))
    return found


class Words:
    """The words of one language; templates say `{{ t.sign_out }}`, views `t.say("call_us", phone=...)`."""

    def __init__(self, language: str) -> None:
        self.language = language if language in LANGUAGES else LANGUAGES[0]

    def __getitem__(self, key: str) -> str:
        """Return the words for `key`; a key that is not there is a fault of the program."""
        return catalog()["say"][key][self.language]

    def say(self, key: str, **facts: object) -> str:
        """Return the words for `key` with facts put in."""
        return self[key].format(**facts)

    def purpose(self, purpose: str) -> str:
        """Return why a message was written."""
        return catalog()["purposes"][purpose][self.language]

    def disclosed(self, classes: tuple[str, ...]) -> str:
        """Return what a message tells about its reader, as one sentence; an address alone is nothing."""
        known = catalog()["disclosed"]
        told = list(dict.fromkeys(known[each][self.language] for each in classes if each in known))
        told = [words for words in told if words != known["contact"][self.language]]
        if not told:
            return self["told_nothing"]
        *first, last = told
        joined = f"{', '.join(first)} {AND[self.language]} {last}" if first else last
        return f"{joined[0].upper()}{joined[1:]}."

    @property
    def date_format(self) -> str:
        """Return how dates are written, for Django's `date_format`."""
        return DATE_FORMATS[self.language]


def topic_words(topic: str) -> str:
    """Return a topic as people read it: "diabetes_care" is "Diabetes care"."""
    words = topic.replace("_", " ").strip()
    return f"{words[:1].upper()}{words[1:]}"
