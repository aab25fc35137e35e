"""The page of everybody's sessions, and its switches: one, somebody's, all of them at once."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from salus.identity import session_list
from salus.identity.access import requires, toast
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor

MAY = Permission.IDENTITY_SESSION_END


@requires(MAY)
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Show where everybody is signed in."""
    found = session_list.every(actor=_actor(request))
    people = len({each.staff_id for each in found})
    return render(request, "identity/sessions.html", {"sessions": found, "people": people})


@requires(None)
@require_POST
def end(request: HttpRequest, mark: str) -> HttpResponse:
    """End one session: of one's own, or of anybody for who may."""
    actor = _actor(request)
    session_list.end_one(mark, actor=actor)
    toast(request, "The session is over.")
    return _back(request, actor)


@requires(MAY)
@require_POST
def end_of(request: HttpRequest, staff_id: UUID) -> HttpResponse:
    """End all sessions of one person."""
    _tell(request, session_list.end_of(staff_id, actor=_actor(request)))
    return redirect("identity:sessions")


@requires(MAY)
@require_POST
def end_everybodys(request: HttpRequest) -> HttpResponse:
    """End every session of the organization but this one."""
    _tell(request, session_list.end_everybodys(actor=_actor(request)))
    return redirect("identity:sessions")


def _back(request: HttpRequest, actor: Actor) -> HttpResponse:
    to_all = request.POST.get("from") == "all" and MAY in actor.permissions
    return redirect("identity:sessions" if to_all else "identity:account")


def _tell(request: HttpRequest, ended: int) -> None:
    toast(request, f"{ended} session{'' if ended == 1 else 's'} ended.")


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor
