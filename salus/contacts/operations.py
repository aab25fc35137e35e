"""What changes contacts, each in one transaction: merge, change, erase, index anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg import sql

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.contacts import queries
from salus.contacts.contracts import Merged, MergeOutcome
from salus.contacts.document import blind_keys
from salus.contacts.merging import Batch, Fate, Person, Ready, Seal, blinds_of, lost_keys
from salus.kernel.acting import Actor
from salus.kernel.errors import NotFound
from salus.keys import api as keys
from salus.keys.contracts import Blinder, Sealer
from salus.platform import bulk, feed
from salus.platform.tenancy import current_organization

_CHANGES_SOMETHING = frozenset({MergeOutcome.CREATED, MergeOutcome.UPDATED})
NUMBERS = "contact_number"
CHANGES = "contact_change"


def merge(batch: Sequence[Ready], *, actor: Actor, now: datetime, write: bool = True) -> list[Merged]:
    """Merge checked patches and return the fate of each, in order; one audit entry for all.

    One merge runs at a time in an organization: otherwise two could create the same person. With
    `write` false nothing is written and new people have no id: a look at what would happen.
    """
    organization_id, sealer, blinder = current_organization(), keys.sealer(), keys.blinder()
    if write:
        hold()
    asked = {blind: None for ready in batch for blind in (*ready.identifiers, *ready.address)}
    index = queries.ids_by_blind(list(asked))
    ids = {one for found in index.values() for one in found}
    rows = queries.rows_by_id(ids, lock=write) if ids else []
    people = Batch(_people(rows, organization_id, sealer), index, len(batch))
    fates = [people.apply(ready) for ready in batch]
    if write:
        _Writer(organization_id, sealer, blinder, now).write(people)
        if any(fate.outcome in _CHANGES_SOMETHING for fate in fates):
            _record(fates, actor)
    return [_merged(fate, write) for fate in fates]


def hold() -> None:
    """Wait until nobody else changes contacts of this organization, and keep it so until the transaction ends."""
    key = int.from_bytes(current_organization().bytes[-4:], "big", signed=True)
    queries.fetch("SELECT pg_advisory_xact_lock(%s::int, %s::int)", [queries.ADVISORY_CLASS, key])


def _people(rows: Iterable[queries.Row], organization_id: UUID, sealer: Sealer) -> Iterator[Person]:
    """Open everybody and put them in memory."""
    return (
        Person(row.id, orjson.loads(document), number=row.number, version=row.version)
        for row, document in queries.opened(rows, organization_id, sealer)
    )


def change(batch: Sequence[tuple[int, Ready]], *, actor: Actor, now: datetime) -> list[Merged]:
    """Change values and records of contacts by number and return the fate of each, in order; one audit entry for all."""
    organization_id, sealer = current_organization(), keys.sealer()
    hold()
    rows = queries.rows_by_number({number for number, _ in batch}, lock=True)
    people = Batch(_people(rows, organization_id, sealer), {}, 0)
    fates = [people.change(number, ready) for number, ready in batch]
    _Writer(organization_id, sealer, keys.blinder(), now).write(people)
    fields = {
        key
        for (_, ready), fate in zip(batch, fates, strict=True)
        if fate.outcome is MergeOutcome.UPDATED and ready.patch is not None
        for key in (*ready.patch.values, *ready.patch.records)
    }
    if fields:
        changed = people.updated()
        alone = changed[0].id if len(changed) == 1 else None
        audit.record(
            Action.CONTACT_CHANGE,
            actor=actor,
            object_kind="contact",
            object_id=alone,
            patient_id=alone,
            fields=sorted(fields),
            details={"contacts": len(changed)},
        )
    return [_merged(fate, written=True) for fate in fates]


_COLUMNS = (
    ("id", "uuid"),
    ("number", "bigint"),
    ("version", "integer"),
    ("change", "bigint"),
    ("sealed", "bytea"),
    ("blinds", "bytea"),
)

_INSERT = sql.SQL(
    "INSERT INTO contacts_contact (id, organization_id, number, version, change, sealed, created_at, changed_at) "
    "SELECT id, %s, number, version, change, sealed, %s, %s FROM {} ORDER BY number"
)
_UPDATE = sql.SQL(
    "UPDATE contacts_contact c SET version = t.version, change = t.change, sealed = t.sealed, changed_at = %s "
    "FROM {} t WHERE c.id = t.id"
)
# All indexes of a person travel in one value, and are cut apart here.
_INSERT_BLINDS = sql.SQL(
    "INSERT INTO contacts_blind (organization_id, blind, contact_id) "
    "SELECT %s, substring(t.blinds FROM place FOR {length}), t.id "
    "FROM {table} t JOIN generate_series(1, %s, {length}) AS place ON place <= length(t.blinds) {conflict}"
)


def document_sealer(organization_id: UUID, sealer: Sealer) -> Seal:
    """Return what seals the documents of an organization's contacts, without looking anything up."""
    seal, dumps = sealer.seal, orjson.dumps
    head, tail = organization_id.bytes, queries.TABLE.encode()

    def seal_document(contact_id: UUID, document: dict[str, Any]) -> bytes:
        return seal(dumps(document), head + contact_id.bytes + tail)  # as `queries.associated` has it

    return seal_document


