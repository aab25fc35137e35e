"""The door of contacts. Every function works for the organization in context (`acting_for`)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson

from salus.audit.contracts import Action
from salus.contacts import addresses, joining, opening, operations, queries
from salus.contacts import document as _document
from salus.contacts.code_lists import CODE_LISTS, CodeList
from salus.contacts.codes import SYSTEM_OF_URI, SYSTEMS, normal_code
from salus.contacts.contracts import Attribute, Change, ContactPatch, Merged, Opened
from salus.contacts.dictionary import DICTIONARY
from salus.contacts.document import Prepared, identifier_kind, identifier_value
from salus.contacts.merging import Ready, Seal, make_ready
from salus.contacts.merging import make_rows_ready as _make_rows_ready
from salus.contacts.places import LANGUAGES, STATES, country_code, language_code, state_code, zone_of_state
from salus.contacts.special_codes import (
    special_of,
    specials_asked,
    specials_of,
    specials_of_record,
    strictest,
)
from salus.contacts.value_sets import VALUE_SETS, CodePatterns, ValueSet, covers, name_of, patterns
from salus.contacts.values import (
    check_date_format,
    check_record,
    check_value,
    clean_text,
    date_in,
    iso_date,
    number,
    reader,
)
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, NotFound
from salus.kernel.time import Clock, SystemClock
from salus.kernel.vocabulary import AddressSource, Channel
from salus.keys import api as keys
from salus.keys.contracts import Blinder
from salus.platform import feed
from salus.platform.reach import laboratory
from salus.platform.tenancy import current_organization

__all__ = [
    "CODE_LISTS",
    "LANGUAGES",
    "STATES",
    "SYSTEMS",
    "SYSTEM_OF_URI",
    "VALUE_SETS",
    "CodeList",
    "CodePatterns",
    "Prepared",
    "Ready",
    "Seal",
    "ValueSet",
    "address_maker",
    "alike",
    "blind_address",
    "blinds_of_address",
    "change_attributes",
    "change_records",
    "changes",
    "check_date_format",
    "check_record",
    "check_value",
    "clean_text",
    "compare",
    "count",
    "country_code",
    "covers",
    "date_in",
    "dictionary",
    "document_sealer",
    "erase_person",
    "erased_at",
    "ever_joined",
    "export_person",
    "find_by_address",
    "find_by_identifier",
    "find_by_number",
    "find_each",
    "foresee",
    "head_change",
    "hold",
    "identifier_value",
    "ids_after",
    "ids_of",
    "index_anew",
    "iso_date",
    "join",
    "joins_of",
    "laboratory",
    "language_code",
    "last_number",
    "make_patches_ready",
    "make_rows_ready",
    "merge",
    "merge_ready",
    "name_of",
    "normal_code",
    "normalize_email",
    "normalize_phone",
    "number",
    "numbers_of",
    "open_documents",
    "open_documents_after",
    "open_fields",
    "open_one",
    "part",
    "patterns",
    "reader",
    "recent",
    "special_of",
    "specials_asked",
    "specials_of",
    "specials_of_record",
    "stale_indexes",
    "state_code",
    "strictest",
    "survivors",
    "versions",
    "whole",
    "wholes",
    "zone_of_state",
]

_CLOCK = SystemClock()
BATCH = 1000
"""How many patches, ids or numbers one call should carry."""


def dictionary() -> Mapping[str, Attribute]:
    """Return every attribute by its key."""
    return DICTIONARY


def normalize_email(text: str) -> str:
    """Return the normal form of an e-mail address; raises `BadInput` that does not show it."""
    return addresses.normalize_email(text, laboratory=laboratory())


def normalize_phone(text: str) -> str:
    """Return a phone number in E.164; raises `BadInput` that does not show it."""
    return addresses.normalize_phone(text)


def address_maker(
    channel: Channel, source: AddressSource, evidence: str, obtained: date | None
) -> Callable[[str], dict[str, Any]]:
    """Return what makes an address of a sealed document from text; it raises `BadInput`."""
    return _document.address_maker(channel, source, evidence, obtained, laboratory=laboratory())


def make_patches_ready(
    patches: Sequence[ContactPatch],
    *,
    blinder: Blinder | None = None,
    checked: bool = False,
    clock: Clock = _CLOCK,
) -> list[Ready]:
    """Check, normalize and blind `patches`: the part of `merge` that needs no database.

    With the organization's `blinder` given, an importer may do it in another thread, a batch ahead.
    `checked`: all values were made by `reader`, all records by `check_record`.
    """
    return make_ready(
        patches,
        blinder=blinder or keys.blinder(),
        today=clock.now().date(),
        laboratory=laboratory(),
        checked=checked,
    )


def document_sealer() -> Seal:
    """Return what seals documents of the current organization's contacts, for `make_rows_ready`."""
    return operations.document_sealer(current_organization(), keys.sealer())


