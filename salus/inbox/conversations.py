"""Conversations with patients in the portal: what they write is heard, told to staff, answered or settled."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from django.db.models import Q
from psycopg import sql

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.delivery import api as delivery
from salus.files import api as files
from salus.files.contracts import FileFacts, Of, Owner
from salus.identity.contracts import Role
from salus.inbox import operations, rules
from salus.inbox.contracts import Conversation, NewTask, Said, Side, Task, TooOften
from salus.inbox.models import ConversationRow, EntryRow
from salus.inbox.queries import MANY, PAGE, open_keys
from salus.kernel.acting import Actor
from salus.kernel.errors import NotFound
from salus.kernel.ids import new_id
from salus.kernel.phi import Phi
from salus.keys import api as keys
from salus.platform import bulk
from salus.platform.tenancy import current_organization

TASK = "talk"
"""How keys of the tasks to answer begin."""
_TITLE = "A patient wrote to you"
_WHAT = "Read it and answer, or say that no answer is needed."
_WAITING = sql.SQL("SELECT count(*) FROM (SELECT FROM inbox_conversation WHERE waiting LIMIT %s) AS waiting")
_LOCK = sql.SQL("SELECT pg_advisory_xact_lock(%s)")


def hear(
    contact_id: UUID,
    message_id: UUID,
    text: str,
    *,
    file_ids: Collection[UUID],
    draft_id: UUID,
    actor: Actor,
    at: datetime,
    once: str = "",
) -> UUID:
    """Keep what a patient writes about a message of theirs, and ask staff to answer; return its id.

    The caller knows that the message is theirs. `once` names the form: the same words of it, sent twice, are
    kept once, and other words are another message. Raises `BadInput` (with the place), `TooOften`.
    """
    words = rules.check_words(text, rules.MESSAGE, "text")
    bulk.execute(
        _LOCK, [contact_id.int & (1 << 63) - 1]
    )  # two tabs of one person are counted one after the other
    id = uuid5(contact_id, f"{message_id}:{once}:{words}") if once else new_id()
    if EntryRow.objects.filter(id=id).exists():
        files.erase_drafts(file_ids, draft_id=draft_id, actor=actor)
        return id
    day = at - rules.LIMITS[-1][0]
    written = EntryRow.objects.filter(contact_id=contact_id, side=Side.PATIENT, at__gt=day)
    if not rules.may_write(written.values_list("at", flat=True), at):
        raise TooOften(
            "This person wrote as often as one may for now.", next_step="Try again later, or call."
        )
    row = _about(contact_id, message_id, at)
    entry = EntryRow(
        id=id,
        conversation_id=row.id,
        contact_id=contact_id,
        side=Side.PATIENT,
        message_id=message_id,
        at=at,
    )
    entry.sealed = keys.sealer().seal(words.encode(), _binding(entry.id))
    entry.save(force_insert=True)
    files.attach(file_ids, Owner(Of.ENTRY, entry.id), contact_id=contact_id, draft_id=draft_id)
    row.waiting, row.last_at = True, at
    row.save(update_fields=["waiting", "last_at"])
    _record(Action.CONVERSATION_HEAR, row, actor, files=len(file_ids))
    if not open_keys(_task_prefix(row.id)):
        task = NewTask(
            f"{_task_prefix(row.id)}{new_id().hex[-12:]}",
            contact_id,
            Role.CARE_COORDINATOR,
            _TITLE,
            at + rules.ANSWER_WITHIN,
            _WHAT,
            Role.PRIVACY_OFFICER,
        )
        operations.create_tasks([task], actor=actor, at=at)
    return entry.id


def _about(contact_id: UUID, message_id: UUID, at: datetime) -> ConversationRow:
    """Return the conversation that a message is in, begun when there is none."""
    answered = EntryRow.objects.filter(message_id=message_id, side=Side.STAFF).first()
    if answered is not None:
        return ConversationRow.objects.select_for_update().get(id=answered.conversation_id)
    new = ConversationRow(contact_id=contact_id, message_id=message_id, begun_at=at, last_at=at)
    ConversationRow.objects.bulk_create([new], ignore_conflicts=True)
    return ConversationRow.objects.select_for_update().get(message_id=message_id)


def add_letter(
    message_id: UUID, contact_id: UUID, conversation_id: UUID | None, *, actor: Actor, at: datetime
) -> UUID:
    """Put a letter of staff into its conversation, or begin one with it; what waited is answered. Return its id.

    Raises `NotFound` for a conversation that is not with this person.
    """
    if conversation_id is None:
        row = _about(contact_id, message_id, at)
    else:
        row = locked(conversation_id)
        if row.contact_id != contact_id:
            raise NotFound
    EntryRow(
        conversation_id=row.id,
        contact_id=contact_id,
        side=Side.STAFF,
        message_id=message_id,
        by=actor.id,
        at=at,
    ).save(force_insert=True)
    _answered(row, actor, at)
    return row.id


def settle(conversation_id: UUID, *, actor: Actor, at: datetime) -> None:
    """Say that no answer is needed; safe to repeat. Raises `NotFound`."""
    row = locked(conversation_id)
    if row.waiting:
        _record(Action.CONVERSATION_SETTLE, row, actor)
        _answered(row, actor, at)


def _answered(row: ConversationRow, actor: Actor, at: datetime) -> None:
    row.waiting, row.last_at = False, max(row.last_at, at)
    row.save(update_fields=["waiting", "last_at"])
    operations.withdraw(open_keys(_task_prefix(row.id)), actor=actor, at=at)


def locked(conversation_id: UUID) -> ConversationRow:
    """Return a conversation, locked; raises `NotFound`."""
    row = ConversationRow.objects.select_for_update().filter(id=conversation_id).first()
    if row is None:
        raise NotFound
    return row


def conversations(
    *, waiting: bool = True, after: UUID | None = None, limit: int = PAGE
) -> list[Conversation]:
    """Return conversations without what was said: those that wait, the longest first, or all, the newest first.

    `after` is the id of the last one that was seen.
    """
    rows = ConversationRow.objects.all()
    last = rows.filter(id=after).first() if after else None
    if waiting:
        rows = rows.filter(waiting=True).order_by("last_at", "id")
        if last:
            rows = rows.filter(Q(last_at__gt=last.last_at) | Q(last_at=last.last_at, id__gt=last.id))
    else:
        rows = rows.order_by("-last_at", "-id")
        if last:
            rows = rows.filter(Q(last_at__lt=last.last_at) | Q(last_at=last.last_at, id__lt=last.id))
    return [_facts(row, ()) for row in rows[:limit]]


def count_waiting() -> int:
    """Return how many patients wait for an answer, `MANY` at most."""
    ((found,),) = bulk.read(_WAITING, [MANY])
    return int(found)


def conversation(conversation_id: UUID, *, actor: Actor) -> Conversation:
    """Return a conversation with all that was said, and record the look; raises `NotFound`."""
    row = ConversationRow.objects.filter(id=conversation_id).first()
    if row is None:
        raise NotFound
    _record(Action.CONVERSATION_READ, row, actor)
    return _facts(row, _said(EntryRow.objects.filter(conversation_id=row.id)))


def said_about(contact_id: UUID, message_id: UUID) -> tuple[Said, ...]:
    """Return what a patient wrote about a message of theirs, in the order of time."""
    rows = EntryRow.objects.filter(contact_id=contact_id, message_id=message_id, side=Side.PATIENT)
    return _said(rows)


def file_of(conversation_id: UUID, file_id: UUID) -> FileFacts:
    """Return a file of anything that was said in a conversation; raises `NotFound`."""
    rows = EntryRow.objects.filter(conversation_id=conversation_id)
    for owned in files.files_of([_owner(row) for row in rows]).values():
        for each in owned:
            if each.id == file_id:
                return each
    raise NotFound


def conversation_of(task: Task) -> UUID | None:
    """Return the conversation that a task asks to answer, None for another task."""
    kind, _, rest = task.key.partition(":")
    return UUID(rest.partition(":")[0]) if kind == TASK else None


def told_about(contact_id: UUID) -> list[dict[str, Any]]:
    """Return everything that a person wrote, as JSON values, oldest first."""
    said = _said(EntryRow.objects.filter(contact_id=contact_id, side=Side.PATIENT))
    return [
        {
            "at": each.at.isoformat(),
            "text": each.text.reveal(),
            "files": [file.name.reveal() for file in each.files],
        }
        for each in said
    ]


def erase(contact_id: UUID) -> int:
    """Erase a person's conversations; return how many. Files and letters are erased by their packages."""
    EntryRow.objects.filter(contact_id=contact_id).delete()
    gone: int = ConversationRow.objects.filter(contact_id=contact_id).delete()[0]
    return gone


