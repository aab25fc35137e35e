"""The journey of the benchmark: ten steps on every way, with branches, a split, waits, and a wait for an event."""

from __future__ import annotations

from typing import Any
from uuid import UUID

WEST = {"version": 1, "where": {"field": "state", "in": ["IL", "WI", "IA", "MN"]}}
OLDER = {"version": 1, "where": {"field": "age", "at_least": 60}}
TEN = 10
"""Steps on every way."""


def ten_steps(segment_id: UUID) -> dict[str, Any]:
    """Return the document of a journey that takes about a fortnight; whoever is in the segment comes in."""
    return {
        "schema": 1,
        "name": "Ten steps",
        "enter": [{"kind": "segment_entered", "segment_id": str(segment_id), "present": True}],
        "start": "first_day",
        "steps": {
            "first_day": _wait({"span": {"days": 1}}, "where_from"),
            "where_from": _branch("west", WEST, "monday", "two_days"),
            "monday": _wait({"until_weekday": 0, "until_time": "10:00"}, "chance"),
            "two_days": _wait({"span": {"days": 2}}, "chance"),
            "chance": {
                "kind": "split", "title": "Half of them", "weights": {"test": 1, "control": 1},
                "control": "control", "ports": {"test": "booking", "control": "pause"},
            },
            "booking": {
                "kind": "wait_for", "title": "A booking", "event": {"did": "appointment_booked"},
                "at_most": {"days": 3}, "ports": {"happened": "how_old", "timeout": "how_old"},
            },
            "pause": _wait({"span": {"days": 3}}, "how_old"),
            "how_old": _branch("older", OLDER, "a_week", "four_days"),
            "a_week": _wait({"span": {"days": 7}}, "where_now"),
            "four_days": _wait({"span": {"days": 4}}, "where_now"),
            "where_now": _branch("west", WEST, "night", "noon"),
            "night": _wait({"until_time": "20:00"}, "last_day"),
            "noon": _wait({"until_time": "12:00"}, "last_day"),
            "last_day": _wait({"span": {"hours": 20}}, "end"),
            "end": {"kind": "goal", "title": "The end", "ports": {}},
        },
        "rules": {"at_most": {"days": 60}},
    }  # fmt: skip


def one_wait(segment_id: UUID) -> dict[str, Any]:
    """Return the document of a journey in which everybody waits for a booking."""
    return {
        "schema": 1,
        "name": "One wait",
        "enter": [{"kind": "segment_entered", "segment_id": str(segment_id), "present": True}],
        "start": "booking",
        "steps": {
            "booking": {
                "kind": "wait_for", "title": "A booking", "event": {"did": "appointment_booked"},
                "at_most": {"days": 30}, "ports": {"happened": "end", "timeout": "end"},
            },
            "end": {"kind": "exit", "title": "The end", "ports": {}},
        },
        "rules": {"at_most": {"days": 60}},
    }  # fmt: skip


def _wait(until: dict[str, Any], target: str) -> dict[str, Any]:
    return {"kind": "wait", "title": "Wait", **until, "ports": {"next": target}}


def _branch(port: str, when: dict[str, Any], holds: str, otherwise: str) -> dict[str, Any]:
    return {
        "kind": "branch",
        "title": "Which?",
        "cases": [{"port": port, "when": when}],
        "ports": {port: holds, "else": otherwise},
    }