def make_rows_ready(
    rows: Sequence[Prepared],
    *,
    blinder: Blinder | None = None,
    seal: Seal | None = None,
    clock: Clock = _CLOCK,
) -> list[Ready]:
    """Do what `make_patches_ready` does for rows whose every part was made by this door's own readers.

    Values by `reader`, records by `check_record` or `normal_code`, addresses by `address_maker`,
    identifiers by `identifier_value`: for imports of millions. With `seal` (`document_sealer()`) the
    work of making new contacts is done here too, ahead of `merge_ready`.
    """
    return _make_rows_ready(rows, blinder=blinder or keys.blinder(), today=clock.now().date(), seal=seal)


def merge_ready(batch: Sequence[Ready], *, actor: Actor, clock: Clock = _CLOCK) -> list[Merged]:
    """Write what `make_patches_ready` made; return the fate of each patch, in order."""
    return operations.merge(batch, actor=actor, now=clock.now())


def merge(patches: Sequence[ContactPatch], *, actor: Actor, clock: Clock = _CLOCK) -> list[Merged]:
    """Merge `patches` (at most a few thousand) and return the fate of each, in order.

    A person is found by identifiers, then by e-mail (or phone) with birth date or name; what cannot
    be told apart is rejected with a reason. A patch that says nothing new writes nothing.
    """
    return merge_ready(make_patches_ready(patches, clock=clock), actor=actor, clock=clock)


def change_attributes(
    changes: Sequence[tuple[int, Mapping[str, Any]]], actor: Actor, *, clock: Clock = _CLOCK
) -> list[Merged]:
    """Change attributes of contacts by number and return the fate of each change, in order.

    Each is (contact number, {attribute key: value}); None takes a value away, a list of codes replaces
    the list that was there. Checked, sealed, versioned and fed on as a merge is: UPDATED, UNCHANGED, or
    REJECTED with the reason and the attribute at fault, which leaves that person as they were. Give about
    a thousand; in one transaction before entries, lists and events are appended.
    """
    return _change([(number, ContactPatch(values=values)) for number, values in changes], actor, clock)


def change_records(
    changes: Sequence[tuple[int, Mapping[str, Sequence[Mapping[str, Any]]]]],
    actor: Actor,
    *,
    clock: Clock = _CLOCK,
) -> list[Merged]:
    """Change dated records of contacts by number, as `change_attributes` does values.

    Each is (contact number, {attribute key: records}); a record replaces the one with its id.
    """
    patches = [
        (number, ContactPatch(records={key: tuple(some) for key, some in records.items()}))
        for number, records in changes
    ]
    return _change(patches, actor, clock)


def _change(patches: Sequence[tuple[int, ContactPatch]], actor: Actor, clock: Clock) -> list[Merged]:
    ready = make_patches_ready([patch for _, patch in patches], clock=clock)
    numbered = [(number, one) for (number, _), one in zip(patches, ready, strict=True)]
    return operations.change(numbered, actor=actor, now=clock.now())


