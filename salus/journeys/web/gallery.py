"""The page of ready journeys: what each is for, what it needs, how its path looks; one press makes it yours."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from salus.identity.api import requires, toast
from salus.identity.contracts import Permission
from salus.journeys import api
from salus.journeys.contracts import Counts, Graph, StepKind
from salus.journeys.web import drawing
from salus.journeys.web.showing import CLOCK, actor_of

_FILLS = {
    StepKind.SEND: "f-clear",
    StepKind.TASK: "f-phi",
    StepKind.WAIT: "f-wait",
    StepKind.WAIT_FOR: "f-wait",
    StepKind.GOAL: "f-ink",
}
"""How steps look in the small picture; all others are quiet."""
_NOBODY = Counts(0, 0, 0, 0, 0, {}, {})


@requires(Permission.JOURNEYS_JOURNEY_READ)
@require_safe
def gallery(request: HttpRequest) -> HttpResponse:
    """Show every ready journey."""
    held = actor_of(request).permissions
    context = {
        "cards": [_card(each) for each in api.ready_journeys()],
        "may_add": all(permission in held for permission in api.ADDING_NEEDS),
    }
    return render(request, "journeys/gallery.html", context)


@requires(Permission.JOURNEYS_JOURNEY_EDIT)
@require_POST
def add(request: HttpRequest, key: str) -> HttpResponse:
    """Make a journey of a ready one and open it."""
    with transaction.atomic():
        version = api.add_ready(key, actor=actor_of(request), clock=CLOCK)
    toast(request, "It is yours now. Read it, change what is different at your house, and hand it in.")
    return redirect("journeys:edit", version.journey_id)


def _card(ready: Any) -> dict[str, Any]:
    kinds = [step.kind for step in ready.graph.steps.values()]
    return {
        "ready": ready,
        "picture": _small(ready.graph),
        "messages": kinds.count(StepKind.SEND),
        "tasks": kinds.count(StepKind.TASK),
        "steps": len(kinds),
        "goes_with": [api.ready_journey(key).name for key in ready.leads_to],
    }


def _small(graph: Graph) -> dict[str, Any]:
    picture = drawing.draw(graph, _NOBODY)
    nodes = [(node.x, node.y, _FILLS.get(node.step.kind, "f-rest")) for node in picture.nodes]
    return {"whole": picture, "nodes": nodes}
