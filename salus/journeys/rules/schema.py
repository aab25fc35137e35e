"""The published JSON Schema (draft 2020-12) of a journey's document, made from what reads it."""

from __future__ import annotations

from typing import Any

from salus.journeys.rules.document import GRAPH, VERSION
from salus.journeys.rules.forms import closed

IDENTITY = "https://salus.example/schema/journey-1.json"


def schema() -> dict[str, Any]:
    """Return the schema; it takes what `reading.read` takes, finished or not."""
    properties = {"schema": {"const": VERSION, "description": "The version of this format."}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": IDENTITY,
        "title": "A journey: a graph of steps that people move along",
        "description": GRAPH.says,
        **closed({**properties, **GRAPH.properties()}, ["schema", *GRAPH.needed]),
    }
