"""One batch of patches against what is known: decides in memory, so that writing is a few statements."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from salus.contacts.contracts import ContactPatch, MergeOutcome
from salus.contacts.document import (
    NAMED,
    Prepared,
    blind_keys,
    check_not_in_future,
    merge_into,
    named,
    new_document,
    prepare,
)
from salus.contacts.matching import NOTHING, Candidate, match
from salus.kernel.errors import BadInput
from salus.kernel.ids import new_ids
from salus.kernel.vocabulary import Channel
from salus.keys.contracts import Blinder

NO_NUMBER = "nobody here has this number"

Key = tuple[str, str]
"""A kind of blind index and the normalized value."""


Seal = Callable[[UUID, dict[str, Any]], bytes]
"""Seals the document of a contact."""


class Fresh(NamedTuple):
    """A contact that does not exist yet: its id, its document, and that sealed."""

    id: UUID
    document: dict[str, Any]
    sealed: bytes


class Ready(NamedTuple):
    """A patch that was checked, with its blind indexes; or the reason and field why it is refused.

    `identifiers` are the candidates of every identifier, retired keys included; `address` those of
    the one address that may tell who it is; `own` the indexes to store, under the present key.
    `fresh` is the contact that this patch would make, sealed ahead of time: nobody may need it.
    """

    patch: Prepared | None
    identifiers: tuple[bytes, ...] = ()
    address: tuple[bytes, ...] = ()
    own: tuple[bytes, ...] = ()
    reason: str = ""
    field: str = ""
    fresh: Fresh | None = None


def make_ready(
    patches: Iterable[ContactPatch], *, blinder: Blinder, today: date, laboratory: bool, checked: bool = False
) -> list[Ready]:
    """Check and normalize `patches` and make their blind indexes; needs no database."""
    day = today.isoformat()
    ready = []
    for patch in patches:
        try:
            prepared = prepare(patch, today=day, laboratory=laboratory, checked=checked)
        except BadInput as fault:
            ready.append(Ready(None, reason=fault.what, field=fault.place))
        else:
            ready.append(_indexed(prepared, blinder))
    return ready


def make_rows_ready(
    rows: Sequence[Prepared], *, blinder: Blinder, today: date, seal: Seal | None = None
) -> list[Ready]:
    """Make the blind indexes of patches that an importer has brought to normal form itself.

    With `seal`, the contacts that they would make are sealed too, for when most of them are new.
    """
    day = today.isoformat()
    ids = new_ids(len(rows)) if seal is not None else []
    ready = []
    for place, row in enumerate(rows):
        try:
            check_not_in_future(row.values, day)
        except BadInput as fault:
            ready.append(Ready(None, reason=fault.what, field=fault.place))
            continue
        fresh = None
        if seal is not None:
            document = new_document(row)
            fresh = Fresh(ids[place], document, seal(ids[place], document))
        ready.append(_indexed(row, blinder, fresh))
    return ready


_BLIND_KIND: Mapping[str, str] = {Channel.EMAIL: "email", Channel.SMS: "phone"}


def _indexed(prepared: Prepared, blinder: Blinder, fresh: Fresh | None = None) -> Ready:
    """Return a checked patch with its blind indexes."""
    if not (prepared.identifiers or prepared.addresses):
        empty = not (prepared.values or prepared.records or prepared.adds)
        return Ready(prepared, reason=NOTHING if empty else "")
    identifiers: tuple[bytes, ...] = ()
    own: list[bytes] = []
    for system, value in prepared.identifiers:
        found = blinder.candidates(f"id:{system}", value)
        identifiers += found
        own.append(found[0])
    deciding = _deciding_address(prepared.addresses)
    address: tuple[bytes, ...] = ()
    for one in prepared.addresses:
        kind, value = _BLIND_KIND[one["channel"]], one["value"]
        if one is deciding:
            address = blinder.candidates(kind, value)
            own.append(address[0])
        else:
            own.append(blinder.blind(kind, value))
    own += [blinder.blind(kind, value) for kind, value in named({**prepared.defaults, **prepared.values})]
    return Ready(prepared, identifiers, address, tuple(own), fresh=fresh)


def _deciding_address(addresses: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the first e-mail address, or the first phone number where there is none."""
    for one in addresses:
        if one["channel"] == Channel.EMAIL:
            return one
    return addresses[0] if addresses else None


