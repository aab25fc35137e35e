"""Sets how long what is kept, says what a shorter time would empty, and empties what is due, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.identity import api as identity
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor, ActorKind
from salus.kernel.aging import Old, Walked
from salus.kernel.errors import Unavailable
from salus.kernel.time import Clock
from salus.platform.tenancy import acting_for, current_organization
from salus.retention import holds, rules
from salus.retention.contracts import Kind, Rule, Step
from salus.retention.models import RuleRow, TallyRow

BATCH = 200
_steps: tuple[Step, ...] = ()


def use_steps(steps: Sequence[Step]) -> None:
    """Set how each package empties what is its own, for this process; each kind has one step."""
    global _steps
    _steps = tuple(steps)


def may_set(actor: Actor) -> bool:
    """Tell whether `actor` says how long what is kept: the privacy officer, an administrator, the system."""
    words = {Permission.PRIVACY_REQUEST_DO, Permission.ORGANIZATION_SETTINGS_EDIT}
    return actor.kind is ActorKind.SYSTEM or bool(words & actor.permissions)


def all_rules() -> list[Rule]:
    """Return how long each kind is kept, in the order of `Kind`, and how its emptying stands."""
    told = dict(RuleRow.objects.values_list("kind", "days"))
    tallies = {row.kind: row for row in TallyRow.objects.all()}
    found = []
    for kind in Kind:
        tally, usual = tallies.get(kind), rules.BOUNDS[kind].usual
        days = told.get(kind, usual)
        emptied, left, at = (tally.emptied, tally.left, tally.at) if tally else (0, 0, None)
        found.append(Rule(kind, days, days == usual, emptied, left, at))
    return found


def days_of(kind: Kind) -> int | None:
    """Return for how many days a kind is kept; None: until its person is erased."""
    return next(each.days for each in all_rules() if each.kind is kind)


def set_rule(kind: Kind, days: int | None, *, actor: Actor) -> None:
    """Keep a kind for `days` from now on (None: until its person is erased). Raises `NotFound`, `BadInput`."""
    if not may_set(actor):
        identity.require(actor, Permission.ORGANIZATION_SETTINGS_EDIT)
    rules.check(kind, days)
    old = days_of(kind)
    if old == days:
        return
    RuleRow.objects.update_or_create(kind=kind.value, defaults={"days": days})
    audit.record(
        Action.RETENTION_SET,
        actor=actor,
        object_kind="organization",
        object_id=current_organization(),
        details={"kind": kind.value, "days": days or 0, "days_before": old or 0},
    )


def would_empty(kind: Kind, days: int | None, *, actor: Actor, at: datetime) -> int:
    """Return how many would be emptied now if a kind were kept for `days`. Raises `BadInput` out of bounds."""
    rules.check(kind, days)
    old = _old(days, actor, at)
    return _step(kind).count(old) if old else 0


def empty_due(
    organization_id: UUID,
    *,
    actor: Actor,
    clock: Clock,
    tell: Callable[[Kind, int, int], object] = lambda kind, done, left: None,
) -> Mapping[Kind, int]:
    """Empty all that is due of every kind; return how many of each. Call it outside the organization's context.

    Each batch has a transaction of its own with its entry in the log, so one that was killed goes on where it
    was. A hold that is put meanwhile holds from the next batch on. `tell` hears of each batch what is done and
    left of its kind.
    """
    done = dict.fromkeys(Kind, 0)
    for step in _all_steps():
        with acting_for(organization_id):
            left = _begin(step, actor, clock.now())
        place, going = None, left > 0
        while going:
            with acting_for(organization_id):
                walked = _batch(step, place, actor, clock.now())
            done[step.kind] += walked.count
            place, going = walked.last, walked.last is not None
            tell(step.kind, done[step.kind], max(0, left - done[step.kind]))
    return done


def _begin(step: Step, actor: Actor, at: datetime) -> int:
    """Count what is due of a kind, and say so."""
    old = _old(days_of(step.kind), actor, at)
    left = step.count(old) if old else 0
    row, made = TallyRow.objects.get_or_create(kind=step.kind.value, defaults={"at": at, "left": left})
    if not made and (left or row.left):
        TallyRow.objects.filter(kind=step.kind.value).update(left=left, at=at)
    return left


def _batch(step: Step, place: Any | None, actor: Actor, at: datetime) -> Walked:
    days = days_of(step.kind)
    old = _old(days, actor, at)
    if old is None:  # a hold on everybody, or a longer time, came meanwhile
        return Walked(0, None)
    walked = step.empty(old, place, BATCH)
    left = F("left") - walked.count if walked.last is not None else 0
    TallyRow.objects.filter(kind=step.kind.value).update(
        emptied=F("emptied") + walked.count, left=left, at=at
    )
    if walked.count:
        audit.record(
            Action.RETENTION_EMPTY,
            actor=actor,
            object_kind="organization",
            object_id=current_organization(),
            details={"kind": step.kind.value, "count": walked.count, "days": days or 0},
        )
    return walked


def _old(days: int | None, actor: Actor, at: datetime) -> Old | None:
    """Return what to empty by a time; None when nothing may go."""
    spared = holds.spared()
    if days is None or spared.everybody:
        return None
    return Old(rules.before(days, at), spared.people, actor, at)


def _step(kind: Kind) -> Step:
    return next(each for each in _all_steps() if each.kind is kind)


def _all_steps() -> tuple[Step, ...]:
    if not _steps:
        raise Unavailable(
            "Nobody says how each kind is emptied.", next_step="Start Salus through its command line."
        )
    return _steps
