"""Makes, rotates and destroys keys; each act is one transaction with its audit entry."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from psycopg import sql

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.ids import new_id
from salus.keys import dkim, keysets, local, resealing, signing, walking
from salus.keys.contracts import InUse, KeptIndex
from salus.keys.keyring import context, ring
from salus.keys.models import KeyRow, Kind, Status
from salus.platform import bulk
from salus.platform.tenancy import current_organization

FIRST_KEYS = (Kind.DATA, Kind.BLIND, Kind.TOKEN, Kind.AUDIENCE, Kind.CHECKPOINT)
"""What every organization has from its first moment."""
ROTATABLE = (Kind.DATA, Kind.BLIND, Kind.TOKEN, Kind.CHECKPOINT)
OPENING = frozenset(Kind) - {Kind.CHECKPOINT}
"""What destruction takes: everything that could open or send. The log must still prove that it happened."""

TOKEN_KEY_AGE = timedelta(days=31)
TOKEN_KEY_END = timedelta(days=400)
"""A retired token key goes when no token that it sealed can be valid any more (13 months)."""

SETTLED = timedelta(hours=24)
"""A process may hold what seals for a batch, and a page what it sealed for minutes: no key goes sooner."""

_NOW_IN = "SELECT pg_current_xact_id()::text::bigint"


_MAKERS: dict[Kind, Callable[[], bytes]] = {
    Kind.DATA: keysets.new_aead_keyset,
    Kind.BLIND: keysets.new_prf_keyset,
    Kind.TOKEN: keysets.new_aead_keyset,
    Kind.AUDIENCE: keysets.new_raw_key,
    Kind.CHECKPOINT: signing.new_private,
    Kind.DKIM_RSA: lambda: dkim.new_private(dkim.RSA),
    Kind.DKIM_ED25519: lambda: dkim.new_private(dkim.ED25519),
}


def create_organization_keys(actor: Actor, at: datetime) -> None:
    """Give the current organization its first keys; raises `Conflict` when it has any."""
    organization_id = current_organization()
    if KeyRow.objects.exists():
        raise Conflict("This organization has its keys already.")
    KeyRow.objects.bulk_create(new_rows(organization_id, [(kind, "", 1) for kind in FIRST_KEYS], at))
    audit.record(
        Action.KEYS_ORGANIZATION_CREATE,
        actor=actor,
        object_kind="organization",
        object_id=organization_id,
        details={kind.value: 1 for kind in FIRST_KEYS},
        at=at,
    )
    forget_on_commit(organization_id)


def create_dkim_keys(domain: str, actor: Actor, at: datetime) -> None:
    """Make both DKIM keys of `domain`; of two at once, one makes them and the other finds them."""
    organization_id = current_organization()
    rows = new_rows(organization_id, [(Kind.DKIM_RSA, domain, 1), (Kind.DKIM_ED25519, domain, 1)], at)
    # Whoever comes second waits here for the first, inserts nothing and reads the first one's.
    KeyRow.objects.bulk_create(rows, ignore_conflicts=True)
    for row in KeyRow.objects.filter(id__in=[row.id for row in rows]):
        audit.record(
            Action.KEYS_KEY_CREATE,
            actor=actor,
            object_kind="key",
            object_id=row.id,
            details={"kind": row.kind, "domain": domain, "version": 1},
            at=at,
        )
    forget_on_commit(organization_id)


def rotate(kind: Kind, actor: Actor, at: datetime) -> int:
    """Make a new active key of `kind`, retire the present one, and return the new version."""
    if kind not in ROTATABLE:
        raise BadInput("Keys of this kind are not rotated this way.", place="kind")
    organization_id = current_organization()
    present = KeyRow.objects.select_for_update().filter(kind=kind, name="", status=Status.ACTIVE).first()
    if present is None:
        raise NotFound("This organization has no keys, or they were destroyed.")
    (row,) = new_rows(organization_id, [(kind, "", present.version + 1)], at)
    present.status, present.retired_at, present.written_in = Status.RETIRED, at, row.written_in
    present.save(update_fields=["status", "retired_at", "written_in"])
    row.save(force_insert=True)
    record_key(Action.KEYS_KEY_ROTATE, row, actor, at, **_public(row))
    forget_on_commit(organization_id)
    resealing.begin(kind, row.version, at)
    return row.version


def _public(row: KeyRow) -> dict[str, str]:
    """Return what the log says of a new checkpoint key, so that the log itself leads from key to key."""
    if row.kind != Kind.CHECKPOINT:
        return {}
    (raw, *_) = ring.reload(row.organization_id).checkpoint
    return {"public": signing.public_key(raw).hex()}


def destroy_retired(kind: Kind, actor: Actor, at: datetime, *, retired_before: datetime) -> int:
    """Destroy the keys of `kind` that retired before a moment and return how many."""
    found = KeyRow.objects.select_for_update().filter(
        kind=kind, status=Status.RETIRED, retired_at__lt=retired_before
    )
    return _destroy(found, actor, at)


def destroy_unused(kind: Kind, actor: Actor, at: datetime) -> int:
    """Destroy the retired keys of `kind` with which nothing is sealed any more, and return how many.

    Raises `Conflict` when a sweep finds anything under them: that is then walked again, and the keys stay.
    """
    if kind == Kind.CHECKPOINT:
        raise BadInput("Checkpoint keys are kept: they verify the log and open nothing.", place="kind")
    if kind not in ROTATABLE:
        raise BadInput("Keys of this kind end by themselves.", place="kind")
    if kind == Kind.TOKEN:
        return destroy_retired(kind, actor, at, retired_before=at - TOKEN_KEY_END)
    left = resealing.walk_again(kind, at)
    if left:
        raise InUse(left)
    if kind == Kind.BLIND:
        _refuse_kept()
    return destroy_retired(kind, actor, at, retired_before=at - SETTLED)


def _refuse_kept() -> None:
    """Raise `Conflict` while rows whose index cannot be made anew were written under a retired key."""
    last = KeyRow.objects.filter(kind=Kind.BLIND, status=Status.RETIRED).order_by("-retired_at").first()
    if last is None or last.retired_at is None:
        return
    found = {
        each.table: count for each in walking.kept() if (count := _before(each, last.retired_at + SETTLED))
    }
    if found:
        told = ", ".join(f"{count:,} of {table}" for table, count in found.items())
        raise Conflict(
            f"Rows can be found under a retired blind-index key only: {told}.",
            kept="The key stays, and new rows use the present one.",
        )


def _before(index: KeptIndex, moment: datetime) -> int:
    statement = sql.SQL("SELECT count(*) FROM {} WHERE organization_id = %s AND {} < %s")
    named = statement.format(sql.Identifier(index.table), sql.Identifier(index.since))
    ((count,),) = bulk.execute(named, [current_organization(), moment])
    return int(count)


def age_token_keys(actor: Actor, at: datetime) -> None:
    """Rotate a token key that is a month old, and destroy those whose last token has ended."""
    present = KeyRow.objects.filter(kind=Kind.TOKEN, status=Status.ACTIVE).first()
    if present and at - present.created_at >= TOKEN_KEY_AGE:
        rotate(Kind.TOKEN, actor, at)
    destroy_retired(Kind.TOKEN, actor, at, retired_before=at - TOKEN_KEY_END)


def destroy_organization_keys(actor: Actor, at: datetime) -> int:
    """Destroy every key that opens, signs mail or makes indexes, for good; return how many.

    The checkpoint key stays: it opens nothing, and the log must be able to prove the destruction.
    """
    organization_id = current_organization()
    found = KeyRow.objects.select_for_update().filter(kind__in=OPENING).exclude(status=Status.DESTROYED)
    count = _destroy(found, actor, at)
    audit.record(
        Action.KEYS_ORGANIZATION_DESTROY,
        actor=actor,
        object_kind="organization",
        object_id=organization_id,
        details={"keys": count},
        at=at,
    )
    return count


def _destroy(rows: Iterable[KeyRow], actor: Actor, at: datetime) -> int:
    count, written_in = 0, transaction_id()
    for row in rows:
        row.status, row.wrapped, row.written_in = Status.DESTROYED, b"", written_in
        row.retired_at = row.retired_at or at
        row.save(update_fields=["status", "wrapped", "retired_at", "written_in"])
        record_key(Action.KEYS_KEY_DESTROY, row, actor, at)
        count += 1
    forget_on_commit(current_organization())
    return count


def record_key(action: Action, row: KeyRow, actor: Actor, at: datetime, **more: str) -> None:
    """Record what was done to one key."""
    audit.record(
        action,
        actor=actor,
        object_kind="key",
        object_id=row.id,
        details={"kind": str(row.kind), "version": row.version, **more},
        at=at,
    )


def new_rows(
    organization_id: UUID,
    wanted: Iterable[tuple[Kind, str, int]],
    at: datetime,
    status: Status = Status.ACTIVE,
) -> list[KeyRow]:
    """Return new rows with freshly made, wrapped keys; nothing is stored yet."""
    provider, written_in = local.provider_of(_wraps()), transaction_id()
    return [
        KeyRow(
            id=new_id(),
            organization_id=organization_id,
            kind=kind,
            name=name,
            version=version,
            status=status,
            wrapped=provider.wrap(_MAKERS[kind](), context(organization_id, kind, name, version)),
            wrapped_by=provider.name(),
            created_at=at,
            written_in=written_in,
        )
        for kind, name, version in wanted
    ]


def _wraps() -> str:
    """Return who wraps the present data key: new keys go where it is. The first ones go to the key file."""
    found = KeyRow.objects.filter(kind=Kind.DATA, status=Status.ACTIVE).values_list("wrapped_by", flat=True)
    return found.first() or ""


def transaction_id() -> int:
    """Return the number of the running transaction, for `KeyRow.written_in`."""
    with connection.cursor() as cursor:
        cursor.execute(_NOW_IN)
        return int(cursor.fetchone()[0])


def forget_on_commit(organization_id: UUID) -> None:
    """Drop the keys from memory now, and again when others may have read the old ones meanwhile."""
    ring.forget(organization_id)
    transaction.on_commit(lambda: ring.forget(organization_id))
