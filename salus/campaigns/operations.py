"""What people do to a campaign, each in one transaction: lock, decide, write, audit, enqueue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from psycopg import sql

from salus.audiences import api as audiences
from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.campaigns import rules
from salus.campaigns.contracts import CAMPAIGN, Campaign, SignOff, Status
from salus.campaigns.models import CampaignRow
from salus.campaigns.queries import campaign, opened, seal_text, text_of
from salus.campaigns.specifying import check, check_classified, signed_for, specify
from salus.delivery import api as delivery
from salus.delivery.contracts import Origin
from salus.gate import api as gate
from salus.identity import api as identity
from salus.kernel.acting import Actor, ActorKind
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.ids import new_id
from salus.kernel.time import Clock
from salus.platform import bulk

FAULT_LENGTH = 300
_PLANNING = sql.SQL("SELECT pg_advisory_xact_lock_shared(%s)")
"""Whoever plans for some people holds this; who makes the plan void waits for them, and none begins meanwhile."""
_VOIDING = sql.SQL("SELECT pg_advisory_xact_lock(%s)")


def create(
    *,
    name: str,
    segment_id: UUID,
    versions: Mapping[str, UUID],
    actor: Actor,
    at: datetime,
) -> Campaign:
    """Return a new draft; raises `BadInput` for an empty name or versions that do not belong together."""
    check(name, segment_id, versions)
    row = CampaignRow(
        segment_id=segment_id,
        versions={language: str(version) for language, version in versions.items()},
        author_id=actor.id,
        writers=_with([], actor),
        created_at=at,
        changed_at=at,
    )
    row.sealed = seal_text(row.id, name=name.strip(), note="")
    row.save(force_insert=True)
    _record(Action.CAMPAIGN_CREATE, row, actor)
    return opened(row)


def change(
    campaign_id: UUID,
    *,
    name: str,
    segment_id: UUID,
    versions: Mapping[str, UUID],
    actor: Actor,
    at: datetime,
) -> Campaign:
    """Change a draft, or a planned campaign, which becomes a draft again."""
    check(name, segment_id, versions)
    row = _moved(campaign_id, "change", next_step="Send it back first.")
    row.sealed = seal_text(row.id, **{**text_of(row), "name": name.strip()})
    row.segment_id = segment_id
    row.versions = {language: str(version) for language, version in versions.items()}
    row.author_id, row.writers = actor.id, _with(row.writers, actor)
    row.sign_offs = _standing_sign_offs(row)
    row.fault, row.changed_at = "", at
    row.save()
    _record(Action.CAMPAIGN_CHANGE, row, actor)
    return opened(row)


def start_plan(campaign_id: UUID, *, actor: Actor, clock: Clock) -> Campaign:
    """Freeze the segment and begin to plan: the gate will be asked for every person in it.

    The plan itself is made chunk by chunk (`plan_some`), by a job. An earlier plan is void.
    """
    row = _moved(campaign_id, "plan")
    check_classified(row)  # before the audience is counted, which takes longer
    _void_plan(row, actor, clock.now())
    frozen = audiences.freeze(row.segment_id, actor=actor, clock=clock)
    row.sign_offs = _standing_sign_offs(row)  # after the freeze: rules that changed meanwhile count
    row.plan_id, row.frozen_id, row.planned_people = new_id(), frozen.id, frozen.count
    row.planned_at, row.planned_by = frozen.frozen_at, actor.id
    row.fault, row.changed_at = "", clock.now()
    row.save()
    delivery.begin_plan(specify(row, frozen), actor=actor, at=clock.now())
    _record(Action.CAMPAIGN_PLAN, row, actor, people=frozen.count)
    return opened(row)


def plan_some(
    campaign_id: UUID, plan_id: UUID, numbers: Sequence[int], *, actor: Actor, at: datetime
) -> int | None:
    """Plan for some people of the frozen audience, beside others who plan for others; safe to repeat.

    Returns how many were not planned for yet, None when this plan is not the present one any more: then there
    is nothing left to do.
    """
    bulk.execute(_PLANNING, [_lock(plan_id)])
    row = CampaignRow.objects.get(id=campaign_id)
    if row.status != Status.PLANNING or row.plan_id != plan_id:
        return None
    return delivery.plan_chunk(_origin(row), numbers, actor=actor, at=at)


def end_plan(campaign_id: UUID, plan_id: UUID, *, actor: Actor, at: datetime) -> None:
    """Close the plan when every person has a row; safe to repeat.

    Raises `Conflict` when people are missing: a plan that does not add up is never shown as one.
    """
    row = _locked(campaign_id)
    if row.status != Status.PLANNING or row.plan_id != plan_id:
        return
    counts = delivery.finish_plan(_origin(row), actor=actor)
    if counts.planned != row.planned_people:
        raise Conflict(
            f"The plan covers {counts.planned} of {row.planned_people} people.", next_step="Plan again."
        )
    row.planned, row.rules_version = asdict(counts), gate.RULES_VERSION
    row.status, row.changed_at = Status.PLANNED, at
    row.save()


def stop_planning(
    campaign_id: UUID, *, actor: Actor, at: datetime, plan_id: UUID | None = None, fault: str = ""
) -> Campaign:
    """Give planning up and make the campaign a draft again; `fault` says why, when it could not go on."""
    row = _locked(campaign_id)
    if plan_id is not None and row.plan_id != plan_id:
        return opened(row)  # a newer plan has taken its place
    _move(row, "stop_planning")
    _void_plan(row, actor, at)
    row.fault, row.changed_at = fault[:FAULT_LENGTH], at
    row.save()
    _record(Action.CAMPAIGN_PLAN, row, actor, outcome="stopped")
    return opened(row)


def approve(campaign_id: UUID, *, actor: Actor, at: datetime, plan_id: UUID | None = None) -> Campaign:
    """Approve what the plan shows, for `plan_id` if it is given (the plan that the person has seen).

    Raises `Conflict` for whoever wrote in it, for a program, when nobody may receive it, when it is not
    planned, and when it was planned anew meanwhile.
    """
    row = _locked(campaign_id)
    if plan_id is not None and row.plan_id != plan_id:
        raise Conflict("It was planned anew meanwhile.", next_step="Read the new plan first.")
    _move(row, "approve")
    if actor.kind is not ActorKind.STAFF or not rules.is_somebody_else(_writers(row), actor.id):
        raise Conflict("You wrote this, so somebody else approves it.")
    if not row.planned or not row.planned["cleared"]:
        raise Conflict("Nobody may receive this, so there is nothing to approve.")
    row.approved_by, row.approved_at, row.changed_at = actor.id, at, at
    row.save()
    _record(Action.CAMPAIGN_APPROVE, row, actor, people=row.planned["cleared"])
    return opened(row)


def send_back(campaign_id: UUID, note: str, *, actor: Actor, at: datetime) -> Campaign:
    """Give a campaign back to its author with a note."""
    if not note.strip():
        raise BadInput("Say what should change.", place="note")
    row = _moved(campaign_id, "send_back")
    row.sealed = seal_text(row.id, **{**text_of(row), "note": note.strip()})
    row.approved_by = row.approved_at = row.launch_at = None
    row.changed_at = at
    row.save()
    _record(Action.CAMPAIGN_REJECT, row, actor)
    return opened(row)


def sign_off(campaign_id: UUID, what: SignOff, *, actor: Actor, at: datetime) -> Campaign:
    """Give the evidence `what` for a draft; it counts from the next plan on.

    It vouches for the segment's rules, the text and its classification as they are now, and is void as
    soon as one of them is another. Raises `NotFound` for who may not, `Conflict` for whoever wrote in it.
    """
    identity.require(actor, rules.SIGNERS[what])
    row = _moved(campaign_id, "sign_off", next_step="Send the campaign back first.")
    if not rules.is_somebody_else(_writers(row), actor.id):
        raise Conflict("You wrote this, so somebody else signs it off.")
    entry = _record(Action.CAMPAIGN_CHANGE, row, actor, reason=what)
    row.sign_offs = {**_standing_sign_offs(row), what: str(entry)}
    row.sealed = seal_text(row.id, **{**text_of(row), "signed_for": signed_for(row)})
    row.changed_at = at
    row.save()
    return opened(row)


def launch(campaign_id: UUID, *, actor: Actor, at: datetime, not_before: datetime | None = None) -> Campaign:
    """Let the messages go, now or from `not_before` on."""
    if not_before is not None and not_before > at:
        row = _moved(campaign_id, "schedule")
        row.launch_at = not_before
    else:
        row = _moved(campaign_id, "launch")
        row.launch_at = at
        delivery.release(_origin(row), not_before=at, actor=actor)
    row.changed_at = at
    row.save()
    outcome = "scheduled" if row.status == Status.SCHEDULED else "ok"
    _record(Action.CAMPAIGN_LAUNCH, row, actor, outcome=outcome)
    return opened(row)


def launch_due(*, actor: Actor, at: datetime) -> int:
    """Launch scheduled campaigns whose time has come, and close those with nothing left to send.

    Returns how many were launched.
    """
    due = CampaignRow.objects.select_for_update(skip_locked=True).filter(
        status=Status.SCHEDULED, launch_at__lte=at
    )
    launched = [launch(row.id, actor=actor, at=at) for row in due]
    out = CampaignRow.objects.select_for_update(skip_locked=True).filter(
        status__in=[Status.SENDING, Status.PAUSED]
    )
    for row in out:
        if not delivery.is_waiting(_origin(row)):
            _move(row, "finish")
            row.changed_at = at
            row.save(update_fields=["status", "changed_at"])
    return len(launched)


def pause(campaign_id: UUID, *, actor: Actor, at: datetime) -> Campaign:
    """Hold back what no sender has taken yet."""
    row = _moved(campaign_id, "pause")
    delivery.pause(_origin(row), actor=actor)
    return _done(Action.CAMPAIGN_PAUSE, row, actor, at)


def resume(campaign_id: UUID, *, actor: Actor, at: datetime) -> Campaign:
    """Let a paused campaign go on."""
    row = _moved(campaign_id, "resume")
    delivery.resume(_origin(row), actor=actor)
    return _done(Action.CAMPAIGN_RESUME, row, actor, at)


def cancel(campaign_id: UUID, *, actor: Actor, at: datetime) -> Campaign:
    """Stop for good what has not been handed over."""
    row = _moved(campaign_id, "cancel")
    if row.plan_id is not None:
        _end_sending(row, actor, at)
    row.launch_at = row.launch_at if row.launch_at and row.launch_at <= at else None
    return _done(Action.CAMPAIGN_CANCEL, row, actor, at)


def _locked(campaign_id: UUID) -> CampaignRow:
    row = CampaignRow.objects.select_for_update().filter(id=campaign_id).first()
    if row is None:
        raise NotFound
    return row


def _moved(campaign_id: UUID, act: str, *, next_step: str = "") -> CampaignRow:
    """Return the locked campaign with its status moved by `act`; raises `Conflict` when that cannot be."""
    row = _locked(campaign_id)
    _move(row, act, next_step)
    return row


def _move(row: CampaignRow, act: str, next_step: str = "") -> None:
    target = rules.after(act, Status(row.status))
    if target is None:
        state = rules.STATES[Status(row.status)]
        raise Conflict(f"A campaign that {state} cannot be {rules.WORDS[act]}.", next_step=next_step)
    row.status = target


def _void_plan(row: CampaignRow, actor: Actor, at: datetime) -> None:
    """Cancel the present plan, if there is one, and whatever was decided on it."""
    if row.plan_id is not None:
        _end_sending(row, actor, at)
    row.plan_id = row.frozen_id = row.planned = row.planned_people = row.planned_at = row.planned_by = None
    row.approved_by = row.approved_at = row.launch_at = None


def _end_sending(row: CampaignRow, actor: Actor, at: datetime) -> None:
    """Cancel what the present plan decided, when nobody plans for it any more."""
    assert row.plan_id is not None
    bulk.execute(_VOIDING, [_lock(row.plan_id)])
    delivery.cancel(_origin(row), actor=actor, at=at)


def _lock(plan_id: UUID) -> int:
    return int.from_bytes(plan_id.bytes[8:], "big", signed=True)


def _standing_sign_offs(row: CampaignRow) -> dict[str, str]:
    """Return the sign-offs that were given for what the campaign is now: of anything else they say nothing."""
    if row.sign_offs and text_of(row).get("signed_for") == signed_for(row):
        return dict(row.sign_offs)
    return {}


def _writers(row: CampaignRow) -> frozenset[UUID]:
    return frozenset(map(UUID, row.writers))


def _with(writers: list[str], actor: Actor) -> list[str]:
    return sorted({*writers, str(actor.id)}) if actor.id else list(writers)


def _origin(row: CampaignRow) -> Origin:
    assert row.plan_id is not None
    return Origin(CAMPAIGN, row.plan_id)


def _done(action: Action, row: CampaignRow, actor: Actor, at: datetime) -> Campaign:
    row.changed_at = at
    row.save()
    _record(action, row, actor)
    return campaign(row.id)


def _record(
    action: Action, row: CampaignRow, actor: Actor, *, reason: str = "", outcome: str = "ok", **details: int
) -> UUID:
    return audit.record(
        action,
        actor=actor,
        object_kind="campaign",
        object_id=row.id,
        reason=reason,
        outcome=outcome,
        details=details,
    )
