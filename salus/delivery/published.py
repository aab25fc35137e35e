"""Keeps the MTA-STS policies of recipients' domains in the database: every sender has them, and a restart loses none.

Which domains an organization writes to is its patients' affair: the rows are the organization's own, found by
a blind index, and sealed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from salus.delivery.models import StsRow
from salus.delivery.protection.mta_sts import Mode, Published
from salus.delivery.transports.sts import KeptPolicy, StoreAway
from salus.keys import api as keys
from salus.platform.outages import DATABASE_AWAY
from salus.platform.tenancy import acting_for, current_organization

InThread = Callable[..., Awaitable[Any]]
"""Runs a function with its arguments in a thread that has a database connection."""
KIND = "mta_sts"


class PublishedStore:
    """The policies that one organization's senders share."""

    def __init__(self, in_thread: InThread, organization_id: UUID) -> None:
        self._in_thread, self._organization = in_thread, organization_id

    async def get(self, domain: str) -> KeptPolicy | None:
        """Return what is kept of a domain, expired or not; raises `StoreAway`."""
        found: KeptPolicy | None = await self._asked(_read, domain)
        return found

    async def put(self, domain: str, kept: KeptPolicy) -> None:
        """Keep a policy in place of the one before, and drop what has expired; raises `StoreAway`."""
        await self._asked(_write, domain, kept)

    async def _asked(self, function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return await self._in_thread(_within, self._organization, function, *arguments)
        except DATABASE_AWAY as fault:
            raise StoreAway(type(fault).__name__) from None


def lines(domain: str) -> tuple[str, ...]:
    """Return the lines of the policy that is kept of a domain, in the organization's context; none: none is."""
    kept = _read(domain)
    if kept is None:
        return ()
    published = kept.published
    hosts = (f"mx: {each}" for each in published.hosts)
    return ("version: STSv1", f"mode: {published.mode}", *hosts, f"max_age: {published.max_age}")


def _within(organization_id: UUID, function: Callable[..., Any], *arguments: Any) -> Any:
    with acting_for(organization_id):
        return function(*arguments)


def _read(domain: str) -> KeptPolicy | None:
    ids = [UUID(bytes=each) for each in keys.blinder().candidates(KIND, domain)]
    row = StsRow.objects.filter(id__in=ids).order_by("-fetched_at").first()
    return _kept(row) if row else None


def _write(domain: str, kept: KeptPolicy) -> None:
    StsRow.objects.filter(expires_at__lt=kept.fetched_at).delete()
    row = StsRow(
        id=UUID(bytes=keys.blinder().blind(KIND, domain)),
        fetched_at=kept.fetched_at,
        expires_at=kept.expires_at,
    )
    published = kept.published
    plain = orjson.dumps([kept.id, published.mode, published.max_age, published.hosts])
    row.sealed = keys.sealer().seal(plain, _binding(row.id))
    StsRow.objects.bulk_create(  # two senders may have fetched it at once: the later one stays
        [row],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["sealed", "fetched_at", "expires_at"],
    )


def _kept(row: StsRow) -> KeptPolicy:
    id, mode, max_age, hosts = orjson.loads(keys.sealer().open(bytes(row.sealed), _binding(row.id)))
    fetched_at: datetime = row.fetched_at
    return KeptPolicy(id, Published(Mode(mode), max_age, tuple(hosts)), fetched_at)


def _binding(row_id: UUID) -> bytes:
    return keys.binding(current_organization(), "delivery_sts", row_id)
