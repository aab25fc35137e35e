"""What a signed-in patient chooses, takes back, and sees about who wrote to them."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from salus.kernel.time import FAR
from salus.kernel.vocabulary import Channel
from salus.portal import api
from salus.portal.contracts import Signed, Told, TopicRow
from salus.portal.web.gates import day, for_patient, page, session_of, visit_of
from salus.portal.words import topic_words


@for_patient
@require_http_methods(["GET", "HEAD", "POST"])
def choices(request: HttpRequest) -> HttpResponse:
    """Show topics by channel; write down what changed."""
    if request.method != "POST":
        return _choices(request)
    count = api.choose(
        session_of(request),
        [box for box in map(_box, request.POST.getlist("box")) if box is not None],
        fundraising="fundraising" in request.POST,
        ip=visit_of(request).ip,
    )
    return _choices(request, said="saved" if count else "saved_none")


@for_patient
@require_POST
def stop_all(request: HttpRequest) -> HttpResponse:
    """Stop every topic on every channel."""
    api.stop_everything(session_of(request), ip=visit_of(request).ip)
    return _choices(request, said="stop_done")


@for_patient
@require_POST
def protection(request: HttpRequest) -> HttpResponse:
    """Write down where the patient wants to read what is private."""
    always = request.POST.get("where") == "portal"
    if request.POST.get("where") in {"portal", "usual"}:
        api.stay_here(session_of(request), always=always, ip=visit_of(request).ip)
        return _choices(request, said="saved")
    return _choices(request, said="saved_none")


@for_patient
@require_POST
def withdraw(request: HttpRequest, authorization_id: UUID) -> HttpResponse:
    """Take back what was signed."""
    api.withdraw(session_of(request), authorization_id, ip=visit_of(request).ip)
    return _choices(request, said="taken_back")


@for_patient
@require_safe
def history(request: HttpRequest) -> HttpResponse:
    """Show who wrote to the patient, why it was allowed, what it told, how it was protected."""
    visit = visit_of(request)
    assert visit.clinic is not None
    told = [_told(request, each) for each in api.history(session_of(request), ip=visit.ip)]
    lead = visit.words.say("history_lead", clinic=visit.clinic.name)
    return page(request, "history.html", told=told, lead=lead)


def _choices(request: HttpRequest, said: str = "") -> HttpResponse:
    visit = visit_of(request)
    found = api.choices(session_of(request), ip=visit.ip)
    topics = [_row(request, row) for row in found.topics]
    return page(
        request,
        "choices.html",
        here=reverse("portal:choices"),
        topics=topics,
        has_sms=any(channel is Channel.SMS for row in found.topics for channel, _ in row.channels),
        fundraising=found.fundraising,
        always_here=api.always_here(session_of(request)),
        signed=[_signed(request, each) for each in found.signed],
        said=visit.words[said] if said else "",
    )


def _row(request: HttpRequest, row: TopicRow) -> dict[str, object]:
    words = visit_of(request).words
    boxes = [
        {"value": f"{channel.value}:{row.topic}", "label": words[f"by_{channel.value}"], "ticked": ticked}
        for channel, ticked in row.channels
    ]
    return {"name": topic_words(row.topic), "boxes": boxes}


def _box(value: str) -> tuple[str, Channel] | None:
    """Return the box that a form value names; None for one that we never made."""
    channel, _, topic = value.partition(":")
    return (topic, Channel(channel)) if channel in {Channel.EMAIL.value, Channel.SMS.value} else None


def _signed(request: HttpRequest, signed: Signed) -> dict[str, object]:
    words, date = visit_of(request).words, day(request, signed.signed_at)
    if signed.until == FAR:
        when = words.say("signed_open", date=date)
    else:
        when = words.say("signed_on", date=date, until=day(request, signed.until))
    return {"id": signed.id, "purpose": signed.purpose_text, "when": when}


def _told(request: HttpRequest, told: Told) -> dict[str, object]:
    words, message = visit_of(request).words, told.message
    if told.veiled:
        return {
            "id": message.message_id,
            "date": day(request, message.at),
            "sender": message.sender_name,
            "veiled": words["veiled"],
        }
    return {
        "id": message.message_id,
        "date": day(request, message.at),
        "sender": message.sender_name,
        "purpose": words.purpose(message.purpose.value),
        "grounds": allowed_because(request, told.grounds),
        "disclosed": words.disclosed(message.disclosed),
        "protected": words[f"reached_{message.reached or 'none'}"],
        "state": words[f"state_{message.state.value}"],
        "rules": ", ".join(message.rule_ids),
        "readable": message.in_portal,
    }


def allowed_because(request: HttpRequest, grounds: tuple[tuple[str, object], ...]) -> list[str]:
    """Return on what a message rested, in sentences."""
    words = visit_of(request).words
    said = [words.say(f"ground_{kind}", date=day(request, at)) for kind, at in grounds]  # type: ignore[arg-type]
    return said or [words["ground_none"]]
