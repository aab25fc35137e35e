"""Pages about single people of a journey: who is behind a figure, a diary, who is put in, a contact's panel."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_safe

from salus.contacts import api as contacts
from salus.identity.api import requires
from salus.identity.contracts import Permission
from salus.journeys import api
from salus.journeys.contracts import REFUSED, Again, Diary, Fate, Figure, Someone, Version, Visit
from salus.journeys.web import words
from salus.journeys.web.forms import Enrolment
from salus.journeys.web.showing import actor_of, fate_tag, named, now
from salus.journeys.web.steps import explained, outcome_words
from salus.journeys.web.uploading import MemoryHandler
from salus.kernel.errors import BadInput, Conflict, NotFound, SalusError, Unavailable
from salus.platform.web.errors import status_of
from salus.platform.web.given import id_given, number_given
from salus.platform.web.templatetags.salus import moment

PAGE = 100


@requires(Permission.JOURNEYS_PEOPLE_READ)
@require_safe
def who(request: HttpRequest, journey_id: UUID) -> HttpResponse:
    """Show who is behind a figure, by contact number; that somebody looked is recorded."""
    journey = api.journey(journey_id)
    figure, version = _figure(request), _version(request, journey_id)
    found = api.people_at(
        journey_id,
        figure,
        version_id=version.id if version else None,
        actor=actor_of(request),
        after=_place(request.GET.get("after", "")),
        limit=PAGE + 1,
    )
    shown = found[:PAGE]
    query = request.GET.copy()
    query.pop("after", None)
    first = f"?{query.urlencode()}" if "after" in request.GET else ""
    if len(found) > PAGE:
        query["after"] = f"{shown[-1].enrolment_id}.{shown[-1].ordinal}"
    back = reverse("journeys:show", args=[journey_id])
    context = {
        "journey": journey,
        "people": [_person(journey_id, each) for each in shown],
        "called": _called(figure, version),
        "told": explained(figure.reason) if figure.outcome == REFUSED and figure.reason else None,
        "back_url": f"{back}?version={version.id}&step={figure.step}" if version else back,
        "first_url": first,
        "next_url": f"?{query.urlencode()}" if len(found) > PAGE else "",
    }
    return render(request, "journeys/who.html", context)


def _place(text: str) -> tuple[UUID, int] | None:
    """Return where the list goes on, None at its start."""
    id, _, ordinal = text.partition(".")
    found, place = id_given(id), number_given(ordinal)
    return (found, place) if found is not None and place is not None else None


def _person(journey_id: UUID, one: Someone) -> dict[str, Any]:
    return {
        "number": one.contact_number,
        "url": named("contacts:show", one.contact_id),
        "at": moment(one.at),
        "tag": fate_tag(one.fate, one.reason),
        "diary": reverse("journeys:diary", args=[journey_id, one.enrolment_id]),
    }


def _figure(request: HttpRequest) -> Figure:
    given = request.GET
    try:
        fate = Fate(given["fate"]) if "fate" in given else None
    except ValueError:
        raise NotFound from None
    return Figure(
        step=_word(given.get("step", "")),
        here="here" in given,
        port=_word(given.get("port", "")),
        outcome=_word(given.get("outcome", "")),
        reason=_word(given.get("reason", "")),
        fate=fate,
    )


def _word(given: str) -> str:
    """Return a key or a code; raises `NotFound` for what can be none."""
    if not re.fullmatch(r"[a-z0-9_]{0,60}", given):
        raise NotFound
    return given


def _version(request: HttpRequest, journey_id: UUID) -> Version | None:
    given = request.GET.get("version", "")
    if not given:
        return None
    id = id_given(given)
    if id is None or (found := api.version(id)).journey_id != journey_id:
        raise NotFound
    return found


def _called(figure: Figure, version: Version | None) -> str:
    """Return the figure in words: "Time for a check-up: went on"."""
    step = version.graph.steps.get(figure.step) if version else None
    title = (step.title or step.key) if step else figure.step
    if figure.here:
        what = "here now"
    elif figure.port:
        what = words.port_words(step, figure.port) if step else figure.port
    elif figure.outcome:
        what = words.OUTCOMES.get(figure.outcome, figure.outcome).lower()
    else:
        what = words.OUTCOMES.get(figure.fate or "", "everybody who was there")
    return f"{title}: {what}" if title else what.capitalize()


@requires(Permission.JOURNEYS_PEOPLE_READ)
@require_safe
def diary(request: HttpRequest, journey_id: UUID, enrolment_id: UUID) -> HttpResponse:
    """Show one person's way through the journey; that somebody looked is recorded."""
    found = api.diary(enrolment_id, actor=actor_of(request))
    if found.journey_id != journey_id:
        raise NotFound
    version = api.version(found.version_id)
    graphs = {each.id: each.graph for each in api.versions(journey_id)}
    receipts = Permission.DELIVERY_RECEIPT_READ in actor_of(request).permissions
    tag = fate_tag(found.fate, found.reason)
    context = {
        "journey": api.journey(journey_id),
        "version": version,
        "diary": found,
        "number": contacts.numbers_of([found.contact_id]).get(found.contact_id, 0),
        "tag": tag,
        "rows": [_line(visit, _step(visit.step, version, graphs), receipts) for visit in found.visits],
        "here": _here(found, version),
        "contact_url": named("contacts:show", found.contact_id),
    }
    return render(request, "journeys/diary.html", context)


