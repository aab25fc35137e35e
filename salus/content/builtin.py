"""Content that comes with Salus: the neutral notice, starter templates, the sample person of previews."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

from salus.content import footers, people, rendering
from salus.content.compiling import build, renderer
from salus.content.contracts import Classification, Draft, House, Sources, Starter
from salus.content.inspecting import LANGUAGES, inspect
from salus.content.storage import read_classification

DOMAIN = "{domain}"
"""Stands in a starter for the organization's own domain."""
_NO_HOUSE = House((), {"name": "", "phone": "", "postal_address": ""})


def _read(*path: str) -> str:
    return resources.files("salus.content").joinpath("data", *path).read_text(encoding="utf-8")


@functools.cache
def _notices() -> Mapping[str, Any]:
    data: Mapping[str, Any] = json.loads(_read("notice", "notice.json"))
    return data


def full_renderer() -> str:
    """Return the renderer of messages with our own words in them: libraries, footer, notice."""
    return f"{renderer()}+footer/{footers.version()}+notice/{_notices()['version']}"


@functools.cache
def notice_sources(language: str) -> Sources:
    """Return the compiled notice of a portal message; raises `BadInput` for a language that is not here."""
    words = _notices()[language]
    draft = Draft(language, words["subject"], "", _read("notice", f"{language}.mjml"), words["text"])
    return build(inspect(draft, _NO_HOUSE, people.attributes(), people.special_of))


@functools.cache
def notice(language: str) -> rendering.Compiled:
    """Return the notice, ready to be rendered: no name, no topic, one button (`link.portal`)."""
    return rendering.compiled(notice_sources(language), language=language, renderer=full_renderer())


def starters(domain: str) -> tuple[Starter, ...]:
    """Return the templates that come with Salus, linked to pages of `domain`."""
    found = []
    for entry in json.loads(_read("starters", "starters.json")):
        drafts = {
            language: Draft(
                language,
                entry[language]["subject"],
                entry[language]["preheader"],
                _read("starters", f"{entry['key']}.{language}.mjml").replace(DOMAIN, domain),
                "",
            )
            for language in LANGUAGES
        }
        classification: Classification = read_classification(entry["classification"])
        found.append(Starter(entry["key"], entry["name"], drafts, classification))
    return tuple(found)


@functools.cache
def sample_person() -> Mapping[str, Any]:
    """Return the plain values of an invented person, for previews without opening anybody."""
    data: Mapping[str, Any] = json.loads(_read("sample_person.json"))
    return data
