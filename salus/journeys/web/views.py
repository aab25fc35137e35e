"""Pages of journeys: all of them, one as a picture and as a list, its versions and what differs."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from salus.content import api as content
from salus.identity.api import requires
from salus.identity.contracts import Permission
from salus.journeys import api
from salus.journeys.contracts import Change, Difference, Graph, Version
from salus.journeys.web import steps as told
from salus.journeys.web import words
from salus.journeys.web.forms import Name
from salus.journeys.web.showing import (
    Board,
    actor_of,
    endings,
    forms_of,
    may,
    named,
    now,
    open_board,
    render_board,
    staff,
    sum_words,
    ways_in,
)
from salus.kernel.errors import NotFound, SalusError
from salus.platform.web.given import id_given

PAGE = 50
LANGUAGES = {"en": "English", "es": "Spanish"}
PARTS = {
    "name": "It has another name",
    "enter": "People come in another way",
    "start": "It begins at another step",
    "rules": "Its rules are others: who may come again, what ends it early, quiet hours",
    "note": "Its note is another",
}
CHANGES = {
    Change.ADDED: ("clear", "New", "plus"),
    Change.REMOVED: ("refuse", "Taken out", "cross"),
    Change.CHANGED: ("wait", "Changed", "sign"),
}


@requires(Permission.JOURNEYS_JOURNEY_READ)
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Show the journeys, newest first, with their numbers."""
    before = _moment(request.GET.get("before", ""))
    found = api.journeys(before=before, limit=PAGE + 1)
    shown = found[:PAGE]
    totals = api.totals([each.id for each in shown])
    open_ = api.open_versions([each.id for each in shown])
    rows = [
        {
            "journey": each,
            "tag": words.STATUSES[each.status],
            "open": words.VERSION_STATUSES[open_[each.id]] if each.id in open_ and each.live else None,
            "counts": totals[each.id],
            "ended": totals[each.id].exited + totals[each.id].refused,
        }
        for each in shown
    ]
    more = f"?before={shown[-1].created_at.isoformat()}".replace("+", "%2B") if len(found) > PAGE else ""
    context = {"rows": rows, "first_url": "?" if before else "", "next_url": more}
    return render(request, "journeys/list.html", context)


