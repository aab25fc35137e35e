"""Where a journey is drawn: the page of the canvas, and what its script asks for and tells."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from salus.identity.api import requires, toast
from salus.identity.contracts import Permission
from salus.journeys import api
from salus.journeys.contracts import Counts, Graph, Supposed, Version, VersionStatus
from salus.journeys.web import words
from salus.journeys.web.steps import explained
from salus.journeys.web.vocabulary import vocabulary
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, NotFound, SalusError
from salus.platform.web.errors import problem, status_of
from salus.platform.web.given import id_given

P = Permission
MOST = 1_000
"""People of one simulation here, so that the answer comes in a second or two; the command line takes more."""
STEP = re.compile(r"^\$\.steps\.([a-z0-9_]+)")
Asked = Callable[..., HttpResponseBase]


@requires(P.JOURNEYS_JOURNEY_READ)
@require_safe
def page(request: HttpRequest, journey_id: UUID) -> HttpResponse:
    """Show the canvas: of the version that is being drawn, of the live one, or of the one asked for."""
    version = _wanted(request, journey_id)
    said = f"Version {version.number}, {words.VERSION_STATUSES[version.status][1].lower()}"
    context = {"standing": said, "journey_id": journey_id, "base": _base(version)}
    return render(request, "journeys/editor.html", context)


def _wanted(request: HttpRequest, journey_id: UUID) -> Version:
    versions, journey = api.versions(journey_id), api.journey(journey_id)
    asked = request.GET.get("version", "")
    id = id_given(asked) if asked else journey.draft or journey.live or versions[0].id
    found = next((each for each in versions if each.id == id), None)
    if found is None:
        raise NotFound
    return found


def _base(version: Version) -> str:
    return reverse("journeys:canvas_draft", args=[version.id]).removesuffix("draft")


def as_json(view: Asked) -> Asked:
    """Answer with a problem, in words for the person, instead of a page when something stands in the way."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            with transaction.atomic():
                return view(request, *args, **kwargs)
        except SalusError as fault:
            status, title = status_of(fault)
            said = " ".join(part for part in (_sentence(fault), fault.kept, fault.next_step) if part)
            return problem(status, title, said, place=fault.place)

    return answer


@requires(P.JOURNEYS_JOURNEY_READ)
@require_safe
@as_json
def draft(request: HttpRequest, version_id: UUID) -> HttpResponseBase:
    """Return a version as the canvas begins with it: its drawing, what may be done, its numbers if it ran."""
    version = api.version(version_id)
    edits = P.JOURNEYS_JOURNEY_EDIT in _actor(request).permissions and version.status is VersionStatus.DRAFT
    pages = [("show", "Funnel"), ("versions", "Versions")]
    answer = {
        "seen": version.changed_at.isoformat(),
        "token": get_token(request),
        "graph": api.write(version.graph),
        "edits": edits,
        "counts": _numbers(api.counts(version.journey_id, version.id)) if version.live_at else None,
        "pages": [
            {"label": label, "url": reverse(f"journeys:{name}", args=[version.journey_id])}
            for name, label in pages
        ],
    }
    return JsonResponse(answer)


@requires(P.JOURNEYS_JOURNEY_READ)
@require_safe
@as_json
def vocabulary_of(request: HttpRequest, version_id: UUID) -> HttpResponseBase:
    """Return what a journey may name: templates, segments, attributes, events, roles, services."""
    api.version(version_id)  # one that is not there has no words either
    return JsonResponse(vocabulary(api.version(version_id).graph, _actor(request), api.clock().now()))


@requires(P.JOURNEYS_JOURNEY_EDIT)
@require_POST
@as_json
def check(request: HttpRequest, version_id: UUID) -> HttpResponseBase:
    """Check what is drawn now; nothing is stored. A drawing that cannot be read is a finding at its step."""
    version = api.version(version_id)
    try:
        graph = _graph(_given(request))
    except BadInput as fault:
        return JsonResponse(_unreadable(fault))
    return JsonResponse(api.proof_facts(api.check(graph, journey_id=version.journey_id)))


