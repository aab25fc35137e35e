"""Open sendings: people are added at any time, and whoever is cleared is in the queue at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from psycopg import sql

from salus.audit import api as audit
from salus.audit.contracts import Action, NewEntry
from salus.delivery import capping, planning, queueing
from salus.delivery.contracts import MessageSpec, Priority, Sender, Sent, State
from salus.delivery.models import MessageRow, OriginRow
from salus.delivery.planner import Planner
from salus.delivery.planning import CHUNK, Adding
from salus.delivery.rules import CANCELLED_BY_STAFF, PERSON_IS_GONE, priority_of
from salus.delivery.written import Words, check_same
from salus.identity import api as identity
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict
from salus.kernel.vocabulary import Profile, SenderRole
from salus.platform import bulk
from salus.safeguards import api as safeguards

_STATUS = sql.SQL("SELECT id, status FROM delivery_origin WHERE id = ANY(%s) ORDER BY id FOR SHARE")

Answers = dict[int, Sent]


@dataclass(frozen=True, slots=True)
class Sending:
    """Whom to write to in one sending, by contact number; `words` stand where the specification names no template."""

    spec: MessageSpec
    numbers: Sequence[int]
    words: Words | None = None


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
    wanted = list(dict.fromkeys(numbers))
    answers: Answers = {}
    for start in range(0, max(1, len(wanted)), CHUNK):
        sending = Sending(spec, wanted[start : start + CHUNK], words)
        [answer] = send_each([sending], not_before=not_before, actor=actor, at=at)
        if isinstance(answer, Conflict | BadInput):
            raise answer
        answers |= answer
    return answers


def send_each(
    sendings: Sequence[Sending], *, not_before: datetime, actor: Actor, at: datetime
) -> list[Answers | Conflict | BadInput]:
    """Do what `send` does for several sendings of different origins, in as many statements as for one.

    What `send` would raise for one of them stands in its place; the others are sent. Give it at most about
    a thousand people together.
    """
    opened = _opened(sendings, not_before, actor, at)
    faults: dict[UUID, Conflict | BadInput] = {}
    known = [each for each in sendings if not opened[each.spec.origin.id].is_new]
    answers = {each.spec.origin.id: Answers() for each in sendings} | _answers(known)
    faults |= _other_words(known, answers)
    adding: dict[UUID, Adding] = {}
    policy = safeguards.policy()
    for each in sendings:
        origin_id, begun = each.spec.origin.id, opened[each.spec.origin.id]
        if not begun.row.is_open or _content(begun.spec) != _content(each.spec):
            faults[origin_id] = planning.other_content()
        new = [number for number in each.numbers if number not in answers[origin_id]]
        if not new or origin_id in faults:
            continue
        cancelled = CANCELLED_BY_STAFF if begun.row.status == OriginRow.CANCELLED else ""
        try:
            adding[origin_id] = Adding(Planner(begun.spec, at, policy, each.words), new, cancelled)
        except BadInput as fault:
            faults[origin_id] = fault
    if adding:
        _add(adding, not_before, actor, at, answers)
    return [faults.get(each.spec.origin.id) or answers[each.spec.origin.id] for each in sendings]


@dataclass(frozen=True, slots=True)
class _Opened:
    """A sending as it stands until this transaction ends, and what it was begun with, as of now; `is_new` when just now."""

    row: OriginRow
    spec: MessageSpec
    is_new: bool


def _opened(
    sendings: Sequence[Sending], not_before: datetime, actor: Actor, at: datetime
) -> dict[UUID, _Opened]:
    given = {
        each.spec.origin.id: (
            each.spec,
            OriginRow(status=OriginRow.RELEASED, is_open=True, not_before=not_before),
        )
        for each in sendings
    }
    rows = planning.begun(given.values(), actor=actor, at=at)
    known = [id for id, row in rows.items() if row is not given[id][1]]
    # Who pauses or cancels one locks its row: they wait for us, or we see what they did.
    for id, status in bulk.execute(_STATUS, [known]) if known else ():
        rows[id].status = status
    organization = identity.organization()
    opened = {}
    for id, row in rows.items():
        spec, is_new = given[id][0], id not in known
        stored = spec if is_new else planning.read(row)
        facts = planning.facts_now(stored.facts, organization)
        opened[id] = _Opened(row, replace(stored, facts=facts), is_new)
    return opened


def _content(spec: MessageSpec) -> MessageSpec:
    """Return a specification without what the organization is and how it is called, which may change."""
    facts = replace(spec.facts, sender_role=SenderRole.PROVIDER, profile=Profile.STRICT)
    return replace(spec, facts=facts, sender=Sender("", ""))


def _add(
    adding: Mapping[UUID, Adding],
    not_before: datetime,
    actor: Actor,
    at: datetime,
    answers: Mapping[UUID, Answers],
) -> None:
    """Write the messages, queue those that are cleared, and put all into `answers`."""
    done = planning.add([*adding.values()], actor=actor, at=at)
    added: dict[UUID, Answers] = {id: {} for id in adding}
    for origin_id, number, id, state, reason in done.rows:
        added[origin_id][number] = _sent(id, state, reason)
    others = [
        Sending(each.planner.spec, left)
        for id, each in adding.items()
        if (left := [one for one in each.numbers if one not in added[id] and (id, one) not in done.gone])
    ]
    for id, found in _answers(others).items():  # somebody else added them meanwhile
        added[id] |= found
    cleared = {id: [one.message_id for one in added[id].values() if one.allowed] for id in adding}
    queueing.put_some([id for ids in cleared.values() for id in ids if id], not_before)
    capped = [
        id
        for id, each in adding.items()
        if priority_of(each.planner.spec.facts) is not Priority.TRANSACTIONAL
    ]
    if capped:
        capping.reserve([message for id in capped for message in cleared[id] if message], not_before)
    audit.record_many(
        [
            NewEntry(
                Action.MESSAGE_RELEASE,
                actor,
                object_kind=each.planner.spec.origin.kind,
                object_id=id,
                details={"planned": len(added[id]), "cleared": len(cleared[id])},
            )
            for id, each in adding.items()
        ]
    )
    for id, number in done.gone:
        added[id][number] = Sent(None, allowed=False, reason=PERSON_IS_GONE)
    for id, found in added.items():
        answers[id].update(found)


def _answers(sendings: Sequence[Sending]) -> dict[UUID, Answers]:
    """Return what was answered for those who have a message, by sending."""
    asked = {(each.spec.origin.id, number) for each in sendings for number in each.numbers}
    if not asked:
        return {}
    answers: dict[UUID, Answers] = {each.spec.origin.id: {} for each in sendings}
    rows = MessageRow.objects.filter(
        origin_id__in=list(answers), contact_number__in={number for _, number in asked}
    )
    for origin_id, number, id, state, reason in rows.values_list(
        "origin_id", "contact_number", "id", "state", "reason"
    ):
        if (origin_id, number) in asked:
            answers[origin_id][number] = _sent(id, state, reason)
    return answers


def _sent(id: UUID, state: str, reason: str) -> Sent:
    refused = state == State.REFUSED
    return Sent(id, allowed=not refused, reason=reason if refused else "")


def _other_words(
    sendings: Sequence[Sending], answers: Mapping[UUID, Answers]
) -> dict[UUID, Conflict | BadInput]:
    """Return which sendings have a message that says something else than they say now."""
    words = {
        sent.message_id: (each.spec.origin.id, each.words)
        for each in sendings
        if each.words is not None
        for sent in answers[each.spec.origin.id].values()
    }
    found: dict[UUID, Conflict | BadInput] = {}
    for row in MessageRow.objects.filter(id__in=[id for id in words if id]) if words else ():
        origin_id, said = words[row.id]
        try:
            check_same(row, said)
        except Conflict as fault:
            found[origin_id] = fault
    return found
