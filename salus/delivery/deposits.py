"""Portal deposits: a message that could not travel protected waits here, and its neutral notice goes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

import orjson

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.delivery import letters
from salus.delivery.codes import CODE, NOTICE
from salus.delivery.contracts import Priority, State
from salus.delivery.models import Deposit, MessageRow, OriginRow, QueueRow
from salus.delivery.rules import LINK_AFTER, RANK
from salus.delivery.sealing import (
    PORTAL,
    Content,
    message_binding,
    open_content,
    read_spec,
    seal_content,
    spec_document,
)
from salus.kernel.acting import Actor
from salus.kernel.ids import new_id
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import Channel, Footer, Protection
from salus.keys import api as keys
from salus.platform.tenancy import current_organization
from salus.vendors.contracts import Why

if TYPE_CHECKING:
    from salus.delivery.outcomes import Outcome


PARENT = "parent"
"""Where a notice's decision names the deposit that it tells of."""

FLOOR_IS_PORTAL, PORTAL_WAS_CHOSEN = "floor_is_portal", "portal_was_chosen"
NO_PATH_TRIED = frozenset({"", FLOOR_IS_PORTAL, PORTAL_WAS_CHOSEN, Why.CLASS, Why.PART2})
"""Why a message is in the portal though nothing is wrong with the way by mail."""


def binding(message_id: UUID) -> bytes:
    """Return the associated data of a deposit."""
    return keys.binding(current_organization(), "delivery_deposit", message_id)


def make(outcomes: Sequence[Outcome], *, actor: Actor, at: datetime) -> None:
    """Seal each message into the portal and queue its notice, in the transaction of its outcome.

    The notice is a message of its own with nothing about the person in it. Where even a notice
    cannot be protected, `settle_notices` turns the deposit into `portal_unnotified`.
    """
    if not outcomes:
        return
    sealer = keys.sealer()
    parents = {
        row.id: row
        for row in MessageRow.objects.filter(id__in=[o.prepared.lease.message_id for o in outcomes])
    }
    existing = set(Deposit.objects.filter(message_id__in=list(parents)).values_list("message_id", flat=True))
    kept = letters.keeping(list(parents), at)
    notices: list[tuple[MessageRow, int]] = []
    made: list[Deposit] = []
    for outcome in outcomes:
        prepared, id = outcome.prepared, outcome.prepared.lease.message_id
        if id in existing:
            continue
        document = {
            "subject": prepared.parts.subject,
            "html": prepared.parts.html,
            "text": prepared.parts.text,
        }
        notice = _notice(parents[id], outcome, kept[id].until, at)
        notices.append((notice, min(prepared.lease.priority, RANK[Priority.JOURNEY])))
        made.append(
            Deposit(
                message_id=id,
                contact_id=prepared.contact_id,
                sealed=sealer.seal(orjson.dumps(document), binding(id)),
                special=prepared.special,
                path_failed=outcome.reason not in NO_PATH_TRIED,
                notice_id=notice.id,
                created_at=at,
                expires_at=kept[id].until,
                view_only=kept[id].view_only,
            )
        )
    Deposit.objects.bulk_create(made)
    MessageRow.objects.bulk_create([notice for notice, _ in notices])
    _enqueue(notices, at)
    audit.record(
        Action.MESSAGE_DEPOSIT,
        actor=actor,
        object_kind="message_batch",
        details={"count": len(made)},
    )


def _notice(parent: MessageRow, outcome: Outcome, until: datetime, at: datetime) -> MessageRow:
    """Return the row of the notice that tells of `parent`'s deposit, bound to the same clearance.

    That of a message which was written to the portal says nothing about mail: then the second check
    asks the gate about the notice, and finds out where it goes.
    """
    prepared = outcome.prepared
    valid_until = at if prepared.channel is Channel.PORTAL else parent.valid_until
    token = keys.seal_token(PORTAL, parent.id.bytes, lifetime=until - at + LINK_AFTER)
    content = Content(
        to=prepared.content.to,
        values={},
        tokens={PORTAL: token},
        decision={**about_nobody(prepared.content.decision), PARENT: str(parent.id)},
    )
    origin_id = _notice_origin(parent.origin_id, at)
    notice = _announcement(parent, new_id(), origin_id, content, Protection.NAMED, at)
    notice.valid_until = valid_until
    return notice


def about_nobody(decision: Mapping[str, Any]) -> dict[str, Any]:
    """Return the decision for an announcement: the same rules, but it tells nothing and asks for no footer."""
    return {**decision, "disclosed": ["contact"], "elements": [], "footer": Footer.TRANSACTIONAL}


