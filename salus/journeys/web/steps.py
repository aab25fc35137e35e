"""The steps of a journey with their numbers: rows of the list and the funnel, the picture, the panel of one step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from salus.delivery import api as delivery
from salus.gate import api as gate
from salus.gate.contracts import Explained
from salus.journeys.contracts import REFUSED, Step, StepCounts, StepKind
from salus.journeys.web import drawing, words
from salus.journeys.web.showing import Board, address
from salus.kernel.errors import NotFound
from salus.platform.web.templatetags.salus import number, share
from salus.platform.web.templatetags.salus import words as plain

ENDED = "ended"
FITS = 860
"""How wide a picture may be to be made smaller where there is less room; a wider one is moved aside."""
LEAST = 0.02
"""In hours, what a median must be to be worth telling: a minute or so."""


def explained(code: str) -> Explained:
    """Return what a reason of the gate or of delivery means, in words and citations."""
    try:
        return gate.explain(code)
    except NotFound:
        return Explained(code, words.REASONS.get(code) or delivery.plain_reason(code) or plain(code), ())


def of(board: Board, key: str) -> StepCounts:
    """Return the numbers of a step; those of a step that nobody came to are all 0."""
    return board.counts.steps.get(key) or StepCounts(key, 0, 0, {}, {})


def refused_at(counts: StepCounts) -> int:
    """Return how many messages the gate stopped at a step."""
    return sum(people for (outcome, _), people in counts.outcomes.items() if outcome == REFUSED)


def chosen(board: Board, given: str) -> str:
    """Return the step whose panel is shown: the one asked for, else the first that writes, else the first."""
    steps = board.version.graph.steps
    if given in steps:
        return given
    order = drawing.order(board.version.graph)
    return next((key for key in order if steps[key].kind is StepKind.SEND), order[0] if order else "")


def rows(board: Board, view: str) -> list[dict[str, Any]]:
    """Return the steps in the order of the way, each with its numbers and where its ports lead."""
    graph = board.version.graph
    return [_row(board, view, graph.steps[key]) for key in drawing.order(graph)]


def _row(board: Board, view: str, step: Step) -> dict[str, Any]:
    counts = of(board, step.key)
    refused, early = refused_at(counts), counts.left.get(ENDED, 0)
    return {
        "key": step.key,
        "name": words.named(step),
        "fact": words.fact(step),
        "glyph": words.glyph(step),
        "tone": _tone(step, counts),
        "arrived": counts.arrived,
        "here": counts.here,
        "refused": refused,
        "ports": [
            (
                words.port_words(step, port).capitalize(),
                counts.left.get(port, 0),
                board.title(target),
            )
            for port, target in step.ports.items()
        ],
        "url": address(f"journeys:{view}", board, step=step.key) + "#step-panel",
        "bar": _bar(step, counts, refused),
        "says": says(step, counts),
        "lost": _lost(counts, early),
    }


def _bar(step: Step, counts: StepCounts, refused: int) -> list[tuple[str, int]]:
    """Return what became of those who arrived, as parts of a bar: on their way, here, stopped by the gate, ended."""
    ended = counts.left.get(ENDED, 0)
    onward = max(0, counts.arrived - counts.here - ended - refused)
    if step.kind is StepKind.EXIT:
        onward, ended = 0, counts.arrived
    return [("clear", onward), ("wait", counts.here), ("refuse", refused), ("ink", ended)]


def _tone(step: Step, counts: StepCounts) -> str:
    if step.kind is StepKind.SEND or step.kind is StepKind.GOAL:
        return "clear"
    return "wait" if counts.here else ""


def _lost(counts: StepCounts, early: int) -> str:
    """Return how many do not come to the next step, and why: "15% drop-off: 6 not allowed"."""
    refused = counts.left.get(REFUSED, 0)
    if not early + refused:
        return ""
    parts = [f"{number(refused)} not allowed"] if refused else []
    parts += [f"{number(early)} left early"] if early else []
    return f"{share(early + refused, counts.arrived)} drop-off: {', '.join(parts)}"


def says(step: Step, counts: StepCounts) -> str:
    """Return the numbers of a step as a sentence without its full stop; they add up."""
    if not counts.arrived:
        return "Nobody came here yet"
    early, refused = counts.left.get(ENDED, 0), refused_at(counts)
    on = counts.arrived - counts.here - early
    if step.kind in {StepKind.GOAL, StepKind.EXIT} or not step.ports:
        return f"It ended here for {number(counts.arrived - counts.here)}"
    if step.kind is StepKind.SEND:
        parts = [f"{number(on - refused)} were written to"]
        parts += [f"{number(refused)} were not allowed"] if refused else []
    else:
        parts = [f"{number(on)} went on"]
    parts += [f"{number(counts.here)} are here"] if counts.here else []
    parts += [f"{number(early)} left early"] if early else []
    return f"Of {number(counts.arrived)} who arrived, {', '.join(parts)}"


def picture(board: Board, step: str) -> dict[str, Any]:
    """Return the picture of the journey with `step` marked, and the words in it."""
    graph = board.version.graph
    drawn = drawing.draw(graph, board.counts)
    told = [
        (each, label)
        for each in drawn.ribbons
        if (label := _label(graph.steps[each.step], each.port, each.people, ran=bool(board.counts.entered)))
    ]
    nodes = [
        {
            "x": each.x,
            "y": each.y,
            "title": each.step.title or each.step.key,
            "fact": words.brief(each.step),
            "glyph": words.glyph(each.step),
            "meaning": words.MEANINGS.get(each.step.kind, ""),
            "here": each.counts.here,
            "url": address("journeys:show", board, step=each.step.key),
            "chosen": each.step.key == step,
        }
        for each in drawn.nodes
    ]
    return {
        "picture": drawn,
        "fits": drawn.width <= FITS,
        "labels": drawing.labelled(told),
        "nodes": nodes,
    }


def _label(step: Step, port: str, people: int, *, ran: bool) -> str:
    """Return what stands beside a way: who took it, by which port, where there is more than one."""
    name = "" if port == "next" else words.port_words(step, port)
    if not ran:
        return name
    return f"{name} {number(people)}".strip() if people else ""


def panel(board: Board, key: str, *, see_people: bool) -> dict[str, Any] | None:
    """Return everything that is known of one step; None when the journey has no steps."""
    step = board.version.graph.steps.get(key)
    if step is None:
        return None
    counts = of(board, key)
    refused = refused_at(counts)
    who = _addresses(board, key) if see_people else None
    return {
        **_row(board, "show", step),
        "usually": words.long_span_of(counts.hours) if counts.hours and counts.hours > LEAST else "",
        "left": _left(board, step, counts, who),
        "refusals": _refusals(counts, who),
        "others": _others(counts, who),
        "is_send": step.kind is StepKind.SEND,
        "sent": counts.arrived - counts.here - refused,
        "opened": counts.opened,
        "clicked": counts.clicked,
        "here_url": who(here="1") if who else "",
        "who_url": who() if who else "",
    }


def _addresses(board: Board, key: str) -> Any:
    page = reverse("journeys:who", args=[board.journey.id])

    def to(**query: str) -> str:
        return f"{page}?{urlencode({'version': str(board.version.id), 'step': key, **query})}"

    return to


def _left(board: Board, step: Step, counts: StepCounts, who: Any) -> list[dict[str, Any]]:
    """Return where people went from here, each port drawn and each that somebody left by."""
    ports = [*step.ports, *(port for port in counts.left if port not in step.ports)]
    return [
        {
            "words": words.port_words(step, port).capitalize(),
            "target": board.title(step.ports[port]) if port in step.ports else "",
            "people": counts.left.get(port, 0),
            "url": who(port=port) if who and counts.left.get(port) else "",
        }
        for port in ports
    ]


def _refusals(counts: StepCounts, who: Any) -> list[dict[str, Any]]:
    found = {reason: people for (outcome, reason), people in counts.outcomes.items() if outcome == REFUSED}
    told = {reason: explained(reason) for reason in found}
    return [
        {
            "words": told[reason].sentence,
            "citations": told[reason].citations,
            "people": people,
            "url": who(outcome=REFUSED, reason=reason) if who else "",
        }
        for reason, people in _most_first(found)
    ]


def _others(counts: StepCounts, who: Any) -> list[dict[str, Any]]:
    """Return the outcomes that the ports do not tell: a date that was gone, why somebody left early."""
    found = {
        (outcome, reason): people
        for (outcome, reason), people in counts.outcomes.items()
        if outcome != REFUSED and (reason or outcome == "date_gone")
    }
    return [
        {
            "words": outcome_words(outcome, reason),
            "people": people,
            "url": who(outcome=outcome, reason=reason) if who else "",
        }
        for (outcome, reason), people in _most_first(found)
    ]


def outcome_words(outcome: str, reason: str) -> str:
    """Return an outcome and its reason in words: "Left early: the journey was stopped"."""
    told = words.OUTCOMES.get(outcome, plain(outcome))
    if not reason:
        return told
    why = explained(reason).sentence if outcome == REFUSED else words.REASONS.get(reason, plain(reason))
    return f"{told}: {why[:1].lower()}{why[1:]}"


def _most_first(found: Mapping[Any, int]) -> list[tuple[Any, int]]:
    return sorted(found.items(), key=lambda each: (-each[1], each[0]))
