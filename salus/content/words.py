"""Words that tell a condition: they stay out of everything that travels in the open."""

from __future__ import annotations

import functools
import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from typing import Any

_GAP = re.compile(r"[\s._/–—-]+")
_SPELLED = re.compile(r"(?<!\w)\w(?: \w(?!\w))+")


@dataclass(frozen=True, slots=True)
class Telling:
    """A word found: as it is listed, what it tells, and a neutral word to say instead."""

    shown: str
    tells: str
    instead: str


def _plain(text: str) -> str:
    """Return `text` without accents, invisible signs, hyphens and dots, in one width."""
    text = unicodedata.normalize("NFKD", text)
    kept = (char for char in text if unicodedata.category(char) not in {"Mn", "Cf", "Me"})
    return _GAP.sub(" ", "".join(kept))


def _forms(text: str) -> Iterable[str]:
    """Yield `text` as it is, and with single letters pushed together ("H.I.V." reads "HIV")."""
    plain = _plain(text)
    yield plain
    yield _SPELLED.sub(lambda match: match[0].replace(" ", ""), plain)


def _pattern(words: Iterable[str]) -> re.Pattern[str]:
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")


@functools.cache
def _list() -> tuple[tuple[re.Pattern[str], dict[str, Telling]], tuple[re.Pattern[str], dict[str, Telling]]]:
    source = resources.files("salus.content").joinpath("data", "telling_words.json")
    groups: list[dict[str, Any]] = json.loads(source.read_text(encoding="utf-8"))["groups"]
    folded: dict[str, Telling] = {}
    cased: dict[str, Telling] = {}
    for group in groups:
        for word in group["words"]:
            folded.setdefault(_plain(word).casefold(), Telling(word, group["tells"], group["instead"]))
        for word in group.get("cased", ()):
            cased[word] = Telling(word, group["tells"], group["instead"])
    return (_pattern(folded), folded), (_pattern(cased), cased)


def telling(text: str) -> tuple[Telling, ...]:
    """Return the words in `text` that tell a condition, a treatment or a specialty, each once, in order."""
    (folded, known), (cased, known_cased) = _list()
    found: dict[str, Telling] = {}
    for form in _forms(text):
        for match in folded.finditer(form.casefold()):
            found.setdefault(match[0], known[match[0]])
        for match in cased.finditer(form):
            found.setdefault(match[0], known_cased[match[0]])
    return tuple(found.values())
