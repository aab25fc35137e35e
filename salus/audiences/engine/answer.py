"""Turns one request into one answer: reads the tree, waits for the feeds, asks the store."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import duckdb

from salus.audiences import calendar_rules, knowledge, lines, parse
from salus.audiences.engine.ask import Asker, zones_at
from salus.audiences.engine.keeper import Keeper
from salus.audiences.nodes import Moment, Node
from salus.kernel.errors import BadInput, NotFound, Unavailable

MOST_SECONDS = 600.0


def answer(keeper: Keeper, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer to a request about one organization; raises `BadInput` and `Unavailable`."""
    what = request.get("ask")
    if what == "status":
        return keeper.facts()
    seconds = min(float(request.get("seconds", 15.0)), MOST_SECONDS)
    started = time.monotonic()
    keeper.wait_for(request.get("need") or {}, seconds)
    moment = _moment(request)
    segments = request.get("segments") or {}

    def find(segment_id: UUID) -> Any:
        if str(segment_id) not in segments:
            raise NotFound
        return segments[str(segment_id)]

    words = knowledge.lexicon(find)
    node = parse.parse(request.get("tree"), words)
    with keeper.store().cursor() as cursor:
        cursor.begin()  # one view of the store: the positions and the answer belong together
        positions = {
            name: int(number) for name, number in cursor.execute("SELECT name, number FROM feed").fetchall()
        }
        asker = Asker(cursor, words, moment, zones_at(moment, keeper.zone_names()))
        with _limited(cursor, seconds):
            found = _ask(asker, str(what), node, request)
        cursor.rollback()
    return {"positions": positions, "took": time.monotonic() - started, **found}


def _ask(asker: Asker, what: str, node: Node, request: Mapping[str, Any]) -> dict[str, Any]:
    match what:
        case "count":
            return {"count": asker.count(node)}
        case "members":
            members = asker.members(node)
            return {"count": len(members), "members": base64.b64encode(members.serialize()).decode()}
        case "breakdown":
            groups = asker.breakdown(node, str(request.get("attribute")))
            return {"count": sum(many for _, many in groups), "groups": groups}
        case "sample":
            people = asker.sample(node, max(1, int(request.get("size", 10))))
            return {"count": len(people), "people": [(number, str(one)) for number, one in people]}
        case "explain":
            counts = asker.explain([(one, before) for _, one, before, _ in lines.lines(node)])
            return {"count": counts[0], "counts": counts}
        case _:
            raise BadInput("is not a question that the engine knows", place="ask")


def _moment(request: Mapping[str, Any]) -> Moment:
    try:
        at = datetime.fromisoformat(str(request.get("at")))
    except ValueError:
        raise BadInput("is not a moment", place="at") from None
    if at.tzinfo is None or request.get("zone") not in calendar_rules.known_zones():
        raise BadInput("is not a moment in a time zone", place="at")
    return Moment(at, str(request["zone"]))


class _limited:  # noqa: N801 - reads as a word where it is used
    """Interrupt a statement that takes longer than it may; it then raises `Unavailable`."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, seconds: float) -> None:
        self._timer = threading.Timer(seconds, cursor.interrupt)

    def __enter__(self) -> None:
        self._timer.daemon = True
        self._timer.start()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._timer.cancel()
        if kind is not None and issubclass(kind, duckdb.InterruptException):
            raise Unavailable(
                "This segment took too long to count.",
                kept="Nothing was changed.",
                next_step="Make it smaller, or try again when the machine is less busy.",
            ) from None
