"""What people do to a journey from its pages; an act that is not possible is said there, and nothing changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from salus.identity.api import requires, toast
from salus.identity.contracts import Permission
from salus.journeys import api
from salus.journeys.contracts import Move, Status, Version
from salus.journeys.web import drawing
from salus.journeys.web.forms import Approval, SendingBack
from salus.journeys.web.showing import actor_of, now, people_words
from salus.journeys.web.views import open_versions_board, show_versions
from salus.kernel.errors import BadInput, Conflict, NotFound, SalusError, Unavailable
from salus.platform.web.errors import status_of

FAULTS = (BadInput, Conflict, Unavailable)
_EDIT = Permission.JOURNEYS_JOURNEY_EDIT
_LAUNCH = Permission.JOURNEYS_JOURNEY_LAUNCH
_APPROVE = Permission.JOURNEYS_JOURNEY_APPROVE


@requires(_EDIT)
@require_POST
def submit(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Hand a draft in for approval."""
    return _on_version(request, version_id, api.submit, "Handed in. Somebody else reads it now.")


@requires(_EDIT)
@require_POST
def take_back(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Take back what was handed in, to draw on."""
    return _on_version(request, version_id, api.take_back, "It is a draft again.")


@requires(_APPROVE)
@require_POST
def approve(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Approve the version that was seen."""
    form = Approval(request.POST)
    journey_id = api.version(version_id).journey_id
    if not form.is_valid():
        return show_versions(request, open_versions_board(request, journey_id), approval=form)
    seen = form.cleaned_data["seen"]
    return _do(
        request,
        journey_id,
        lambda: api.approve(version_id, seen=seen, actor=actor_of(request), at=now()),
        "Approved. It waits to be started.",
    )


@requires(_APPROVE)
@require_POST
def send_back(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Give it back to its author with a note."""
    form = SendingBack(request.POST)
    journey_id = api.version(version_id).journey_id
    if not form.is_valid():
        return show_versions(request, open_versions_board(request, journey_id), sending_back=form)
    note = form.cleaned_data["note"]
    return _do(
        request,
        journey_id,
        lambda: api.send_back(version_id, note, actor=actor_of(request), at=now()),
        "Sent back with your note.",
    )


@requires(_LAUNCH)
@require_POST
def start(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Let an approved version go live: it takes new people from now on."""
    return _on_version(
        request, version_id, api.go_live, "It is live. New people come into this version.", to="show"
    )


@requires(_EDIT)
@require_POST
def redraw(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Begin the next version with this one's drawing."""
    return _on_version(request, version_id, api.new_draft, "", to="edit")


@requires(_EDIT)
@require_POST
def copy(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Begin another journey with this version's drawing."""
    with transaction.atomic():
        made = api.copy(version_id, actor=actor_of(request), at=now())
    toast(request, "Copied. Nobody is in the new journey yet.")
    return redirect("journeys:edit", made.journey_id)


@requires(_LAUNCH)
@require_http_methods(["GET", "HEAD", "POST"])
def pause(request: HttpRequest, journey_id: UUID) -> HttpResponse:
    """Ask first, then let everybody stand still."""
    if request.method != "POST":
        return _confirm(request, journey_id, "pause", {Status.LIVE, Status.CLOSED})
    return _on_journey(request, journey_id, api.pause, "Paused. Everybody stands still.")


@requires(_LAUNCH)
@require_POST
def resume(request: HttpRequest, journey_id: UUID) -> HttpResponse:
    """Let everybody go on."""
    return _on_journey(request, journey_id, api.resume, "It goes on.")


@requires(_LAUNCH)
@require_http_methods(["GET", "HEAD", "POST"])
def close(request: HttpRequest, journey_id: UUID) -> HttpResponse:
    """Ask first, then let nobody new in."""
    if request.method != "POST":
        return _confirm(request, journey_id, "close", {Status.LIVE, Status.PAUSED})
    return _on_journey(request, journey_id, api.close, "Closed. Those inside go on to their end.")


@requires(_LAUNCH)
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, journey_id: UUID) -> HttpResponse:
    """Ask first, then take everybody out."""
    if request.method != "POST":
        return _confirm(request, journey_id, "stop", {Status.LIVE, Status.PAUSED, Status.CLOSED})
    return _on_journey(request, journey_id, api.stop, "Stopped. Everybody is being taken out.")


@requires(_LAUNCH)
@require_http_methods(["GET", "HEAD", "POST"])
def move(request: HttpRequest, version_id: UUID, other_id: UUID) -> HttpResponse:
    """Show where the people of one version would go on in another; move them when that is said."""
    before, after = api.version(version_id), api.version(other_id)
    if before.journey_id != after.journey_id or before.id == after.id:
        raise NotFound
    if request.method != "POST":
        return _move_page(request, before, after, api.suggested_moves(before.id, after.id))
    mapping = {
        name.removeprefix("to-"): value
        for name, value in request.POST.items()
        if name.startswith("to-") and value
    }
    fault: SalusError | None = None
    if request.POST.get("do") == "move":
        try:
            with transaction.atomic():
                moved = api.move_people(before.id, after.id, mapping, actor=actor_of(request), at=now())  # type: ignore[arg-type]
        except FAULTS as found:
            fault = found
        else:
            toast(request, f"{people_words(moved)} moved to version {after.number}.")
            return _see_other("journeys:versions", before.journey_id)
    return _move_page(request, before, after, mapping, fault)


def _move_page(
    request: HttpRequest, before: Version, after: Version, mapping: Any, fault: SalusError | None = None
) -> HttpResponse:
    found = api.moves(before.id, after.id, mapping)
    steps = after.graph.steps
    context = {
        "journey": api.journey(before.journey_id),
        "before": before,
        "after": after,
        "rows": [_move_row(before, each) for each in found],
        "targets": [(key, steps[key].title or key) for key in drawing.order(after.graph)],
        "people": sum(each.people for each in found),
        "lawful": not any(each.findings for each in found),
        "fault": fault,
    }
    status = status_of(fault)[0] if fault else 200
    return render(request, "journeys/move.html", context, status=status)


def _move_row(before: Version, move: Move) -> dict[str, Any]:
    return {
        "step": move.step,
        "title": before.graph.steps[move.step].title or move.step,
        "people": move.people,
        "to": move.to,
        "goes_on": move.goes_on,
        "findings": move.findings,
    }


def _on_version(
    request: HttpRequest, version_id: UUID, act: Callable[..., object], done: str, *, to: str = "versions"
) -> HttpResponse:
    journey_id = api.version(version_id).journey_id
    return _do(request, journey_id, lambda: act(version_id, actor=actor_of(request), at=now()), done, to=to)


def _on_journey(
    request: HttpRequest, journey_id: UUID, act: Callable[..., object], done: str
) -> HttpResponse:
    return _do(
        request, journey_id, lambda: act(journey_id, actor=actor_of(request), at=now()), done, to="show"
    )


def _do(
    request: HttpRequest, journey_id: UUID, act: Callable[[], object], done: str, *, to: str = "versions"
) -> HttpResponse:
    """Do it and go back to the journey; what stands in the way is said on the page of its versions."""
    try:
        with transaction.atomic():
            act()
    except FAULTS as fault:
        return show_versions(request, open_versions_board(request, journey_id), fault=fault)
    if done:
        toast(request, done)
    return _see_other(f"journeys:{to}", journey_id)


def _see_other(name: str, journey_id: UUID) -> HttpResponse:
    response = redirect(name, journey_id)
    response.status_code = 303
    return response


def _confirm(request: HttpRequest, journey_id: UUID, act: str, possible: set[Status]) -> HttpResponse:
    """Show what the act means, in numbers, with the safe button first."""
    journey = api.journey(journey_id)
    if journey.status not in possible:
        return redirect("journeys:show", journey_id)
    inside = api.counts(journey_id).waiting
    context = {"journey": journey, "act": act, "inside": people_words(inside)}
    return render(request, "journeys/confirm.html", context)