class _Writer:
    """Writes the people of one batch."""

    def __init__(self, organization_id: UUID, sealer: Sealer, blinder: Blinder, now: datetime) -> None:
        self._organization_id, self._now = organization_id, now
        self._sealer, self._blinder = sealer, blinder

    def write(self, people: Batch) -> None:
        """Give numbers, seal and write all who are new or changed, with their indexes."""
        created, updated = people.created(), people.updated()
        if created:
            first = feed.next_numbers(NUMBERS, len(created))
            for number, person in enumerate(created, first):
                person.number = number
        if created or updated:
            change = feed.next_numbers(CHANGES, len(created) + len(updated))
            self._some(created, change, _INSERT, [self._organization_id, self._now, self._now])
            self._some(updated, change + len(created), _UPDATE, [self._now])
        forget_indexes((person.id, lost_keys(person)) for person in updated)

    def _some(
        self, people: Sequence[Person], change: int, statement: sql.SQL, stamps: Sequence[object]
    ) -> None:
        if not people:
            return
        seal, blinder = document_sealer(self._organization_id, self._sealer), self._blinder
        rows = [
            (
                person.id,
                person.number,
                person.version + 1,
                number,
                person.sealed or seal(person.id, person.document),
                b"".join(blinds_of(person, blinder)),
            )
            for number, person in enumerate(people, change)
        ]
        table = bulk.copy_rows(_COLUMNS, rows)
        bulk.execute(statement.format(table), stamps)
        longest = max(len(row[-1]) for row in rows)
        _insert_blinds(table, self._organization_id, longest, fresh=statement is _INSERT)


def _insert_blinds(
    table: sql.Composable, organization_id: UUID, longest: int, *, fresh: bool = False
) -> None:
    """Store the indexes in a loaded table, `longest` bytes at most; of `fresh` people none is there yet."""
    statement = _INSERT_BLINDS.format(
        table=table,
        length=sql.Literal(queries.BLIND_LENGTH),
        conflict=sql.SQL("" if fresh else "ON CONFLICT DO NOTHING"),
    )
    if longest:
        bulk.execute(statement, [organization_id, longest])


def rewrite(contact_id: UUID, document: dict[str, Any], *, change: int, now: datetime) -> None:
    """Store a living contact's document and indexes anew as change number `change`; its version moves."""
    organization_id, sealer, blinder = current_organization(), keys.sealer(), keys.blinder()
    queries.fetch(
        "UPDATE contacts_contact SET sealed = %s, version = version + 1, change = %s, changed_at = %s WHERE id = %s",
        [document_sealer(organization_id, sealer)(contact_id, document), change, now, contact_id],
    )
    blinds = b"".join(blinds_of(Person(contact_id, document), blinder))
    table = bulk.copy_rows((("id", "uuid"), ("blinds", "bytea")), [(contact_id, blinds)])
    _insert_blinds(table, organization_id, len(blinds))


