"""Pure decisions of the inbox: who sees a task, what may become of it, what a task may say."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from salus.identity.contracts import Role
from salus.inbox.contracts import NewTask, Status
from salus.kernel.errors import BadInput

TITLE, INSTRUCTIONS, NOTE = 200, 4000, 2000
"""The longest of each, in characters."""
_KEY = re.compile(r"[A-Za-z0-9_.:-]{1,120}")

OPEN = frozenset({Status.OPEN, Status.TAKEN})
MOVES: Mapping[str, frozenset[Status]] = MappingProxyType(
    {
        "take": frozenset({Status.OPEN}),
        "give_back": frozenset({Status.TAKEN}),
        "end": OPEN,
    }
)
"""From which statuses each act may start."""

STANDS: Mapping[Status, str] = MappingProxyType(
    {
        Status.OPEN: "Nobody has taken this task.",
        Status.TAKEN: "Somebody has taken this task already.",
        Status.DONE: "This task was done already.",
        Status.NOT_DONE: "Somebody said already that this task is not done.",
        Status.EXPIRED: "The time for this task is over.",
        Status.WITHDRAWN: "This task is not needed any more.",
    }
)
"""Why an act is not possible."""


def check(task: NewTask, roles: Collection[Role]) -> None:
    """Raise `BadInput` for a key that is none, a title that says nothing, or a role that does no tasks.

    `roles` are those whose people may do tasks.
    """
    if not _KEY.fullmatch(task.key):
        raise BadInput("A key is ids and numbers, at most 120 characters.", place="key")
    if not task.title.strip():
        raise BadInput("Say what is to be done.", place="title")
    if len(task.title) > TITLE:
        raise BadInput(f"Write at most {TITLE} characters.", place="title")
    if len(task.instructions) > INSTRUCTIONS:
        raise BadInput(f"Write at most {INSTRUCTIONS} characters.", place="instructions")
    for place, role in (("role", task.role), ("deputy", task.deputy)):
        if role is not None and role not in roles:
            raise BadInput(f"People with the role {role.words} have no tasks.", place=place)


def check_note(note: str) -> str:
    """Return the note about how a task ended, without spaces around it; raises `BadInput` when it is too long."""
    kept = note.strip()
    if len(kept) > NOTE:
        raise BadInput(f"Write at most {NOTE} characters.", place="note")
    return kept


def sees(role: Role, deputy: Role | None, held: Collection[Role], absent: Collection[Role]) -> bool:
    """Tell whether somebody who holds the roles `held` sees a task for `role`.

    The deputy does while `role` is `absent`: no active staff member has it.
    """
    return role in held or (deputy is not None and deputy in held and role in absent)


MESSAGE, SUBJECT, LETTER = 4000, 120, 10_000
"""The longest that a patient writes, a letter's subject, and a letter, in characters."""
LIMITS = ((timedelta(hours=1), 6), (timedelta(days=1), 20))
"""In so long a patient writes so often at most: staff read each of these."""
ANSWER_WITHIN = timedelta(days=3)
"""Until when the task to answer is due: a working day, over a weekend."""


def may_write(written: Iterable[datetime], at: datetime) -> bool:
    """Return whether a patient who wrote at these moments may write at `at`."""
    moments = list(written)
    return all(sum(each > at - within for each in moments) < most for within, most in LIMITS)


def check_words(text: str, longest: int, place: str) -> str:
    """Return what was written without spaces around it; raises `BadInput` for nothing, too much, or control signs."""
    kept = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not kept:
        raise BadInput("Write something.", place=place)
    if len(kept) > longest:
        raise BadInput(f"Write at most {longest} characters.", place=place)
    if any(unicodedata.category(sign) in {"Cc", "Cs", "Co", "Cn"} and sign not in "\n\t" for sign in kept):
        raise BadInput("There are signs in it that nobody can read.", place=place)
    return kept


def check_subject(subject: str) -> str:
    """Return a subject of one line; raises `BadInput`."""
    kept = check_words(subject, SUBJECT, "subject")
    if "\n" in kept or "\t" in kept:
        raise BadInput("A subject is one line.", place="subject")
    return kept
