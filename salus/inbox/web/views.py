"""Pages of the inbox: what waits for the person who is signed in, one task, and what they do with it."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from salus.contacts import api as contacts
from salus.identity import api as identity
from salus.identity.api import requires, toast
from salus.identity.contracts import Permission
from salus.inbox import api
from salus.inbox.contracts import Status, Task
from salus.inbox.web.forms import DONE, Ending
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict, SalusError
from salus.platform.web.errors import status_of
from salus.platform.web.given import id_given

PAGE = 50
P = Permission

TAGS = {
    Status.OPEN: ("wait", "Open"),
    Status.TAKEN: ("clear", "Taken"),
    Status.DONE: ("clear", "Done"),
    Status.NOT_DONE: ("refuse", "Not done"),
    Status.EXPIRED: ("broke", "Time was over"),
    Status.WITHDRAWN: ("", "Not needed any more"),
}
"""How a status is shown: the kind of its tag, and its words."""


@requires(P.INBOX_TASK_READ)
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Show the tasks of the person's roles: open ones by when they are due, or those that ended."""
    ended = "ended" in request.GET
    after = id_given(request.GET.get("after", ""))
    found = api.tasks(_actor(request), ended=ended, after=after, limit=PAGE + 1)
    shown = found[:PAGE]
    query = "ended=1" if ended else ""
    context = {
        "rows": _rows(shown, _actor(request)),
        "ended": ended,
        "first_url": f"?{query}" if after else "",
        "next_url": f"?{query}{'&' if query else ''}after={shown[-1].id}" if len(found) > PAGE else "",
        "may_do": P.INBOX_TASK_DO in _actor(request).permissions,
    }
    return render(request, "inbox/list.html", context)


@requires(P.INBOX_TASK_READ)
@require_safe
def one(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Show one task; that the person looked is recorded."""
    return _show(request, api.task(task_id, actor=_actor(request)))


@requires(P.INBOX_TASK_DO)
@require_POST
def take(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Say that the person does it."""
    act = lambda: api.take(task_id, actor=_actor(request), at=timezone.now())  # noqa: E731
    return _do(request, task_id, act, "It is yours now.")


@requires(P.INBOX_TASK_DO)
@require_POST
def give_back(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Put it back for colleagues."""
    act = lambda: api.give_back(task_id, actor=_actor(request), at=timezone.now())  # noqa: E731
    return _do(request, task_id, act, "Colleagues can take it again.")


@requires(P.INBOX_TASK_DO)
@require_POST
def end(request: HttpRequest, task_id: UUID) -> HttpResponse:
    """Say how it went, and go on with the list."""
    form = Ending(request.POST)
    if not form.is_valid():
        return _show(request, api.task(task_id, actor=_actor(request)), form=form, status=400)
    done = form.cleaned_data["outcome"] == DONE
    try:
        with transaction.atomic():
            api.end(
                task_id,
                done=done,
                note=form.cleaned_data["note"],
                actor=_actor(request),
                at=timezone.now(),
            )
    except (BadInput, Conflict) as fault:
        return _show(request, api.task(task_id, actor=_actor(request)), form=form, fault=fault)
    toast(request, "Done. It goes on from there." if done else "Noted that it is not done.")
    return redirect("inbox:list")


def _do(request: HttpRequest, task_id: UUID, act: Callable[[], object], done: str) -> HttpResponse:
    """Do it and go back to the task; what stands in the way is said on its page."""
    try:
        with transaction.atomic():
            act()
    except Conflict as fault:
        return _show(request, api.task(task_id, actor=_actor(request)), fault=fault)
    toast(request, done)
    response = redirect("inbox:show", task_id)
    response.status_code = 303
    return response


def _show(
    request: HttpRequest,
    task: Task,
    *,
    form: Ending | None = None,
    fault: SalusError | None = None,
    status: int = 200,
) -> HttpResponse:
    actor = _actor(request)
    (row,) = _rows([task], actor)
    context = {
        **row,
        "form": form or Ending(),
        "fault": fault,
        "may_do": P.INBOX_TASK_DO in actor.permissions,
    }
    return render(request, "inbox/show.html", context, status=status_of(fault)[0] if fault else status)


def _rows(tasks: list[Task], actor: Actor) -> list[dict[str, object]]:
    """Return what a page shows of each task: the person by number, colleagues by name."""
    numbers = contacts.numbers_of([task.contact_id for task in tasks if task.contact_id])
    who = [id for task in tasks for id in (task.taken_by, task.ended_by) if id]
    names = identity.staff_names(who)
    may_see = P.CONTACTS_RECORD_READ in actor.permissions
    may_talk = P.INBOX_CONVERSATION_READ in actor.permissions
    return [
        {
            "task": task,
            "tag": TAGS[task.status],
            "number": numbers.get(task.contact_id) if task.contact_id else None,
            "contact_link": may_see and task.contact_id in numbers,
            "taken_by": names.get(task.taken_by, "") if task.taken_by else "",
            "ended_by": names.get(task.ended_by, "") if task.ended_by else "",
            "mine": task.taken_by == actor.id,
            "conversation_id": api.conversation_of(task) if may_talk else None,
        }
        for task in tasks
    ]


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor
