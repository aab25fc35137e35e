"""What all senders share, in the database: measures, calendars of turns, volumes of the day."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction
from psycopg import sql

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.kernel.acting import system
from salus.keys import api as keys
from salus.platform import bulk
from salus.platform.outages import DATABASE_AWAY
from salus.platform.tenancy import acting_for
from salus.shaping import units
from salus.shaping.contracts import Act, Measure, Whose
from salus.shaping.models import MeasureRow

log = logging.getLogger(__name__)

AGAIN = 0.5
"""Seconds after which a database that is away is asked again."""

# Seen across organizations by the sender's database role alone.
_IN_FORCE = sql.SQL(
    'SELECT id, organization_id, site, act, whose, until, messages, connections, "to" FROM shaping_measure '
    "WHERE lifted_at IS NULL AND until > now()"
)
# The database's clock: machines need not agree about the time.
_RESERVE = sql.SQL(
    "INSERT INTO shaping_slot AS s (name, next_at) VALUES (%s, clock_timestamp() + make_interval(secs => %s)) "
    "ON CONFLICT (name) DO UPDATE SET next_at = greatest(s.next_at, clock_timestamp()) + make_interval(secs => %s) "
    "RETURNING extract(epoch FROM s.next_at - clock_timestamp())::float8 - %s"
)
_OPEN_DAY = sql.SQL(
    "INSERT INTO shaping_volume (source, site, day, used) VALUES (%s, %s, %s, 0) ON CONFLICT DO NOTHING"
)
_ALLOT = sql.SQL(
    "WITH before AS (SELECT used FROM shaping_volume WHERE source = %s AND site = %s AND day = %s FOR UPDATE) "
    "UPDATE shaping_volume v SET used = before.used + greatest(0, least(%s, %s - before.used)) FROM before "
    "WHERE v.source = %s AND v.site = %s AND v.day = %s RETURNING v.used - before.used"
)
_GIVE_BACK = sql.SQL(
    "UPDATE shaping_volume SET used = greatest(0, used - %s) WHERE source = %s AND site = %s AND day = %s"
)


class DatabaseStore:
    """`salus.shaping.keeper.Store` on the database; `in_thread` runs a function that has a connection."""

    def __init__(self, in_thread: Callable[..., Awaitable[Any]]) -> None:
        self._in_thread = in_thread

    async def measures(self) -> Sequence[Measure]:
        """Return the measures in force, of all organizations."""
        return [_measure(row) for row in await self._patiently(bulk.execute, _IN_FORCE)]

    async def take(self, measure: Measure, *, destination: str, rule: str, said: str, at: datetime) -> None:
        """Write a measure down, or make the one longer that is in force for the same reason."""
        await self._patiently(take, measure, destination, rule, said, at)

    async def reserve(self, name: str, interval: float, count: int) -> float:
        """Reserve slots of a calendar; return in how many seconds the first one is."""
        seconds = interval * count
        [(after,)] = await self._patiently(bulk.execute, _RESERVE, [name, seconds, seconds, seconds])
        return float(after)

    async def allot(self, source: str, site: str, day: date, most: int, wanted: int) -> int:
        """Take up to `wanted` of what is left of `most`; return how many were got."""
        return int(await self._patiently(_allot, source, site, day, most, wanted))

    async def give_back(self, source: str, site: str, day: date, count: int) -> None:
        """Give back what was taken and not used; when the database is away, it is not used."""
        try:
            await self._in_thread(bulk.execute, _GIVE_BACK, [count, source, site, day])
        except DATABASE_AWAY as fault:
            log.warning("%d messages of a day's volume are not given back: %s", count, type(fault).__name__)

    async def _patiently(self, function: Callable[..., Any], *arguments: Any) -> Any:
        while True:
            try:
                return await self._in_thread(function, *arguments)
            except DATABASE_AWAY:
                await asyncio.sleep(AGAIN)


def take(measure: Measure, destination: str, rule: str, said: str, at: datetime) -> None:
    """Write a measure of its organization down, and say so in the log; in force already, it is made longer."""
    with acting_for(measure.organization_id):
        present = (
            MeasureRow.objects.select_for_update()
            .filter(site=measure.site, rule=rule, lifted_at=None, until__gt=at)
            .first()
        )
        if present:
            present.until, present.times = max(present.until, measure.until), present.times + 1
            present.save(update_fields=["until", "times"])
            return
        sealed = keys.sealer().seal(destination.encode(), binding(measure))
        MeasureRow.objects.create(
            id=measure.id,
            site=measure.site,
            sealed=sealed,
            rule=rule,
            act=measure.act,
            whose=measure.whose,
            messages=str(measure.messages or ""),
            connections=measure.connections,
            to=measure.to,
            said=said,
            at=at,
            until=measure.until,
        )
        audit.record(
            Action.SHAPING_TAKE,
            actor=system(measure.organization_id, "sender"),
            object_kind="measure",
            object_id=measure.id,
            reason=rule,
            details={"act": measure.act, "whose": measure.whose, "said": said.replace(" ", "/")},
        )


def binding(measure: Measure) -> bytes:
    """Return what the sealed name of a measure's destination belongs to."""
    return keys.binding(measure.organization_id, "shaping_measure", measure.id)


def _allot(source: str, site: str, day: date, most: int, wanted: int) -> int:
    key = [source, site, day]
    with transaction.atomic():
        bulk.execute(_OPEN_DAY, key)
        [(got,)] = bulk.execute(_ALLOT, [*key, wanted, most, *key])
    return int(got)


def _measure(row: Sequence[Any]) -> Measure:
    id, organization_id, site, act, whose, until, messages, connections, to = row
    return Measure(
        id,
        organization_id,
        site,
        Act(act),
        Whose(whose),
        until,
        units.rate(messages, "messages") if messages else None,
        connections,
        to,
    )
