"""What patients do: read, choose, stop, confirm, withdraw. One transaction each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.contacts import api as contacts
from salus.delivery.contracts import CHOICES_LINK, PortalMessage, SentMessage, State
from salus.files import api as files
from salus.files.contracts import FileFacts, Of, Owner
from salus.inbox import api as inbox
from salus.kernel.acting import Actor, ActorKind
from salus.kernel.errors import BadInput, NotFound
from salus.kernel.vocabulary import Channel
from salus.keys import api as keys
from salus.patients import api as patients
from salus.patients.contracts import PatientSession, Proof, needed
from salus.permissions import api as permissions
from salus.permissions.contracts import (
    EVERY_TOPIC,
    AuthorizationState,
    EntryKind,
    NewEntry,
)
from salus.platform.tenancy import current_organization
from salus.portal import ports, rules
from salus.portal.contracts import Beside, Choices, Locked, Signed, StopTarget, Told

SIGNED_IN = "portal, signed in"
ONE_CLICK = "link in a message"


def shown(contact_id: UUID) -> list[SentMessage]:
    """Return the messages that left for a contact, newest first."""
    return [each for each in ports.mailbox().messages_of_contact(contact_id) if each.state in rules.SHOWN]


def read(session: PatientSession, message_id: UUID, *, actor: Actor, at: datetime) -> PortalMessage | Locked:
    """Return a message of the session's patient, and record that they read it; raises `NotFound`."""
    message = readable(session, message_id, at)
    if isinstance(message, Locked):
        return message
    ports.mailbox().portal_opened(message_id, at)
    audit.record(
        Action.PORTAL_READ,
        actor=actor,
        object_kind="message",
        object_id=message_id,
        patient_id=message.contact_id,
        at=at,
    )
    return message


def readable(session: PatientSession, message_id: UUID, at: datetime) -> PortalMessage | Locked:
    """Return a message of the session's patient if they may read it now; raises `NotFound` for anybody else's."""
    message = ports.mailbox().portal_message(message_id)
    if message.contact_id != session.contact_id:
        raise NotFound
    if message.state is State.RECALLED:
        return Locked.RECALLED
    if message.state not in rules.READABLE or at >= message.expires_at:
        return Locked.GONE
    if session.proof.strength < needed(message.disclosed, path_failed=message.path_failed):
        return Locked.STRONGER
    return message


def beside(session: PatientSession, message_id: UUID) -> Beside:
    """Return what is beside a message that its reader has open."""
    owner = Owner(Of.MESSAGE, message_id)
    return Beside(files.files_of([owner]).get(owner, ()), inbox.said_about(session.contact_id, message_id))


def file(
    session: PatientSession, message_id: UUID, file_id: UUID, *, actor: Actor, at: datetime
) -> tuple[FileFacts, Iterator[bytes]] | Locked:
    """Return a file of a message, or of what its reader wrote about it; of one to be looked at, pictures only.

    Raises `NotFound`.
    """
    message = readable(session, message_id, at)
    if isinstance(message, Locked):
        return message
    there = beside(session, message_id)
    own = [each for said in there.replies for each in said.files]
    found = next((each for each in (*there.files, *own) if each.id == file_id), None)
    if found is None or (message.view_only and found not in own and not found.kind.picture):
        raise NotFound
    return files.read(found.id, found.owner, actor=actor)


def reply(
    session: PatientSession,
    message_id: UUID,
    text: str,
    *,
    file_ids: Sequence[UUID],
    actor: Actor,
    at: datetime,
    once: str,
) -> Locked | None:
    """Give staff what a patient writes about a message that they may read; raises `BadInput`, `TooOften`."""
    message = readable(session, message_id, at)
    if isinstance(message, Locked):
        return message
    inbox.hear(
        session.contact_id,
        message_id,
        text,
        file_ids=file_ids,
        draft_id=session.id,
        actor=actor,
        at=at,
        once=once,
    )
    return None


