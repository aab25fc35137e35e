"""Takes a submitted message: who sends it, to whom, what it says, whether it may go. All of it in one transaction."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID, uuid5

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.connect import reading, rules
from salus.connect.contracts import Fault, Refused, Submitted, Taken
from salus.contacts import api as contacts
from salus.contacts.contracts import Read
from salus.content import api as content
from salus.content.contracts import Classification
from salus.delivery import api as delivery
from salus.delivery.contracts import MessageSpec, Origin, Sender
from salus.gate import api as gate
from salus.gate.contracts import MessageFacts
from salus.identity import api as identity
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict
from salus.kernel.ids import new_id
from salus.kernel.time import Clock
from salus.kernel.vocabulary import Channel, PhiClass, Special
from salus.platform.tenancy import acting_for

KIND = "submission"
"""The kind of the origins of submitted messages."""
_FIELD = "submitted"


def may_submit(key: str, *, ip: str, clock: Clock) -> bool:
    """Return whether a key is right, in force and made for submitting."""
    organization_id = identity.organization_of_key(key)
    if organization_id is None:
        return False
    with acting_for(organization_id):
        actor = identity.program(key, ip=ip, at=clock.now())
    return actor is not None and Permission.DELIVERY_MESSAGE_SUBMIT in actor.permissions


def take(submitted: Submitted, clock: Clock) -> Taken:
    """Put the message in the queue, or record its refusal; either is committed when this returns.

    Call it outside any organization. The key is looked at again for each message.
    """
    organization_id = identity.organization_of_key(submitted.key)
    if organization_id is None:
        return Taken(None, Fault.NOT_ALLOWED)
    try:
        with acting_for(organization_id):
            return _take(submitted, clock)
    except Refused as refused:
        with acting_for(organization_id):  # what was begun is undone; that it was tried is not
            _record_refusal(submitted, refused.fault, clock)
        return Taken(None, refused.fault)


def _take(submitted: Submitted, clock: Clock) -> Taken:
    at = clock.now()
    actor = identity.program(submitted.key, ip=submitted.ip, at=at)
    if actor is None or Permission.DELIVERY_MESSAGE_SUBMIT not in actor.permissions:
        raise Refused(Fault.NOT_ALLOWED)
    letter = reading.read(submitted.raw, content.own_domains())
    organization = identity.organization()
    if letter.sender.rpartition("@")[2] != organization.sending_domain:
        raise Refused(Fault.SENDER)
    facts = _facts(rules.declared(letter.said), actor)
    number = _number(submitted)
    origin_id = _origin_id(actor, letter)
    spec = MessageSpec(
        Origin(KIND, origin_id), {}, facts, Sender(organization.name, ""), delivery.priority_of(facts)
    )
    words = delivery.Words(letter.subject, letter.text, letter.html)
    try:
        sent = delivery.send(spec, [number], not_before=at, actor=actor, at=at, words=words)[number]
    except Conflict:
        raise Refused(Fault.OTHER_CONTENT) from None
    except BadInput:
        raise Refused(Fault.CANNOT_BE_SENT) from None
    return Taken(sent.message_id, "" if sent.allowed else str(sent.reason))


def _facts(said: rules.Declared, actor: Actor) -> MessageFacts:
    """Return what the gate must know; the key's scope is what confirms the classification."""
    proposed = Classification(
        purpose=said.purpose,
        promotes=said.promotes,
        remuneration=said.remuneration,
        topic=said.topic,
        payer=said.payer,
        conditions=said.conditions,
        authored_by=actor.id,
        confirmed_by=actor.id,
    )
    if content.check_classification(proposed):
        raise Refused(Fault.CLASSIFICATION)
    reads = [
        Read(_FIELD, PhiClass.CONTACT, each, origin=KIND)
        if isinstance(each, Special)
        else Read(_FIELD, each, origin=KIND)
        for each in said.discloses
    ]
    try:
        return gate.message_facts(
            proposed,
            reads=reads,
            organization=identity.organization(),
            channel=said.channel,
            individual=True,
        )
    except BadInput:
        raise Refused(Fault.BAD_WORD) from None


def _number(submitted: Submitted) -> int:
    """Return the contact number of the one person with this address."""
    found: list[UUID] = []
    with suppress(BadInput):
        found = contacts.find_by_address(Channel.EMAIL, submitted.recipient.reveal())
    numbers = set(contacts.numbers_of(found).values())
    if not numbers:
        raise Refused(Fault.UNKNOWN_RECIPIENT)
    if len(numbers) > 1:
        raise Refused(Fault.AMBIGUOUS)
    return numbers.pop()


def _origin_id(actor: Actor, letter: reading.Letter) -> UUID:
    """Return the id of the sending: the same for the same key and id of a message."""
    given = letter.said.get("idempotency-key") or letter.id
    assert actor.id is not None
    return uuid5(actor.id, given) if given else new_id()


def _record_refusal(submitted: Submitted, fault: Fault, clock: Clock) -> None:
    actor = identity.program(submitted.key, ip=submitted.ip, at=clock.now())
    if actor is not None:
        audit.record(
            Action.API_KEY_USE,
            actor=actor,
            object_kind="apikey",
            object_id=actor.id,
            outcome="refused",
            details={"call": "smtp", "reason": fault.value},
        )
