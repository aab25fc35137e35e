"""Reads the ready journeys from their files."""

from __future__ import annotations

import functools
import json
from collections import defaultdict
from collections.abc import Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any
from uuid import UUID

from salus.content.contracts import Classification, Draft
from salus.journeys.gallery.filling import Made, fill
from salus.journeys.gallery.ready import Ready, ReadyList, ReadySegment, ReadyTemplate
from salus.journeys.rules.reading import read as read_graph
from salus.kernel.errors import NotFound
from salus.kernel.vocabulary import PhiClass, Promotes, Purpose, Remuneration

KEYS = (
    "appointments",
    "re_engagement",
    "onboarding",
    "screening_recall",
    "education_course",
    "recovery",
    "refill",
    "lab_result",
    "feedback",
    "milestone",
    "service_announcement",
    "recommendation",
    "payment",
    "health_alert",
)
"""Every ready journey, in the order in which people see them."""
LANGUAGES = ("en", "es")
DOMAIN = "{domain}"
"""Stands in a letter for the organization's own domain, as in the starters of `content`."""
_CONTENT = "{content}"
_GOES_TO = "journey:"
_NOBODY = UUID(int=0)
_STAND_INS = Made(
    defaultdict(lambda: dict.fromkeys(LANGUAGES, _NOBODY)),
    defaultdict(lambda: _NOBODY),
    defaultdict(lambda: _NOBODY),
)


def every() -> tuple[Ready, ...]:
    """Return all ready journeys."""
    return tuple(read(key) for key in KEYS)


@functools.cache
def read(key: str) -> Ready:
    """Return the ready journey `key`; raises `NotFound`."""
    if key not in KEYS:
        raise NotFound
    folder = _data().joinpath(key)
    about, document = _json(folder, "about.json"), _json(folder, "graph.json")
    return Ready(
        key=key,
        name=document["name"],
        purpose=about["purpose"],
        needs=tuple(about["needs"]),
        document=document,
        graph=read_graph(fill(document, _STAND_INS)),
        templates={word: _template(folder, word, told) for word, told in about["templates"].items()},
        segments={word: ReadySegment(**told) for word, told in about.get("segments", {}).items()},
        lists={
            word: ReadyList(told["name"], tuple(map(PhiClass, told["tells"])))
            for word, told in about.get("lists", {}).items()
        },
        leads_to=tuple(_led_to(document)),
    )


def _data() -> Traversable:
    return resources.files("salus.journeys.gallery").joinpath("data")


def _json(folder: Traversable, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(folder.joinpath(name).read_text(encoding="utf-8"))
    return found


def _template(folder: Traversable, word: str, told: Mapping[str, Any]) -> ReadyTemplate:
    classification = Classification(
        Purpose(told["purpose"]),
        Promotes(told.get("promotes", "nothing")),
        Remuneration.NONE,
        told["topic"],
        conditions=tuple(told.get("conditions", ())),
    )
    starter = told.get("starter", "")
    drafts = {} if starter else {each: _letter(folder, f"{word}.{each}.mjml", each) for each in LANGUAGES}
    return ReadyTemplate(told["name"], classification, starter, drafts)


def _letter(folder: Traversable, name: str, language: str) -> Draft:
    """Return a letter: lines of Subject and Preheader, an empty line, then what stands in its column."""
    head, _, content = folder.joinpath(name).read_text(encoding="utf-8").partition("\n\n")
    told = dict(line.split(": ", 1) for line in head.splitlines())
    return Draft(language, told["Subject"], told["Preheader"], _frame().replace(_CONTENT, content.rstrip()))


@functools.cache
def _frame() -> str:
    return _data().joinpath("frame.mjml").read_text(encoding="utf-8")


def _led_to(document: Mapping[str, Any]) -> list[str]:
    """Return the keys of the ready journeys that this one leads to."""
    steps = document["steps"].values()
    return [step["journey_id"].removeprefix(_GOES_TO) for step in steps if "journey_id" in step]