def choices(contact_id: UUID, proof: Proof, *, actor: Actor, at: datetime) -> Choices:
    """Return what a patient can choose, as it stands; what law protects more only after a code from staff."""
    opened = contacts.open_fields(
        ids=[contact_id], fields=["email", "phone"], purpose="portal_choices", actor=actor
    )
    reachable = {address.channel for person in opened for address in person.addresses}
    standing = permissions.standing(contact_id, at)
    signed = [
        Signed(
            form.entry.id, form.valid_from, form.valid_until, str(form.entry.details.get("purpose_text", ""))
        )
        for form in permissions.filed_forms(contact_id, at, actor=actor, purpose="portal_choices")
        if form.entry.kind is EntryKind.AUTHORIZATION
        and form.state is AuthorizationState.VALID
        and proof.strength >= needed(form.entry.details.get("specials", ()))
    ]
    messages = shown(contact_id)
    veiled = frozenset(each.topic for each in messages if proof.strength < needed(each.disclosed))
    table = rules.rows(standing, messages, reachable, veiled)
    return Choices(table, standing.fundraising_opt_out is None, tuple(signed))


def choose(
    contact_id: UUID,
    proof: Proof,
    ticked: Iterable[tuple[str, Channel]],
    *,
    fundraising: bool,
    actor: Actor,
    at: datetime,
) -> int:
    """Write down what a patient changed and return how many boxes that were."""
    before = choices(contact_id, proof, actor=actor, at=at)
    changed = rules.changes(before.topics, ticked)
    entries = rules.entries_for(contact_id, changed, at, SIGNED_IN)
    if fundraising != before.fundraising:
        kind = EntryKind.FUNDRAISING_OPT_IN if fundraising else EntryKind.FUNDRAISING_OPT_OUT
        entries.append(NewEntry(contact_id, kind, at, SIGNED_IN))
    count = len(changed) + (fundraising != before.fundraising)
    if entries:
        permissions.append(entries, actor=actor)
        _record(Action.PORTAL_PREFERENCES, contact_id, actor, count)
    return count


def stop_everything(contact_id: UUID, *, evidence: str, actor: Actor, at: datetime) -> None:
    """Stop every topic on every channel, and messages that ask for gifts."""
    entries = [
        NewEntry(contact_id, EntryKind.OPT_OUT, at, evidence, topic=EVERY_TOPIC),
        NewEntry(contact_id, EntryKind.FUNDRAISING_OPT_OUT, at, evidence),
    ]
    permissions.append(entries, actor=actor)
    _record(Action.PORTAL_UNSUBSCRIBE, contact_id, actor, len(entries))


def withdraw(contact_id: UUID, authorization_id: UUID, *, actor: Actor, at: datetime) -> None:
    """Take back an authorization: in writing, by a patient who proved who they are (164.508(b)(5))."""
    entry = NewEntry(contact_id, EntryKind.AUTHORIZATION_REVOKED, at, SIGNED_IN, ends=authorization_id)
    try:
        permissions.append([entry], actor=actor)
    except BadInput:
        raise NotFound from None
    _record(Action.PORTAL_PREFERENCES, contact_id, actor, 1)


def history(contact_id: UUID, proof: Proof, *, actor: Actor) -> list[Told]:
    """Return who wrote to a patient and on what each message rested, newest first."""
    messages = shown(contact_id)
    audit.record(
        Action.PORTAL_ACCOUNTING,
        actor=actor,
        object_kind="contact",
        object_id=contact_id,
        patient_id=contact_id,
        details={"messages": len(messages)},
    )
    told = _told(contact_id, messages, actor)
    return [replace(each, veiled=proof.strength < needed(each.message.disclosed)) for each in told]


def _told(contact_id: UUID, messages: Sequence[SentMessage], actor: Actor) -> list[Told]:
    entries = {}
    if any(message.evidence_ids for message in messages):
        own = permissions.entries_of(contact_id, actor=actor, purpose="portal_history")
        entries = {entry.id: entry for entry in own}
    return [Told(message, rules.grounds(message, entries)) for message in messages]


