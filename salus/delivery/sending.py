"""Open sendings: people are added at any time, and whoever is cleared is in the queue at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from psycopg import sql

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.delivery import capping, planning, queueing
from salus.delivery.contracts import MessageSpec, Priority, Sender, Sent, State
from salus.delivery.models import MessageRow, OriginRow
from salus.delivery.planning import CHUNK
from salus.delivery.rules import CANCELLED_BY_STAFF, PERSON_IS_GONE, priority_of
from salus.delivery.written import Words, check_same
from salus.identity import api as identity
from salus.kernel.acting import Actor
from salus.kernel.vocabulary import Profile, SenderRole
from salus.platform import bulk

_STATUS = sql.SQL("SELECT status FROM delivery_origin WHERE id = %s FOR SHARE")


def send(
    spec: MessageSpec,
    numbers: Iterable[int],
    *,
    not_before: datetime,
    actor: Actor,
    at: datetime,
    words: Words | None = None,
) -> Mapping[int, Sent]:
    """Plan a message to each contact number, and let senders have those cleared from `not_before` on.

    In the caller's transaction, a few statements however many they are (a thousand at a time). Idempotent
    by origin and contact number: who was answered before is answered the same, and nothing doubles. Of a
    sending that is paused, messages wait until it is resumed; of one that was cancelled, nobody new gets
    any. Whoever sends for several origins in one transaction takes them in the order of their ids.

    The specification that began the sending stays; one of other content raises `Conflict`, and so does an
    origin that was planned as a whole. The organization's role and profile are those of now. `words` are
    what these messages say, where the specification names no template; asked again with others for a person
    who has a message, it raises `Conflict`.
    """
    stored, status = _opened(spec, not_before, actor, at)
    present = replace(stored, facts=planning.facts_now(stored.facts, identity.organization()))
    wanted = list(dict.fromkeys(numbers))
    answers: dict[int, Sent] = {}
    for start in range(0, len(wanted), CHUNK):
        answers |= _send(present, status, wanted[start : start + CHUNK], not_before, actor, at, words)
    return answers


def _opened(spec: MessageSpec, not_before: datetime, actor: Actor, at: datetime) -> tuple[MessageSpec, str]:
    """Return what the sending was begun with, and how it stands until this transaction ends."""
    new = OriginRow(status=OriginRow.RELEASED, is_open=True, not_before=not_before)
    row = planning.begun(spec, new, actor=actor, at=at)
    stored = planning.read(row)
    if not row.is_open or _content(stored) != _content(spec):
        raise planning.other_content()
    # Who pauses or cancels it locks the row: they wait for us, or we see what they did.
    [(status,)] = bulk.execute(_STATUS, [row.id])
    return stored, status


def _content(spec: MessageSpec) -> MessageSpec:
    """Return a specification without what the organization is and how it is called, which may change."""
    facts = replace(spec.facts, sender_role=SenderRole.PROVIDER, profile=Profile.STRICT)
    return replace(spec, facts=facts, sender=Sender("", ""))


def _send(
    spec: MessageSpec,
    status: str,
    numbers: Sequence[int],
    not_before: datetime,
    actor: Actor,
    at: datetime,
    words: Words | None,
) -> dict[int, Sent]:
    answers = _answers(spec, numbers)
    if words is not None and answers:
        for row in MessageRow.objects.filter(origin_id=spec.origin.id, contact_number__in=list(answers)):
            check_same(row, words)
    new = [number for number in numbers if number not in answers]
    if not new:
        return answers
    cancelled = CANCELLED_BY_STAFF if status == OriginRow.CANCELLED else ""
    gone = planning.add(spec, new, actor=actor, at=at, stopped=cancelled, words=words)
    added = _answers(spec, new)
    cleared = [each.message_id for each in added.values() if each.allowed and each.message_id]
    queueing.put(spec.origin.id, not_before, held=status == OriginRow.PAUSED, only=cleared)
    if priority_of(spec.facts) is not Priority.TRANSACTIONAL:
        capping.reserve(cleared, not_before)
    audit.record(
        Action.MESSAGE_RELEASE,
        actor=actor,
        object_kind=spec.origin.kind,
        object_id=spec.origin.id,
        details={"planned": len(added), "cleared": len(cleared)},
    )
    return answers | added | {number: Sent(None, allowed=False, reason=PERSON_IS_GONE) for number in gone}


def _answers(spec: MessageSpec, numbers: Sequence[int]) -> dict[int, Sent]:
    """Return what was answered for those who have a message."""
    rows = MessageRow.objects.filter(origin_id=spec.origin.id, contact_number__in=numbers)
    return {
        number: Sent(id, allowed=False, reason=reason) if state == State.REFUSED else Sent(id, allowed=True)
        for number, id, state, reason in rows.values_list("contact_number", "id", "state", "reason")
    }
