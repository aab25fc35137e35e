"""Legal holds: put and lifted by a person with a reason; while one stands, nothing of its person goes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg import sql

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.contacts import api as contacts
from salus.identity import api as identity
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor, ActorKind
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.joining import Pair
from salus.kernel.phi import Phi
from salus.keys import api as keys
from salus.platform import bulk
from salus.platform.tenancy import current_organization
from salus.retention.contracts import Hold, Spared
from salus.retention.models import HeldRow, HoldRow

LONGEST, LONGEST_REFERENCE = 2000, 200
_ALONE = sql.SQL("SELECT pg_advisory_xact_lock(%s)")
_TOGETHER = sql.SQL("SELECT pg_advisory_xact_lock_shared(%s)")


def must_hold(actor: Actor) -> None:
    """Raise `NotFound` unless `actor` answers for people's records, or is the system itself."""
    if actor.kind is not ActorKind.SYSTEM:
        identity.require(actor, Permission.PRIVACY_REQUEST_DO)


def put(contact_id: UUID | None, *, reason: str, reference: str, actor: Actor, at: datetime) -> UUID:
    """Put a hold on a person, or on the whole organization (None), and return its id.

    It waits for what is being erased at this moment; nothing is erased after it. Raises `NotFound` for
    who may not and for a person who is not there, `BadInput` (no reason, words too long).
    """
    must_hold(actor)
    words = {"reason": _words(reason, "reason", LONGEST), "reference": _short(reference)}
    bulk.execute(_ALONE, [_lock()])
    if contact_id is not None and not contacts.versions([contact_id]):
        raise NotFound
    row = HoldRow(everybody=contact_id is None, put_by=actor.id, put_at=at)
    row.sealed = _seal(row.id, words)
    row.save(force_insert=True)
    if contact_id is not None:
        _cover([row.id], contacts.whole(contact_id))
    _record(Action.HOLD_PUT, row.id, contact_id, actor)
    return row.id


def lift(hold_id: UUID, *, reason: str, actor: Actor, at: datetime) -> None:
    """Lift a hold; what it kept is erased when it is asked for, or when its time is over. It stays on the list.

    Raises `NotFound`, `Conflict` for one that was lifted, `BadInput` for no reason.
    """
    must_hold(actor)
    words = {"reason": _words(reason, "reason", LONGEST)}
    row = HoldRow.objects.select_for_update().filter(id=hold_id).first()
    if row is None:
        raise NotFound
    if row.lifted_at is not None:
        raise Conflict("This hold was lifted already.")
    row.sealed_end, row.lifted_by, row.lifted_at = _seal(row.id, words), actor.id, at
    row.save(update_fields=["sealed_end", "lifted_by", "lifted_at"])
    _record(Action.HOLD_LIFT, row.id, _person(row), actor)


def holds(*, actor: Actor, contact_id: UUID | None = None, limit: int = 200) -> list[Hold]:
    """Return holds, those that stand first, then the newest: all of them, or those that cover a person."""
    must_hold(actor)
    rows = HoldRow.objects.prefetch_related("held").order_by("lifted_at", "-put_at", "-id")
    if contact_id is not None:
        whole = contacts.whole(contact_id)
        rows = rows.filter(id__in=HeldRow.objects.filter(contact_id__in=whole).values("hold_id")) | (
            rows.filter(everybody=True)
        )
    standing = list(rows.filter(lifted_at=None)[:limit])
    lifted = rows.filter(lifted_at__isnull=False).order_by("-lifted_at", "-id")[: limit - len(standing)]
    return [_facts(row) for row in (*standing, *lifted)]


def hold(hold_id: UUID, *, actor: Actor) -> Hold:
    """Return one hold; raises `NotFound`."""
    must_hold(actor)
    row = HoldRow.objects.prefetch_related("held").filter(id=hold_id).first()
    if row is None:
        raise NotFound
    return _facts(row)


def spared() -> Spared:
    """Return whose nothing may go; until the caller's transaction ends nobody puts another hold."""
    bulk.execute(_TOGETHER, [_lock()])
    standing = HoldRow.objects.filter(lifted_at=None)
    people = HeldRow.objects.filter(hold__in=standing).values_list("contact_id", flat=True)
    return Spared(standing.filter(everybody=True).exists(), frozenset(people))


