"""What differs between two versions of a journey."""

from __future__ import annotations

from dataclasses import fields

from salus.journeys.contracts import Change, Difference, Graph, PortChange, Step, StepChange

_PARTS = ("name", "enter", "start", "rules", "note")


def compare(before: Graph, after: Graph) -> Difference:
    """Return what differs; where the canvas puts a step is no difference. Steps in the order of `after`."""
    kept = [*after.steps, *(key for key in before.steps if key not in after.steps)]
    found = [_change(before.steps.get(key), after.steps.get(key)) for key in kept]
    parts = [name for name in _PARTS if getattr(before, name) != getattr(after, name)]
    return Difference(tuple(each for each in found if each), tuple(parts))


def _change(before: Step | None, after: Step | None) -> StepChange | None:
    shown = after or before
    assert shown is not None
    ports = _ports(before, after)
    if before is None or after is None:
        change = Change.ADDED if before is None else Change.REMOVED
        return StepChange(shown.key, shown.kind, shown.title, change, ports=ports)
    differing = _fields(before, after)
    if not differing and not ports:
        return None
    return StepChange(after.key, after.kind, after.title, Change.CHANGED, differing, ports)


def _fields(before: Step, after: Step) -> tuple[str, ...]:
    if before.kind is not after.kind:
        return ("kind",)
    own = [] if before.title == after.title else ["title"]
    names = (each.name for each in fields(after.does))
    return (*own, *(name for name in names if getattr(before.does, name) != getattr(after.does, name)))


def _ports(before: Step | None, after: Step | None) -> tuple[PortChange, ...]:
    old, new = before.ports if before else {}, after.ports if after else {}
    names = [*new, *(port for port in old if port not in new)]
    return tuple(
        PortChange(port, old.get(port, ""), new.get(port, ""))
        for port in names
        if old.get(port) != new.get(port)
    )
