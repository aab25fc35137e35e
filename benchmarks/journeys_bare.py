"""The limit: the bare INSERT and UPDATE of the same rows in the same PostgreSQL, with nothing opened or decided."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import psycopg

BATCH, VISITS = 1_000, 10

_TABLES = (
    "CREATE TABLE bare_place (LIKE journeys_enrolment INCLUDING DEFAULTS INCLUDING INDEXES) WITH (fillfactor = 70)",
    "CREATE TABLE bare_visit (LIKE journeys_visit INCLUDING DEFAULTS INCLUDING INDEXES)",
)
_FILL = (
    "INSERT INTO bare_place (organization_id, id, journey_id, version_id, contact_id, contact_number, entry, occurrence, "
    "step, ordinal, arrived_at, came_by, due_at, waits, answer, asked, fate, reason, entered_at) "
    "SELECT %(organization)s, gen_random_uuid(), %(journey)s, %(journey)s, gen_random_uuid(), n, 0, '\\x00', 'first_day', 0, "
    "now(), '', now(), 'time', '', false, 'waiting', '', now() FROM generate_series(1, %(people)s) AS n"
)
_INSERT = (
    "INSERT INTO bare_visit (organization_id, enrolment_id, ordinal, version_id, step, arrived_at, left_at, port, outcome, reason) "
    "SELECT organization_id, id, ordinal, version_id, step, arrived_at, now(), 'next', 'waited', '' FROM bare_place "
    "WHERE id = ANY(%s)"
)
_UPDATE = (
    "UPDATE bare_place SET step = 'two_days', ordinal = ordinal + 1, arrived_at = now(), came_by = 'next', "
    "due_at = due_at + interval '1 day', waits = 'time' WHERE id = ANY(%s)"
)


def measure(dsn: str, organization: UUID, connections: int, people: int) -> dict[str, Any]:
    """Return how many steps a second the database itself takes: one visit inserted, one place updated each.

    In tables of the same columns and indexes without row-level security, the ids sent in batches by as
    many connections as there are workers, each batch a transaction.
    """
    with psycopg.connect(dsn) as connection:
        for name in ("bare_place", "bare_visit"):
            connection.execute(f"DROP TABLE IF EXISTS {name}")
        for statement in _TABLES:
            connection.execute(statement)
        connection.execute(_FILL, {"organization": organization, "journey": organization, "people": people})
        ids = [id for (id,) in connection.execute("SELECT id FROM bare_place ORDER BY contact_number")]
    began = time.perf_counter()
    threads = [
        threading.Thread(target=_work, args=(dsn, ids[place::connections])) for place in range(connections)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    seconds = time.perf_counter() - began
    return {
        "transitions": people * VISITS,
        "seconds": round(seconds, 2),
        "transitions_per_second": round(people * VISITS / seconds, 1),
    }


def _work(dsn: str, ids: Sequence[UUID]) -> None:
    with psycopg.connect(dsn) as connection:
        for _ in range(VISITS):
            for start in range(0, len(ids), BATCH):
                batch = list(ids[start : start + BATCH])
                connection.execute(_INSERT, [batch], binary=True)
                connection.execute(_UPDATE, [batch], binary=True)
                connection.commit()
