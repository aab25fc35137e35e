"""Whether people inside one version may go on in another: nothing is done twice, nobody is dropped."""

from __future__ import annotations

from collections.abc import Mapping

from salus.journeys.contracts import Finding, Graph, Move, StepKind
from salus.journeys.rules.ways import following, preceding

WAITS = frozenset({StepKind.WAIT, StepKind.WAIT_FOR, StepKind.TASK, StepKind.CALL, StepKind.REPEAT})
"""Steps at which people stand while time passes."""
ACTS = frozenset({StepKind.SEND, StepKind.UPDATE, StepKind.TASK, StepKind.CALL})
"""Steps that do something to the world, which must not be done to one person twice."""


def moves(
    before: Graph, after: Graph, standing: Mapping[str, int], mapping: Mapping[str, str]
) -> tuple[Move, ...]:
    """Return what `mapping` (old step -> new step) means for those who stand inside, a move for each step.

    `standing` is how many people stand at each step of `before`. A move is lawful when it has no findings.
    """
    return tuple(
        _move(before, after, step, mapping.get(step, ""), people)
        for step, people in sorted(standing.items())
        if people
    )


def suggested(before: Graph, after: Graph, standing: Mapping[str, int]) -> dict[str, str]:
    """Return a mapping in which everybody stays at the step of the same key, where that is lawful."""
    alike = {step: step for step in standing if step in after.steps}
    return {each.step: each.to for each in moves(before, after, standing, alike) if not each.findings}


def goes_on(before: Graph, after: Graph, step: str, to: str) -> bool:
    """Tell whether who waits at `step` waits on at `to` from when they arrived, instead of arriving anew."""
    old, new = before.steps[step].kind, after.steps[to].kind
    return old is new and old in WAITS


def _move(before: Graph, after: Graph, step: str, to: str, people: int) -> Move:
    if not to:
        return Move(step, "", people, False, (_unmapped(step, people),))
    if to not in after.steps:
        return Move(step, to, people, False, (_absent(step, to),))
    stays = goes_on(before, after, step, to)
    twice = _done_again(before, after, step, to, stays=stays)
    return Move(step, to, people, stays, (_twice(after, step, to, twice),) if twice else ())


def _done_again(before: Graph, after: Graph, step: str, to: str, *, stays: bool) -> tuple[str, ...]:
    """Return the steps that act, which people at `step` may have behind them and would reach again from `to`.

    What a `repeat` of the old version leads to again anyway is meant to be done again.
    """
    begun = {step} if before.steps[step].kind in ACTS & WAITS else frozenset()
    behind = preceding(before, step) | begun
    ahead = following(after, to) | (frozenset() if stays else {to})
    meant = following(before, step)
    return tuple(
        key for key in after.steps if key in behind & ahead - meant and after.steps[key].kind in ACTS
    )


def _unmapped(step: str, people: int) -> Finding:
    whom = "1 person stands" if people == 1 else f"{people:,} people stand"
    return Finding("not_mapped", step, f"{whom} here.", "Say at which step they go on.")


def _absent(step: str, to: str) -> Finding:
    return Finding("no_such_step", step, f"The other version has no step “{to}”.", "Choose one of its steps.")


def _twice(after: Graph, step: str, to: str, again: tuple[str, ...]) -> Finding:
    titles = ", ".join(f"“{after.steps[key].title}”" for key in again)
    return Finding(
        "done_again",
        step,
        f"From there they would come to {titles} again, which may lie behind them.",
        "Choose a step that comes after it.",
    )
