"""Letters that staff or a program write to one patient: asked of the gate, kept in the portal, files and all."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID, uuid5

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.contacts import api as contacts
from salus.contacts.contracts import Read
from salus.content.contracts import Classification
from salus.delivery import api as delivery
from salus.delivery.contracts import MessageSpec, Origin, Sender
from salus.files import api as files
from salus.files.contracts import FileFacts, Of, Owner
from salus.gate import api as gate
from salus.gate.contracts import MessageFacts
from salus.identity import api as identity
from salus.inbox import conversations, rules
from salus.inbox.contracts import NewLetter, Side, Written
from salus.inbox.models import EntryRow
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, NotFound
from salus.kernel.ids import new_id
from salus.kernel.vocabulary import Channel, PhiClass, Promotes, Purpose, Remuneration, Special

KIND = "letter"
"""The kind of the origins of letters."""
TOPIC = "conversation"
CLASSES = (PhiClass.CONTACT, PhiClass.DATES_OF_CARE, PhiClass.DIAGNOSIS, PhiClass.MEDICATION, PhiClass.LAB)
"""What the words of a letter are taken to tell, whatever they say: nobody reads them for that."""


def write(new: NewLetter, *, actor: Actor, at: datetime) -> Written:
    """Write a letter, in the caller's transaction. It waits in the portal; a neutral notice goes by mail.

    What the gate refuses is kept as a refused message with its reason, and its files are erased. Raises
    `BadInput` (with the place), `NotFound` for no such person or conversation, `Conflict` when a letter of
    this key says something else.
    """
    subject = rules.check_subject(new.subject)
    text = rules.check_words(new.text, rules.LETTER, "text")
    number = contacts.numbers_of([new.contact_id]).get(new.contact_id)
    if number is None:
        raise NotFound
    if (
        new.conversation_id is not None
        and conversations.locked(new.conversation_id).contact_id != new.contact_id
    ):
        raise NotFound
    facts = _facts(new, actor)
    assert actor.id is not None
    origin = Origin(KIND, uuid5(actor.id, f"letter:{new.key}") if new.key else new_id())
    sender = Sender(identity.organization().name, "")
    sent = delivery.send(
        MessageSpec(origin, {}, facts, sender, delivery.priority_of(facts)),
        [number],
        not_before=at,
        actor=actor,
        at=at,
        words=delivery.Words(subject, text),
    )[number]
    if sent.message_id is None or not sent.allowed:
        _record(new, actor, sent.message_id, "refused")
        if new.draft_id is not None:
            files.erase_drafts(new.files, draft_id=new.draft_id, actor=actor)
        return Written(sent.message_id, None, str(sent.reason))
    known = EntryRow.objects.filter(message_id=sent.message_id, side=Side.STAFF).first()
    if known is not None:
        if new.draft_id is not None:
            files.erase_drafts(new.files, draft_id=new.draft_id, actor=actor)
        return Written(sent.message_id, known.conversation_id)
    delivery.keep_letter(sent.message_id, view_only=new.view_only, days=new.days)
    if new.files:
        files.attach(
            new.files,
            Owner(Of.MESSAGE, sent.message_id),
            contact_id=new.contact_id,
            draft_id=new.draft_id or new_id(),
            only_pictures=new.view_only,
        )
    id = conversations.add_letter(sent.message_id, new.contact_id, new.conversation_id, actor=actor, at=at)
    _record(new, actor, sent.message_id, "ok")
    return Written(sent.message_id, id)


def take_file(
    contact_id: UUID, name: str, pieces: Iterable[bytes], *, draft_id: UUID, actor: Actor, at: datetime
) -> FileFacts:
    """Take a file for a letter to this person; raises `NotFound`, `FileRefused`."""
    if contact_id not in contacts.numbers_of([contact_id]):
        raise NotFound
    return files.take(contact_id, name, pieces, draft_id=draft_id, actor=actor, at=at)


def _facts(new: NewLetter, actor: Actor) -> MessageFacts:
    if Special.PSYCHOTHERAPY_NOTES in new.tells:
        raise BadInput("Psychotherapy notes are not sent (45 CFR 164.508(a)(2)).", place="tells")
    classification = Classification(
        purpose=Purpose.CARE_INSTRUCTIONS,
        promotes=Promotes.NOTHING,
        remuneration=Remuneration.NONE,
        topic=TOPIC,
        authored_by=actor.id,
        confirmed_by=actor.id,
    )
    reads = [Read(KIND, each, origin=KIND) for each in CLASSES]
    reads += [Read(KIND, PhiClass.CONTACT, each, origin=KIND) for each in sorted(new.tells)]
    return gate.message_facts(
        classification,
        reads=reads,
        organization=identity.organization(),
        channel=Channel.PORTAL,
        individual=True,
    )


def _record(new: NewLetter, actor: Actor, message_id: UUID | None, outcome: str) -> None:
    audit.record(
        Action.LETTER_WRITE,
        actor=actor,
        object_kind="message",
        object_id=message_id,
        patient_id=new.contact_id,
        outcome=outcome,
        details={"files": len(new.files), "view_only": int(new.view_only)},
    )
