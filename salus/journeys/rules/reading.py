"""A journey's JSON document to its graph, and back: structure only, `checking` judges what it means."""

from __future__ import annotations

from typing import Any

from salus.journeys.contracts import Graph
from salus.journeys.rules.document import GRAPH, VERSION
from salus.journeys.rules.forms import is_number, obj
from salus.kernel.errors import BadInput


def read(document: Any, *, place: str = "$") -> Graph:
    """Return the graph of a parsed JSON document.

    Raises `BadInput` with the JSON path of the first fault below `place`; an unknown key is one. A
    graph that is not finished (no steps yet, ports that lead nowhere) reads: `checking` finds that.
    """
    given = obj(document, place)
    if "schema" not in given:
        raise BadInput("does not say schema", place=place, next_step=f'Write "schema": {VERSION}.')
    if not is_number(given["schema"]) or given["schema"] != VERSION:
        raise BadInput(f"is not a version that is known ({VERSION})", place=f"{place}.schema")
    graph: Graph = GRAPH.read(given, place, beside=("schema",))
    return graph


def write(graph: Graph) -> dict[str, Any]:
    """Return the document of a graph; what is as by default is left out, and `read` gives it back."""
    return {"schema": VERSION, **GRAPH.write(graph)}
