"""Reads a protection policy from its text (TOML), and says of each fault where it is and what would be right."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from salus.kernel.errors import BadInput
from salus.kernel.vocabulary import PhiClass, Protection, Purpose, Special
from salus.safeguards.contracts import Mark, Rule

T = TypeVar("T")
MOST_RULES, MOST_WORDS, LONGEST_NAME, LONGEST_TEXT = 200, 200, 120, 100_000
LEVELS = {each.name.lower(): each for each in Protection}
CLASSES = frozenset({*PhiClass, *Special})
_TOPIC = re.compile(r"[a-z0-9][a-z0-9_.-]{0,99}")
_DOMAIN = re.compile(r"(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")


def read(text: str) -> tuple[Rule, ...]:
    """Return the rules of a policy's text; raises `BadInput` that names the line or the rule and the reason."""
    if len(text) > LONGEST_TEXT:
        raise BadInput(f"A policy has at most {LONGEST_TEXT:,} characters.", place="text")
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise BadInput(f"This is not TOML: {fault}.", place="text") from None
    _only(document, {"rule"}, "the policy")
    found = document.get("rule", [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise BadInput("Begin each rule with a line [[rule]].", place="text")
    if len(found) > MOST_RULES:
        raise BadInput(f"A policy has at most {MOST_RULES} rules.", place="text")
    rules = tuple(_rule(each, number) for number, each in enumerate(found, 1))
    names = [rule.name for rule in rules]
    for name in names:
        if names.count(name) > 1:
            raise BadInput(
                f"Two rules are called “{name}”.", place="text", next_step="Give each its own name."
            )
    return rules


def _rule(raw: Mapping[str, Any], number: int) -> Rule:
    where = f"rule {number}"
    name = raw.get("name")
    if not isinstance(name, str) or not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise BadInput(f"In {where}: give it a name, on one line.", place="text")
    where = f"rule {number} (“{name}”)"
    _only(raw, {"name", "protect", "purposes", "topics", "classes", "domains", "marks"}, where)
    if raw.get("protect") not in LEVELS:
        raise BadInput(f"In {where}: protect is one of {', '.join(LEVELS)}.", place="text")
    return Rule(
        name.strip(),
        LEVELS[raw["protect"]],
        _words(raw, "purposes", where, Purpose, frozenset(Purpose)),
        _words(raw, "topics", where, str, _TOPIC),
        _words(raw, "classes", where, str, CLASSES),
        _words(raw, "domains", where, str, _DOMAIN),
        _words(raw, "marks", where, Mark, frozenset(Mark)),
    )


def _only(raw: Mapping[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(raw.keys() - known)
    if unknown:
        raise BadInput(
            f"In {where}: “{unknown[0][:40]}” is not known.", place="text",
            next_step=f"It may be {', '.join(sorted(known))}.",
        )  # fmt: skip


def _words(
    raw: Mapping[str, Any],
    key: str,
    where: str,
    make: Callable[[str], T],
    known: frozenset[Any] | re.Pattern[str],
) -> frozenset[T]:
    """Return the words of one condition; an empty list would hold for nothing, and is refused."""
    if key not in raw:
        return frozenset()
    words = raw[key]
    if not isinstance(words, list) or not words or len(words) > MOST_WORDS:
        raise BadInput(f"In {where}: {key} is a list of 1 to {MOST_WORDS} words.", place="text")
    for word in words:
        fits = isinstance(word, str) and (
            bool(known.fullmatch(word)) if isinstance(known, re.Pattern) else word in known
        )
        if not fits:
            allowed = "" if isinstance(known, re.Pattern) else f"It may be {', '.join(sorted(known))}."
            raise BadInput(
                f"In {where}: {str(word)[:60]!r} is not one of the {key}.", place="text", next_step=allowed
            )
    return frozenset(make(word) for word in words)
