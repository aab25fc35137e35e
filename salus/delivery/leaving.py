"""One person's messages: what an access request gets, what an erasure takes, and the proof that stays."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Max

from salus.contacts import api as contacts
from salus.delivery import calls, operations, sealing
from salus.delivery.contracts import State
from salus.delivery.models import (
    CallRow,
    Deposit,
    MessageRow,
    QueueRow,
    ReceiptRow,
    ReturnRow,
    WrittenRow,
)
from salus.delivery.queries import messages_of_contact, portal_message
from salus.delivery.rules import PERSON_IS_GONE, WAITING
from salus.kernel.acting import Actor
from salus.kernel.errors import Conflict
from salus.kernel.leaving import Kept, Left, six_years_after
from salus.kernel.time import Clock, SystemClock
from salus.keys import api as keys
from salus.platform.tenancy import current_organization

_CLOCK = SystemClock()
MOST = 100_000
_GONE = b""


def export_person(contact_id: UUID) -> dict[str, Any]:
    """Return what was sent to a person, with what waits for them in the portal, newest first."""
    letters = {
        deposit.message_id: portal_message(deposit.message_id)
        for deposit in Deposit.objects.filter(contact_id__in=contacts.whole(contact_id))
    }
    return {
        "messages": [
            {
                "id": str(sent.message_id),
                "at": sent.at.isoformat(),
                "state": sent.state.value,
                "from": sent.sender_name,
                "channel": sent.channel.value,
                "purpose": sent.purpose.value,
                "protected": sent.reached,
                "disclosed": [str(each) for each in sent.disclosed],
                "subject": letters[sent.message_id].subject.reveal() if sent.message_id in letters else "",
                "text": letters[sent.message_id].text.reveal() if sent.message_id in letters else "",
            }
            for sent in messages_of_contact(contact_id, MOST)
        ]
    }


def erase_person(contact_id: UUID, *, actor: Actor, clock: Clock = _CLOCK) -> Left:
    """Stop what waits, close the portal's letters, and erase addresses, values and bodies. Safe to repeat.

    What a receipt says stays, without address or values: which rule allowed what, on which evidence, how it
    was protected. Raises `Conflict` while a sender holds one of the messages: then ask again in a minute.
    """
    at = clock.now()
    stopped = stop_waiting(contact_id, PERSON_IS_GONE, actor=actor, at=at)
    letters = Deposit.objects.select_for_update().filter(contact_id=contact_id).exclude(sealed=_GONE)
    ids = list(letters.values_list("message_id", flat=True))
    for message_id in letters.filter(ended_at=None).values_list("message_id", flat=True):
        operations.recall(message_id, actor=actor, at=at)
    Deposit.objects.filter(message_id__in=ids).update(sealed=_GONE, erased_at=at)
    emptied = _empty(contact_id)
    WrittenRow.objects.filter(contact_id=contact_id).delete()
    ReturnRow.objects.filter(contact_id=contact_id).delete()
    return Left({"stopped": stopped, "letters": len(ids), "messages": emptied}, _kept(contact_id, at))


def stop_waiting(contact_id: UUID, reason: str, *, actor: Actor, at: datetime) -> int:
    """Cancel every message and call that waits for a contact; return how many. Raises `Conflict` as an erasure does."""
    waiting = MessageRow.objects.filter(contact_id=contact_id, state__in=WAITING)
    ids = list(waiting.values_list("id", flat=True))
    queued = QueueRow.objects.select_for_update().filter(message_id__in=ids)
    if queued.filter(lease_until__gte=at).exists():
        raise Conflict(
            "A message to this person is being handed over just now.", next_step="Try again in a minute."
        )
    queued.delete()
    MessageRow.objects.filter(id__in=ids).update(state=State.CANCELLED, reason=reason, changed_at=at)
    pairs = CallRow.objects.filter(contact_id=contact_id, state=CallRow.WAITING)
    return len(ids) + calls.cancel(list(pairs.values_list("origin_id", "contact_id")), actor=actor, at=at)


def _empty(contact_id: UUID) -> int:
    """Keep of each message's content only what its receipt needs to be understood; return how many had more."""
    organization_id, sealer, changed = current_organization(), keys.sealer(), []
    for row in MessageRow.objects.select_for_update().filter(contact_id=contact_id).order_by("id"):
        binding = sealing.message_binding(organization_id, row.id)
        content = sealing.open_content(sealer, binding, row.sealed)
        if content.to or content.values or content.tokens:
            row.sealed = sealing.seal_content(sealer, binding, sealing.Content("", {}, {}, content.decision))
            changed.append(row)
    MessageRow.objects.bulk_update(changed, ["sealed"], batch_size=500)
    return len(changed)


def _kept(contact_id: UUID, at: datetime) -> tuple[Kept, ...]:
    mine = MessageRow.objects.filter(contact_id=contact_id)
    found = ReceiptRow.objects.filter(message_id__in=mine.values("id")).aggregate(
        count=Count("id"), last=Max("at")
    )
    if not found["count"]:
        return ()
    until = six_years_after(found["last"])
    if until <= at:
        words = "the proofs of others' receipts of the same moment rest on them; ids and codes that lead to nobody"
        return (Kept("receipts, without address, values or body", found["count"], words),)
    return (
        Kept(
            "receipts, without address, values or body",
            found["count"],
            "an accounting of disclosures covers six years, and the log's proofs rest on them",
            "45 CFR 164.528(a)(1), (d), 164.530(j)(2)",
            until,
        ),
    )
