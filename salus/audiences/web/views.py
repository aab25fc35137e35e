"""The list of segments, the editor, and the live count."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from salus.audiences import api
from salus.audiences.web import draft as drafts
from salus.audiences.web import outline, panel, static
from salus.audiences.web.draft import Draft
from salus.identity import api as identity
from salus.identity.api import requires, toast
from salus.identity.contracts import Permission
from salus.kernel.errors import BadInput, Conflict, Unavailable
from salus.platform.web.given import id_given

COUNTED = 25
"""How many segments of the list are counted; older ones are counted when they are opened."""


@requires(Permission.SEGMENTS_SEGMENT_READ)
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Show every segment with what it reads and how many people are in it now."""
    rows, engine = [], api.engine_status()
    for place, one in enumerate(api.segments()):
        people = None
        if engine.state == "ready" and place < COUNTED:
            try:
                people = api.count(one.tree).people
            except (BadInput, Unavailable):
                people = None
        rows.append(
            {
                "segment": one,
                "people": people,
                "classes": list(dict.fromkeys(read.phi_class.value for read in one.reads)),
            }
        )
    return render(request, "audiences/list.html", {"rows": rows, "engine": engine})


@requires(Permission.SEGMENTS_SEGMENT_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Begin a segment."""
    return _edit(request, Draft(), None)


@requires(Permission.SEGMENTS_SEGMENT_READ)
@require_http_methods(["GET", "HEAD", "POST"])
def segment(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    """Show a segment; change it, for who may."""
    found = api.segment(segment_id)
    if found.static:
        return static.page(request, found)
    return _edit(request, drafts.of_segment(found), segment_id)


def _edit(request: HttpRequest, draft: Draft, segment_id: UUID | None) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    if request.method == "POST":
        identity.require(actor, Permission.SEGMENTS_SEGMENT_EDIT)
        draft = drafts.posted(request.POST, segment_id)
        word = request.POST.get("act", "count")
        drafts.act(draft, word, request.POST)
        if word == "save" and not (draft.form and draft.form.errors) and draft.fault is None:
            try:
                saved = api.save_segment(
                    draft.name, draft.tree, actor, segment_id=segment_id, version=draft.version or None
                )
            except (BadInput, Conflict) as fault:
                draft.fault = fault  # type: ignore[assignment]
            else:
                toast(request, "The segment is saved.")
                return redirect("audiences:segment", saved.id)
    return _page(request, draft, actor)


def _page(request: HttpRequest, draft: Draft, actor: Any) -> HttpResponse:
    result = panel.result(draft)
    by = request.GET.get("by", "") if request.method != "POST" else ""
    groups = None
    if by in panel.BREAKDOWNS and result.total is not None:
        groups = panel.breakdown(draft, by, actor)
    context = {
        "draft": draft,
        "result": result,
        "root": panel.rows(draft, result),
        "may_edit": Permission.SEGMENTS_SEGMENT_EDIT in actor.permissions,
        "views": (("rules", "Rules"), ("words", "In words"), ("json", "JSON")),
        "joins": tuple(outline.JOINS.items()),
        "breakdowns": panel.BREAKDOWNS,
        "by": by,
        "parts": groups,
        "largest": max((many for _, many in groups or ()), default=0),
    }
    return render(request, "audiences/edit.html", context)


@requires(Permission.SEGMENTS_SEGMENT_EDIT)
@require_POST
def count(request: HttpRequest) -> HttpResponse:
    """Return the result beside the rules for what is typed now; 300 ms after the last change."""
    draft = drafts.posted(request.POST, id_given(request.POST.get("segment", "")))
    return render(request, "audiences/parts/result.html", {"draft": draft, "result": panel.result(draft)})
