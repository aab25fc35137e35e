"""API keys: `salus_<organization><key>_<secret>`; the first part says whom to ask, the secret is kept as a hash."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.identity import rules
from salus.identity.contracts import ApiKeyFacts, Permission, Program
from salus.identity.models import ApiKey
from salus.identity.ports import now
from salus.kernel.acting import Actor, ActorKind
from salus.kernel.errors import BadInput, NotFound
from salus.platform.tenancy import current_organization

_SHAPE = re.compile(
    r"salus_(?P<organization>[0-9a-f]{32})(?P<key>[0-9a-f]{32})_(?P<secret>[A-Za-z0-9_-]{43})\Z"
)
NOTE_USE_EVERY = timedelta(minutes=1)


def create(
    name: str,
    scopes: Sequence[str],
    *,
    actor: Actor,
    allowed: frozenset[Permission],
    expires_at: datetime | None,
) -> str:
    """Make a key and return it; this is the only time that it can be seen.

    Raises `BadInput` for a scope that is unknown, for people only, or not among `allowed`.
    """
    if not name.strip():
        raise BadInput("A key needs a name that says what uses it.", place="name")
    if expires_at is not None and expires_at <= now():
        raise BadInput("The key would be over before it began.", place="expires_at")
    chosen = rules.checked_scopes(scopes, allowed)
    secret = secrets.token_urlsafe(32)
    row = ApiKey(
        name=name.strip()[:120],
        secret_hash=_digest(secret),
        scopes=list(chosen),
        created_by=actor.id,
        created_at=now(),
        expires_at=expires_at,
    )
    row.save(force_insert=True)
    audit.record(
        Action.API_KEY_CREATE,
        actor=actor,
        object_kind="apikey",
        object_id=row.pk,
        details={"scopes": len(chosen)},
        fields=chosen,
    )
    return f"salus_{current_organization().hex}{row.pk.hex}_{secret}"


def organization_of(raw: str) -> UUID | None:
    """Return the organization that a key names, None for what does not look like a key."""
    shape = _SHAPE.match(raw)
    return UUID(shape["organization"]) if shape else None


def actor_of(raw: str, *, ip: str, at: datetime) -> Actor | None:
    """Return the key as an actor of the current organization, None when it is wrong, over or revoked."""
    found = programs([(raw, ip)], at=at).get((raw, ip))
    return found.actor if found else None


def programs(presented: Collection[tuple[str, str]], *, at: datetime) -> dict[tuple[str, str], Program]:
    """Return who comes with these keys, each from an address; without those that are wrong, over or revoked."""
    shapes = {pair: shape for pair in presented if (shape := _SHAPE.match(pair[0]))}
    rows = {
        row.pk: row for row in ApiKey.objects.filter(pk__in={UUID(each["key"]) for each in shapes.values()})
    }
    found = {}
    for pair, shape in shapes.items():
        row = rows.get(UUID(shape["key"]))
        right = hmac.compare_digest(bytes(row.secret_hash) if row else b"", _digest(shape["secret"]))
        if row and right and not row.revoked_at and (row.expires_at is None or row.expires_at > at):
            found[pair] = Program(_actor(row, pair[1]), row.words)
    _note_use({program.actor.id for program in found.values()}, rows, at)
    return found


def _note_use(used: Collection[UUID | None], rows: Mapping[UUID, ApiKey], at: datetime) -> None:
    before = at - NOTE_USE_EVERY
    stale = [
        id for id, row in rows.items() if id in used and (not row.last_used_at or row.last_used_at < before)
    ]
    if stale:
        late = Q(last_used_at=None) | Q(last_used_at__lt=before)
        # A call that lasts keeps its key's row locked: the next one with the key must not wait for that.
        free = ApiKey.objects.select_for_update(skip_locked=True).filter(late, pk__in=stale)
        ApiKey.objects.filter(pk__in=free.values("pk")).update(last_used_at=at)


def _actor(row: ApiKey, ip: str) -> Actor:
    return Actor(
        ActorKind.API_KEY,
        current_organization(),
        row.pk,
        permissions=frozenset(row.scopes) & frozenset(Permission) - rules.NOT_FOR_KEYS,
        ip=ip,
    )


def set_words(key_id: UUID, words: Mapping[str, str], *, actor: Actor) -> None:
    """Say what the messages of a key's program are; raises `NotFound` for a key that is not there, or over."""
    row = ApiKey.objects.select_for_update().filter(pk=key_id, revoked_at=None).first()
    if row is None:
        raise NotFound
    row.words = dict(words)
    row.save(update_fields=["words"])
    audit.record(
        Action.API_KEY_CHANGE, actor=actor, object_kind="apikey", object_id=row.pk, fields=sorted(words)
    )


def revoke(key_id: UUID, *, actor: Actor) -> None:
    """Stop a key for good; raises `NotFound`. Revoking it again changes nothing."""
    row = ApiKey.objects.select_for_update().filter(pk=key_id).first()
    if row is None:
        raise NotFound
    if row.revoked_at is None:
        _revoke(row, actor)


def revoke_made_by(staff_id: UUID, *, actor: Actor) -> None:
    """Stop every key that a person made."""
    for row in ApiKey.objects.select_for_update().filter(created_by=staff_id, revoked_at=None):
        _revoke(row, actor)


def _revoke(row: ApiKey, actor: Actor) -> None:
    row.revoked_at = now()
    row.save(update_fields=["revoked_at"])
    audit.record(Action.API_KEY_REVOKE, actor=actor, object_kind="apikey", object_id=row.pk)


def every() -> tuple[ApiKeyFacts, ...]:
    """Return the keys of the current organization, the newest first."""
    return tuple(_facts(row) for row in ApiKey.objects.order_by("-created_at", "-id"))


def _digest(secret: str) -> bytes:
    """Return what is kept of a secret; it has 256 random bits, so one fast hash is enough."""
    return hashlib.sha256(secret.encode()).digest()


def _facts(row: ApiKey) -> ApiKeyFacts:
    return ApiKeyFacts(
        id=row.pk,
        name=row.name,
        scopes=tuple(Permission(scope) for scope in row.scopes if scope in set(Permission)),
        created_at=row.created_at,
        created_by=row.created_by,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
        words=row.words,
    )
