"""Reads of delivery: what a person was sent, and the portal's copies."""

from __future__ import annotations

from uuid import UUID

import orjson

from salus.contacts import api as contacts
from salus.delivery import deposits, planning
from salus.delivery.codes import ANNOUNCEMENTS
from salus.delivery.contracts import Origin, PortalMessage, SentMessage, State
from salus.delivery.models import Deposit, MessageRow, OriginRow
from salus.delivery.rules import IN_PORTAL, WAITING
from salus.delivery.sealing import message_binding, open_content
from salus.kernel.errors import NotFound
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import Gate, Protection
from salus.keys import api as keys
from salus.platform.tenancy import current_organization


def portal_message(message_id: UUID) -> PortalMessage:
    """Return a deposit opened for its reader; raises `NotFound`. Expired and recalled ones come empty."""
    deposit = Deposit.objects.filter(message_id=message_id).first()
    row = MessageRow.objects.filter(id=message_id).select_related("origin").first()
    if deposit is None or row is None:
        raise NotFound
    state = State(row.state)
    document: dict[str, str] = {"subject": "", "html": "", "text": ""}
    if deposit.recalled_at is None and state not in {State.EXPIRED, State.RECALLED}:
        document = orjson.loads(keys.sealer().open(bytes(deposit.sealed), deposits.binding(message_id)))
    return PortalMessage(
        message_id=message_id,
        contact_id=contacts.whole(deposit.contact_id)[0],
        **{part: Phi(text) for part, text in document.items()},
        sender_name=planning.spec_of(Origin(row.origin.kind, row.origin_id)).sender.name,
        sent_at=deposit.created_at,
        expires_at=deposit.expires_at,
        state=state,
        language=row.language,
        special=deposit.special,
        path_failed=deposit.path_failed,
        view_only=deposit.view_only,
        disclosed=tuple(
            open_content(keys.sealer(), message_binding(current_organization(), row.id), row.sealed).decision[
                "disclosed"
            ]
        ),
    )


def may_send_code(message_id: UUID) -> bool:
    """Return whether a sign-in code for this message's reader may travel by e-mail."""
    deposit = Deposit.objects.filter(message_id=message_id).first()
    return deposit is not None and not deposit.special and not deposit.path_failed


def messages_of_contact(contact_id: UUID, limit: int = 200) -> list[SentMessage]:
    """Return what was sent to a person, newest first; what was refused or stopped was never sent.

    What went to a record that was merged into this one went to the same person.
    """
    whole = contacts.whole(contact_id)
    rows = (
        MessageRow.objects.filter(contact_id__in=whole)
        .exclude(state__in=[State.REFUSED, State.CANCELLED, *WAITING])
        .exclude(origin__kind__in=ANNOUNCEMENTS)
        .select_related("origin")
        .order_by("-id")[:limit]
    )
    return [_sent(row, whole[0]) for row in rows]


def sent_message(message_id: UUID) -> SentMessage:
    """Return what is known of one message beside its body; raises `NotFound`."""
    row = MessageRow.objects.filter(id=message_id).select_related("origin").first()
    if row is None:
        raise NotFound
    return _sent(row, contacts.whole(row.contact_id)[0])


def _sent(row: MessageRow, contact_id: UUID) -> SentMessage:
    spec = planning.spec_of(Origin(row.origin.kind, row.origin_id))
    decision = open_content(
        keys.sealer(), message_binding(current_organization(), row.id), row.sealed
    ).decision
    state = State(row.state)
    return SentMessage(
        message_id=row.id,
        contact_id=contact_id,
        at=row.first_attempt_at or row.decided_at,
        state=state,
        sender_name=spec.sender.name,
        topic=spec.facts.topic,
        channel=spec.facts.channel,
        purpose=spec.facts.purpose,
        language=row.language,
        in_portal=state in IN_PORTAL - {State.EXPIRED, State.RECALLED},
        reached=Protection(row.reached).name.lower() if row.reached else "",
        rule_ids=tuple(decision["rules"]),
        evidence_ids=tuple(
            dict.fromkeys(UUID(result["evidence"]) for result in decision["results"] if result["evidence"])
        ),
        disclosed=tuple(decision["disclosed"]),
        to_representative=any(
            result["gate"] == Gate.REPRESENTATIVE and result["satisfied"] and result["evidence"]
            for result in decision["results"]
        ),
    )


def origin_of(origin_id: UUID) -> Origin:
    """Return a sending by its id; raises `NotFound`."""
    row = OriginRow.objects.filter(id=origin_id).first()
    if row is None:
        raise NotFound
    return Origin(row.kind, row.id)
