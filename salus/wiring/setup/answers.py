"""The answers of a set-up: read from a file, kept in the home until they are used, checked as a whole."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from salus.kernel.errors import BadInput
from salus.wiring.home import address_only
from salus.wiring.installed import read, write, write_whole
from salus.wiring.setup.questions import SECTIONS, Answers, Sort, check, check_addresses

NAME = "setup.json"


class Faults(BadInput):
    """Answers that will not do: all of them at once, each with its section; `place` is the first one's."""

    def __init__(self, each: Sequence[BadInput]) -> None:
        self.each = tuple(each)
        super().__init__(each[0].what, place=each[0].place, next_step=each[0].next_step)

    def __str__(self) -> str:
        said = [f"{_place(fault.place)}: {fault.what} {fault.next_step}".rstrip() for fault in self.each]
        return said[0] if len(said) == 1 else "\n  ".join([f"{len(said)} answers will not do.", *said])


def _place(key: str) -> str:
    """Return a question's place in a file of answers: "[address] public_url"."""
    section = next((part.key for part in SECTIONS for each in part.questions if each.key == key), "")
    return f"[{section}] {key}" if section else key


def whole_of_file(path: Path) -> dict[str, str]:
    """Return the answers to everything that is asked, from a TOML file; raises `BadInput` for no file, or all `Faults`."""
    given, wrong = _read(path)
    answers, more = _gone_through(given)
    if wrong or more:
        raise Faults([*wrong, *more])
    return answers


def from_file(path: Path) -> dict[str, str]:
    """Return the answers of a TOML file: `key = "answer"`, in one table a section or in none.

    Raises `BadInput` for what is no such file, and `Faults` for keys that answer no question.
    """
    given, wrong = _read(path)
    if wrong:
        raise Faults(wrong)
    return given


def _read(path: Path) -> tuple[dict[str, str], list[BadInput]]:
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise BadInput("This is no TOML file.", place=str(path), next_step=str(fault)) from None
    known = {each.key for section in SECTIONS for each in section.questions}
    texts: dict[str, str] = {}
    wrong: list[BadInput] = []
    for table, value in found.items():
        for key, given in value.items() if isinstance(value, dict) else [(table, value)]:
            if key not in known:
                place = f"[{table}] {key}" if isinstance(value, dict) else key
                wrong.append(BadInput("No question has this name.", place=place))
                continue
            try:
                texts[key] = _text(key, given)
            except BadInput as fault:
                wrong.append(fault)
    return {key: text for key, text in texts.items() if text.strip()}, wrong  # empty: as if it were not there


def _text(key: str, value: Any) -> str:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict | list):
        raise BadInput("Write one answer.", place=key)
    return str(value)


def kept(home: Path) -> dict[str, str]:
    """Return the answers that were given so far."""
    try:
        return {str(key): str(value) for key, value in json.loads((home / NAME).read_text()).items()}
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError) as fault:
        raise BadInput(
            "The answers kept here cannot be read.", place=NAME, next_step="Remove the file and start again."
        ) from fault


def keep(home: Path, answers: Answers) -> None:
    """Keep the answers, without the secrets."""
    secret = {each.key for section in SECTIONS for each in section.questions if each.sort is Sort.SECRET}
    told = {key: value for key, value in answers.items() if key not in secret}
    write_whole(home / NAME, json.dumps(told, indent=1) + "\n")


def whole(given: Answers) -> dict[str, str]:
    """Return the answers to everything that is asked, with defaults; raises `Faults` that name the questions."""
    answers, wrong = _gone_through(given)
    if wrong:
        raise Faults(wrong)
    return answers


def _gone_through(given: Answers) -> tuple[dict[str, str], list[BadInput]]:
    """Return the checked answers, with defaults, and what is wrong with the others."""
    answers: dict[str, str] = {}
    wrong: list[BadInput] = []
    for question in (each for section in SECTIONS for each in section.questions):
        known = {**given, **answers}
        if not question.when(known):
            continue
        answers[question.key] = given.get(question.key, question.default(known))
        try:
            answers[question.key] = check(question, answers[question.key])
        except BadInput as fault:
            wrong.append(fault)
    if not {"public_url", "http"} & {fault.place for fault in wrong}:
        try:
            check_addresses(answers["public_url"], answers["http"])
        except BadInput as fault:
            wrong.append(fault)
    return answers, wrong


def choose(home: Path, answers: Answers, database_url: str | None) -> None:
    """Write down what holds for all processes of the installation; what was not asked stays. Raises `BadInput`.

    `database_url` is what the environment names; of it only the address is kept.
    """
    before = read(home)
    if answers["database"] == "embedded" and database_url:
        raise BadInput(
            "DATABASE_URL names a server.",
            place=_place("database"),
            next_step="Unset it, or choose the server.",
        )
    if answers["database"] == "server" and not (database_url or before.database_url):
        raise BadInput(
            "DATABASE_URL names no server.", place=_place("database"), next_step="Set it, then start again."
        )
    kept_url = address_only(database_url) if database_url else before.database_url
    chosen = replace(
        before,
        public_url=answers["public_url"].rstrip("/"),
        http=answers["http"],
        database_url=kept_url if answers["database"] == "server" else "",
        spf=answers["spf"],
        backup=answers["backup"],
    )
    write(home, chosen)