def held_since(contact_id: UUID, after: datetime | None = None) -> datetime | None:
    """Return since when a hold covers a person, None for nobody's; until the transaction ends no other is put.

    Holds that were put before `after` do not count.
    """
    bulk.execute(_TOGETHER, [_lock()])
    covering = HeldRow.objects.filter(contact_id__in=contacts.whole(contact_id)).values("hold_id")
    rows = HoldRow.objects.filter(lifted_at=None)
    rows = rows.filter(id__in=covering) | rows.filter(everybody=True)
    if after is not None:
        rows = rows.filter(put_at__gte=after)
    return rows.order_by("put_at").values_list("put_at", flat=True).first()


def must_be_free(contact_id: UUID, after: datetime | None = None) -> None:
    """Raise `Conflict` while a hold covers a person, as `held_since` says it."""
    since = held_since(contact_id, after)
    if since is not None:
        raise Conflict(
            f"A legal hold covers this person since {since:%Y-%m-%d}. Nothing more of theirs is erased.",
            next_step="The request waits. Carry it out when the hold is lifted.",
        )


def standing() -> int:
    """Return how many holds stand."""
    return HoldRow.objects.filter(lifted_at=None).count()


def join_person(pair: Pair) -> None:
    """Let every hold on either of two people cover both, now and after a split: nobody is held less by it."""
    bulk.execute(_TOGETHER, [_lock()])
    whole = {*contacts.whole(pair.kept_id), *contacts.whole(pair.gone_id)}
    covering = HeldRow.objects.filter(contact_id__in=whole, hold__lifted_at=None)
    _cover(set(covering.values_list("hold_id", flat=True)), whole)


def _cover(hold_ids: Iterable[UUID], contact_ids: Iterable[UUID]) -> None:
    people = list(contact_ids)
    rows = [HeldRow(hold_id=hold, contact_id=person) for hold in hold_ids for person in people]
    HeldRow.objects.bulk_create(rows, ignore_conflicts=True)


def _lock() -> int:
    """Return the number of the lock that holds take alone, and whatever erases takes together with others."""
    digest = hashlib.sha256(f"retention-holds:{current_organization()}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _words(text: str, place: str, longest: int) -> str:
    kept = text.strip()
    if not kept:
        raise BadInput("Say why; it is kept with the hold.", place=place)
    if len(kept) > longest or "\x00" in kept:
        raise BadInput(f"Write at most {longest} characters.", place=place)
    return kept


def _short(reference: str) -> str:
    return _words(reference, "reference", LONGEST_REFERENCE) if reference.strip() else ""


def _binding(hold_id: UUID) -> bytes:
    return keys.binding(current_organization(), "retention_hold", hold_id)


def _seal(hold_id: UUID, words: dict[str, str]) -> bytes:
    return keys.sealer().seal(orjson.dumps(words), _binding(hold_id))


def _opened(row: HoldRow, sealed: Any) -> dict[str, str]:
    found: dict[str, str] = orjson.loads(keys.sealer().open(bytes(sealed), _binding(row.id)))
    return found


def _facts(row: HoldRow) -> Hold:
    words = _opened(row, row.sealed)
    end = _opened(row, row.sealed_end)["reason"] if row.sealed_end else ""
    return Hold(
        row.id,
        row.everybody,
        tuple(sorted(each.contact_id for each in row.held.all())),
        Phi(words["reason"]),
        Phi(words["reference"]),
        row.put_by,
        row.put_at,
        Phi(end),
        row.lifted_by,
        row.lifted_at,
    )


def _person(row: HoldRow) -> UUID | None:
    """Return the person that a hold is on, under the id that goes on."""
    covered = HeldRow.objects.filter(hold=row).values_list("contact_id", flat=True).first()
    return contacts.whole(covered)[0] if covered else None


def _record(action: Action, hold_id: UUID, contact_id: UUID | None, actor: Actor) -> None:
    audit.record(
        action,
        actor=actor,
        object_kind="legal_hold",
        object_id=hold_id,
        patient_id=contact_id,
        details={"everybody": int(contact_id is None)},
    )
