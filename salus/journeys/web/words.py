"""How pages and the command line name what a graph holds: a step's glyph and fact, a way in, an outcome, a span of time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import time, timedelta

from salus.identity.contracts import Role
from salus.journeys.contracts import (
    Branch,
    Call,
    EndsOn,
    Enter,
    EnterKind,
    GoTo,
    Repeat,
    Send,
    Split,
    Status,
    Step,
    StepKind,
    Task,
    Update,
    VersionStatus,
    Wait,
    WaitFor,
)
from salus.kernel.vocabulary import Channel
from salus.platform.web.templatetags.salus import words as plain

GLYPHS = {
    StepKind.SEND: "mail",
    StepKind.WAIT: "clock",
    StepKind.WAIT_FOR: "clock",
    StepKind.BRANCH: "journey",
    StepKind.SPLIT: "journey",
    StepKind.UPDATE: "set",
    StepKind.GO_TO: "next",
    StepKind.REPEAT: "reply",
    StepKind.TASK: "people",
    StepKind.CALL: "vendor",
    StepKind.GOAL: "flag",
    StepKind.EXIT: "cross",
}
KINDS = {
    StepKind.SEND: "Message",
    StepKind.WAIT: "Wait",
    StepKind.WAIT_FOR: "Wait for something",
    StepKind.BRANCH: "Branch",
    StepKind.SPLIT: "Split by chance",
    StepKind.UPDATE: "Update",
    StepKind.GO_TO: "Go on elsewhere",
    StepKind.REPEAT: "Repeat",
    StepKind.TASK: "Task",
    StepKind.CALL: "Call a service",
    StepKind.GOAL: "Goal",
    StepKind.EXIT: "End",
}
CHANNELS = {Channel.EMAIL: "E-mail", Channel.SMS: "Text", Channel.PORTAL: "Portal message"}
MEANINGS = {
    StepKind.SEND: "send",
    StepKind.WAIT: "wait",
    StepKind.WAIT_FOR: "wait",
    StepKind.TASK: "wait",
    StepKind.CALL: "wait",
    StepKind.BRANCH: "branch",
    StepKind.SPLIT: "branch",
    StepKind.GOAL: "goal",
}
"""The sort of node that a step is drawn as; the others are plain."""

STATUSES = {
    Status.DRAFT: ("", "Draft", None),
    Status.LIVE: ("clear", "Live", "bolt"),
    Status.PAUSED: ("wait", "Paused", "pause"),
    Status.CLOSED: ("", "Closed to new people", "lock"),
    Status.STOPPED: ("", "Stopped", "cross"),
}
"""How a status is shown: the kind of its tag, its words, its glyph."""
VERSION_STATUSES = {
    VersionStatus.DRAFT: ("", "Draft"),
    VersionStatus.SUBMITTED: ("wait", "Waits for approval"),
    VersionStatus.APPROVED: ("clear", "Approved"),
    VersionStatus.LIVE: ("clear", "Live"),
    VersionStatus.RETIRED: ("", "Retired"),
}
STANDS = {
    VersionStatus.DRAFT: "is being drawn",
    VersionStatus.SUBMITTED: "waits for approval",
    VersionStatus.APPROVED: "is approved, and not started",
}
"""How a version stands that was never live."""
PORTS = {
    "next": "went on",
    "refused": "not allowed",
    "happened": "it happened",
    "timeout": "it did not happen",
    "else": "otherwise",
    "again": "once more",
    "done": "done",
    "not_done": "not done",
    "failed": "failed",
    "ended": "left early",
}
OUTCOMES = {
    "sent": "Sent",
    "refused": "Not allowed",
    "waited": "Waited",
    "happened": "It happened",
    "timeout": "It did not happen in time",
    "date_gone": "The date was gone",
    "case": "Chosen by what is known",
    "control": "In the control group",
    "updated": "Updated",
    "moved": "Went on elsewhere",
    "again": "Once more",
    "done": "Done",
    "not_done": "Not done in time",
    "failed": "Failed",
    "goal": "Reached the goal",
    "exit": "Ended",
    "ended": "Left early",
}
REASONS = {
    "time_over": "Was inside for longer than the journey allows",
    "stopped": "The journey was stopped",
    "erased": "The record was erased at the person’s request",
    "merged": "The record was merged with another of the same person, who is in this journey already",
    "segment_left": "Left the segment",
    "opted_out": "Opted out",
    "deceased": "Died",
    "event": "Something happened that ends the journey",
    "goal": "Reached the goal",
    "frequency_cap": "Was written to often enough for a week",
    "priority": "Journeys of higher priority wrote to them for a week",
    "message_unusable": "The message could not be made for a week",
    "person_is_gone": "The record is not here any more",
    "value_rejected": "A value does not fit",
    "list_is_gone": "The list is not here any more",
    "nobody_may_do_it": "Nobody of that role does tasks",
    "call_unusable": "The call could not be made",
    "no_answer": "No answer in time",
}
"""Why somebody left early, or what went wrong at a step; the gate's own reasons are explained by the gate."""
NOT_IN = {
    "takes_nobody": "The journey takes nobody now",
    "inside_already": "Is in it already",
    "came_before": "Was in it before, and nobody comes in again",
    "too_soon": "Was in it a short while ago",
    "too_late": "Happened more than a week before anybody told",
    "deceased": "Died",
}
"""Why somebody was not let in."""
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_TOLD = frozenset(
    {
        StepKind.SEND,
        StepKind.TASK,
        StepKind.CALL,
        StepKind.UPDATE,
        StepKind.GOAL,
        StepKind.EXIT,
    }
)
"""Steps whose kind is said before their title."""
_UNITS = ((timedelta(days=7), "week"), (timedelta(days=1), "day"), (timedelta(hours=1), "hour"))
FIELDS = {
    "at_most": "how long at most",
    "versions": "the template",
    "when": "the condition",
    "of_step": "which message it is about",
}


