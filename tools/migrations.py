"""Finds migrations that would break processes of the last release while they still run: expand first, contract later.

Since `tools/released.json` a migration may only add (tables, columns that are empty or have a default of the
database's own, indexes). One that takes away or narrows says so, with why no process of the last release minds:

    class Migration(migrations.Migration):
        contracts = "0.3.0: nothing has read it since 0.2.0"
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import django
from django.db import connection
from django.db.migrations import Migration
from django.db.migrations import operations as known
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState, ProjectState
from django.db.models.fields import NOT_PROVIDED

RELEASED = Path(__file__).with_name("released.json")
_DESTRUCTIVE = re.compile(
    r"^\s*(TRUNCATE|DELETE\s+FROM)|\bDROP\s+(TABLE|COLUMN|FUNCTION|VIEW|SCHEMA|TYPE)|\bRENAME\s+(TO|COLUMN|CONSTRAINT)"
    r"|\bSET\s+NOT\s+NULL|\bALTER\s+(COLUMN\s+)?\"?\w+\"?\s+(SET\s+DATA\s+)?TYPE\b|\bREVOKE\b",
    re.IGNORECASE,
)
_REASON = re.compile(r"\d+\.\d+\.\d+: .{10,}")


def faults(
    operations: Sequence[Operation], state: ProjectState, app: str, released: ProjectState
) -> Iterator[str]:
    """Yield what of `operations`, applied to `state`, a process of the release could not live with.

    What came after the release (`released` has the tables as they were then) is known to no such process.
    """
    for operation in operations:
        yield from _fault(operation, state, app, released)
        operation.state_forwards(app, state)


def _fault(operation: Any, state: ProjectState, app: str, released: ProjectState) -> Iterator[str]:
    if isinstance(operation, known.SeparateDatabaseAndState):
        for each in operation.database_operations:
            yield from _fault(each, state, app, released)
    elif isinstance(operation, known.RunSQL):
        for statement in _statements(operation.sql):
            if found := _DESTRUCTIVE.search(statement):
                yield f"SQL with {' '.join(found[0].upper().split())}"
    else:
        name = getattr(
            operation, "model_name", getattr(operation, "old_name", getattr(operation, "name", ""))
        )
        then = released.models.get((app, str(name).lower()))
        if then is not None:
            yield from (f"{operation.describe()}: {what}" for what in _of_table(operation, then))


def _of_table(operation: Any, then: ModelState) -> Iterator[str]:
    if isinstance(operation, known.DeleteModel | known.RenameModel | known.AlterModelTable):
        yield "what reads or writes the table breaks"
    elif isinstance(operation, known.RemoveField | known.RenameField):
        name = getattr(operation, "old_name", None) or operation.name
        if name in then.fields:
            yield "what reads or writes the column breaks"
    elif isinstance(operation, known.AddField) and _obliges(operation.field):
        yield "an INSERT that does not know it fails: give it null or db_default"
    elif isinstance(operation, known.AlterField) and operation.name in then.fields:
        yield from _narrowed(then.fields[operation.name], operation.field)
    elif isinstance(operation, known.AddConstraint | known.AlterUniqueTogether):
        yield "rows that are fine today may be refused"


def _obliges(field: Any) -> bool:
    return not field.null and not field.many_to_many and field.db_default is NOT_PROVIDED


def _narrowed(before: Any, after: Any) -> Iterator[str]:
    if before.null and not after.null:
        yield "it must not be empty any more"
    if after.unique and not before.unique:
        yield "it must be the only one now"
    old, new = before.db_type(connection), after.db_type(connection)
    wider = type(before) is type(after) and (before.max_length or 0) <= (after.max_length or 0)
    if old != new and not wider:
        yield f"from {old} to {new}"


def _statements(sql: Any) -> list[str]:
    parts = [sql] if isinstance(sql, str) else list(sql)
    return [each if isinstance(each, str) else str(each[0]) for each in parts]


def unexplained(released: Mapping[str, str]) -> list[str]:
    """Return what migrations since the release take away without saying why that is safe.

    `released` has the last migration of each package at the release.
    """
    loader = MigrationLoader(None)
    plan: list[tuple[str, str]] = []
    for leaf in sorted(loader.graph.leaf_nodes()):
        plan += [each for each in loader.graph.forwards_plan(leaf) if each not in plan]
    news = [each for each in plan if _is_new(loader.graph.nodes[each], each, released)]
    then = loader.project_state([each for each in plan if each not in news])
    state, found = then.clone(), []
    for app, name in news:
        migration = loader.graph.nodes[app, name]
        broken = list(faults(migration.operations, state, app, then))
        if broken and not _REASON.fullmatch(getattr(migration, "contracts", "")):
            found += [f"{app}.{name}: {each}" for each in broken]
    return found


def _is_new(migration: Migration, key: tuple[str, str], released: Mapping[str, str]) -> bool:
    return migration.__module__.startswith("salus.") and key[1] > released.get(key[0], "")


def main() -> int:
    """Print every fault; 1 when there is one."""
    found = unexplained(json.loads(RELEASED.read_text())["migrations"])
    for each in found:
        print(each)
    return 1 if found else 0


if __name__ == "__main__":
    django.setup()
    raise SystemExit(main())