@requires(P.JOURNEYS_JOURNEY_EDIT)
@require_POST
@as_json
def save(request: HttpRequest, version_id: UUID) -> HttpResponseBase:
    """Save what is drawn, unless somebody else saved since the moment that is `seen`."""
    version, given = api.version(version_id), _given(request)
    saved = api.save_draft(
        version.id, _graph(given), seen=_seen(given), actor=_actor(request), at=api.clock().now()
    )
    return JsonResponse({"seen": saved.changed_at.isoformat()})


@requires(P.JOURNEYS_JOURNEY_EDIT)
@require_POST
@as_json
def hand_in(request: HttpRequest, version_id: UUID) -> HttpResponseBase:
    """Hand the saved draft in for approval; answer with where to go then."""
    version = api.submit(version_id, actor=_actor(request), at=api.clock().now())
    toast(request, "Handed in. Somebody else approves it.")
    return JsonResponse({"url": reverse("journeys:versions", args=[version.journey_id])})


@requires(P.JOURNEYS_JOURNEY_READ)
@require_POST
@as_json
def simulate(request: HttpRequest, version_id: UUID) -> HttpResponseBase:
    """Return what would become of the people there are, with what is supposed of them; nothing is sent."""
    version, given = api.version(version_id), _given(request)
    # Somebody who may not draw gets the numbers of what is drawn: a drawing of their own could ask anything.
    draws = P.JOURNEYS_JOURNEY_EDIT in _actor(request).permissions
    found = api.simulate(
        _graph(given) if draws else version.graph,
        journey_id=version.journey_id,
        supposed=_supposed(given.get("supposed")),
        start=str(given.get("from") or ""),
        most=MOST,
        at=api.clock().now(),
        actor=_actor(request),
    )
    return JsonResponse({"some": found.people >= MOST, "counts": _numbers(found.counts)})


def _numbers(counts: Counts) -> dict[str, Any]:
    """Return the numbers, with what their reasons mean, in words and citations."""
    refused = {code for each in counts.steps.values() for (_, code) in each.outcomes if code}
    told = {code: explained(code) for code in {*refused, *counts.reasons}}
    said = {code: {"sentence": each.sentence, "law": list(each.citations)} for code, each in told.items()}
    return {**api.counts_facts(counts), "said": said}


def _supposed(given: Any) -> Supposed:
    try:
        happens = {str(kind): _share(share) for kind, share in given["happens"].items()}
        return Supposed(happens, _share(given["tasks_done"]), _share(given["calls_done"]))
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError):
        raise BadInput("says shares from 0 to 1", place="supposed") from None


def _share(given: Any) -> float:
    share = float(given)
    if not 0 <= share <= 1:
        raise ValueError
    return share


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


def _given(request: HttpRequest) -> dict[str, Any]:
    try:
        found = json.loads(request.body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BadInput("this is not JSON", place="body")
    return found


def _graph(given: dict[str, Any]) -> Graph:
    return api.read(given.get("graph"))


def _seen(given: dict[str, Any]) -> datetime:
    try:
        return datetime.fromisoformat(str(given.get("seen")))
    except ValueError:
        raise BadInput("is not a moment", place="seen") from None


def _unreadable(fault: BadInput) -> dict[str, Any]:
    """Return the answer of a check for a drawing that cannot be read: what is wrong, and at which step."""
    step = STEP.match(fault.place)
    finding = {
        "code": "unreadable",
        "severity": "error",
        "step": step[1] if step else "",
        "port": "",
        "what": _sentence(fault),
        "mend": fault.next_step or "Mend it in the form.",
    }
    return {
        "holds": False,
        "promises": [],
        "longest_hours": None,
        "most_messages": None,
        "findings": [finding],
    }


def _sentence(fault: SalusError) -> str:
    """Return a fault as a sentence: its place within the step or the journey, and what is wrong there."""
    place = STEP.sub("", fault.place).lstrip("$.").replace("_", " ")
    said = f"{place} {fault.what}" if place and fault.what[:1].islower() else fault.what
    return f"{said[:1].upper()}{said[1:].rstrip('.')}."
