"""What people do to a version until it is approved, each in one transaction: lock, decide, write, audit."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID, uuid5

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.journeys.contracts import Graph, Status, Version, VersionStatus
from salus.journeys.models import JourneyRow, VersionRow
from salus.journeys.proving import prove
from salus.journeys.queries import graph_of, opened, seal_name, seal_version, version
from salus.journeys.rules import lifecycle
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.ids import new_id

NAME_LENGTH = 200
_COPY = "Copy of "


def create(graph: Graph, *, actor: Actor, at: datetime, once: str = "") -> Version:
    """Return the first draft of a new journey; it need not be finished.

    With `once`, a key of the caller's own, the same call again returns the version that is there.
    """
    id = uuid5(actor.organization_id, f"journey:{actor.id}:{once}") if once else new_id()
    present = VersionRow.objects.filter(journey_id=id).order_by("number").first() if once else None
    if present is not None:
        return opened(present)
    JourneyRow.objects.create(id=id, sealed=seal_name(id, graph.name), created_at=at, changed_at=at)
    row = _new_version(id, 1, graph, actor, at)
    _record(Action.JOURNEY_CREATE, row, actor)
    return opened(row)


def copy(version_id: UUID, *, actor: Actor, at: datetime) -> Version:
    """Return the first draft of a new journey that is drawn like a version; nobody is in it."""
    graph = version(version_id).graph
    return create(replace(graph, name=f"{_COPY}{graph.name}"[:NAME_LENGTH]), actor=actor, at=at)


def new_draft(version_id: UUID, *, actor: Actor, at: datetime) -> Version:
    """Return the next version of a journey, drawn like `version_id`; raises `Conflict` when one is being drawn."""
    source = version(version_id)
    journey = locked_journey(source.journey_id)
    standing = VersionRow.objects.filter(journey_id=journey.id)
    if standing.filter(status__in=list(lifecycle.OPEN)).exists():
        raise Conflict("A new version is being drawn already.", next_step="Go on with that one.")
    number = max(standing.values_list("number", flat=True)) + 1
    row = _new_version(journey.id, number, source.graph, actor, at)
    touch(journey, at)
    _record(Action.JOURNEY_CHANGE, row, actor)
    return opened(row)


def save_draft(version_id: UUID, graph: Graph, *, seen: datetime, actor: Actor, at: datetime) -> Version:
    """Save what was drawn; raises `Conflict` when somebody else saved since `seen` (its `changed_at`)."""
    journey, row = _moved(version_id, "changed", next_step="Take it back first.")
    _check_seen(row, seen)
    row.sealed = seal_version(row.id, graph, note=opened(row).note.reveal())
    row.author_id, row.writers = actor.id, _with(row.writers, actor)
    if journey.status == Status.DRAFT:
        journey.sealed = seal_name(journey.id, graph.name)
    return _done(Action.JOURNEY_CHANGE, journey, row, actor, at)


def submit(version_id: UUID, *, actor: Actor, at: datetime) -> Version:
    """Hand a draft in for approval; from now on it does not change, unless it is taken or sent back."""
    journey, row = _moved(version_id, "submitted")
    row.sealed = seal_version(row.id, graph_of(row))
    return _done(Action.JOURNEY_SUBMIT, journey, row, actor, at)


def take_back(version_id: UUID, *, actor: Actor, at: datetime) -> Version:
    """Take back what was handed in, or approved but not started, to draw on."""
    journey, row = _moved(version_id, "taken back")
    row.approved_by = row.approved_at = None
    return _done(Action.JOURNEY_CHANGE, journey, row, actor, at)


def approve(version_id: UUID, *, seen: datetime, actor: Actor, at: datetime) -> Version:
    """Let a version that was handed in go live later.

    Raises `Conflict` for whoever drew in it, when it is not the one that was `seen`, and when the check
    finds an error in it now.
    """
    journey, row = _moved(version_id, "approved")
    _check_seen(row, seen)
    if not lifecycle.is_somebody_else(frozenset(map(UUID, row.writers)), actor.id):
        raise Conflict("You drew in this, so somebody else approves it.")
    prove(row, at)
    row.approved_by, row.approved_at = actor.id, at
    return _done(Action.JOURNEY_APPROVE, journey, row, actor, at)


def send_back(version_id: UUID, note: str, *, actor: Actor, at: datetime) -> Version:
    """Give a version back to whoever drew it with a note."""
    if not note.strip():
        raise BadInput("Say what should change.", place="note")
    journey, row = _moved(version_id, "sent back")
    row.sealed = seal_version(row.id, graph_of(row), note=note.strip())
    row.approved_by = row.approved_at = None
    return _done(Action.JOURNEY_REJECT, journey, row, actor, at)


def locked_journey(journey_id: UUID) -> JourneyRow:
    """Return a journey's row, locked; raises `NotFound`."""
    row = JourneyRow.objects.select_for_update().filter(id=journey_id).first()
    if row is None:
        raise NotFound
    return row


def locked_version(version_id: UUID) -> tuple[JourneyRow, VersionRow]:
    """Return a version's row and its journey's, locked in this order: journey, version; raises `NotFound`."""
    journey = locked_journey(version(version_id).journey_id)
    return journey, VersionRow.objects.select_for_update().get(id=version_id)


def touch(journey: JourneyRow, at: datetime) -> None:
    """Save a journey, changed at `at`."""
    journey.changed_at = at
    journey.save()


def move_version(row: VersionRow, act: str, next_step: str = "") -> None:
    """Move a version's status by `act`; raises `Conflict` when that cannot be."""
    target = lifecycle.version_after(act, VersionStatus(row.status))
    if target is None:
        state = lifecycle.VERSION_STATES[VersionStatus(row.status)]
        raise Conflict(f"A version that {state} cannot be {act}.", next_step=next_step)
    row.status = target


def _moved(version_id: UUID, act: str, next_step: str = "") -> tuple[JourneyRow, VersionRow]:
    journey, row = locked_version(version_id)
    move_version(row, act, next_step)
    return journey, row


def _check_seen(row: VersionRow, seen: datetime) -> None:
    if row.changed_at != seen:
        raise Conflict(
            "Somebody saved it meanwhile.", kept="Their work is there.", next_step="Load it again first."
        )


def _new_version(journey_id: UUID, number: int, graph: Graph, actor: Actor, at: datetime) -> VersionRow:
    id = new_id()
    return VersionRow.objects.create(
        id=id,
        journey_id=journey_id,
        number=number,
        sealed=seal_version(id, graph),
        author_id=actor.id,
        writers=_with([], actor),
        created_at=at,
        changed_at=at,
    )


def _with(writers: list[str], actor: Actor) -> list[str]:
    return sorted({*writers, str(actor.id)}) if actor.id else list(writers)


def _done(action: Action, journey: JourneyRow, row: VersionRow, actor: Actor, at: datetime) -> Version:
    row.changed_at = at
    row.save()
    touch(journey, at)
    _record(action, row, actor)
    return opened(row)


def _record(action: Action, row: VersionRow, actor: Actor) -> None:
    audit.record(
        action,
        actor=actor,
        object_kind="journey",
        object_id=row.journey_id,
        details={"version": str(row.id), "number": row.number},
    )
