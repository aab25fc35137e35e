"""Messages of a signed-in patient: the list, one message, its body in a frame of its own, the way out."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe

from salus.delivery.contracts import PortalMessage
from salus.kernel.errors import NotFound
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
)


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
    if isinstance(found, HttpResponse):
        return found
    words = visit_of(request).words
    return page(
        request,
        "message.html",
        message=found,
        subject=found.subject.reveal(),
        text=found.text.reveal(),
        from_on=words.say("from_on", sender=found.sender_name, date=day(request, found.sent_at)),
        until=words.say("kept_until", date=day(request, found.expires_at)),
        has_html=bool(found.html.reveal()),
    )


@for_patient
@require_safe
def body(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Return the message's own HTML, the bytes as they were stored, for the frame."""
    found = _read(request, message_id)
    if isinstance(found, HttpResponse):
        raise NotFound
    return foreign_html(found.html.reveal(), links=True)


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


def _read(request: HttpRequest, message_id: UUID) -> PortalMessage | HttpResponse:
    visit = visit_of(request)
    found = api.read(session_of(request), message_id, ip=visit.ip)
    if found is Locked.GONE:
        return says(request, "gone", status=410)
    if found is Locked.STRONGER:
        return says(request, "stronger", status=403)
    assert not isinstance(found, Locked)
    visit.prefer(found.language)
    return found
