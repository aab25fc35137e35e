"""Makes, rotates and destroys keys; each act is one transaction with its audit entry."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.ids import new_id
from salus.keys import dkim, keysets, local, signing
from salus.keys.keyring import context, ring
from salus.keys.models import KeyRow, Kind, Status
from salus.platform.tenancy import current_organization

FIRST_KEYS = (Kind.DATA, Kind.BLIND, Kind.TOKEN, Kind.AUDIENCE, Kind.CHECKPOINT)
"""What every organization has from its first moment."""
ROTATABLE = (Kind.DATA, Kind.BLIND, Kind.TOKEN, Kind.CHECKPOINT)
OPENING = frozenset(Kind) - {Kind.CHECKPOINT}
"""What destruction takes: everything that could open or send. The log must still prove that it happened."""

TOKEN_KEY_AGE = timedelta(days=31)
TOKEN_KEY_END = timedelta(days=400)
"""A retired token key goes when no token that it sealed can be valid any more (13 months)."""

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
    KeyRow.objects.bulk_create(_rows(organization_id, [(kind, "", 1) for kind in FIRST_KEYS], at))
    audit.record(
        Action.KEYS_ORGANIZATION_CREATE,
        actor=actor,
        object_kind="organization",
        object_id=organization_id,
        details={kind.value: 1 for kind in FIRST_KEYS},
        at=at,
    )
    _forget_on_commit(organization_id)


def create_dkim_keys(domain: str, actor: Actor, at: datetime) -> None:
    """Make both DKIM keys of `domain`; of two at once, one makes them and the other finds them."""
    organization_id = current_organization()
    rows = _rows(organization_id, [(Kind.DKIM_RSA, domain, 1), (Kind.DKIM_ED25519, domain, 1)], at)
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
    _forget_on_commit(organization_id)


def rotate(kind: Kind, actor: Actor, at: datetime) -> int:
    """Make a new active key of `kind`, retire the present one, and return the new version."""
    if kind not in ROTATABLE:
        raise BadInput("Keys of this kind are not rotated this way.", place="kind")
    organization_id = current_organization()
    present = KeyRow.objects.select_for_update().filter(kind=kind, name="", status=Status.ACTIVE).first()
    if present is None:
        raise NotFound("This organization has no keys, or they were destroyed.")
    (row,) = _rows(organization_id, [(kind, "", present.version + 1)], at)
    present.status, present.retired_at, present.written_in = Status.RETIRED, at, row.written_in
    present.save(update_fields=["status", "retired_at", "written_in"])
    row.save(force_insert=True)
    _record_key(Action.KEYS_KEY_ROTATE, row, actor, at)
    _forget_on_commit(organization_id)
    return row.version


def destroy_retired(kind: Kind, actor: Actor, at: datetime, *, retired_before: datetime | None = None) -> int:
    """Destroy the retired keys of `kind` and return how many; what only they seal cannot be opened again."""
    if kind == Kind.CHECKPOINT:
        raise BadInput("Checkpoint keys are kept: they verify the log and open nothing.", place="kind")
    found = KeyRow.objects.select_for_update().filter(kind=kind, status=Status.RETIRED)
    if retired_before is not None:
        found = found.filter(retired_at__lt=retired_before)
    return _destroy(found, actor, at)


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
    count, written_in = 0, _transaction()
    for row in rows:
        row.status, row.wrapped, row.written_in = Status.DESTROYED, b"", written_in
        row.retired_at = row.retired_at or at
        row.save(update_fields=["status", "wrapped", "retired_at", "written_in"])
        _record_key(Action.KEYS_KEY_DESTROY, row, actor, at)
        count += 1
    _forget_on_commit(current_organization())
    return count


def _record_key(action: Action, row: KeyRow, actor: Actor, at: datetime) -> None:
    audit.record(
        action,
        actor=actor,
        object_kind="key",
        object_id=row.id,
        details={"kind": str(row.kind), "version": row.version},
        at=at,
    )


def _rows(organization_id: UUID, wanted: Iterable[tuple[Kind, str, int]], at: datetime) -> list[KeyRow]:
    """Return new active rows with freshly made, wrapped keys; nothing is stored yet."""
    provider, written_in = local.ports().provider, _transaction()
    return [
        KeyRow(
            id=new_id(),
            organization_id=organization_id,
            kind=kind,
            name=name,
            version=version,
            status=Status.ACTIVE,
            wrapped=provider.wrap(_MAKERS[kind](), context(organization_id, kind, name, version)),
            wrapped_by=provider.name(),
            created_at=at,
            written_in=written_in,
        )
        for kind, name, version in wanted
    ]


def _transaction() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_NOW_IN)
        return int(cursor.fetchone()[0])


def _forget_on_commit(organization_id: UUID) -> None:
    """Drop the keys from memory now, and again when others may have read the old ones meanwhile."""
    ring.forget(organization_id)
    transaction.on_commit(lambda: ring.forget(organization_id))