@requires(Permission.JOURNEYS_JOURNEY_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Begin a journey with nothing in it but its name."""
    form = Name(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            graph = Graph(form.cleaned_data["name"].strip(), (), "", {})
            version = api.create(graph, actor=actor_of(request), at=now())
        return redirect("journeys:edit", version.journey_id)
    return render(request, "journeys/new.html", {"form": form})


@requires(Permission.JOURNEYS_JOURNEY_READ)
@require_safe
def show(request: HttpRequest, journey_id: UUID) -> HttpResponse:
    """Show the journey as a picture, its ways as wide as the people in them."""
    board = open_board(request, journey_id, _version(request))
    return _page(request, "journeys/picture.html", "show", board)


@requires(Permission.JOURNEYS_JOURNEY_READ)
@require_safe
def steps(request: HttpRequest, journey_id: UUID) -> HttpResponse:
    """Show the journey step by step."""
    board = open_board(request, journey_id, _version(request))
    return _page(request, "journeys/steps.html", "steps", board)


def _page(request: HttpRequest, template: str, view: str, board: Board) -> HttpResponse:
    step = told.chosen(board, request.GET.get("step", ""))
    see_people = Permission.JOURNEYS_PEOPLE_READ in board.actor.permissions
    rows = told.rows(board, view)
    return render_board(
        request,
        template,
        view,
        board,
        rows=rows,
        most=max((row["arrived"] for row in rows), default=0),
        panel=told.panel(board, step, see_people=see_people),
        ways=ways_in(board.version),
        endings=endings(board.version),
        **told.picture(board, step),
    )


@requires(Permission.JOURNEYS_JOURNEY_READ)
@require_safe
def versions(request: HttpRequest, journey_id: UUID) -> HttpResponse:
    """Show the versions, what to decide on the one being drawn, and how to end the journey."""
    return show_versions(request, open_versions_board(request, journey_id))


def open_versions_board(request: HttpRequest, journey_id: UUID) -> Board:
    """Return the journey for the page of its versions: what is being drawn is what is checked there."""
    return open_board(request, journey_id, _version(request) or api.journey(journey_id).draft)


def show_versions(
    request: HttpRequest, board: Board, *, fault: SalusError | None = None, **forms: Any
) -> HttpResponse:
    """Return the page of versions; `fault` is said on it, `forms` that were sent stand in for fresh ones."""
    names = staff([id for each in board.versions for id in (each.author_id, each.approved_by)])
    inside = api.inside_by_version(board.journey.id)
    approver = names.get(board.draft.approved_by, "") if board.draft and board.draft.approved_by else ""
    return render_board(
        request,
        "journeys/versions.html",
        "versions",
        board,
        fault=fault,
        status=400 if forms else 200,
        rows=[_version_row(board, each, names, inside.get(each.id, 0)) for each in board.versions],
        sends=_sends(board.draft) if board.draft else [],
        approver=approver,
        **{**forms_of(board), **forms},
    )


def _version_row(board: Board, version: Version, names: Any, inside: int) -> dict[str, Any]:
    allowed = may(board)
    before = next((each for each in board.versions if each.number < version.number), None)
    live = board.journey.live
    target = next((each for each in board.versions if each.id == live), None)
    moves = bool(allowed["move"] and inside and target and target.id != version.id)
    return {
        "version": version,
        "tag": words.VERSION_STATUSES[version.status],
        "author": names.get(version.author_id, "somebody who left") if version.author_id else "Salus",
        "approver": names.get(version.approved_by, ""),
        "note": version.note.reveal(),
        "sum": sum_words(api.counts(board.journey.id, version.id)) if version.live_at else "",
        "before": before.number if before else 0,
        "compare_url": reverse("journeys:differences", args=[before.id, version.id]) if before else "",
        "look_url": f"{reverse('journeys:steps', args=[board.journey.id])}?version={version.id}",
        "inside": inside,
        "may_move": moves,
        "move_url": reverse("journeys:move", args=[version.id, target.id]) if moves and target else "",
        "move_to": target.number if target else 0,
        "may_redraw": allowed["redraw"],
        "may_copy": allowed["copy"],
    }


def _sends(version: Version) -> list[dict[str, Any]]:
    """Return each message of a version in each language, with what it is for and who confirmed that."""
    found = []
    for step in version.graph.steps.values():
        for language, id in getattr(step.does, "versions", {}).items():
            found.append((step.title or step.key, language, _letter(id)))
    names = staff([each.classification.confirmed_by for _, _, each in found if each and each.classification])
    return [
        {
            "title": title,
            "language": LANGUAGES.get(language, language),
            "purpose": each.classification.purpose if each and each.classification else "",
            "confirmed_by": names.get(each.classification.confirmed_by, "")
            if each and each.classification and each.classification.confirmed_by
            else "",
            "url": named("content:version", each.id) if each else "",
        }
        for title, language, each in found
    ]


def _letter(version_id: UUID) -> Any:
    try:
        return content.version(version_id)
    except NotFound:
        return None


@requires(Permission.JOURNEYS_JOURNEY_READ)
@require_safe
def differences(request: HttpRequest, version_id: UUID, other_id: UUID) -> HttpResponse:
    """Show what differs from one version of a journey to another."""
    before, after = api.version(version_id), api.version(other_id)
    if before.journey_id != after.journey_id:
        raise NotFound
    found = api.compare(before.graph, after.graph)
    context = {
        "journey": api.journey(before.journey_id),
        "before": before,
        "after": after,
        "nothing": not found,
        "sum": _sum(found),
        "parts": [PARTS[name] for name in found.parts],
        "rows": [_change_row(each, before, after) for each in found.steps],
    }
    return render(request, "journeys/compare.html", context)


def _sum(found: Difference) -> str:
    counted = [
        (sum(each.change is change for each in found.steps), word)
        for change, word in (
            (Change.ADDED, "new"),
            (Change.REMOVED, "taken out"),
            (Change.CHANGED, "changed"),
        )
    ]
    told_ = ", ".join(f"{count} {word}" for count, word in counted if count)
    return f"Steps: {told_}." if told_ else "The steps are the same."


def _change_row(change: Any, before: Version, after: Version) -> dict[str, Any]:
    step = after.graph.steps.get(change.step) or before.graph.steps[change.step]

    def titled(version: Version, key: str) -> str:
        found = version.graph.steps.get(key)
        return (found.title or key) if found else key

    return {
        "name": words.named(step),
        "tag": CHANGES[change.change],
        "fields": ", ".join(words.field_words(name) for name in change.fields),
        "ports": [
            (words.port_words(step, each.port), titled(before, each.before), titled(after, each.after))
            for each in change.ports
        ],
    }


def _version(request: HttpRequest) -> UUID | None:
    given = request.GET.get("version", "")
    found = id_given(given) if given else None
    if given and found is None:
        raise NotFound
    return found


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return found if found and found.tzinfo else None
