"""Whether this process can do its work: the database answers, and its tables are those of this version."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

_migrated = False


def problems() -> list[str]:
    """Return what keeps this process from working, in plain words; nothing when all is well."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        waiting = migrations_waiting()
    except DatabaseError:
        connection.close()
        return ["The database does not answer."]
    if not waiting:
        return []
    return [f"The tables are of an older version; migrations not applied: {waiting}."]


def migrations_waiting() -> int:
    """Return how many migrations are not applied; once none was, the process does not look again."""
    global _migrated
    if _migrated:
        return 0
    executor = MigrationExecutor(connection)
    waiting = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    _migrated = waiting == 0
    return waiting
