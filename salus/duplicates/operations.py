"""Proposes pairs, tells them apart, merges and splits: each act one transaction, with its audit entry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import combinations
from typing import Any
from uuid import UUID

import orjson
from django.db import transaction
from psycopg import sql

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.contacts import api as contacts
from salus.contacts.contracts import Compared, Side
from salus.duplicates.contracts import Merge, Proposals, Step
from salus.duplicates.models import ApartRow, MergeRow
from salus.identity import api as identity
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, NotFound, Unavailable
from salus.kernel.ids import new_id
from salus.kernel.joining import GivenBy, Pair
from salus.kernel.phi import Phi
from salus.keys import api as keys
from salus.platform import bulk
from salus.platform.tenancy import current_organization

MAY = Permission.CONTACTS_RECORD_MERGE
PURPOSE = "duplicates"
PAGE, LOOKED_AT = 20, 200
"""Pairs on a page, and shared indexes that are looked at for one at most."""
LONGEST_WHY = 500
_OF_PERSON = sql.SQL("SELECT id FROM duplicates_merge WHERE kept_id = ANY(%s) OR gone_id = ANY(%s)")
_steps: tuple[Step, ...] = ()


def use_steps(steps: Sequence[Step]) -> None:
    """Set what a merge does in each package, in the order in which all of Salus locks, for this process."""
    global _steps
    _steps = tuple(steps)


def propose(after: str, *, actor: Actor) -> Proposals:
    """Return the next pairs that may be one person; `after` is `Proposals.next` of the page before.

    Pairs are found by blind index; only those are opened, to say why. Raises `BadInput` for another `after`.
    """
    identity.require(actor, MAY)
    try:
        last = bytes.fromhex(after)
    except ValueError:
        raise BadInput("is no place to go on from", place="after") from None
    found: dict[tuple[UUID, UUID], Compared] = {}
    looked = 0
    while looked < LOOKED_AT:
        groups = contacts.alike(last, PAGE)
        looked += PAGE
        pairs = dict.fromkeys(pair for group in groups for pair in combinations(group.ids, 2))
        fresh = _not_told_apart([pair for pair in pairs if pair not in found])
        compared = contacts.compare(fresh, purpose=PURPOSE, actor=actor) if fresh else []
        found |= {each.ids: each for each in compared if each.plausible}
        if len(groups) < PAGE:
            return Proposals(tuple(found.values()), "")
        last = groups[-1].blind
        if len(found) >= PAGE:
            break
    return Proposals(tuple(found.values()), last.hex())


def _not_told_apart(pairs: Sequence[tuple[UUID, UUID]]) -> list[tuple[UUID, UUID]]:
    rows = ApartRow.objects.filter(first_id__in=[first for first, _ in pairs])
    apart = set(rows.values_list("first_id", "second_id"))
    return [pair for pair in pairs if pair not in apart]


def compare(first: UUID, second: UUID, *, actor: Actor) -> Compared:
    """Return two records side by side, opened; the look is recorded. Raises `NotFound`."""
    identity.require(actor, MAY)
    found = contacts.compare([(first, second)], purpose=PURPOSE, actor=actor, revealed=True)
    if not found or first == second:
        raise NotFound
    return found[0]


def tell_apart(first: UUID, second: UUID, *, actor: Actor, at: datetime) -> None:
    """Remember that two contacts are not the same person; safe to repeat. Raises `NotFound`."""
    identity.require(actor, MAY)
    if first == second or len(contacts.versions([first, second])) < 2:
        raise NotFound
    _remember_apart(first, second, actor, at)
    _record(Action.CONTACT_APART, actor, first, second, {})


def _remember_apart(first: UUID, second: UUID, actor: Actor, at: datetime) -> None:
    low, high = sorted((first, second))
    row = ApartRow(first_id=low, second_id=high, at=at, by_id=_who(actor))
    ApartRow.objects.bulk_create([row], ignore_conflicts=True)


def merge(
    kept_id: UUID, gone_id: UUID, choices: Mapping[str, Side], why: str, *, actor: Actor, at: datetime
) -> UUID:
    """Make two contacts one person everywhere, and return the merge's id; all of it or nothing.

    `kept_id` goes on; `choices` say whose word counts where they differ. Raises `NotFound`, `BadInput` (no
    reason, a choice that is none), `Conflict` (a message is being handed over, an erasure was asked for).
    """
    identity.require(actor, MAY)
    words = _words(why)
    numbers = contacts.numbers_of([kept_id, gone_id])
    if kept_id == gone_id or len(numbers) < 2:
        raise NotFound
    pair = Pair(new_id(), kept_id, numbers[kept_id], gone_id, numbers[gone_id], at)
    with transaction.atomic():
        moved = {each.name: each.join(pair, choices, actor, at) for each in _all_steps()}
        MergeRow(
            id=pair.id,
            kept_id=kept_id,
            gone_id=gone_id,
            kept_number=pair.kept_number,
            gone_number=pair.gone_number,
            at=at,
            by_id=_who(actor),
            sealed=_seal(pair.id, {"why": words, "moved": moved}),
        ).save(force_insert=True)
        details = {name: sum(map(_count, part.values())) for name, part in moved.items() if part}
        chosen = sorted(key for key, side in choices.items() if side != "kept")
        _record(Action.CONTACT_JOIN, actor, kept_id, gone_id, {"merge": str(pair.id), **details}, chosen)
    return pair.id


def _count(moved: Any) -> int:
    return moved if isinstance(moved, int) else len(moved)


def split(merge_id: UUID, given_by: GivenBy, why: str, *, actor: Actor, at: datetime) -> None:
    """Take a merge apart everywhere; the two are remembered as not the same person.

    Each has what it brought. What came since stays with the kept contact, but what was permitted since only
    when it was `given_by` it. Raises `NotFound`, `BadInput` (no reason), `Conflict` (a later merge).
    """
    identity.require(actor, MAY)
    words = _words(why)
    with transaction.atomic():
        row = MergeRow.objects.select_for_update().filter(id=merge_id, ended_at=None).first()
        if row is None:
            raise NotFound
        pair = Pair(row.id, row.kept_id, row.kept_number, row.gone_id, row.gone_number, row.at)
        moved = _opened(row)["moved"]
        for each in _all_steps():
            if each.name in moved:  # a package that is younger than the merge moved nothing in it
                each.part(pair, moved[each.name], given_by, actor, at)
        row.ended_at, row.ended_by_id, row.given_by = at, _who(actor), given_by
        row.sealed_end = _seal(row.id, {"why": words})
        row.save(update_fields=["ended_at", "ended_by_id", "given_by", "sealed_end"])
        _remember_apart(row.kept_id, row.gone_id, actor, at)
        details = {"merge": str(row.id), "given_by": given_by.value}
        _record(Action.CONTACT_PART, actor, row.kept_id, row.gone_id, details)


def merges(*, actor: Actor, contact_id: UUID | None = None, limit: int = 200) -> list[Merge]:
    """Return merges, newest first: all of them, or those of one person."""
    identity.require(actor, MAY)
    rows = MergeRow.objects.order_by("-at", "-id")
    if contact_id is not None:
        whole = list(contacts.whole(contact_id))
        found = bulk.read(_OF_PERSON, [whole, whole])
        if not found:
            return []
        rows = rows.filter(id__in=[id for (id,) in found])
    return _facts(rows[:limit])


def one_merge(merge_id: UUID, *, actor: Actor) -> Merge:
    """Return one merge; raises `NotFound`."""
    identity.require(actor, MAY)
    found = _facts(MergeRow.objects.filter(id=merge_id))
    if not found:
        raise NotFound
    return found[0]


def erase_person(contact_id: UUID) -> int:
    """Forget merges and pairs of a contact that is erased; return how many. Safe to repeat."""
    gone = MergeRow.objects.filter(kept_id=contact_id) | MergeRow.objects.filter(gone_id=contact_id)
    apart = ApartRow.objects.filter(first_id=contact_id) | ApartRow.objects.filter(second_id=contact_id)
    return gone.delete()[0] + apart.delete()[0]


def _facts(rows: Iterable[MergeRow]) -> list[Merge]:
    rows = list(rows)
    names = identity.staff_names([id for row in rows for id in (row.by_id, row.ended_by_id) if id])
    return [
        Merge(
            row.id,
            row.kept_id,
            row.gone_id,
            row.kept_number,
            row.gone_number,
            row.at,
            names.get(row.by_id, ""),
            Phi(_opened(row)["why"]),
            row.ended_at,
            names.get(row.ended_by_id, "") if row.ended_by_id else "",
            Phi(_opened(row, ended=True)["why"] if row.sealed_end else ""),
            GivenBy(row.given_by) if row.given_by else None,
        )
        for row in rows
    ]


def _all_steps() -> tuple[Step, ...]:
    if not _steps:
        raise Unavailable(
            "Nobody says what a merge does in each package.",
            next_step="Start Salus through its command line.",
        )
    return _steps


def _words(why: str) -> str:
    words = why.strip()
    if not words or len(words) > LONGEST_WHY or "\x00" in words:
        raise BadInput(f"Say why, in 1 to {LONGEST_WHY} characters.", place="why")
    return words


def _who(actor: Actor) -> UUID:
    if actor.id is None:
        raise NotFound
    return actor.id


def _record(
    action: Action,
    actor: Actor,
    first: UUID,
    second: UUID,
    details: Mapping[str, Any],
    fields: Sequence[str] = (),
) -> None:
    """Record the act with both, once under each id, so that it is found by either."""
    for one, other in ((first, second), (second, first)):
        audit.record(
            action,
            actor=actor,
            object_kind="contact",
            object_id=one,
            patient_id=one,
            fields=fields,
            details={"other": str(other), **details},
        )


def _opened(row: MergeRow, *, ended: bool = False) -> dict[str, Any]:
    raw = bytes(row.sealed_end or b"") if ended else bytes(row.sealed)
    told: dict[str, Any] = orjson.loads(keys.sealer().open(raw, _binding(row.id)))
    return told


def _seal(merge_id: UUID, told: Mapping[str, Any]) -> bytes:
    return keys.sealer().seal(orjson.dumps(told), _binding(merge_id))


def _binding(merge_id: UUID) -> bytes:
    return keys.binding(current_organization(), "duplicates_merge", merge_id)
