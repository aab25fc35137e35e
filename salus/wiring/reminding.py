"""Puts what the calendars of vendors and of mail keys ask for into the inbox, and takes back what was seen to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from salus.identity.contracts import Role
from salus.inbox import api as inbox
from salus.inbox.contracts import NewTask
from salus.kernel.acting import Actor
from salus.sealedmail import api as sealedmail
from salus.sealedmail.contracts import Ending
from salus.vendors import api as vendors

MAIL_KEYS = "mail-key:"
"""How the keys of tasks about mail keys begin."""


def remind_of_vendors(*, actor: Actor, at: datetime) -> None:
    """Ask the privacy officer for what is due about vendors; each task once, none for what is done."""
    _ask(
        vendors.REMINDERS,
        [
            NewTask(each.key, None, Role.PRIVACY_OFFICER, each.title, each.due_at, each.instructions)
            for each in vendors.reminders(at)
        ],
        actor,
        at,
    )


def remind_of_mail_keys(*, actor: Actor, at: datetime) -> None:
    """Ask for a new key before one ends: care coordinators for a person's, the privacy officer for the rest."""
    _ask(MAIL_KEYS, [task_about(each) for each in sealedmail.endings(at) if each.not_after > at], actor, at)


def task_about(ending: Ending) -> NewTask:
    """Return who is asked for what about a key that ends."""
    kind = ending.kind.words
    if ending.own:
        role, title = Role.PRIVACY_OFFICER, f"Our own {kind} key ends: get a new one"
        how = "Under Mail keys you put it in place. Without one mail is encrypted and not signed."
    elif ending.contact_id is None:
        role, title = Role.PRIVACY_OFFICER, f"The {kind} key of a partner's domain ends: ask for a new one"
        how = (
            "Under Mail keys you see which. Without it, what TLS does not protect enough goes to the portal."
        )
    else:
        role, title = Role.CARE_COORDINATOR, f"A person's {kind} key ends: ask for a new one"
        how = "On the contact's page you put it on file. Without it, what TLS does not protect enough goes to the portal."
    key = f"{MAIL_KEYS}{ending.key_id}"
    deputy = Role.PRIVACY_OFFICER if role is Role.CARE_COORDINATOR else Role.CARE_COORDINATOR
    return NewTask(key, ending.contact_id, role, title, ending.not_after, how, deputy)


def _ask(prefix: str, wanted: Iterable[NewTask], actor: Actor, at: datetime) -> None:
    tasks = {each.key: each for each in wanted}
    inbox.withdraw(sorted(inbox.open_keys(prefix) - set(tasks)), actor=actor, at=at)
    inbox.create_tasks(list(tasks.values()), actor=actor, at=at)
