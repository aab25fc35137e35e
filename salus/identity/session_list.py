"""Where people are signed in, and the kill switch: one session, somebody's, or everybody's at once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.identity.contracts import Permission
from salus.identity.models import Session, Staff
from salus.identity.ports import now
from salus.kernel.acting import Actor
from salus.kernel.errors import Conflict, NotFound

_MARK = re.compile(r"[0-9a-f]{16}\Z")


@dataclass(frozen=True, slots=True)
class OpenSession:
    """One place where somebody of the organization is signed in."""

    mark: str
    """Its name in the audit log; it opens nothing."""
    staff_id: UUID
    name: str
    browser: str
    ip: str
    started_at: datetime
    seen_at: datetime
    own: bool
    """Whether it is the one that asks."""


def every(*, actor: Actor) -> tuple[OpenSession, ...]:
    """Return the open sessions of the organization, the last used first."""
    names = dict(Staff.objects.values_list("pk", "name"))
    return tuple(
        OpenSession(
            mark=row.session_key[:16],
            staff_id=row.user_id,
            name=names[row.user_id],
            browser=row.browser,
            ip=row.ip or "",
            started_at=row.started_at or now(),
            seen_at=row.seen_at or now(),
            own=row.session_key[:16] == actor.session_id,
        )
        for row in _of(names).filter(expire_date__gt=now()).order_by("-seen_at", "session_key")
        if row.user_id is not None
    )


def end_one(mark: str, *, actor: Actor) -> None:
    """End a session: one's own, or anybody's of the organization for who may.

    Raises `NotFound`, and `Conflict` for the one that asks: that is signing out.
    """
    if mark and mark == actor.session_id:
        raise Conflict("This is the session that you are in.", next_step="Sign out to end it.")
    found = _of(_reach(actor)).filter(session_key__startswith=mark) if _MARK.match(mark) else None
    row = found.first() if found is not None else None
    if row is None:
        raise NotFound
    row.delete()
    _record(actor, row.user_id, 1)


def end_of(staff_id: UUID, *, actor: Actor) -> int:
    """End all sessions of a person but the one that asks; return how many. Raises `NotFound`."""
    if staff_id not in _reach(actor):
        raise NotFound
    return _end(_of([staff_id]), staff_id, actor)


def end_everybodys(*, actor: Actor) -> int:
    """End every session of the organization but the one that asks; return how many."""
    return _end(_of(_reach(actor)), None, actor)


def _end(rows: QuerySet[Session], staff_id: UUID | None, actor: Actor) -> int:
    if actor.session_id:
        rows = rows.exclude(session_key__startswith=actor.session_id)
    ended = int(rows.delete()[0])
    _record(actor, staff_id, ended)
    return ended


def _of(staff_ids: object) -> QuerySet[Session]:
    return Session.objects.filter(user_id__in=list(staff_ids))  # type: ignore[call-overload]


def _reach(actor: Actor) -> set[UUID]:
    """Return whose sessions `actor` may end; the table of sessions itself knows no organization."""
    if Permission.IDENTITY_SESSION_END in actor.permissions:
        return set(Staff.objects.values_list("pk", flat=True))
    return {actor.id} if actor.id else set()


def _record(actor: Actor, staff_id: UUID | None, ended: int) -> None:
    audit.record(
        Action.SESSION_END,
        actor=actor,
        object_kind="staff" if staff_id else "organization",
        object_id=staff_id or actor.organization_id,
        details={"ended": ended},
    )