def why(token: str, *, ip: str, at: datetime) -> Told:
    """Return on what the message rested whose link for choices this is; raises `BadInput`."""
    target = stop_target(token, at)
    return _told(target.contact_id, [target.message], bearer(target.contact_id, ip))[0]


def stop_target(token: str, at: datetime) -> StopTarget:
    """Return what the link for choices in a message stops; raises `BadInput` for one that is none (any more)."""
    payload = keys.open_token(token, CHOICES_LINK, at).payload
    try:
        message = ports.mailbox().sent_message(UUID(bytes=payload))
    except (ValueError, NotFound):
        raise BadInput("This link is not valid, or no longer.") from None
    standing = permissions.standing(message.contact_id, at)
    gifts = message.purpose in rules.FUNDRAISING
    held = standing.fundraising_opt_out if gifts else standing.opted_out(message.topic, message.channel)
    return StopTarget(message.contact_id, message, held is not None, gifts)


def bearer(contact_id: UUID, ip: str) -> Actor:
    """Return the bearer of a link as an actor: the patient, as far as a link can tell."""
    return Actor(ActorKind.PATIENT, current_organization(), contact_id, ip=patients.network(ip))


def unsubscribe(token: str, *, everything: bool, ip: str, at: datetime) -> StopTarget:
    """Stop the topic that a link names on its channel (all topics, when asked for); safe to repeat."""
    target = stop_target(token, at)
    message, actor = target.message, bearer(target.contact_id, ip)
    if everything:
        stop_everything(target.contact_id, evidence=ONE_CLICK, actor=actor, at=at)
    elif not target.stopped:
        entries = []
        if message.topic:
            entries.append(_opt_out(message, at))
        if target.gifts:
            entries.append(NewEntry(target.contact_id, EntryKind.FUNDRAISING_OPT_OUT, at, ONE_CLICK))
        permissions.append(entries, actor=actor)
        _record(Action.PORTAL_UNSUBSCRIBE, target.contact_id, actor, len(entries))
    return stop_target(token, at)


def _opt_out(message: SentMessage, at: datetime) -> NewEntry:
    return NewEntry(
        message.contact_id, EntryKind.OPT_OUT, at, ONE_CLICK, topic=message.topic, channel=message.channel
    )


def confirm_opt_in(token: str, *, ip: str, at: datetime) -> bool:
    """Confirm the opt-in that a link of a double opt-in message names; safe to repeat.

    Returns False, and changes nothing, when an opt-out came after the message was written.
    """
    offer = permissions.opt_in_of_token(token, at)
    standing = permissions.standing(offer.contact_id, at)
    if standing.opted_out(offer.topic, offer.channel):
        return False
    held = standing.opted_in(offer.topic, offer.channel)
    if held is None or not held.confirmed:
        actor = bearer(offer.contact_id, ip)
        kind = EntryKind.OPT_IN_CONFIRMED
        entry = NewEntry(
            offer.contact_id, kind, at, "double opt-in", topic=offer.topic, channel=offer.channel
        )
        permissions.append([entry], actor=actor)
        _record(Action.PORTAL_PREFERENCES, offer.contact_id, actor, 1)
    return True


def wrong_person(contact_id: UUID, channel: Channel, *, ip: str, at: datetime) -> None:
    """Stop the channel after its reader said "this is not me", until staff look into it; safe to repeat."""
    held = permissions.standing(contact_id, at).suppressions
    if any(each.channel is channel and each.reason == "wrong_person" for each in held):
        return
    entry = NewEntry(
        contact_id, EntryKind.SUPPRESSION, at, ONE_CLICK, channel=channel, details={"reason": "wrong_person"}
    )
    actor = Actor(ActorKind.SYSTEM, current_organization(), name="portal", ip=patients.network(ip))
    permissions.append([entry], actor=actor)
    _record(Action.PORTAL_UNSUBSCRIBE, contact_id, actor, 1)


def _record(action: Action, contact_id: UUID, actor: Actor, count: int) -> None:
    audit.record(
        action,
        actor=actor,
        object_kind="contact",
        object_id=contact_id,
        patient_id=contact_id,
        details={"entries": count},
    )