def _said(rows: Any) -> tuple[Said, ...]:
    ordered: Sequence[EntryRow] = list(rows.order_by("at", "id"))
    written = [row.message_id for row in ordered if row.side == Side.STAFF and row.message_id]
    letters = delivery.letters_of(written) if written else {}
    owned: Mapping[Owner, tuple[FileFacts, ...]] = (
        files.files_of([_owner(row) for row in ordered]) if ordered else {}
    )
    return tuple(
        Said(
            id=row.id,
            side=Side(row.side),
            at=row.at,
            text=_words(row),
            files=owned.get(_owner(row), ()),
            letter=letters.get(row.message_id) if row.message_id and row.side == Side.STAFF else None,
            by=row.by,
        )
        for row in ordered
    )


def _owner(row: EntryRow) -> Owner:
    if row.side == Side.STAFF:
        assert row.message_id is not None
        return Owner(Of.MESSAGE, row.message_id)
    return Owner(Of.ENTRY, row.id)


def _words(row: EntryRow) -> Phi[str]:
    return Phi(keys.sealer().open(bytes(row.sealed), _binding(row.id)).decode() if row.sealed else "")


def _binding(entry_id: UUID) -> bytes:
    return keys.binding(current_organization(), "inbox_entry", entry_id)


def _task_prefix(conversation_id: UUID) -> str:
    return f"{TASK}:{conversation_id}:"


def _facts(row: ConversationRow, said: tuple[Said, ...]) -> Conversation:
    return Conversation(row.id, row.contact_id, row.message_id, row.waiting, row.begun_at, row.last_at, said)


def _record(action: Action, row: ConversationRow, actor: Actor, **details: int) -> None:
    audit.record(
        action,
        actor=actor,
        object_kind="conversation",
        object_id=row.id,
        patient_id=row.contact_id,
        details=details,
    )
