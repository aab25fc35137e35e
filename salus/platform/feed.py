"""Numbers in an order that a reader can trust: the order of numbers is the order of commits."""

from __future__ import annotations

from django.db import connection

from salus.platform.tenancy import current_organization


def next_numbers(name: str, count: int) -> int:
    """Take `count` numbers of the feed `name` and return the first; the next taker waits for us.

    The counter's row stays locked until the transaction ends, so a reader that has seen number n
    will never see a smaller one appear. Take numbers late, and many at once.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO platform_feedcounter (organization_id, name, last) VALUES (%s, %s, %s) "
            "ON CONFLICT (organization_id, name) DO UPDATE SET last = platform_feedcounter.last + EXCLUDED.last "
            "RETURNING last",
            [current_organization(), name, count],
        )
        (last,) = cursor.fetchone()
    return int(last) - count + 1


def head(name: str) -> int:
    """Return the last number given out and committed in the feed `name`, 0 when there is none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT last FROM platform_feedcounter WHERE organization_id = %s AND name = %s",
            [current_organization(), name],
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0
