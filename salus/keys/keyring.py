"""The keys of an organization, unwrapped on first use and kept in memory for a minute at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from django.db import connection

from salus.kernel.errors import BadInput, NotFound, Unavailable
from salus.keys import local
from salus.keys.contracts import DkimKey
from salus.keys.dkim import describe
from salus.keys.keysets import AeadSealer, PrfBlinder
from salus.keys.models import Kind, Status
from salus.platform.tenancy import NoTenant, acting_for, current_organization

FRESH = 60.0
"""Seconds after which a process looks whether another one has rotated or destroyed keys."""

_SELECT = """
SELECT id, kind, name, version, status, wrapped, wrapped_by,
    written_in = (SELECT pg_current_xact_id_if_assigned()::text::bigint)
FROM keys_key WHERE organization_id = %s ORDER BY kind, name, version DESC
"""


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A row of the table, as the ring reads it."""

    id: UUID
    kind: str
    name: str
    version: int
    status: str
    wrapped: bytes
    wrapped_by: str


def context(organization_id: UUID, kind: str, name: str, version: int) -> bytes:
    """Return what a wrapped key is bound to: moved to another row, it does not unwrap."""
    return f"salus/keys/{organization_id}/{kind}/{name}/{version}".encode()


def unwrap(organization_id: UUID, key: WrappedKey) -> bytes:
    """Return a key in clear, by the provider that wrapped it; raises `Unavailable` that says what to look for."""
    provider = local.provider_of(key.wrapped_by)
    try:
        return provider.unwrap(key.wrapped, context(organization_id, key.kind, key.name, key.version))
    except BadInput as fault:
        if key.wrapped_by != provider.name():
            raise Unavailable(
                f"A key of this organization is wrapped by {key.wrapped_by}, and this machine has {provider.name()}.",
                kept="Nothing was changed.",
                next_step="Bring the key file of the machine that made it (its keys folder), or restore it.",
            ) from fault
        raise Unavailable(
            f"A stored key ({key.kind}, version {key.version}) was changed and does not unwrap.",
            next_step="Restore the table keys_key from your backup.",
        ) from fault


class OrganizationKeys:
    """One organization's keys; each kind is unwrapped when it is first asked for."""

    def __init__(
        self, organization_id: UUID, rows: tuple[WrappedKey, ...], refresh: Callable[[Kind], Sequence[bytes]]
    ) -> None:
        self.organization_id = organization_id
        self.rows = rows
        self._refresh = refresh
        self._dkim: dict[str, tuple[DkimKey, DkimKey]] = {}

    def material(self, kind: Kind, name: str = "", *, waiting: bool = False) -> list[bytes]:
        """Return the keys of `kind` in clear, the active one first, or those that wait; empty when there are none."""
        found = [
            row
            for row in self.rows
            if row.kind == kind and row.name == name and (row.status == Status.WAITING) is waiting
        ]
        found.sort(key=lambda row: (row.status != Status.ACTIVE, -row.version))
        return [unwrap(self.organization_id, row) for row in found]

    def required(self, kind: Kind) -> list[bytes]:
        """Return `material`, or raise `NotFound` for an organization without such keys."""
        found = self.material(kind)
        if not found:
            raise NotFound(
                "This organization has no keys, or they were destroyed: nothing of it can be opened."
            )
        return found

    @cached_property
    def data(self) -> AeadSealer:
        """Return what seals and opens data."""
        return AeadSealer(self.required(Kind.DATA), lambda: self._refresh(Kind.DATA))

    @cached_property
    def token(self) -> AeadSealer:
        """Return what seals and opens tokens."""
        return AeadSealer(self.required(Kind.TOKEN), lambda: self._refresh(Kind.TOKEN))

    @cached_property
    def blinder(self) -> PrfBlinder:
        """Return what makes blind indexes."""
        return PrfBlinder(self.required(Kind.BLIND))

    def dkim(self, domain: str) -> tuple[DkimKey, DkimKey] | None:
        """Return the RSA and the Ed25519 key of a domain, None when it has none."""
        found = self._dkim.get(domain)
        if found is None:
            rsa, ed25519 = self.material(Kind.DKIM_RSA, domain), self.material(Kind.DKIM_ED25519, domain)
            if not (rsa and ed25519):
                return None
            found = self._dkim[domain] = describe(rsa[0]), describe(ed25519[0])
        return found

    def waiting_dkim(self, domain: str) -> tuple[DkimKey, ...]:
        """Return the keys of a domain that wait for their records to be published."""
        found = [self.material(kind, domain, waiting=True) for kind in (Kind.DKIM_RSA, Kind.DKIM_ED25519)]
        return tuple(describe(one) for keys in found for one in keys)

    @cached_property
    def checkpoint(self) -> list[bytes]:
        """Return the raw checkpoint keys, the active one first."""
        return self.required(Kind.CHECKPOINT)


class Keyring:
    """The process's cache of organizations' keys; thread-safe.

    Rows that the running transaction itself has written are used but never cached: a rollback would
    leave the memory with keys that exist nowhere.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._known: dict[UUID, tuple[OrganizationKeys, float]] = {}
        self._forgotten = 0

    def of(self, organization_id: UUID) -> OrganizationKeys:
        """Return the keys of an organization, read anew when they are a minute old."""
        with self._lock:
            known = self._known.get(organization_id)
        if known and self._monotonic() - known[1] < FRESH:
            return known[0]
        return self.reload(organization_id)

    def reload(self, organization_id: UUID) -> OrganizationKeys:
        """Read the keys from the database; what has not changed keeps its unwrapped form."""
        asked, forgotten = self._monotonic(), self._forgotten
        rows, committed = _read(organization_id)
        with self._lock:
            known = self._known.get(organization_id)
            if known and known[0].rows == rows:
                keys = known[0]
            else:
                keys = OrganizationKeys(
                    organization_id, rows, lambda kind: self._material(organization_id, kind)
                )
            if rows and committed and forgotten == self._forgotten:  # else what we read may be history
                self._known[organization_id] = (keys, asked)
        return keys

    def _material(self, organization_id: UUID, kind: Kind) -> list[bytes]:
        return self.reload(organization_id).material(kind)

    def forget(self, organization_id: UUID) -> None:
        """Drop an organization's keys from memory."""
        with self._lock:
            self._known.pop(organization_id, None)
            self._forgotten += 1

    def clear(self) -> None:
        """Drop everything from memory."""
        with self._lock:
            self._known.clear()
            self._forgotten += 1


def _read(organization_id: UUID) -> tuple[tuple[WrappedKey, ...], bool]:
    """Return an organization's living keys, and whether all of them are committed."""
    # Inside the organization's own transaction no savepoint is needed for a mere look.
    with (
        nullcontext() if _inside(organization_id) else acting_for(organization_id),
        connection.cursor() as cursor,
    ):
        cursor.execute(_SELECT, [organization_id])
        found = cursor.fetchall()
    rows = tuple(
        WrappedKey(key_id, kind, name, version, status, bytes(wrapped), wrapped_by)
        for key_id, kind, name, version, status, wrapped, wrapped_by, _ in found
        if status != Status.DESTROYED
    )
    return rows, not any(uncommitted for *_, uncommitted in found)


def _inside(organization_id: UUID) -> bool:
    try:
        return current_organization() == organization_id
    except NoTenant:
        return False


ring = Keyring()