def span(length: timedelta) -> str:
    """Return a length of time as people say it: "3 days", "2 weeks", "90 min"."""
    for unit, name in _UNITS:
        count, rest = divmod(length, unit)
        if count and not rest:
            return _count(count, name)
    return f"{length // timedelta(minutes=1)} min"


def long_span(length: timedelta) -> str:
    """Return about how long something took: "under a minute", "5 hours", "12 days"."""
    if length < timedelta(minutes=1):
        return "under a minute"
    for unit, name in (*_UNITS[1:], (timedelta(minutes=1), "min")):
        if length >= 2 * unit:
            return _count(round(length / unit), name)
    return "1 min"


def long_span_of(hours: float) -> str:
    """Return about how long so many hours are."""
    return long_span(timedelta(hours=hours))


def glyph(step: Step) -> str:
    """Return the name of the icon for a step."""
    does = step.does
    if isinstance(does, Send):
        return "mail" if does.channel is Channel.EMAIL else "phone"
    return GLYPHS[step.kind]


def kind_of(step: Step) -> str:
    """Return what a step is: "E-mail", "Wait", "Goal"."""
    does = step.does
    return CHANNELS.get(does.channel, plain(does.channel)) if isinstance(does, Send) else KINDS[step.kind]


def named(step: Step) -> str:
    """Return a step as a list names it: "E-mail: Time for a check-up"; waits and questions speak for themselves."""
    if not step.title:
        return f"{kind_of(step)} ({step.key})"
    return f"{kind_of(step)}: {step.title}" if step.kind in _TOLD else step.title


def fact(step: Step) -> str:
    """Return the one thing to know of what a step does: "7 days", "3 times at most", "" when there is none."""
    tell = _FACTS.get(type(step.does))
    return tell(step.does) if tell else ""


def brief(step: Step) -> str:
    """Return what stands under a step's title in the picture, where there is little room."""
    does = step.does
    if isinstance(does, WaitFor | Task | Call):
        return f"up to {span(does.at_most)}"
    return fact(step) or kind_of(step).lower()


