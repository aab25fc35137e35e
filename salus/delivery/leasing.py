"""Leases of the queue: fair between organizations, fenced, and short transactions only."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString
from uuid import UUID

from django.db import transaction
from psycopg import sql

from salus.platform import bulk

LEASE = timedelta(minutes=30)
"""Longer than every SMTP time-out together (RFC 5321, 4.5.3.2), so a slow sender is never doubled.

A sender that died on this machine gives its leases back long before (`take_back`): what runs out is
the lease of a machine that is gone.
"""

ALL = (0, 32767)
"""Every priority."""

# A loose index scan: one probe an organization, however long the queue is.
_ORGANIZATIONS = sql.SQL(
    "WITH RECURSIVE o AS ("
    "(SELECT organization_id FROM delivery_queue WHERE NOT held ORDER BY organization_id LIMIT 1) "
    "UNION ALL SELECT (SELECT q.organization_id FROM delivery_queue q WHERE NOT q.held "
    "AND q.organization_id > o.organization_id ORDER BY q.organization_id LIMIT 1) "
    "FROM o WHERE o.organization_id IS NOT NULL) "
    "SELECT organization_id FROM o WHERE organization_id IS NOT NULL"
)
_LEASE = sql.SQL(
    "WITH due AS (SELECT message_id FROM delivery_queue WHERE organization_id = %s AND NOT held "
    "AND priority BETWEEN %s AND %s AND not_before <= %s AND (lease_until IS NULL OR lease_until < %s) "
    "ORDER BY priority, not_before LIMIT %s FOR UPDATE SKIP LOCKED) "
    "UPDATE delivery_queue q SET lease_until = %s, sender = %s, fence = q.fence + 1 "
    "FROM due WHERE q.message_id = due.message_id "
    "RETURNING q.message_id, q.organization_id, q.fence, q.begun, q.site, q.priority"
)
_BEGIN = sql.SQL(
    "UPDATE delivery_queue q SET begun = true FROM unnest(%s::uuid[], %s::int8[]) AS l(message_id, fence) "
    "WHERE q.message_id = l.message_id AND q.fence = l.fence RETURNING q.message_id"
)


@dataclass(frozen=True, slots=True)
class Lease:
    """One message that this sender, and no other, may hand over while the lease lasts.

    `was_begun` means an earlier lease ended between the batch mark and its outcome: `uncertain`.
    """

    message_id: UUID
    organization_id: UUID
    fence: int
    was_begun: bool
    site: str
    priority: int


def lease(
    limit: int,
    at: datetime,
    sender: UUID | None = None,
    *,
    after: UUID | None = None,
    but: Collection[UUID] = (),
    ranks: tuple[int, int] = ALL,
) -> list[Lease]:
    """Lease up to `limit` due messages for `sender`, an equal share for each organization that waits.

    The turn goes on behind the organization `after`, so that everybody is served also where more of
    them wait than `limit`; the organizations `but` are left alone, and priorities outside of `ranks` (the
    first and the last, `delivery.rules.RANK`). Runs as the sender's database role, outside any organization, in a
    transaction of its own.
    """
    with transaction.atomic():  # one commit, however many organizations wait
        return _lease(limit, at, sender, after, but, ranks)


def _lease(
    limit: int,
    at: datetime,
    sender: UUID | None,
    after: UUID | None,
    but: Collection[UUID],
    ranks: tuple[int, int],
) -> list[Lease]:
    waiting = [row[0] for row in bulk.execute(_ORGANIZATIONS) if row[0] not in but]
    if after is not None:
        waiting.sort(key=lambda each: (each <= after, each))
    leased: list[Lease] = []
    for place, organization_id in enumerate(waiting):
        share = max(1, (limit - len(leased)) // (len(waiting) - place))
        rows = bulk.execute(_LEASE, [organization_id, *ranks, at, at, share, at + LEASE, sender])
        leased += [Lease(*row) for row in rows]
        if len(leased) >= limit:
            break
    return leased


def mark_begun(leases: Sequence[Lease]) -> set[UUID]:
    """Write the batch mark: the attempt of these messages begins now. Return those still ours.

    Committed before MAIL FROM; a message whose fence has moved on belongs to another sender.
    """
    rows = bulk.read(_BEGIN, [[each.message_id for each in leases], [each.fence for each in leases]])
    return {row[0] for row in rows}


def give_back(leases: Sequence[Lease]) -> None:
    """Return prepared leases whose attempt did not begin, to be leased again at once."""
    _settle(leases, "lease_until = NULL, sender = NULL, begun = false")


def put_off(waits: Sequence[tuple[Lease, datetime]]) -> None:
    """Return leases whose messages were not tried, to be leased again from a moment of their own on."""
    bulk.execute(
        sql.SQL(
            "UPDATE delivery_queue q SET lease_until = NULL, sender = NULL, begun = false, not_before = l.at "
            "FROM unnest(%s::uuid[], %s::int8[], %s::timestamptz[]) AS l(message_id, fence, at) "
            "WHERE q.message_id = l.message_id AND q.fence = l.fence"
        ),
        [
            [each.message_id for each, _ in waits],
            [each.fence for each, _ in waits],
            [at for _, at in waits],
        ],
    )


def take_back(sender: UUID, keep: Collection[UUID] = ()) -> int:
    """Give back what `sender` holds but for the messages `keep`; return how many. What was begun keeps its mark.

    Only for a sender that is dead, or that lost count because the database went away while it leased.
    It reads the whole queue, which is narrow, and happens once a death.
    """
    found = bulk.execute(
        sql.SQL(
            "UPDATE delivery_queue SET lease_until = NULL, sender = NULL "
            "WHERE sender = %s AND NOT message_id = ANY(%s) RETURNING message_id"
        ),
        [sender, list(keep)],
    )
    return len(found)


def forget_begun(leases: Sequence[Lease]) -> None:
    """Take an old batch mark away, after the message itself has been flagged `uncertain`."""
    _settle(leases, "begun = false")


def _settle(leases: Sequence[Lease], change: LiteralString) -> None:
    bulk.execute(
        sql.SQL(
            "UPDATE delivery_queue q SET {} FROM unnest(%s::uuid[], %s::int8[]) AS l(message_id, fence) "
            "WHERE q.message_id = l.message_id AND q.fence = l.fence"
        ).format(sql.SQL(change)),
        [[each.message_id for each in leases], [each.fence for each in leases]],
    )