def _announcement(
    parent: MessageRow, id: UUID, origin_id: UUID, content: Content, floor: Protection, at: datetime
) -> MessageRow:
    """Return a row for the reader of `parent` that says nothing about them."""
    return MessageRow(
        id=id,
        origin_id=origin_id,
        contact_id=parent.contact_id,
        contact_number=parent.contact_number,
        state=State.CLEARED,
        rule=parent.rule,
        floor=int(floor),
        contact_version=parent.contact_version,
        standing_version=parent.standing_version,
        valid_until=parent.valid_until,
        version_id=None,
        language=parent.language,
        site=parent.site,
        sealed=seal_content(keys.sealer(), message_binding(current_organization(), id), content),
        decided_at=parent.decided_at,
        changed_at=at,
    )


def _enqueue(rows: Sequence[tuple[MessageRow, int]], at: datetime) -> None:
    """Queue announcements, each with its rank: those of a campaign are as many as its letters, and nobody waits for them."""
    QueueRow.objects.bulk_create(
        [
            QueueRow(
                message_id=row.id,
                origin_id=row.origin_id,
                site=row.site,
                priority=rank,
                not_before=at,
            )
            for row, rank in rows
        ]
    )


def notice_origin_id(parent_id: UUID) -> UUID:
    """Return the id of the sending that holds the notices of another one."""
    return uuid5(parent_id, NOTICE)


def _notice_origin(parent_id: UUID, at: datetime) -> UUID:
    """Make the sending for notices when it is not there yet; return its id."""
    id = notice_origin_id(parent_id)
    if not OriginRow.objects.filter(id=id).exists():
        OriginRow.objects.bulk_create([_sibling(id, NOTICE, parent_id, at)], ignore_conflicts=True)
    return id


def _sibling(id: UUID, kind: str, parent_id: UUID, at: datetime) -> OriginRow:
    """Return a sending by mail under the same facts as `parent_id`; a code goes out before everything else."""
    parent = OriginRow.objects.get(id=parent_id)
    organization_id, sealer = current_organization(), keys.sealer()
    spec = read_spec(
        sealer.open(bytes(parent.spec), keys.binding(organization_id, "delivery_origin", parent_id))
    )
    spec = replace(spec, facts=replace(spec.facts, channel=Channel.EMAIL))
    return OriginRow(
        id=id,
        kind=kind,
        status=OriginRow.RELEASED,
        spec=sealer.seal(spec_document(spec), keys.binding(organization_id, "delivery_origin", id)),
        priority=RANK[Priority.TRANSACTIONAL]
        if kind == CODE
        else min(parent.priority, RANK[Priority.JOURNEY]),
        is_capped=False,
        created_at=at,
    )


def queue_code(message_id: UUID, code: Phi[str], *, language: str, at: datetime) -> Phi[str] | None:
    """Queue a sign-in code for the reader of a deposit, on a verified path only; return the address.

    It goes where the notice went; None while that went nowhere.
    """
    deposit = Deposit.objects.get(message_id=message_id)
    assert deposit.notice_id is not None
    notice = MessageRow.objects.get(id=deposit.notice_id)
    opened = open_content(keys.sealer(), message_binding(current_organization(), notice.id), notice.sealed)
    if not opened.to:
        return None
    decision = {name: value for name, value in opened.decision.items() if name != PARENT}
    content = Content(opened.to, {"code": code.reveal()}, {}, decision)
    origin = _sibling(new_id(), CODE, notice.origin_id, at)
    origin.save(force_insert=True)
    row = _announcement(notice, new_id(), origin.id, content, Protection.VERIFIED, at)
    row.language = language
    row.save(force_insert=True)
    _enqueue([(row, RANK[Priority.TRANSACTIONAL])], at)
    return Phi(opened.to)


def settle_notices(*, failed: Sequence[UUID | None], actor: Actor, at: datetime) -> None:
    """Mark the deposits whose notice cannot reach the person: staff must tell them another way."""
    ids = [id for id in failed if id is not None]
    if not ids:
        return
    moved = MessageRow.objects.filter(id__in=ids, state=State.PORTAL).update(
        state=State.PORTAL_UNNOTIFIED, changed_at=at
    )
    audit.record(
        Action.MESSAGE_DEPOSIT,
        actor=actor,
        object_kind="message_batch",
        outcome="unnotified",
        details={"count": moved},
    )
