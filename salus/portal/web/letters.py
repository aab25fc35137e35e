"""Messages of a signed-in patient: the list, one message with its files, an answer to it, the way out."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST, require_safe

from salus.delivery.contracts import PortalMessage
from salus.files import api as files
from salus.files.contracts import Of
from salus.inbox.contracts import TooOften
from salus.kernel.errors import BadInput, NotFound
from salus.kernel.ids import new_id
from salus.patients import api as patients
from salus.platform.web.foreign import foreign_html
from salus.portal import api
from salus.portal.contracts import Locked
from salus.portal.web.gates import (
    SESSION_COOKIE,
    day,
    drop_session,
    for_patient,
    page,
    says,
    see,
    session_of,
    visit_of,
    with_phone,
)
from salus.portal.web.passkeys import ask_for_more

MEGABYTE = 1024 * 1024


@for_patient
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Lead to the list of messages."""
    return see("messages")


@for_patient
@require_safe
def messages(request: HttpRequest) -> HttpResponse:
    """Show the messages that are here, newest first; what is in them is not told in a list."""
    words = visit_of(request).words
    rows = [
        (
            each.message_id,
            words.say("message_of", date=day(request, each.at)),
            each.sender_name,
            words[f"state_{each.state.value}"],
        )
        for each in api.messages(session_of(request))
    ]
    return page(request, "messages.html", rows=rows)


@for_patient
@require_safe
def message(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Show one message."""
    found = _read(request, message_id)
    return found if isinstance(found, HttpResponse) else _show(request, found, sent="sent" in request.GET)


@for_patient
@require_safe
def body(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Return the message's own HTML, the bytes as they were stored, for the frame."""
    found = _read(request, message_id)
    if isinstance(found, HttpResponse) or (found.view_only and not _is_for(request, "iframe")):
        raise NotFound
    return foreign_html(found.html.reveal(), links=not found.view_only)


@for_patient
@require_safe
def file(request: HttpRequest, message_id: UUID, file_id: UUID) -> HttpResponseBase:
    """Give a file out: as a download, or as a picture on the page of what is only to be looked at."""
    visit = visit_of(request)
    found = _read(request, message_id)
    given = api.file(session_of(request), message_id, file_id, ip=visit.ip)
    if isinstance(found, HttpResponse) or isinstance(given, Locked):
        raise NotFound
    facts, pieces = given
    looked_at = found.view_only and facts.owner.of is Of.MESSAGE
    if looked_at and not _is_for(request, "image"):
        raise NotFound
    return files.download(facts, pieces, inline=looked_at)


@csrf_exempt  # the token is checked below, after our handler stands ready for the files
@for_patient
@require_POST
def reply(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Give staff what the patient writes, with files; whatever is in the way is said beside what was typed."""
    visit, session = visit_of(request), session_of(request)
    taking = files.Attaching(
        request,
        session.contact_id,
        draft_id=session.id,
        actor=patients.actor_of(session, ip=visit.ip),
        clock=api.clock().now,
    )
    request.upload_handlers = [taking]
    found = _read(request, message_id)
    if isinstance(found, HttpResponse):
        return found
    if taking.is_too_much:
        return _show(request, found, typed=Typed("", file_error=visit.words["file_too_large"]))
    stale: HttpResponse | None = csrf_protect(_nothing)(request)
    if stale is not None:
        taking.undo()
        return stale
    typed = Typed(request.POST.get("text", ""))
    if taking.refused is not None:
        typed.file_error = visit.words.say(
            f"file_{taking.refused.why.value}", most=files.MOST, mb=files.LARGEST // MEGABYTE
        )
    else:
        try:
            once = request.POST.get("once", "")[:64]
            api.reply(session, message_id, typed.text, file_ids=taking.ids, ip=visit.ip, once=once)
        except TooOften:
            typed.error = visit.words["reply_too_often"]
        except BadInput:
            typed.error = visit.words["reply_long" if typed.text.strip() else "missing"]
        else:
            response = see("message", message_id=message_id)
            response.headers["Location"] += "?sent"
            return response
    if taking.ids and not typed.file_error:
        typed.file_error = visit.words["file_again"]
    taking.undo()
    return _show(request, found, typed=typed)


def _nothing(request: HttpRequest) -> None:
    """Answer nothing: the check before it does, when a token is missing."""


@dataclass
class Typed:
    """What a patient wrote, kept for the next look, and what is in the way."""

    text: str = ""
    error: str = ""
    file_error: str = ""
    once: str = field(default_factory=lambda: new_id().hex)
    """Names the form."""


@for_patient
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    visit = visit_of(request)
    patients.end_session(request.COOKIES.get(SESSION_COOKIE, ""), ip=visit.ip, clock=api.clock())
    visit.session = None
    response = says(request, "signed_out", call=False, here="")
    drop_session(response)
    return response


def _is_for(request: HttpRequest, place: str) -> bool:
    """Return whether the browser says that this goes where our page put it; old ones say nothing."""
    return request.headers.get("Sec-Fetch-Dest", place) == place


def _show(
    request: HttpRequest, found: PortalMessage, *, typed: Typed | None = None, sent: bool = False
) -> HttpResponse:
    visit = visit_of(request)
    words = visit.words
    beside = api.beside(session_of(request), found.message_id)
    mark = words.say("mark", date=day(request, api.clock().now()), number=found.message_id.hex[-12:])
    return page(
        request,
        "message.html",
        422 if typed else 200,
        here=reverse("portal:message", args=[found.message_id]),
        message=found,
        subject=found.subject.reveal(),
        text=found.text.reveal(),
        from_on=words.say("from_on", sender=found.sender_name, date=day(request, found.sent_at)),
        until=words.say("kept_until", date=day(request, found.expires_at)),
        has_html=bool(found.html.reveal()),
        beside=beside,
        replies=[(words.say("you_wrote", date=day(request, each.at)), each) for each in beside.replies],
        mark=mark,
        typed=typed or Typed(),
        sent=sent,
        files_help=words.say("files_help", most=files.MOST, mb=files.LARGEST // MEGABYTE),
        call=with_phone(request, "urgent"),
    )


def _read(request: HttpRequest, message_id: UUID) -> PortalMessage | HttpResponse:
    visit = visit_of(request)
    found = api.read(session_of(request), message_id, ip=visit.ip)
    if found is Locked.GONE:
        return says(request, "gone", status=410)
    if found is Locked.RECALLED:
        return says(request, "recalled", status=410)
    if found is Locked.STRONGER:
        return ask_for_more(request, message_id)
    assert not isinstance(found, Locked)
    visit.prefer(found.language)
    return found
