"""Two contacts become one person, and two again: the row that says so, the documents, and what leads to them.

Nothing that was written under the merged contact's id is rewritten anywhere: the id stays as an alias
(`survivors`, `whole`), its document stays sealed in its own row, and only living contacts are ever opened,
found, counted or written to.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from salus.audit.contracts import Action
from salus.contacts import opening, operations, queries
from salus.contacts.contracts import Alike, Compared, Joined, Side
from salus.contacts.document import NAMED, Document, blind_keys
from salus.contacts.joined_document import against, beside, differing, joined, parted, plausible, reasons
from salus.contacts.matching import MOST_SHARING
from salus.contacts.models import JoinRow
from salus.kernel.acting import Actor
from salus.kernel.errors import Conflict, NotFound
from salus.kernel.phi import Phi
from salus.keys import api as keys
from salus.platform import feed
from salus.platform.tenancy import current_organization

TABLE = "contacts_join"
_WHOLE = (
    "SELECT root.id, gone.id FROM (SELECT coalesce((SELECT merged_into FROM contacts_contact WHERE id = %s), %s::uuid) "
    "AS id) AS root LEFT JOIN contacts_contact gone ON gone.merged_into = root.id ORDER BY gone.number"
)


def survivors(ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Return those of `ids` that were merged into another contact, with whom they go on as."""
    if not ids:
        return {}
    return dict(
        queries.fetch(
            "SELECT id, merged_into FROM contacts_contact WHERE id = ANY(%s) AND merged_into IS NOT NULL",
            [list(ids)],
        )
    )


def wholes(ids: Collection[UUID]) -> dict[UUID, tuple[UUID, ...]]:
    """Return for each of `ids` every id of that person: the one that goes on first, then those merged into it."""
    on = survivors(ids)
    roots = {one: on.get(one, one) for one in ids}
    found: dict[UUID, list[UUID]] = {root: [root] for root in roots.values()}
    if found:
        for gone, root in queries.fetch(
            "SELECT id, merged_into FROM contacts_contact WHERE merged_into = ANY(%s) ORDER BY number",
            [list(found)],
        ):
            found[root].append(gone)
    return {one: tuple(found[root]) for one, root in roots.items()}


def whole(contact_id: UUID) -> tuple[UUID, ...]:
    """Return every id of the person that a contact is: the living one first, then those merged into it."""
    found = queries.fetch(_WHOLE, [contact_id, contact_id])
    return (found[0][0], *(gone for _, gone in found if gone is not None))


def joins_of(ids: Collection[UUID]) -> list[Joined]:
    """Return the merges that stand and in which one of `ids` is either side, oldest first."""
    rows = queries.fetch(
        "SELECT id, kept_id, gone_id, at, ended_at, sealed FROM contacts_join "
        "WHERE (kept_id = ANY(%s) OR gone_id = ANY(%s)) AND ended_at IS NULL ORDER BY at, id",
        [list(ids), list(ids)],
    ) if ids else []  # fmt: skip
    return [_joined(*row) for row in rows]


def ever_joined(ids: Collection[UUID]) -> set[UUID]:
    """Return those of `ids` that are or were a side of a merge: what hangs on them may have moved."""
    return {
        one
        for pair in queries.fetch(
            "SELECT kept_id, gone_id FROM contacts_join WHERE kept_id = ANY(%s) OR gone_id = ANY(%s)",
            [list(ids), list(ids)],
        )
        for one in pair
    } & set(ids)  # fmt: skip


def _joined(
    id: UUID, kept_id: UUID, gone_id: UUID, at: datetime, ended_at: datetime | None, sealed: bytes
) -> Joined:
    told = orjson.loads(keys.sealer().open(sealed, _binding(id))) if sealed else {}
    return Joined(
        id,
        kept_id,
        gone_id,
        at,
        ended_at,
        _addresses(told.get("before", {})),
        _addresses(told.get("brought", {})),
    )