@dataclass(slots=True)
class Person:
    """Someone in the batch: known already, or new."""

    id: UUID
    document: dict[str, Any]
    number: int = 0
    version: int = 0
    """0 while new."""
    changed: bool = False
    before: dict[str, Any] | None = None
    """The document as it was stored, once it has changed."""
    blinds: tuple[bytes, ...] | None = None
    """The indexes to store, as long as one patch alone made this person."""
    sealed: bytes | None = None
    """The document sealed ahead, as long as one patch alone made this person."""


@dataclass(slots=True)
class Fate:
    """What the batch decided of one patch."""

    outcome: MergeOutcome
    person: Person | None = None
    reason: str = ""
    field: str = ""


class Batch:
    """The people that a batch of patches speaks of, as it unfolds."""

    def __init__(self, known: Iterable[Person], index: dict[bytes, list[UUID]], most: int) -> None:
        """Take who is known, the index that found them, and how many patches will come at most."""
        self.people = {person.id: person for person in known}
        self._numbered = {person.number: person for person in self.people.values()}
        self._index = index
        self._ids = iter(new_ids(most))

    def apply(self, ready: Ready) -> Fate:
        """Merge one patch into the batch and say what became of it."""
        if ready.reason or ready.patch is None:
            return Fate(MergeOutcome.REJECTED, reason=ready.reason, field=ready.field)
        if ready.own and ready.patch.create and not self._leads_anywhere(ready):
            return Fate(MergeOutcome.CREATED, self._create(ready))
        decided = match(
            ready.patch, self._candidates(ready.identifiers), lambda: self._candidates(ready.address)
        )
        if decided.reason:
            return Fate(MergeOutcome.REJECTED, reason=decided.reason, field="identity")
        if decided.person is None:
            return Fate(MergeOutcome.CREATED, self._create(ready))
        return self._change(decided.person, ready)

    def change(self, number: int, ready: Ready) -> Fate:
        """Change the contact with a number, as a patch of theirs without addresses and identifiers would."""
        person = self._numbered.get(number)
        if person is None:
            return Fate(MergeOutcome.REJECTED, reason=NO_NUMBER, field="identity")
        if ready.reason or ready.patch is None:
            return Fate(MergeOutcome.REJECTED, reason=ready.reason, field=ready.field)
        fate = self._change(person, ready)
        if not any(key in ready.patch.values for key in NAMED):
            person.blinds = ()  # other values lead to nobody: the indexes stay as they are
        return fate

    def _leads_anywhere(self, ready: Ready) -> bool:
        index = self._index
        return any(blind in index for blind in ready.identifiers) or any(
            blind in index for blind in ready.address
        )

    def _candidates(self, blinds: Sequence[bytes]) -> list[Candidate[Person]]:
        ids = {found: None for blind in blinds for found in self._index.get(blind, ())}
        return [Candidate(self.people[one], self.people[one].document) for one in ids if one in self.people]

    def _create(self, ready: Ready) -> Person:
        assert ready.patch is not None
        if ready.fresh is not None:
            identity, document, sealed = ready.fresh
        else:
            identity, document, sealed = next(self._ids), new_document(ready.patch), None
        person = Person(identity, document, changed=True, blinds=ready.own, sealed=sealed)
        self.people[identity] = person
        self._enter(person, ready.own)
        return person

    def _change(self, person: Person, ready: Ready) -> Fate:
        assert ready.patch is not None
        document, changed = merge_into(person.document, ready.patch)
        if not changed:
            return Fate(MergeOutcome.UNCHANGED, person)
        if person.before is None:
            person.before = person.document
        person.document, person.changed = document, True
        person.blinds = person.sealed = None
        self._enter(person, ready.own)
        return Fate(MergeOutcome.UPDATED, person)

    def _enter(self, person: Person, blinds: Iterable[bytes]) -> None:
        for blind in blinds:
            entries = self._index.get(blind)
            if entries is None:
                self._index[blind] = [person.id]
            elif person.id not in entries:
                entries.append(person.id)

    def created(self) -> list[Person]:
        """Return those who are new, in the order of their ids."""
        return [person for person in self.people.values() if person.version == 0]

    def updated(self) -> list[Person]:
        """Return those who were known and have changed."""
        return [person for person in self.people.values() if person.version and person.changed]


def blinds_of(person: Person, blinder: Blinder) -> Iterable[bytes]:
    """Return the indexes under which `person` must be findable now."""
    if person.blinds is not None:
        return dict.fromkeys(person.blinds)
    return {blinder.blind(kind, value) for kind, value in blind_keys(person.document)}


def lost_keys(person: Person) -> list[Key]:
    """Return what must not lead to `person` any more: addresses that the change took away, an old name."""
    if person.before is None:
        return []
    after = set(blind_keys(person.document))
    return [key for key in blind_keys(person.before) if key not in after]
