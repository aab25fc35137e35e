"""Links in messages that work without signing in: stop, choose, why, and yes to a double opt-in."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from salus.kernel.vocabulary import Purpose
from salus.portal import api
from salus.portal.contracts import StopTarget
from salus.portal.web.choices import allowed_because
from salus.portal.web.gates import day, for_link, page, present_session, see, visit_of
from salus.portal.words import topic_words


@csrf_exempt  # RFC 8058: the mail program posts without cookies; the sealed token is the proof
@for_link
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """Ask on GET, and change nothing; stop on POST, and answer without a redirect."""
    if request.method == "POST":
        everything = request.POST.get("scope") == "everything"
        target = api.unsubscribe(token, everything=everything, ip=visit_of(request).ip)
        visit_of(request).prefer(target.message.language)
        return _stopped(request, target)
    target = api.stop_target(token)
    visit_of(request).prefer(target.message.language)
    return _stopped(request, target) if target.stopped else _ask(request, token, target, "stop_title")


@for_link
@require_safe
def choose(request: HttpRequest, token: str) -> HttpResponse:
    """Lead a signed-in patient to all choices; offer the others to stop what the link names."""
    target = api.stop_target(token)
    visit_of(request).prefer(target.message.language)
    session = present_session(request)
    if session is not None and session.contact_id == target.contact_id:
        return see("choices")
    return _stopped(request, target) if target.stopped else _ask(request, token, target, "choices_title")


@for_link
@require_safe
def why(request: HttpRequest, token: str) -> HttpResponse:
    """Say why the bearer of a message got it; nothing that the message does not tell."""
    told, visit = api.why(token, ip=visit_of(request).ip), visit_of(request)
    visit.prefer(told.message.language)
    words, message = visit.words, told.message
    facts: dict[str, Any] = {
        "from_on": words.say("from_on", sender=message.sender_name, date=day(request, message.at)),
        "purpose": words.purpose(message.purpose.value),
        "grounds": allowed_because(request, told.grounds),
        "protected": words[f"reached_{message.reached or 'none'}"],
        "rules": ", ".join(message.rule_ids),
        "token": token,
    }
    return page(request, "why.html", **facts)


@csrf_exempt  # as above: the sealed token of the message is the proof
@for_link
@require_http_methods(["GET", "HEAD", "POST"])
def opt_in(request: HttpRequest, token: str) -> HttpResponse:
    """Ask on GET; confirm a double opt-in on POST."""
    offer, words = api.offer(token), visit_of(request).words
    if request.method != "POST":
        channel = words[f"channel_{offer.channel.value}"]
        text = words.say("opt_in_text", topic=topic_words(offer.topic), channel=channel)
        return page(request, "ask.html", heading=words["opt_in_title"], text=text, act=words["opt_in_act"])
    confirmed = api.confirm_opt_in(token, ip=visit_of(request).ip)
    said = words["opt_in_done" if confirmed else "opt_in_stopped"]
    return page(request, "says.html", heading=words["opt_in_done_title"], text=said)


def _ask(request: HttpRequest, token: str, target: StopTarget, heading: str) -> HttpResponse:
    words, message = visit_of(request).words, target.message
    if target.gifts:
        text = words["stop_gifts"]
    else:
        channel = words[f"channel_{message.channel.value}"]
        key = "stop_text_plain" if _reminds(target) else "stop_text"
        text = words.say(key, topic=topic_words(message.topic), channel=channel)
    return page(request, "stop.html", heading=words[heading], text=text, token=token)


def _stopped(request: HttpRequest, target: StopTarget) -> HttpResponse:
    words = visit_of(request).words
    said = words["stop_done_plain" if _reminds(target) else "stop_done"]
    return page(request, "says.html", heading=words["stop_done_title"], text=said, more=words["stop_undo"])


def _reminds(target: StopTarget) -> bool:
    """Return whether the message was a reminder itself: then nobody may say that reminders go on."""
    return target.message.purpose is Purpose.APPOINTMENT
