"""Takes submitted messages: who sends them, to whom, what they say, whether they may go. Those of a moment in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from salus.audit import api as audit
from salus.audit.contracts import Action, NewEntry
from salus.connect import reading, rules
from salus.connect.contracts import Fault, Refused, Submitted, Taken
from salus.contacts import api as contacts
from salus.contacts.contracts import Read
from salus.content import api as content
from salus.content.contracts import Classification
from salus.delivery import api as delivery
from salus.delivery.contracts import MessageSpec, Origin, Sender, Sent
from salus.gate import api as gate
from salus.gate.contracts import MessageFacts
from salus.identity import api as identity
from salus.identity.contracts import Organization, Permission, Program
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict
from salus.kernel.ids import new_id
from salus.kernel.phi import Phi
from salus.kernel.time import Clock
from salus.kernel.vocabulary import PhiClass, Special
from salus.platform.outages import DATABASE_AWAY
from salus.platform.tenancy import acting_for

log = logging.getLogger(__name__)

KIND = "submission"
"""The kind of the origins of submitted messages."""
_FIELD = "submitted"


def may_submit(key: str, *, ip: str, clock: Clock) -> bool:
    """Return whether a key is right, in force and made for submitting."""
    organization_id = identity.organization_of_key(key)
    if organization_id is None:
        return False
    with acting_for(organization_id):
        program = identity.programs([(key, ip)], at=clock.now()).get((key, ip))
    return program is not None and Permission.DELIVERY_MESSAGE_SUBMIT in program.actor.permissions


@dataclass(frozen=True, slots=True, repr=False)
class Arrived:
    """A submitted message, and what it says or why it can say nothing here."""

    key: str
    ip: str
    recipient: Phi[str]
    letter: reading.Letter | Refused


@dataclass(frozen=True, slots=True, repr=False)
class _Read:
    """A submitted message that may be asked about: who submits it, to whose address, as which sending."""

    place: int
    actor: Actor
    address: str
    spec: MessageSpec
    words: delivery.Words


@dataclass(frozen=True, slots=True)
class _House:
    """What is the same for all messages that are taken together."""

    organization: Organization
    domains: Sequence[str]
    programs: Mapping[tuple[str, str], Program]
    """By key and address of the connection."""


def organization_of(submitted: Submitted) -> UUID | None:
    """Return whose queue a message is for, as its key says; whether the key is right is not known yet."""
    return identity.organization_of_key(submitted.key)


def arrived(submitted: Submitted) -> Arrived:
    """Return a submitted message as it can be taken: read, which needs nothing but itself."""
    try:
        letter: reading.Letter | Refused = reading.read(submitted.raw)
    except Refused as refused:
        letter = refused
    return Arrived(submitted.key, submitted.ip, submitted.recipient, letter)


def take(organization_id: UUID, batch: Sequence[Arrived], clock: Clock) -> list[Taken]:
    """Put each message in the queue, or record its refusal, and return what became of each, in order.

    Outside any organization; when this returns all of it is committed. Their keys, the organization and its
    domains are looked at for each batch anew. One that is refused does not refuse the others, and when a
    batch cannot be taken for another reason, each is tried in a transaction of its own: what it raises is
    then in place of its answer. Raises what says that the database is away.
    """
    try:
        with acting_for(organization_id):
            return _take(batch, clock)
    except DATABASE_AWAY:
        raise
    except Exception as fault:  # noqa: BLE001 - a text of it might quote what came
        log.warning("%d submissions could not be taken together: %s", len(batch), type(fault).__name__)
        if len(batch) == 1:
            return [Taken(None, Fault.LATER)]
    return [taken for each in batch for taken in take(organization_id, [each], clock)]


def _take(batch: Sequence[Arrived], clock: Clock) -> list[Taken]:
    at = clock.now()
    house = _house(batch, at)
    taken: dict[int, Taken] = {}
    read: dict[UUID, _Read] = {}
    again: list[int] = []
    for place, each in enumerate(batch):
        try:
            found = _read(place, each, house)
        except Refused as refused:
            taken[place] = Taken(None, refused.fault)
        else:
            if found.spec.origin.id in read:
                again.append(place)
            else:
                read[found.spec.origin.id] = found
    taken |= _send(list(read.values()), at)
    _record_refusals([(batch[place], taken[place], house) for place in sorted(taken)])
    if (
        again
    ):  # one id twice at once: the second hears what the first was answered, or that it says something else
        taken |= zip(again, _take([batch[place] for place in again], clock), strict=True)
    return [taken[place] for place in range(len(batch))]


def _house(batch: Sequence[Arrived], at: datetime) -> _House:
    programs = identity.programs({(each.key, each.ip) for each in batch}, at=at)
    return _House(identity.organization(), content.own_domains(), programs)


def _read(place: int, arrived: Arrived, house: _House) -> _Read:
    """Return what a message is, without asking the database; raises `Refused`."""
    program, letter = house.programs.get((arrived.key, arrived.ip)), arrived.letter
    if program is None or Permission.DELIVERY_MESSAGE_SUBMIT not in program.actor.permissions:
        raise Refused(Fault.NOT_ALLOWED)
    if isinstance(letter, Refused):
        raise letter
    if not rules.may_lead(letter.hosts, house.domains):
        raise Refused(Fault.LINK)
    if letter.sender.rpartition("@")[2] != house.organization.sending_domain:
        raise Refused(Fault.SENDER)
    actor, said = program.actor, {**program.words, **letter.said}
    facts = _facts(rules.declared(said), actor, house.organization)
    try:
        address = contacts.normalize_email(arrived.recipient.reveal())
    except BadInput:
        raise Refused(Fault.UNKNOWN_RECIPIENT) from None
    spec = MessageSpec(
        Origin(KIND, _origin_id(actor, letter)),
        {},
        facts,
        Sender(house.organization.name, ""),
        delivery.priority_of(facts),
    )
    return _Read(place, actor, address, spec, delivery.Words(letter.subject, letter.text, letter.html))


def _send(read: Sequence[_Read], at: datetime) -> dict[int, Taken]:
    """Ask the gate about all of them together; return what became of each, by its place."""
    if not read:
        return {}
    _, owners = contacts.find_each([], {each.address for each in read})
    numbers = contacts.numbers_of([id for ids in owners.values() for id in ids])
    taken: dict[int, Taken] = {}
    by_actor: dict[Actor, list[tuple[_Read, int]]] = {}
    for each in read:
        found = {numbers[id] for id in owners[each.address] if id in numbers}
        if len(found) == 1:
            by_actor.setdefault(each.actor, []).append((each, found.pop()))
        else:
            taken[each.place] = Taken(None, Fault.AMBIGUOUS if found else Fault.UNKNOWN_RECIPIENT)
    for actor, mine in by_actor.items():
        sendings = [delivery.Sending(each.spec, [number], each.words) for each, number in mine]
        answers = delivery.send_each(sendings, not_before=at, actor=actor, at=at)
        for (each, number), answer in zip(mine, answers, strict=True):
            taken[each.place] = _taken(answer, number)
    return taken


def _taken(answer: Mapping[int, Sent] | Conflict | BadInput, number: int) -> Taken:
    if isinstance(answer, Conflict):
        return Taken(None, Fault.OTHER_CONTENT)
    if isinstance(answer, BadInput):
        return Taken(None, Fault.CANNOT_BE_SENT)
    sent = answer[number]
    return Taken(sent.message_id, "" if sent.allowed else sent.reason)


def _facts(said: rules.Declared, actor: Actor, organization: Organization) -> MessageFacts:
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
            organization=organization,
            channel=said.channel,
            individual=True,
        )
    except BadInput:
        raise Refused(Fault.BAD_WORD) from None


def _origin_id(actor: Actor, letter: reading.Letter) -> UUID:
    """Return the id of the sending: the same for the same key and id of a message."""
    given = letter.said.get("idempotency-key") or letter.id
    return uuid5(_key_of(actor), given) if given else new_id()


def _key_of(actor: Actor) -> UUID:
    assert actor.id is not None
    return actor.id


def _record_refusals(answered: Sequence[tuple[Arrived, Taken, _House]]) -> None:
    """Record what was refused before the gate was asked; what the gate refused is a message with its reason."""
    entries = []
    for each, taken, house in answered:
        program = house.programs.get((each.key, each.ip))
        if program is not None and taken.reason in set(Fault):
            entries.append(
                NewEntry(
                    Action.API_KEY_USE,
                    program.actor,
                    object_kind="apikey",
                    object_id=program.actor.id,
                    outcome="refused",
                    details={"call": "smtp", "reason": str(taken.reason)},
                )
            )
    if entries:
        audit.record_many(entries)
