"""Puts what the calendar of vendors asks for into the inbox, and takes back what was seen to."""

from __future__ import annotations

from datetime import datetime

from salus.identity.contracts import Role
from salus.inbox import api as inbox
from salus.inbox.contracts import NewTask
from salus.kernel.acting import Actor
from salus.vendors import api as vendors


def remind_of_vendors(*, actor: Actor, at: datetime) -> None:
    """Ask the privacy officer for what is due about vendors; each task once, none for what is done."""
    wanted = {each.key: each for each in vendors.reminders(at)}
    inbox.withdraw(sorted(inbox.open_keys(vendors.REMINDERS) - set(wanted)), actor=actor, at=at)
    tasks = [
        NewTask(each.key, None, Role.PRIVACY_OFFICER, each.title, each.due_at, each.instructions)
        for each in wanted.values()
    ]
    inbox.create_tasks(tasks, actor=actor, at=at)
