"""Puts cleared messages into the queue, in one statement however many they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from psycopg import sql

from salus.platform import bulk

_PUT = sql.SQL(
    "INSERT INTO delivery_queue (message_id, organization_id, origin_id, site, priority, not_before, held, fence, begun) "
    "SELECT m.id, m.organization_id, m.origin_id, m.site, o.priority, %s, o.status = 'paused', 0, false "
    "FROM delivery_message m JOIN delivery_origin o ON o.id = m.origin_id "
    "WHERE {} AND m.state = 'cleared' ON CONFLICT (message_id) DO NOTHING"
)
_ALL, _SOME = _PUT.format(sql.SQL("m.origin_id = %s")), _PUT.format(sql.SQL("m.id = ANY(%s)"))


def put(origin_id: UUID, not_before: datetime) -> None:
    """Let senders have the cleared messages of a sending from `not_before` on; those in the queue stay as they are.

    Those of a sending that is paused wait until it is resumed.
    """
    bulk.execute(_ALL, [not_before, origin_id])


def put_some(message_ids: Sequence[UUID], not_before: datetime) -> None:
    """Let senders have these messages, those among them that are cleared, as `put` does."""
    bulk.execute(_SOME, [not_before, list(message_ids)])