def forget_indexes(lost: Iterable[tuple[UUID, list[tuple[str, str]]]]) -> None:
    """Remove the indexes of (contact, keys), under every key that may have made them."""
    blinder = keys.blinder()
    gone = [
        (blind, contact_id)
        for contact_id, pairs in lost
        for kind, value in pairs
        for blind in blinder.candidates(kind, value)
    ]
    if gone:
        queries.fetch(
            "DELETE FROM contacts_blind b USING unnest(%s::bytea[], %s::uuid[]) AS g(blind, contact_id) "
            "WHERE b.blind = g.blind AND b.contact_id = g.contact_id",
            [[blind for blind, _ in gone], [contact_id for _, contact_id in gone]],
        )


def _record(fates: list[Fate], actor: Actor) -> None:
    counts = Counter(fate.outcome.value for fate in fates)
    audit.record(Action.CONTACT_MERGE, actor=actor, object_kind="contact", details=dict(counts))


def _merged(fate: Fate, written: bool) -> Merged:
    if fate.person is None:
        return Merged(fate.outcome, reason=fate.reason, field=fate.field)
    if not written and fate.outcome is MergeOutcome.CREATED:
        return Merged(fate.outcome)
    return Merged(fate.outcome, fate.person.id, fate.person.number or None)


def erase(contact_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Erase what is known of a person; the empty row stays in the change feed so that caches forget too.

    Also of one that was merged into another. Raises `NotFound`.
    """
    organization_id = current_organization()
    rows = queries.rows_by_id([contact_id], lock=True, merged=True)
    if not rows:
        raise NotFound
    ((_, document),) = queries.opened(rows, organization_id, keys.sealer())
    forget_indexes([(contact_id, blind_keys(orjson.loads(document)))])
    change = feed.next_numbers(CHANGES, 1)
    queries.fetch(
        "UPDATE contacts_contact SET sealed = '', version = version + 1, change = %s, changed_at = %s, "
        "erased_at = %s WHERE id = %s",
        [change, now, now, contact_id],
    )
    queries.fetch(
        "UPDATE contacts_join SET sealed = '' WHERE kept_id = %s OR gone_id = %s", [contact_id, contact_id]
    )
    audit.record(
        Action.CONTACT_ERASE, actor=actor, object_kind="contact", object_id=contact_id, patient_id=contact_id
    )


def index_anew(ids: Sequence[UUID]) -> int:
    """Index contacts under the present key, and drop what retired keys made; return how many are here.

    Versions and changes stay, because nothing that anyone reads has changed.
    """
    organization_id, sealer, blinder = current_organization(), keys.sealer(), keys.blinder()
    people = list(_people(queries.rows_by_id(ids, lock=True), organization_id, sealer))
    if people:
        indexes = [(person.id, b"".join(blinds_of(person, blinder))) for person in people]
        forget_indexes((person.id, blind_keys(person.document)) for person in people)
        table = bulk.copy_rows((("id", "uuid"), ("blinds", "bytea")), indexes)
        _insert_blinds(table, organization_id, max(len(blinds) for _, blinds in indexes))
    return len(people)


def stale_indexes(limit: int) -> int:
    """Return how many indexes the present key does not make of the people who are here; opens all of them."""
    organization_id, sealer, blinder = current_organization(), keys.sealer(), keys.blinder()
    ((stored,),) = queries.fetch("SELECT count(*) FROM contacts_blind")
    after, present = 0, 0
    while rows := queries.rows_after(after, limit):
        after = rows[-1].number
        pairs = [
            (blind, person.id)
            for person in _people(rows, organization_id, sealer)
            for blind in blinds_of(person, blinder)
        ]
        present += queries.stored_indexes(pairs)
    return int(stored) - present
