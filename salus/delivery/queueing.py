"""Puts cleared messages into the queue, in one statement however many they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from psycopg import sql

from salus.platform import bulk

_PUT = sql.SQL(
    "INSERT INTO delivery_queue (message_id, organization_id, origin_id, site, priority, not_before, held, fence, begun) "
    "SELECT m.id, m.organization_id, m.origin_id, m.site, o.priority, %s, %s, 0, false "
    "FROM delivery_message m JOIN delivery_origin o ON o.id = m.origin_id "
    "WHERE m.origin_id = %s AND m.state = 'cleared' {} ON CONFLICT (message_id) DO NOTHING"
)


def put(
    origin_id: UUID, not_before: datetime, *, held: bool = False, only: Sequence[UUID] | None = None
) -> None:
    """Let senders have the cleared messages of a sending from `not_before` on; those in the queue stay as they are.

    `only` narrows to these message ids; what is `held` waits until its sending is resumed.
    """
    if only is None:
        bulk.execute(_PUT.format(sql.SQL("")), [not_before, held, origin_id])
    else:
        bulk.execute(_PUT.format(sql.SQL("AND m.id = ANY(%s)")), [not_before, held, origin_id, list(only)])
