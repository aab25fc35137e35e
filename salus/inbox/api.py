"""The door of the inbox. Call it inside the organization's context; whoever calls asked for the permission."""

from __future__ import annotations

from salus.inbox.aging import count_conversations, count_tasks, empty_conversations, empty_tasks
from salus.inbox.conversations import (
    conversation,
    conversation_of,
    conversations,
    count_waiting,
    file_of,
    hear,
    said_about,
    settle,
)
from salus.inbox.joining import join_person as join_person
from salus.inbox.joining import part_person as part_person
from salus.inbox.leaving import erase_person, export_person
from salus.inbox.letters import take_file, write
from salus.inbox.operations import create_tasks, end, expire, give_back, take, withdraw
from salus.inbox.queries import MANY, absent_roles, count_open, open_keys, roles, settled, task, tasks

__all__ = [
    "MANY",
    "absent_roles",
    "conversation",
    "conversation_of",
    "conversations",
    "count_conversations",
    "count_open",
    "count_tasks",
    "count_waiting",
    "create_tasks",
    "empty_conversations",
    "empty_tasks",
    "end",
    "erase_person",
    "expire",
    "export_person",
    "file_of",
    "give_back",
    "hear",
    "open_keys",
    "roles",
    "said_about",
    "settle",
    "settled",
    "take",
    "take_file",
    "task",
    "tasks",
    "withdraw",
    "write",
]
