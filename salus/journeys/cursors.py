"""How far the feeds of lower packages were followed; who follows one holds its row until the transaction ends."""

from __future__ import annotations

from enum import StrEnum

from psycopg import sql

from salus.journeys.models import CursorRow
from salus.platform import bulk
from salus.platform.tenancy import current_organization
from salus.timeline import api as timeline


class Feed(StrEnum):
    """What is followed."""

    EVENTS = "events"
    CONTACTS = "contacts"
    PERMISSIONS = "permissions"
    TASKS = "tasks"
    CALLS = "calls"


_LAST = sql.SQL("SELECT last FROM journeys_cursor WHERE organization_id = %s AND feed = %s")
_LOCKED = sql.SQL("SELECT last FROM journeys_cursor WHERE organization_id = %s AND feed = %s FOR UPDATE")


def last(feed: Feed) -> int:
    """Return the number of the last entry that was followed, 0 when none was."""
    found = bulk.read(_LAST, [current_organization(), feed.value])
    return int(found[0][0]) if found else 0


def hold(feed: Feed) -> int:
    """Return the same, and let nobody else follow this feed until the transaction ends."""
    CursorRow.objects.bulk_create([CursorRow(feed=feed, last=0)], ignore_conflicts=True)
    return int(bulk.read(_LOCKED, [current_organization(), feed.value])[0][0])


def move(feed: Feed, number: int) -> None:
    """Say that a feed was followed up to `number`."""
    CursorRow.objects.filter(feed=feed).update(last=number)


def is_behind() -> bool:
    """Return whether there are events that were not followed yet."""
    head = timeline.head()
    return head > last(Feed.EVENTS)
