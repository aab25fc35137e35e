"""What people do to a campaign, each in one transaction: lock, decide, write, audit, enqueue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from salus.audiences import api as audiences
from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.campaigns import rules
from salus.campaigns.contracts import CAMPAIGN, Campaign, SignOff, Status
from salus.campaigns.models import CampaignRow
from salus.campaigns.queries import campaign, opened, seal_text
from salus.content import api as content
from salus.content.contracts import Classification
from salus.delivery import api as delivery
from salus.delivery.contracts import MessageSpec, Origin, Sender
from salus.gate import api as gate
from salus.identity import api as identity
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.ids import new_id
from salus.kernel.time import Clock
from salus.kernel.vocabulary import Channel

LOCAL_PART = "care"
"""Messages come from care@<the sending domain>: an address that tells no specialty."""


def create(
    *, name: str, segment_id: UUID, versions: Mapping[str, UUID], actor: Actor, at: datetime
) -> Campaign:
    """Return a new draft; raises `BadInput` for an empty name or versions that do not belong together."""
    _check(name, segment_id, versions)
    row = CampaignRow(
        id=new_id(),
        segment_id=segment_id,
        versions={language: str(version) for language, version in versions.items()},
        author_id=actor.id,
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
    _check(name, segment_id, versions)
    row = _locked(campaign_id)
    if row.status not in {Status.DRAFT, Status.PLANNED}:
        raise Conflict("Only a draft can be changed.", next_step="Send it back first.")
    row.sealed = seal_text(row.id, name=name.strip(), note=opened(row).note.reveal())
    row.segment_id = segment_id
    row.versions = {language: str(version) for language, version in versions.items()}
    row.status, row.author_id, row.changed_at = Status.DRAFT, actor.id, at
    row.save()
    _record(Action.CAMPAIGN_CHANGE, row, actor)
    return opened(row)


def start_plan(campaign_id: UUID, *, actor: Actor, clock: Clock) -> Campaign:
    """Freeze the segment and begin to plan: the gate will be asked for every person in it.

    The plan itself is made chunk by chunk (`plan_some`), by a job.
    """
    row = _moved(campaign_id, "plan")
    if row.plan_id is not None:  # an earlier plan is void
        delivery.cancel(Origin(CAMPAIGN, row.plan_id), actor=actor, at=clock.now())
    frozen = audiences.freeze(row.segment_id, actor=actor, clock=clock)
    row.plan_id, row.frozen_id, row.planned = new_id(), frozen.id, None
    row.planned_people, row.approved_by, row.changed_at = frozen.count, None, clock.now()
    row.save()
    delivery.begin_plan(_spec(row), actor=actor, at=clock.now())
    _record(Action.CAMPAIGN_PLAN, row, actor, people=frozen.count)
    return opened(row)


def plan_some(campaign_id: UUID, numbers: list[int], *, actor: Actor, at: datetime) -> None:
    """Plan for some people of the frozen audience; safe to repeat."""
    row = _locked(campaign_id)
    if row.status == Status.PLANNING and row.plan_id:
        delivery.plan_chunk(Origin(CAMPAIGN, row.plan_id), numbers, actor=actor, at=at)


def end_plan(campaign_id: UUID, *, actor: Actor, at: datetime) -> None:
    """Close the plan when every person has a row; safe to repeat.

    Raises `Conflict` when people are missing: a plan that does not add up is never shown as one.
    """
    row = _locked(campaign_id)
    if row.status != Status.PLANNING or row.plan_id is None:
        return
    counts = delivery.finish_plan(Origin(CAMPAIGN, row.plan_id), actor=actor)
    if counts.planned != row.planned_people:
        raise Conflict(
            f"The plan covers {counts.planned} of {row.planned_people} people.", next_step="Plan again."
        )
    row.planned, row.status, row.changed_at = asdict(counts), Status.PLANNED, at
    row.save()


def approve(campaign_id: UUID, *, actor: Actor, at: datetime) -> Campaign:
    """Approve what the plan shows; raises `Conflict` for the author, and when it is not planned."""
    row = _moved(campaign_id, "approve")
    if not rules.may_approve(row.author_id, actor.id):
        raise Conflict("You wrote this, so somebody else approves it.")
    row.approved_by, row.changed_at = actor.id, at
    row.save()
    _record(Action.CAMPAIGN_APPROVE, row, actor)
    return opened(row)


def send_back(campaign_id: UUID, note: str, *, actor: Actor, at: datetime) -> Campaign:
    """Give a campaign back to its author with a note."""
    row = _moved(campaign_id, "send_back")
    row.sealed = seal_text(row.id, name=opened(row).name.reveal(), note=note.strip())
    row.approved_by, row.changed_at = None, at
    row.save()
    _record(Action.CAMPAIGN_REJECT, row, actor)
    return opened(row)


def sign_off(campaign_id: UUID, what: SignOff, *, actor: Actor, at: datetime) -> Campaign:
    """Give the evidence `what` for a draft; it counts from the next plan on."""
    row = _locked(campaign_id)
    if row.status not in {Status.DRAFT, Status.PLANNED}:
        raise Conflict("This is decided before the plan.", next_step="Send the campaign back first.")
    entry = _record(Action.CAMPAIGN_CHANGE, row, actor, reason=what)
    row.sign_offs = {**row.sign_offs, what: str(entry)}
    row.status, row.changed_at = Status.DRAFT, at
    row.save()
    return opened(row)


def launch(campaign_id: UUID, *, actor: Actor, at: datetime, not_before: datetime | None = None) -> Campaign:
    """Let the messages go, now or from `not_before` on."""
    if not_before is not None and not_before > at:
        row = _moved(campaign_id, "schedule")
        row.launch_at, row.changed_at = not_before, at
    else:
        row = _moved(campaign_id, "launch")
        row.launch_at, row.changed_at = at, at
        delivery.release(_origin(row), not_before=at, actor=actor)
    row.save()
    _record(Action.CAMPAIGN_LAUNCH, row, actor)
    return opened(row)


def launch_due(*, actor: Actor, at: datetime) -> int:
    """Launch scheduled campaigns whose time has come, and close those with nothing left to send."""
    due = CampaignRow.objects.filter(status=Status.SCHEDULED, launch_at__lte=at).values_list("id", flat=True)
    for campaign_id in due:
        launch(campaign_id, actor=actor, at=at)
    for row in CampaignRow.objects.select_for_update(skip_locked=True).filter(status=Status.SENDING):
        if not delivery.is_waiting(_origin(row)):
            row.status, row.changed_at = Status.DONE, at
            row.save(update_fields=["status", "changed_at"])
    return len(due)


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
        delivery.cancel(_origin(row), actor=actor, at=at)
    return _done(Action.CAMPAIGN_CANCEL, row, actor, at)


def _spec(row: CampaignRow) -> MessageSpec:
    """Return what to send, with the facts that the gate needs; raises `BadInput` when content is not ready."""
    assert row.plan_id is not None
    organization = identity.organization()
    versions = {language: UUID(version) for language, version in row.versions.items()}
    loaded = [content.version(id) for id in versions.values()]
    reads = (
        *audiences.segment(row.segment_id).reads,
        *(read for version in loaded for read in version.analysis.reads),
    )
    facts = gate.message_facts(
        _classification([version.classification for version in loaded]),
        reads=reads,
        organization=organization,
        channel=Channel.EMAIL,
        sign_offs={name: UUID(evidence) for name, evidence in row.sign_offs.items()},
    )
    sender = Sender(organization.name, f"{LOCAL_PART}@{organization.sending_domain}")
    return MessageSpec(Origin(CAMPAIGN, row.plan_id), versions, facts, sender)


def _classification(found: list[Classification | None]) -> Classification:
    first = found[0]
    if first is None:
        raise BadInput(
            "The template is not classified.", place="template", next_step="Say what it is for first."
        )
    same = all(each is not None and _meaning(each) == _meaning(first) for each in found)
    if not same:
        raise BadInput("The languages of the template are classified differently.", place="template")
    return first


def _meaning(classification: Classification) -> tuple[object, ...]:
    return (
        classification.purpose,
        classification.promotes,
        classification.remuneration,
        classification.topic,
        classification.payer,
        classification.payer_is_promoted_party,
        classification.conditions,
        classification.confirmed_by is None,
    )


def _check(name: str, segment_id: UUID, versions: Mapping[str, UUID]) -> None:
    if not name.strip():
        raise BadInput("A campaign needs a name.", place="name")
    if not versions:
        raise BadInput("Choose a template.", place="template")
    audiences.segment(segment_id)
    for language, id in versions.items():
        if content.version(id).language != language:
            raise BadInput(f"This version is not in the language {language!r}.", place=f"versions.{language}")


def _locked(campaign_id: UUID) -> CampaignRow:
    row = CampaignRow.objects.select_for_update().filter(id=campaign_id).first()
    if row is None:
        raise NotFound
    return row


def _moved(campaign_id: UUID, act: str) -> CampaignRow:
    """Return the locked campaign with its status moved by `act`; raises `Conflict` when that cannot be."""
    row = _locked(campaign_id)
    target = rules.after(act, Status(row.status))
    if target is None:
        raise Conflict(f"A campaign that is {row.status} cannot be {rules.WORDS[act]}.")
    row.status = target
    return row


def _origin(row: CampaignRow) -> Origin:
    assert row.plan_id is not None
    return Origin(CAMPAIGN, row.plan_id)


def _done(action: Action, row: CampaignRow, actor: Actor, at: datetime) -> Campaign:
    row.changed_at = at
    row.save()
    _record(action, row, actor)
    return campaign(row.id)


def _record(action: Action, row: CampaignRow, actor: Actor, *, reason: str = "", **details: int) -> UUID:
    return audit.record(
        action, actor=actor, object_kind="campaign", object_id=row.id, reason=reason, details=details
    )