def port_words(step: Step, port: str) -> str:
    """Return a port as pages say it; those of branches and splits have names of their own."""
    own = step.kind in {StepKind.BRANCH, StepKind.SPLIT} and port != "ended"
    return plain(port).lower() if own and port not in PORTS else PORTS.get(port, plain(port).lower())


def enter_words(way: Enter, segments: Mapping[object, str]) -> str:
    """Return a way in as a sentence without its full stop; `segments` are their names by id."""
    name = segments.get(way.segment_id, "a segment")
    if way.kind is EnterKind.SEGMENT_ENTERED:
        return f"Comes into “{name}”" + (", or is in it at the start" if way.present else "")
    if way.kind is EnterKind.SEGMENT_LEFT:
        return f"Leaves “{name}”"
    if way.kind is EnterKind.EVENT:
        return f"{plain((way.event or {}).get('did', 'something'))} happens"
    if way.kind is EnterKind.DATE:
        return f"{_offset(way.offset)} {plain(way.attribute.replace('.', ' ')).lower()}" + (
            ", every year" if way.yearly else ""
        )
    if way.kind is EnterKind.SCHEDULE:
        return f"Every {way.every}, whoever is in “{name}”"
    return {
        EnterKind.FORM: "Sends a form",
        EnterKind.API: "A program puts them in",
        EnterKind.BY_HAND: "Somebody puts them in, by hand or by file",
    }[way.kind]


def ending_words(on: EndsOn, topic: str = "") -> str:
    """Return what ends the journey early."""
    return {
        EndsOn.GOAL: "The goal is reached",
        EndsOn.SEGMENT_LEFT: "The person leaves the segment",
        EndsOn.OPTED_OUT: f"The person opts out of {plain(topic).lower()}"
        if topic
        else "The person opts out",
        EndsOn.DECEASED: "The person died",
        EndsOn.EVENT: "Something happened that makes it pointless",
    }[on]


def field_words(name: str) -> str:
    """Return the name of a step's field as people say it."""
    return FIELDS.get(name, plain(name).lower())


def _count(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 or unit == "min" else f"{count} {unit}s"


def _offset(offset: timedelta) -> str:
    if not offset:
        return "On the day of"
    return f"{span(abs(offset))} {'before' if offset < timedelta() else 'after'}"


def _clock(at: time) -> str:
    return f"{at.hour}:{at.minute:02d}"


def _wait(does: Wait) -> str:
    if does.span is not None:
        return span(does.span)
    if does.attribute:
        when = f"until {_offset(does.offset).lower()} {plain(does.attribute.replace('.', ' ')).lower()}"
        return f"{when}, {_clock(does.at)}" if does.at else when
    day = "" if does.until_weekday is None else f"{_WEEKDAYS[does.until_weekday]} "
    return f"until {day}{_clock(does.until_time) if does.until_time else ''}".strip()


def _wait_for(does: WaitFor) -> str:
    what = plain(does.event.get("did", "")).lower() if does.event else "a condition"
    return f"{what}, {span(does.at_most)} at most"


def _split(does: Split) -> str:
    whole = sum(does.weights.values())
    return " / ".join(f"{round(100 * weight / whole)}%" for weight in does.weights.values()) if whole else ""


def _update(does: Update) -> str:
    parts = (
        len(does.attributes) and f"{len(does.attributes)} attributes",
        len(does.opt_out_topics) and "opts out",
        len(does.add_to) and "into a list",
        len(does.remove_from) and "off a list",
    )
    return ", ".join(part for part in parts if part)


def _task(does: Task) -> str:
    return f"{Role(does.role).words.lower()}, {span(does.at_most)} at most"


_FACTS: Mapping[type, Callable[..., str]] = {
    Wait: _wait,
    WaitFor: _wait_for,
    Branch: lambda does: f"{len(does.cases) + 1} ways",
    Split: _split,
    Update: _update,
    GoTo: lambda does: "another journey" if does.journey_id else "another step",
    Repeat: lambda does: f"{does.times} times at most",
    Task: _task,
    Call: lambda does: f"{span(does.at_most)} at most",
}