def foresee(batch: Sequence[Ready], *, actor: Actor, clock: Clock = _CLOCK) -> list[Merged]:
    """Return what `merge_ready` would make of the batch, and write nothing."""
    return operations.merge(batch, actor=actor, now=clock.now(), write=False)


def open_fields(
    *,
    ids: Sequence[UUID] | None = None,
    numbers: Sequence[int] | None = None,
    fields: Sequence[str],
    purpose: str,
    actor: Actor,
    revealed: bool = False,
    merged: bool = False,
) -> list[Opened]:
    """Open `fields` of the contacts with `ids` or `numbers`, for `purpose` (one word), by number.

    One query and one audit entry for the batch. `fields` are attribute keys, "email" and "phone"
    (each fills `Opened.addresses` with those of its channel), or "identifiers". A contact that is erased or not here
    is left out, and so is a value that is not known. `revealed`: a person looks at it.
    `merged`: also of those among `ids` that were merged into another. Raises `BadInput` for an unknown field or
    a purpose that is no word.
    """
    rows = (
        queries.rows_by_id(ids, merged=merged) if ids is not None else queries.rows_by_number(numbers or ())
    )
    action = Action.CONTACT_REVEAL if revealed else Action.CONTACT_READ
    return opening.open_fields(rows, fields=fields, purpose=purpose, actor=actor, action=action)


def open_one(
    contact_id: UUID, *, fields: Sequence[str], purpose: str, actor: Actor, revealed: bool = False
) -> Opened:
    """Open fields of one contact as `open_fields` does; raises `NotFound`."""
    opened = open_fields(ids=[contact_id], fields=fields, purpose=purpose, actor=actor, revealed=revealed)
    if not opened:
        raise NotFound
    return opened[0]


def open_documents(
    *, ids: Sequence[UUID] | None = None, numbers: Sequence[int] | None = None
) -> Iterator[tuple[int, UUID, int, bytes]]:
    """Yield (number, contact id, version, document as JSON bytes); for the audience engine only."""
    rows = queries.rows_by_id(ids) if ids is not None else queries.rows_by_number(numbers or ())
    return opening.open_documents(rows)


def open_documents_after(number: int, limit: int) -> Iterator[tuple[int, UUID, int, bytes]]:
    """Yield the next `limit` documents after contact `number`; for the engine's rebuild only."""
    return opening.open_documents(queries.rows_after(number, limit))


def changes(after: int, limit: int) -> list[Change]:
    """Return the next `limit` entries of the change feed after number `after`; a contact stands once."""
    return queries.changes(after, limit)


def head_change() -> int:
    """Return the number of the last change."""
    return feed.head(operations.CHANGES)


def erased_at(contact_id: UUID) -> datetime | None:
    """Return when a contact was erased, None for one who was not, or whom nobody knows."""
    return queries.erased_at(contact_id)


