"""Stops addresses by rule, with what it rests on; and lets a person lift that."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count

from salus.contacts import api as contacts
from salus.delivery.contracts import Evidence, Sign, StoppedAddress
from salus.delivery.models import MessageRow, ReturnRow
from salus.delivery.rules import OF_THE_ADDRESS, SOFT_WITHIN, soft_enough
from salus.delivery.sealing import message_binding, open_content
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.ids import new_id
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import Channel
from salus.keys import api as keys
from salus.permissions import api as permissions
from salus.permissions.contracts import EntryKind, NewEntry
from salus.platform.tenancy import current_organization

HARD_BOUNCE, SOFT_BOUNCES, COMPLAINT = "hard_bounce", "soft_bounces", "complaint"
"""Why an address is stopped, as the ledger of permissions calls it."""
_AT_ONCE = {Sign.HARD: HARD_BOUNCE, Sign.COMPLAINT: COMPLAINT}
_SAYS = {Sign.HARD: "bounced", Sign.COMPLAINT: "was reported"}
LONGEST_WHY = 300


@dataclass(frozen=True, slots=True)
class Came:
    """What came back for one message that went to `address`."""

    message_id: UUID
    contact_id: UUID
    address: Phi[str]
    sign: Sign
    reason: str
    status: str
    at: datetime


def note(came: Sequence[Came], *, actor: Actor) -> None:
    """Keep what came back, and stop the addresses that the rules say; call it before the timeline is written.

    Hard bounces and complaints stop an address at once, soft ones when they go on for days; what refuses
    the message or us says nothing of the address.
    """
    if not came:
        return
    people = contacts.wholes([each.contact_id for each in came])
    living = contacts.versions([whole[0] for whole in people.values()])
    here = {one for one, whole in people.items() if whole[0] in living}  # nothing is kept of the erased
    rows = {
        each.message_id: ReturnRow(
            id=new_id(),
            message_id=each.message_id,
            contact_id=each.contact_id,
            sign=each.sign,
            reason=each.reason,
            status=each.status[:40],
            at=each.at,
        )
        for each in came
        if each.contact_id in here
    }
    ReturnRow.objects.bulk_create(rows.values(), ignore_conflicts=True)
    evidence = {each.message_id: found for each in came if (found := _evidence(each, rows))}
    stopped = [each for each in came if each.message_id in evidence]
    if not stopped:
        return
    ids = permissions.append(
        [_entry(each, evidence[each.message_id]) for each in stopped], actor=actor, skip_absent=True
    )
    for each, entry_id in zip(stopped, ids, strict=True):
        mine = ReturnRow.objects.filter(message_id__in=evidence[each.message_id], contact_id=each.contact_id)
        mine.filter(sign=each.sign, entry_id=None).update(entry_id=entry_id)
        mine.filter(sign=each.sign, message_id=each.message_id).update(decided=True)


def _evidence(came: Came, rows: Mapping[UUID, ReturnRow]) -> list[UUID]:
    """Return the messages for whose fate the address is to be stopped, none when it is not."""
    if came.message_id not in rows:
        return []
    if came.sign in _AT_ONCE:
        return [came.message_id]
    if came.sign is not Sign.SOFT or came.reason not in OF_THE_ADDRESS:
        return []
    recent = ReturnRow.objects.filter(
        contact_id=came.contact_id,
        sign=Sign.SOFT,
        reason__in=OF_THE_ADDRESS,
        entry_id=None,
        at__gt=came.at - SOFT_WITHIN,
    )
    when = dict(recent.values_list("message_id", "at"))
    if not soft_enough(when.values(), came.at):
        return []
    same = _sent_to(came.address, when)
    return same if soft_enough((when[each] for each in same), came.at) else []


def _sent_to(address: Phi[str], message_ids: Collection[UUID]) -> list[UUID]:
    """Return those of the messages that went to this address: a person may have had another one."""
    sealer, organization_id = keys.sealer(), current_organization()
    return [
        row.id
        for row in MessageRow.objects.filter(id__in=message_ids)
        if open_content(sealer, message_binding(organization_id, row.id), row.sealed).to == address.reveal()
    ]


def _entry(came: Came, evidence: Sequence[UUID]) -> NewEntry:
    if came.sign is Sign.SOFT:
        because, says = SOFT_BOUNCES, f"{len(evidence)} messages bounced softly, the last: {came.reason}"
    else:
        because = _AT_ONCE[came.sign]
        says = f"message {came.message_id} {_SAYS[came.sign]}: {came.status}"
    return NewEntry(
        contact_id=came.contact_id,
        kind=EntryKind.SUPPRESSION,
        at=came.at,
        evidence=says,
        channel=Channel.EMAIL,
        key=f"{'bounce' if came.sign is Sign.HARD else came.sign}:{came.message_id}",
        details={"reason": because, "address": came.address.reveal()},
    )


def stopped(limit: int, at: datetime, *, before: UUID | None = None) -> list[StoppedAddress]:
    """Return what rules stopped, newest first, with its evidence; `before` is the entry that a page ended with."""
    deciding = ReturnRow.objects.filter(decided=True).order_by("-at", "-id")
    if before is not None:
        last = ReturnRow.objects.filter(decided=True, entry_id=before).first()
        if last is None:
            raise NotFound
        deciding = deciding.filter(at__lte=last.at).exclude(at=last.at, id__gte=last.id)
    return _told(list(deciding[:limit]), at)


def one_stopped(entry_id: UUID, at: datetime) -> StoppedAddress:
    """Return one of them; raises `NotFound`."""
    found = _told(list(ReturnRow.objects.filter(decided=True, entry_id=entry_id)[:1]), at)
    if not found:
        raise NotFound
    return found[0]


def _told(rows: Sequence[ReturnRow], at: datetime) -> list[StoppedAddress]:
    people = {one: whole[0] for one, whole in contacts.wholes({row.contact_id for row in rows}).items()}
    numbers = contacts.numbers_of(list(people.values()))
    standings = permissions.standings(list(people.values()), at)
    stand = {each.evidence_id for standing in standings.values() for each in standing.suppressions}
    evidence: dict[UUID | None, list[Evidence]] = {}
    for row in ReturnRow.objects.filter(entry_id__in=[row.entry_id for row in rows]).order_by("at"):
        told = Evidence(row.message_id, Sign(row.sign), row.reason, row.status, row.at)
        evidence.setdefault(row.entry_id, []).append(told)
    return [
        StoppedAddress(
            entry_id=row.entry_id,
            contact_id=people[row.contact_id],
            number=numbers.get(people[row.contact_id]),
            because=_AT_ONCE.get(Sign(row.sign), SOFT_BOUNCES),
            at=row.at,
            stands=row.entry_id in stand,
            evidence=tuple(evidence[row.entry_id]),
        )
        for row in rows
        if row.entry_id is not None
    ]


def lift(entry_id: UUID, why: Phi[str], *, actor: Actor, at: datetime) -> None:
    """Let messages go to an address again; what had stopped it counts no more.

    Raises `NotFound`, `BadInput` without a reason or with one that is too long, `Conflict` when it was lifted.
    """
    words = why.reveal().strip()
    if not words or len(words) > LONGEST_WHY:
        raise BadInput(f"Say why, in at most {LONGEST_WHY} letters.", place="why")
    found = one_stopped(entry_id, at)
    if not found.stands:
        raise Conflict("It was lifted already.")
    entry = NewEntry(
        contact_id=found.contact_id,
        kind=EntryKind.SUPPRESSION_LIFTED,
        at=at,
        evidence="lifted by staff",
        channel=Channel.EMAIL,
        ends=entry_id,
        details={"reason": words},
    )
    permissions.append([entry], actor=actor)


def signs_since(since: datetime) -> dict[Sign, int]:
    """Return how often each sign came since then; those that did not are 0."""
    counted = ReturnRow.objects.filter(at__gte=since).values_list("sign").annotate(count=Count("id"))
    return dict.fromkeys(Sign, 0) | {Sign(sign): count for sign, count in counted}