def _step(key: str, version: Version, graphs: Any) -> Any:
    """Return a step by its key: of the present version, else of an earlier one that they came through."""
    graph = next((each for each in (version.graph, *graphs.values()) if key in each.steps), version.graph)
    return graph.steps.get(key)


def _line(visit: Visit, step: Any, receipts: bool) -> dict[str, Any]:
    refused = visit.outcome == REFUSED
    stay = visit.left_at - visit.arrived_at
    tone = "refuse" if refused else "clear" if visit.outcome in {"sent", "goal", "happened", "done"} else ""
    port = words.port_words(step, visit.port) if step and visit.outcome in {"case", "control"} else ""
    return {
        "name": words.named(step) if step else visit.step,
        "glyph": "bar" if refused else words.glyph(step) if step else "next",
        "tone": tone,
        "at": visit.left_at,
        "words": outcome_words(visit.outcome, visit.reason) + (f": {port}" if port else ""),
        "after": f"after {words.long_span(stay)}" if stay.total_seconds() >= 60 else "",
        "citations": explained(visit.reason).citations if refused and visit.reason else (),
        "receipt": named("delivery:receipt", visit.message_id) if receipts and visit.message_id else "",
    }


def _here(found: Diary, version: Version) -> dict[str, Any] | None:
    step = version.graph.steps.get(found.step)
    if step is None:
        return None
    waits = found.due_at is not None and found.due_at > now()
    return {
        "name": words.named(step),
        "glyph": words.glyph(step),
        "words": f"Until {moment(found.due_at)} at most" if waits else "Due now",
    }


@csrf_exempt  # the token is checked by the inner view, after our handler stands ready for the file
@requires(Permission.JOURNEYS_PEOPLE_ENROL)
@require_http_methods(["GET", "HEAD", "POST"])
def enrol(request: HttpRequest, journey_id: UUID) -> HttpResponseBase:
    """Put people in by their numbers, and say of each line what became of it."""
    request.upload_handlers = [MemoryHandler(request)]
    answer: HttpResponseBase = _enrol(request, journey_id)
    return answer


@csrf_protect
def _enrol(request: HttpRequest, journey_id: UUID) -> HttpResponse:
    journey = api.journey(journey_id)
    if not api.takes_by_hand(journey_id):
        raise NotFound
    form = Enrolment(request.POST or None, request.FILES or None)
    found, fault = None, None
    if request.method == "POST" and form.is_valid():
        lines = form.cleaned_data["lines"]
        try:
            with transaction.atomic():
                found = api.enrol_numbers(journey_id, lines, actor=actor_of(request), at=now())
        except (BadInput, Conflict, Unavailable) as refused:
            fault = refused
        else:
            form = Enrolment()
    live = api.version(journey.live) if journey.live else None
    context = {
        "journey": journey,
        "form": form,
        "fault": fault,
        "found": found,
        "entered": len(found.entered) if found else 0,
        "not_in": len(found.refused) if found else 0,
        "missing": len(found.unknown) if found else 0,
        "refused": _refused(found.refused) if found else [],
        "again": _again(live) if live else "",
    }
    return render(request, "journeys/enrol.html", context, status=_status(form, fault))


def _status(form: Enrolment, fault: SalusError | None) -> int:
    if fault is not None:
        return status_of(fault)[0]
    return 400 if form.is_bound and not form.is_valid() else 200


def _refused(refused: Mapping[int, str]) -> list[dict[str, Any]]:
    ids = contacts.ids_of(list(refused))
    return [
        {
            "number": number,
            "words": words.NOT_IN.get(reason, reason.replace("_", " ")),
            "url": named("contacts:show", ids[number]) if number in ids else "",
        }
        for number, reason in sorted(refused.items())
    ]


def _again(live: Version) -> str:
    rules = live.graph.rules
    if rules.again is Again.NEVER:
        return "Everybody once"
    if rules.again is Again.AFTER and rules.again_after:
        return f"Again {words.span(rules.again_after)} after they came in"
    return "Everybody, again and again"


def contact_panel(request: HttpRequest, contact_id: UUID) -> SafeString | None:
    """Return the panel of a contact's page: the journeys they were in, for roles that may see that."""
    if Permission.JOURNEYS_PEOPLE_READ not in actor_of(request).permissions:
        return None
    found = api.diaries_of(contact_id, actor=actor_of(request))
    names = {each.journey_id: api.journey(each.journey_id).name for each in found}
    rows = [
        {
            "name": names[each.journey_id],
            "url": reverse("journeys:diary", args=[each.journey_id, each.enrolment_id]),
            "tag": fate_tag(each.fate, each.reason),
            "words": f"Came in {moment(each.entered_at)}"
            + (f", left {moment(each.ended_at)}" if each.ended_at else ""),
        }
        for each in found
    ]
    return render_to_string("journeys/parts/contact.html", {"rows": rows}, request)
