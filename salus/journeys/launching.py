"""What people do to a journey that runs, each in one transaction: start, pause, resume, close, stop."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from uuid import UUID

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.delivery import api as delivery
from salus.delivery.contracts import Origin
from salus.journeys.contracts import JOURNEY, Fate, Journey, Status, StepKind, Version, VersionStatus
from salus.journeys.courses import course
from salus.journeys.drafting import locked_journey, locked_version, move_version, touch
from salus.journeys.models import EnrolmentRow, JourneyRow, SendingRow, VersionRow
from salus.journeys.proving import prove
from salus.journeys.queries import graph_of, journey, opened, seal_name, seal_version
from salus.journeys.rules import lifecycle
from salus.kernel.acting import Actor
from salus.kernel.errors import Conflict


def go_live(version_id: UUID, *, actor: Actor, at: datetime) -> Version:
    """Let an approved version take new people; the one before it retires, those inside stay in theirs.

    Raises `Conflict` when the check finds an error in it now (a classification that is not confirmed any
    more, for example), and while people are still inside who were stopped. A journey that is paused stays so.
    """
    row, version = locked_version(version_id)
    move_version(version, "started")
    if row.status == Status.STOPPED and _anybody_inside(row.id):
        raise Conflict("People are still being taken out of it.", next_step="Start it in a few minutes.")
    proof = prove(version, at)
    _retire_live(row.id, at)
    graph = graph_of(version)
    version.sealed = seal_version(version.id, graph, proof=proof)
    version.live_at = version.changed_at = at
    version.save()
    row.status = lifecycle.after_start(Status(row.status))
    row.sealed, row.priority = seal_name(row.id, graph.name), graph.rules.priority
    touch(row, at)
    _record(Action.JOURNEY_LAUNCH, row, actor, version=str(version.id))
    return opened(version)


def pause(journey_id: UUID, *, actor: Actor, at: datetime) -> Journey:
    """Let nobody in and nobody on; messages and calls that no sender has taken yet wait too."""
    row = _moved(journey_id, "paused")
    _hold(journey_id, actor)
    return _done(Action.JOURNEY_PAUSE, row, actor, at)


def resume(journey_id: UUID, *, actor: Actor, at: datetime) -> Journey:
    """Let a paused journey go on."""
    row = _moved(journey_id, "resumed")
    _let_go(journey_id, actor, at)
    return _done(Action.JOURNEY_RESUME, row, actor, at)


def close(journey_id: UUID, *, actor: Actor, at: datetime) -> Journey:
    """Let nobody new in; those inside go on to their end."""
    row = _moved(journey_id, "closed")
    _let_go(journey_id, actor, at)
    _retire_live(journey_id, at)
    return _done(Action.JOURNEY_CLOSE, row, actor, at)


def stop(journey_id: UUID, *, actor: Actor, at: datetime) -> Journey:
    """Take everybody out where they stand: the engine does it from now on, and their visits say why."""
    row = _moved(journey_id, "stopped")
    _retire_live(journey_id, at)
    messages, calls = _sendings(journey_id)
    for origin in messages:
        delivery.cancel(origin, actor=actor, at=at)
    delivery.hold_calls(calls)  # each is taken back with the person it is about
    return _done(Action.JOURNEY_STOP, row, actor, at)


def _hold(journey_id: UUID, actor: Actor) -> None:
    messages, calls = _sendings(journey_id)
    for origin in messages:
        with suppress(Conflict):  # it was cancelled: nothing of it waits
            delivery.pause(origin, actor=actor)
    delivery.hold_calls(calls)


def _let_go(journey_id: UUID, actor: Actor, at: datetime) -> None:
    messages, calls = _sendings(journey_id)
    for origin in messages:
        with suppress(Conflict):  # it was not held, or it was cancelled
            delivery.resume(origin, actor=actor)
    delivery.release_calls(calls, at=at)


def _retire_live(journey_id: UUID, at: datetime) -> None:
    live = VersionRow.objects.filter(journey_id=journey_id, status=VersionStatus.LIVE)
    live.update(status=VersionStatus.RETIRED, retired_at=at)


def _sendings(journey_id: UUID) -> tuple[list[Origin], list[UUID]]:
    """Return what a journey sends by messages, and by calls; whoever locks several does so in the order of the ids."""
    rows = SendingRow.objects.filter(journey_id=journey_id).order_by("id")
    messages, calls = list[Origin](), list[UUID]()
    for id, version_id, step in rows.values_list("id", "version_id", "step"):
        if course(version_id).graph.steps[step].kind is StepKind.SEND:
            messages.append(Origin(JOURNEY, id))
        else:
            calls.append(id)
    return messages, calls


def _anybody_inside(journey_id: UUID) -> bool:
    return EnrolmentRow.objects.filter(journey_id=journey_id, fate=Fate.WAITING).exists()


def _moved(journey_id: UUID, act: str) -> JourneyRow:
    row = locked_journey(journey_id)
    _move(row, act)
    return row


def _move(row: JourneyRow, act: str) -> None:
    takes_people = VersionRow.objects.filter(journey_id=row.id, status=VersionStatus.LIVE).exists()
    target = lifecycle.journey_after(act, Status(row.status), takes_people=takes_people)
    if target is None:
        raise Conflict(f"A journey that {lifecycle.JOURNEY_STATES[Status(row.status)]} cannot be {act}.")
    row.status = target


def _done(action: Action, row: JourneyRow, actor: Actor, at: datetime) -> Journey:
    touch(row, at)
    _record(action, row, actor)
    return journey(row.id)


def _record(action: Action, row: JourneyRow, actor: Actor, **details: str | int) -> None:
    audit.record(action, actor=actor, object_kind="journey", object_id=row.id, details=details)