def versions(ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return the present version of each living contact among `ids`."""
    return queries.versions(ids)


def numbers_of(ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return the number of each living contact among `ids`."""
    return queries.numbers_of(ids)


def ids_of(numbers: Sequence[int]) -> dict[int, UUID]:
    """Return the id of each living contact among `numbers`."""
    return queries.ids_of(numbers)


def last_number() -> int:
    """Return the highest contact number that was given so far, 0 when there is none."""
    return feed.head(operations.NUMBERS)


def count(most: int | None = None) -> int:
    """Return how many contacts the organization has, the erased ones not counted; with `most`, no more are counted."""
    return queries.count(most)


def blind_address(channel: Channel, value: str) -> bytes:
    """Return the blind index of an address, normalized first; raises `BadInput`."""
    return keys.blinder().blind(*_address_key(channel, value))


def blinds_of_address(channel: Channel, value: str) -> Sequence[bytes]:
    """Return every blind index under which an address may be kept, none for one that has no normal form."""
    try:
        return keys.blinder().candidates(*_address_key(channel, value))
    except BadInput:
        return ()


def _address_key(channel: Channel, value: str) -> tuple[str, str]:
    if channel is Channel.EMAIL:
        return "email", normalize_email(value)
    if channel is Channel.SMS:
        return "phone", normalize_phone(value)
    raise BadInput("has no addresses", place=channel.value)


def find_by_address(channel: Channel, value: str) -> list[UUID]:
    """Return the contacts that have an address (at most 21); raises `BadInput` for a malformed one."""
    found = queries.ids_by_blind(keys.blinder().candidates(*_address_key(channel, value)))
    return list(dict.fromkeys(one for ids in found.values() for one in ids))


def find_by_identifier(system: str, value: str) -> UUID | None:
    """Return the contact with an identifier ("mrn", "fhir", "member"...), or None."""
    blinds = keys.blinder().candidates(identifier_kind(system), value.strip())
    return next((ids[0] for ids in queries.ids_by_blind(blinds).values()), None)


def find_each(
    identifiers: Collection[tuple[str, str]], emails: Collection[str]
) -> tuple[dict[tuple[str, str], list[UUID]], dict[str, list[UUID]]]:
    """Return whose each (system, value) and each e-mail address is, all by one question.

    Values as `identifier_value` and `normalize_email` give them. Several people may have one address.
    """
    blinder = keys.blinder()
    by_identifier = {
        (system, value): blinder.candidates(identifier_kind(system), value) for system, value in identifiers
    }
    by_email = {value: blinder.candidates("email", value) for value in emails}
    asked = [blind for blinds in (*by_identifier.values(), *by_email.values()) for blind in blinds]
    found = queries.ids_by_blind(asked)

    def owners(blinds: Sequence[bytes]) -> list[UUID]:
        return list(dict.fromkeys(one for blind in blinds for one in found.get(blind, ())))

    return (
        {pair: owners(blinds) for pair, blinds in by_identifier.items()},
        {value: owners(blinds) for value, blinds in by_email.items()},
    )


def hold() -> None:
    """Let nobody else change contacts until the transaction ends.

    For whoever reads, outside of contacts, what a change will depend on: hold first, then read.
    """
    operations.hold()


survivors, whole, wholes, joins_of, ever_joined = (
    joining.survivors,
    joining.whole,
    joining.wholes,
    joining.joins_of,
    joining.ever_joined,
)
alike, compare, join, part = joining.alike, joining.compare, joining.join, joining.part


def find_by_number(number: int) -> UUID | None:
    """Return the contact with a number, or None."""
    return next((row.id for row in queries.rows_by_number([number])), None)


def recent(limit: int, after: int | None = None) -> list[tuple[UUID, int, int]]:
    """Return (id, number, version) of the newest contacts; the next page starts `after` a number."""
    return [(row.id, row.number, row.version) for row in queries.rows_before(after, limit)]


def export_person(contact_id: UUID, *, purpose: str, actor: Actor) -> dict[str, Any]:
    """Return everything that is known of a person, for an access request; raises `NotFound`."""
    rows = queries.rows_by_id([contact_id])
    opening.open_fields(
        rows, fields=("email", "identifiers"), purpose=purpose, actor=actor, action=Action.CONTACT_EXPORT
    )
    found = next(iter(opening.open_documents(rows)), None)
    if found is None:
        raise NotFound
    document: dict[str, Any] = orjson.loads(found[3])
    return document


def erase_person(contact_id: UUID, *, actor: Actor, clock: Clock = _CLOCK) -> None:
    """Erase what is known of a person and all ways to find them; raises `NotFound`."""
    operations.erase(contact_id, actor=actor, now=clock.now())


def ids_after(number: int, limit: int) -> list[tuple[int, UUID]]:
    """Return number and id of the next `limit` living contacts after `number`, in the order of numbers."""
    return queries.ids_after(number, limit)


def index_anew(ids: Sequence[UUID]) -> int:
    """Index contacts (a few thousand at most) under the present key; return how many. The work after a rotation."""
    return operations.index_anew(ids)


def stale_indexes(limit: int = BATCH) -> int:
    """Return how many blind indexes are not what the present key makes; opens every contact to see that."""
    return operations.stale_indexes(limit)
