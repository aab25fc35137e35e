"""A journey's JSON document, declared once: `reading` reads and writes by it, `schema` publishes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from salus.identity.contracts import Role
from salus.journeys.contracts import (
    Again,
    Branch,
    Call,
    Case,
    Ending,
    EndsOn,
    Enter,
    EnterKind,
    Exit,
    Goal,
    GoTo,
    Graph,
    Repeat,
    Rules,
    Send,
    Split,
    Step,
    StepKind,
    Task,
    Update,
    Wait,
    WaitFor,
)
from salus.journeys.rules.forms import (
    Clock,
    Expression,
    Flag,
    Id,
    Named,
    Nullable,
    Number,
    Plain,
    Schema,
    Span,
    Text,
    Whole,
    Word,
    word_of,
)
from salus.journeys.rules.shapes import Listing, Part, Shape, Table, Tagged
from salus.kernel.vocabulary import Channel

VERSION = 1
MOST_STEPS = 500
MOST_TIMES = 100

_LOOKS = "a word of small letters, digits and _, at most 40"
KEY = "^(?!enter$)[a-z][a-z0-9_]{0,39}$"
"""Keys of steps and names of ports are stored beside people: make them words that tell nothing of health."""
KEY_OR_NONE = "^([a-z][a-z0-9_]{0,39})?$"
ATTRIBUTE = "^[a-z][a-z0-9_]{0,63}$"
LANGUAGES = "^(en|es)$"

_KEY = Named(KEY, f"{_LOOKS} (“enter” is taken)")
_REFERENCE = Named(KEY_OR_NONE, f"the key of a step: {_LOOKS}")
_DATE = Named(
    r"^([a-z][a-z0-9_]{0,63}(\.[a-z]{1,16})?)?$", 'an attribute like "birth_date" or "appointments.date"'
)
_TOPIC = Named(r"^([a-z][a-z0-9 _-]{1,59}|\*)$", "a topic: a word or two in small letters, or * for all")
_TOPIC_OR_NONE = Named(r"^([a-z][a-z0-9 _-]{1,59})?$", "a topic: a word or two in small letters")
_ID, _CLOCK, _SPAN = Nullable(Id()), Nullable(Clock()), Span()
_MAYBE = Nullable(Expression())

_EVENT = 'An event of a kind, and what its details must be: {"did": "message_clicked", "where": {...}}.'
_SEGMENT_TREE = 'A segment expression: {"version": 1, "where": ...}.'
_RECORD = 'Which of the records count: the tests of a `record` rule, {"status": ["booked"], "code": "..."}.'
_OF_STEP = "The key of a send step: then events of messages count only when they are of its message."

SEND = Shape(
    Send,
    "Write to the person; the gate decides. Ports: next; refused, if drawn, for whom it may not be sent.",
    {
        "channel": Part(word_of(Channel), "How the message travels."),
        "versions": Part(
            Table(Id(), 2, LANGUAGES, "a language of messages (en, es)"),
            "The template version in each language; its classification is confirmed.",
        ),
    },
)
WAIT = Shape(
    Wait,
    "Wait: for a time (span), until a weekday and hour (until_…), or until a date (attribute). Port: next.",
    {
        "span": Part(Nullable(_SPAN), "How long."),
        "until_weekday": Part(Nullable(Whole(0, 6)), "0 Monday to 6 Sunday; left out: any day."),
        "until_time": Part(_CLOCK, "Until this time of day where the person lives."),
        "attribute": Part(
            _DATE, "A date that is known of the person, or the date of a record; it may still move."
        ),
        "offset": Part(Span(signed=True), "How long after the date; before it when below zero."),
        "at": Part(_CLOCK, "At which time of that day, where the person lives."),
        "where": Part(Expression(), _RECORD),
    },
)
WAIT_FOR = Shape(
    WaitFor,
    "Wait for an event, or until a condition holds. Ports: happened, timeout.",
    {
        "at_most": Part(_SPAN, "How long at most; then on by timeout."),
        "event": Part(_MAYBE, _EVENT),
        "condition": Part(_MAYBE, _SEGMENT_TREE),
        "of_step": Part(_REFERENCE, _OF_STEP),
        "since": Part(
            _REFERENCE, "Events count from the arrival at this step, or since “enter”; left out: here."
        ),
    },
)
CASE = Shape(
    Case,
    "One way out: who meets the expression goes this way.",
    {
        "port": Part(_KEY, "The name of the port."),
        "when": Part(Expression(), _SEGMENT_TREE),
        "of_step": Part(_REFERENCE, _OF_STEP),
    },
)
BRANCH = Shape(
    Branch,
    "Choose by what is known of the person. Ports: one for each case, and else.",
    {"cases": Part(Listing(CASE, 20), "The first case that holds is taken.")},
)
SPLIT = Shape(
    Split,
    "Divide people by chance, the same person always the same way. Ports: the arms.",
    {
        "weights": Part(Table(Whole(1, 10_000), 20, KEY, _LOOKS), "The arms, and how many of all go there."),
        "control": Part(_REFERENCE, "The arm that the others are compared with, if any."),
    },
)
UPDATE = Shape(
    Update,
    "Change what is known of the person. Port: next.",
    {
        "attributes": Part(Table(Plain(), 20, ATTRIBUTE, "an attribute"), "New values; null clears one."),
        "opt_out_topics": Part(Listing(_TOPIC, 20), "Topics that they hear no more of, on any channel."),
        "add_to": Part(Listing(Id(), 20), "Static segments that they are put into."),
        "remove_from": Part(Listing(Id(), 20), "Static segments that they are taken out of."),
    },
)
GO_TO = Shape(
    GoTo,
    "Go on at another step (port next), or leave for another journey (no port).",
    {"journey_id": Part(_ID, "The other journey.")},
)
REPEAT = Shape(
    Repeat,
    "The only way back. Ports: again, at most so many times; then done.",
    {
        "times": Part(Whole(1, MOST_TIMES), "How many times at most."),
        "interval": Part(_SPAN, "The least time before each time."),
    },
)
TASK = Shape(
    Task,
    "Ask somebody of a role to do what the title says. Ports: done, not_done.",
    {
        "role": Part(word_of(Role), "Whose inbox it comes to."),
        "at_most": Part(_SPAN, "How long they have; then on by not_done."),
        "instructions": Part(Text(4_000), "What they need to know to do it."),
        "deputy": Part(Nullable(word_of(Role)), "Who sees it too."),
    },
)
CALL = Shape(
    Call,
    "Tell a vendor's service by a signed webhook. Ports: done; failed, if drawn.",
    {
        "service_id": Part(Id(), "The service, from the vendor register."),
        "fields": Part(Listing(Named(ATTRIBUTE, "an attribute"), 50), "The attributes that it is told."),
        "at_most": Part(_SPAN, "For how long it is tried."),
    },
)
GOAL = Shape(Goal, "The person did what the journey is for; it ends here.", {})
EXIT = Shape(Exit, "The journey ends here without its goal.", {})

ACTIONS: Mapping[StepKind, Shape] = {
    StepKind.SEND: SEND,
    StepKind.WAIT: WAIT,
    StepKind.WAIT_FOR: WAIT_FOR,
    StepKind.BRANCH: BRANCH,
    StepKind.SPLIT: SPLIT,
    StepKind.UPDATE: UPDATE,
    StepKind.GO_TO: GO_TO,
    StepKind.REPEAT: REPEAT,
    StepKind.TASK: TASK,
    StepKind.CALL: CALL,
    StepKind.GOAL: GOAL,
    StepKind.EXIT: EXIT,
}
_DOES = Tagged("kind", {str(kind): shape for kind, shape in ACTIONS.items()})
_ABOUT = {
    "title": Part(Text(200), "What those who work on the journey call it; for a task, what is to be done."),
    "ports": Part(Table(_KEY, 25, KEY, _LOOKS), "Where each port leads: the key of a step."),
}


@dataclass(frozen=True)
class _StepForm:
    """A step without its key: what it does stands beside its kind, title and ports."""

    def read(self, given: Any, place: str) -> Step:
        shape = _DOES.shape_of(given, place)
        does = shape.read(given, place, beside=("kind", *_ABOUT))
        about = {
            name: part.form.read(given[name], f"{place}.{name}")
            for name, part in _ABOUT.items()
            if name in given
        }
        return Step("", StepKind(given["kind"]), about.get("title", ""), does, about.get("ports", {}))

    def write(self, value: Step) -> dict[str, Any]:
        does = ACTIONS[value.kind].write(value.does)
        return {"kind": str(value.kind), "title": value.title, **does, "ports": dict(value.ports)}

    def schema(self) -> Schema:
        return _DOES.schema(
            {name: {**part.form.schema(), "description": part.says} for name, part in _ABOUT.items()}
        )


class _Steps(Table):
    """The steps by key; each one knows its own."""

    def read(self, given: Any, place: str) -> dict[str, Step]:
        return {key: replace(step, key=key) for key, step in super().read(given, place).items()}


_SEGMENT = Part(_ID, "The segment.")
_EVENT_PART = Part(_MAYBE, _EVENT)
_AT = Part(_CLOCK, "At which time of day, in the organization's time zone.")
_ENTER: Mapping[EnterKind, tuple[str, Mapping[str, Part], tuple[str, ...]]] = {
    EnterKind.SEGMENT_ENTERED: (
        "Whoever comes into a segment.",
        {
            "segment_id": _SEGMENT,
            "present": Part(Flag(), "Also those who are in it when the journey goes live."),
        },
        (),
    ),
    EnterKind.SEGMENT_LEFT: ("Whoever leaves a segment.", {"segment_id": _SEGMENT}, ()),
    EnterKind.EVENT: ("Whoever something happens to.", {"event": _EVENT_PART}, ()),
    EnterKind.DATE: (
        "When a date comes that is known of the person.",
        {
            "attribute": Part(_DATE, "The date, as in a wait."),
            "offset": Part(Span(signed=True), "How long after the date; before it when below zero."),
            "yearly": Part(Flag(), "Every year on that day, as for birthdays."),
            "at": _AT,
            "where": Part(Expression(), _RECORD),
        },
        ("attribute",),
    ),
    EnterKind.FORM: (
        "Whoever fills in a form.",
        {"form": Part(Text(100), "The key of the form.")},
        ("form",),
    ),
    EnterKind.API: ("Whoever a program puts in.", {}, ()),
    EnterKind.BY_HAND: ("Whoever is put in by hand or by a file.", {}, ()),
    EnterKind.SCHEDULE: (
        "Everybody in a segment, again and again on a day.",
        {
            "segment_id": _SEGMENT,
            "every": Part(Word({"day": "day", "week": "week", "month": "month"}), "How often."),
            "on": Part(Whole(0, 28), "Weekday (0 Monday to 6 Sunday) or day of the month (1 to 28)."),
            "at": _AT,
        },
        ("every",),
    ),
}
ENTER = Tagged(
    "kind",
    {
        str(kind): Shape(Enter, says, parts, {"kind": kind}, must)
        for kind, (says, parts, must) in _ENTER.items()
    },
)

_ENDINGS: Mapping[EndsOn, tuple[str, Mapping[str, Part]]] = {
    EndsOn.GOAL: (
        "An expression holds: counted as reaching the goal.",
        {"when": Part(_MAYBE, _SEGMENT_TREE)},
    ),
    EndsOn.SEGMENT_LEFT: ("They are not in a segment any more.", {"segment_id": _SEGMENT}),
    EndsOn.OPTED_OUT: (
        "They opted out.",
        {"topic": Part(_TOPIC_OR_NONE, "Of this topic, or of everything; left out: of everything.")},
    ),
    EndsOn.DECEASED: ("They died; this holds whether it is listed or not.", {}),
    EndsOn.EVENT: ("Something happened after they came in.", {"event": _EVENT_PART}),
}
ENDING = Tagged(
    "on", {str(on): Shape(Ending, says, parts, {"on": on}) for on, (says, parts) in _ENDINGS.items()}
)

RULES = Shape(
    Rules,
    "What holds for the whole journey.",
    {
        "again": Part(word_of(Again), "Whether somebody may come in again; never twice at once."),
        "again_after": Part(Nullable(_SPAN), "With “after”: how long after they came in before."),
        "endings": Part(Listing(ENDING, 20), "What ends it early for one person."),
        "quiet_from": Part(
            _CLOCK, "No message leaves from this time on where the person lives; null: no quiet hours."
        ),
        "quiet_until": Part(_CLOCK, "Until this time no message leaves."),
        "holidays": Part(Flag(), "None leaves on public holidays of their state."),
        "priority": Part(
            Whole(0, 100), "Of two journeys that want one person on one day the higher one writes."
        ),
        "at_most": Part(_SPAN, "Whoever is inside for longer leaves."),
    },
)

GRAPH = Shape(
    Graph,
    "A journey: how people come in, the steps, and the rules that hold for all of it.",
    {
        "name": Part(Text(200, 1), "What those who work here call it."),
        "enter": Part(Listing(ENTER, 20), "The ways in."),
        "start": Part(_REFERENCE, "The key of the first step."),
        "steps": Part(_Steps(_StepForm(), MOST_STEPS, KEY, _LOOKS), "Every step by its key."),
        "rules": Part(RULES, RULES.says),
        "layout": Part(
            Table(Listing(Number(1e6), 2, 2), MOST_STEPS, KEY, _LOOKS),
            "Where the canvas puts each step: x, y.",
        ),
        "note": Part(Text(10_000), "What others should know of it."),
    },
)
