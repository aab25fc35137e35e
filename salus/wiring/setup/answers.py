"""The answers of a set-up: read from a file, kept in the home until they are used, checked as a whole."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

from salus.kernel.errors import BadInput
from salus.wiring.home import address_only
from salus.wiring.installed import read, write, write_whole
from salus.wiring.setup.questions import SECTIONS, Answers, Section, Sort, check, check_addresses

NAME = "setup.json"


def from_file(path: Path) -> dict[str, str]:
    """Return the answers of a TOML file: `key = "answer"`, in one table a section or in none.

    Raises `BadInput` for what is no such file, and for a key that answers no question.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise BadInput("This is no TOML file.", place=str(path), next_step=str(fault)) from None
    answers: dict[str, Any] = {}
    for key, value in found.items():
        answers |= value if isinstance(value, dict) else {key: value}
    known = {each.key for section in SECTIONS for each in section.questions}
    unknown = sorted(set(answers) - known)
    if unknown:
        raise BadInput("No question has this name.", place=unknown[0])
    texts = {key: _text(key, value) for key, value in answers.items()}
    return {key: text for key, text in texts.items() if text.strip()}  # empty: as if it were not there


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
    """Return the answers to everything that is asked, with defaults; raises `BadInput` that names the question."""
    answers: dict[str, str] = {}
    for section in SECTIONS:
        answers |= of_section(section, {**given, **answers})
    check_addresses(answers["public_url"], answers["http"])
    return answers


def of_section(section: Section, given: Answers) -> dict[str, str]:
    """Return the checked answers of one section, with defaults."""
    answers: dict[str, str] = {}
    for question in section.questions:
        known = {**given, **answers}
        if question.when(known):
            answers[question.key] = check(question, given.get(question.key, question.default(known)))
    return answers


def choose(home: Path, answers: Answers, database_url: str | None) -> None:
    """Write down what holds for all processes of the installation; what was not asked stays. Raises `BadInput`.

    `database_url` is what the environment names; of it only the address is kept.
    """
    before = read(home)
    if answers["database"] == "embedded" and database_url:
        raise BadInput(
            "DATABASE_URL names a server.", place="database", next_step="Unset it, or choose the server."
        )
    if answers["database"] == "server" and not (database_url or before.database_url):
        raise BadInput(
            "DATABASE_URL names no server.", place="database", next_step="Set it, then start again."
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
