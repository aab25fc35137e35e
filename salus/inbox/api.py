"""The door of the inbox. Call it inside the organization's context; whoever calls asked for the permission."""

from __future__ import annotations

from salus.inbox.leaving import erase_person, export_person
from salus.inbox.operations import create_tasks, end, expire, give_back, take, withdraw
from salus.inbox.queries import MANY, absent_roles, count_open, open_keys, roles, settled, task, tasks

__all__ = [
    "MANY",
    "absent_roles",
    "count_open",
    "create_tasks",
    "end",
    "erase_person",
    "expire",
    "export_person",
    "give_back",
    "open_keys",
    "roles",
    "settled",
    "take",
    "task",
    "tasks",
    "withdraw",
]
