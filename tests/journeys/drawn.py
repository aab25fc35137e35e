"""Journeys that tests draw: a step in a line, and the one that brings overdue patients back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from salus.identity.contracts import Role
from salus.journeys.contracts import (
    Action,
    Branch,
    Case,
    Enter,
    EnterKind,
    Exit,
    Goal,
    Graph,
    Repeat,
    Rules,
    Send,
    Step,
    StepKind,
    Task,
    Wait,
    WaitFor,
)
from salus.kernel.ids import new_id
from salus.kernel.vocabulary import Channel

DAY = timedelta(days=1)
BOOKED = {"did": "appointment_booked"}
_KINDS = {
    Send: StepKind.SEND,
    Wait: StepKind.WAIT,
    WaitFor: StepKind.WAIT_FOR,
    Branch: StepKind.BRANCH,
    Repeat: StepKind.REPEAT,
    Task: StepKind.TASK,
    Goal: StepKind.GOAL,
    Exit: StepKind.EXIT,
}


def step(key: str, does: Action, title: str = "", **ports: str) -> Step:
    """Return a step; its ports are given by name."""
    return Step(key, _KINDS[type(does)], title or key.replace("_", " ").capitalize(), does, ports)


def graph(
    *steps: Step,
    name: str = "A journey",
    enter: tuple[Enter, ...] = (Enter(EnterKind.BY_HAND), Enter(EnterKind.API)),
    **rules: Any,
) -> Graph:
    """Return a journey of these steps that begins at the first."""
    return Graph(name, enter, steps[0].key, {each.key: each for each in steps}, Rules(**rules))


def send(versions: Mapping[str, UUID] | None = None) -> Send:
    """Return what a step that writes does."""
    return Send(Channel.EMAIL, versions or {"en": new_id()})


def short(
    versions: Mapping[str, UUID] | None = None, *, wait: timedelta = DAY, name: str = "Visits"
) -> Graph:
    """Return: a message, a wait, the end."""
    return graph(
        step("letter", send(versions), "Time for a check-up", next="pause"),
        step("pause", Wait(span=wait), "A day", next="end"),
        step("end", Exit(), "That was it"),
        name=name,
    )


def overdue(
    versions: Mapping[str, UUID] | None = None, *, name: str = "Bring overdue patients back"
) -> Graph:
    """Return the journey that brings overdue patients back: a letter, a second one or a call, until they book."""
    return graph(
        step("letter", send(versions), "Time for a check-up", next="wait", refused="not_allowed"),
        step("not_allowed", Exit(), "Not allowed"),
        step(
            "wait",
            WaitFor(at_most=7 * DAY, event=BOOKED, since="letter"),
            "Wait for a booking",
            happened="booked",
            timeout="which",
        ),
        step(
            "which",
            Branch((Case("spanish", {"version": 1, "where": {"field": "language", "equal": "es"}}),)),
            "Which language?",
            **{"spanish": "second", "else": "call"},
        ),
        step("second", send(versions), "Still time to book", next="wait_again"),
        step(
            "call",
            Task(Role.CARE_COORDINATOR, at_most=5 * DAY),
            "A nurse calls",
            done="wait_again",
            not_done="wait_again",
        ),
        step(
            "wait_again",
            WaitFor(at_most=14 * DAY, event=BOOKED, since="letter"),
            "Wait for a booking",
            happened="booked",
            timeout="no_answer",
        ),
        step("booked", Goal(), "Visit booked"),
        step("no_answer", Exit(), "No answer"),
        name=name,
    )
