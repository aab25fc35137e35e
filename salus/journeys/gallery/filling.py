"""Puts ids where a ready journey's document names its templates, segments and other journeys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Made:
    """What was made for a ready journey, by the word that its document has for it."""

    templates: Mapping[str, Mapping[str, UUID]]
    """Template -> language -> version."""
    segments: Mapping[str, UUID]
    """Segments and static segments."""
    journeys: Mapping[str, UUID]


def fill(document: Any, made: Made) -> Any:
    """Return a copy of a document, or of a segment's tree, with ids for names; `KeyError` for a name unknown."""
    if isinstance(document, Mapping):
        return {name: fill(value, made) for name, value in document.items()}
    if isinstance(document, list):
        return [fill(value, made) for value in document]
    if not isinstance(document, str):
        return document
    kind, colon, word = document.partition(":")
    match kind if colon else "":
        case "template":
            return {language: str(id) for language, id in made.templates[word].items()}
        case "segment":
            return str(made.segments[word])
        case "journey":
            return str(made.journeys[word])
    return document