def _addresses(document: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    return frozenset((one["channel"], one["value"]) for one in document.get("addresses", ()))


def compare(
    pairs: Sequence[tuple[UUID, UUID]], *, purpose: str, actor: Actor, revealed: bool = False
) -> list[Compared]:
    """Compare records two by two, for those pairs of which both are living, in order; one look is recorded.

    `revealed`: a person looks at what they say.
    """
    rows = queries.rows_by_id({one for pair in pairs for one in pair})
    opening.open_fields(
        rows,
        fields=[*NAMED, "email", "phone", opening.IDENTIFIERS],
        purpose=purpose,
        actor=actor,
        action=Action.CONTACT_REVEAL if revealed else Action.CONTACT_READ,
    )
    found = {row.id: (row.number, document) for row, document in _open(rows)}
    compared = []
    for first, second in pairs:
        if first in found and second in found:
            (number, one), (of_other, other) = found[first], found[second]
            compared.append(
                Compared(
                    (first, second),
                    (number, of_other),
                    reasons(one, other),
                    against(one, other),
                    plausible(one, other),
                    tuple(differing(one, other)),
                    tuple((key, Phi(ours), Phi(theirs)) for key, ours, theirs in beside(one, other)),
                )
            )
    return compared


def join(
    join_id: UUID, kept_id: UUID, gone_id: UUID, choices: Mapping[str, Side], *, now: datetime
) -> Joined:
    """Make two living contacts one; whoever runs the merge records it.

    The kept one's version moves even when nothing of it changes: what was cleared for it is judged anew.
    Raises `NotFound`, `BadInput` (a choice that is none), `Conflict` (the same one twice).
    """
    if kept_id == gone_id:
        raise Conflict("This is one record.", next_step="Choose two.")
    operations.hold()
    rows = {row.id: document for row, document in _open(queries.rows_by_id([kept_id, gone_id], lock=True))}
    if len(rows) < 2:
        raise NotFound
    before, brought = rows[kept_id], rows[gone_id]
    after = joined(before, brought, choices)
    change = feed.next_numbers(operations.CHANGES, 2)
    queries.fetch("UPDATE contacts_contact SET merged_into = %s WHERE merged_into = %s", [kept_id, gone_id])
    queries.fetch(
        "UPDATE contacts_contact SET merged_into = %s, version = version + 1, change = %s, changed_at = %s "
        "WHERE id = %s",
        [kept_id, change, now, gone_id],
    )
    operations.forget_indexes([(gone_id, blind_keys(brought))])
    operations.rewrite(kept_id, after, change=change + 1, now=now)
    JoinRow(
        id=join_id, kept_id=kept_id, gone_id=gone_id, at=now,
        sealed=_seal(join_id, {"before": before, "brought": brought, "after": after}),
    ).save(force_insert=True)  # fmt: skip
    return Joined(join_id, kept_id, gone_id, now, None, _addresses(before), _addresses(brought))


def part(join_id: UUID, *, now: datetime) -> Joined:
    """Take a merge apart; whoever runs the split records it. What came since stays with the kept contact.

    Raises `NotFound` (also when the person was erased), `Conflict` when a later merge has to be taken
    apart first.
    """
    operations.hold()
    row = JoinRow.objects.select_for_update().filter(id=join_id, ended_at=None).first()
    if row is None or not row.sealed:
        raise NotFound
    later = JoinRow.objects.filter(kept_id=row.kept_id, ended_at=None, at__gt=row.at).exists()
    if later or JoinRow.objects.filter(gone_id=row.kept_id, ended_at=None).exists():
        raise Conflict(
            "This record was merged again since. Nothing was changed.",
            next_step="Take the later merge apart first.",
        )
    told = orjson.loads(keys.sealer().open(bytes(row.sealed), _binding(join_id)))
    found = {each.id: document for each, document in _open(queries.rows_by_id([row.kept_id], lock=True))}
    if row.kept_id not in found:
        raise NotFound
    change = feed.next_numbers(operations.CHANGES, 2)
    row.ended_at = now
    row.save(update_fields=["ended_at"])
    operations.forget_indexes([(row.kept_id, blind_keys(found[row.kept_id]))])
    operations.rewrite(
        row.kept_id, parted(told["before"], told["after"], found[row.kept_id]), change=change, now=now
    )
    queries.fetch("UPDATE contacts_contact SET merged_into = NULL WHERE id = %s", [row.gone_id])
    _hang(row.gone_id)
    operations.rewrite(row.gone_id, told["brought"], change=change + 1, now=now)
    return _joined(row.id, row.kept_id, row.gone_id, row.at, now, bytes(row.sealed))


def _hang(root: UUID) -> None:
    """Hang whoever was merged into `root`, or into one of those, on it again."""
    found, asked = [], [root]
    while asked:
        asked = list(
            JoinRow.objects.filter(kept_id__in=asked, ended_at=None).values_list("gone_id", flat=True)
        )
        found += asked
    queries.fetch("UPDATE contacts_contact SET merged_into = %s WHERE id = ANY(%s)", [root, found])


def alike(after: bytes, limit: int) -> list[Alike]:
    """Return the next `limit` blind indexes after `after` that lead to a few people, in order.

    Nobody is opened: what an index is of cannot be seen. One that more than `MOST_SHARING` share tells
    nobody apart and is left out.
    """
    found = queries.fetch(
        "SELECT blind, array_agg(contact_id ORDER BY contact_id) FROM contacts_blind WHERE blind > %s "
        "GROUP BY organization_id, blind HAVING count(*) BETWEEN 2 AND %s ORDER BY blind LIMIT %s",
        [after, MOST_SHARING, limit],
    )
    return [Alike(blind, tuple(ids)) for blind, ids in found]


def _open(rows: Sequence[queries.Row]) -> Iterable[tuple[queries.Row, Document]]:
    for row, document in queries.opened(rows, current_organization(), keys.sealer()):
        yield row, orjson.loads(document)


def _seal(join_id: UUID, told: Mapping[str, Any]) -> bytes:
    return keys.sealer().seal(orjson.dumps(told), _binding(join_id))


def _binding(join_id: UUID) -> bytes:
    return keys.binding(current_organization(), TABLE, join_id)
