"""Check that it is you: a code and a birth date in one form; and "this is not me"."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import translation
from django.utils.dates import MONTHS
from django.views.decorators.http import require_http_methods, require_POST

from salus.patients import api as patients
from salus.patients.contracts import (
    CodeNotSent,
    CodeSent,
    Invitation,
    LockedOut,
    NotVerified,
    PatientSession,
    Strength,
)
from salus.portal import api
from salus.portal.web.gates import (
    drop_session,
    for_link,
    keep_session,
    page,
    present_session,
    says,
    see,
    visit_of,
    with_phone,
)


@dataclass
class Typed:
    """What a visitor typed, kept for the next look, and what is missing."""

    code: str = ""
    m: str = ""
    d: str = ""
    y: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, request: HttpRequest) -> Typed:
        """Read the form; empty fields and days that do not exist are found before a try is spent."""
        code, m, d, y = (request.POST.get(name, "").strip()[:12] for name in ("code", "m", "d", "y"))
        typed, words = cls(code, m, d, y), visit_of(request).words
        if not typed.code:
            typed.errors["code"] = words["missing"]
        if not (typed.m and typed.d and typed.y):
            typed.errors["birth_date"] = words["missing"]
        elif patients.birth_date(typed.y, typed.m, typed.d) is None:
            typed.errors["birth_date"] = words["no_such_day"]
        return typed


@for_link
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HttpRequest, token: str) -> HttpResponse:
    """Show the form; judge what was typed; lead whoever is signed in already to the message."""
    invitation = _invitation(request, token)
    session = present_session(request)
    if session is not None and _suffices(session, invitation):
        return see("message", message_id=invitation.message_id)
    if not invitation.readable:
        return says(request, "gone", status=410)
    if invitation.locked_until is not None:
        return says(request, "locked", status=429)
    if request.method != "POST":
        has_code = "code" in request.GET or not invitation.code_by_email
        return _form(request, token, invitation, typed=Typed() if has_code else None)
    typed = Typed.of(request)
    if typed.errors:
        return _form(request, token, invitation, typed=typed)
    outcome = patients.verify(
        token,
        code=typed.code,
        birth_date=patients.birth_date(typed.y, typed.m, typed.d),
        ip=visit_of(request).ip,
        clock=api.clock(),
    )
    if isinstance(outcome, LockedOut):
        return says(request, "locked", status=429)
    if isinstance(outcome, NotVerified):
        return _form(request, token, invitation, typed=typed, tries_left=outcome.tries_left)
    response = see("message", message_id=outcome.message_id)
    keep_session(response, outcome.cookie)
    return response


@for_link
@require_POST
def send_code(request: HttpRequest, token: str) -> HttpResponse:
    """Send a code by e-mail and show where to type it."""
    invitation = _invitation(request, token)
    if not invitation.readable:
        return says(request, "gone", status=410)
    if invitation.locked_until is not None:
        return says(request, "locked", status=429)
    visit = visit_of(request)
    sent = patients.send_code(token, language=visit.language, ip=visit.ip, clock=api.clock())
    return _form(request, token, invitation, typed=Typed(), sent=sent)


@for_link
@require_http_methods(["GET", "HEAD", "POST"])
def not_me(request: HttpRequest, token: str) -> HttpResponse:
    """Let the reader say that the address is not the patient's; a POST stops writing to it."""
    _invitation(request, token)
    clinic = visit_of(request).clinic
    assert clinic is not None
    words = visit_of(request).words
    if request.method != "POST":
        return page(
            request,
            "ask.html",
            heading=words["not_you_title"],
            text=words.say("not_you_text", clinic=clinic.name),
            act=words["not_you_act"],
        )
    api.wrong_person(token, ip=visit_of(request).ip)
    response = page(request, "says.html", heading=words["stop_done_title"], text=words["not_you_done"])
    drop_session(response)
    return response


def _suffices(session: PatientSession, invitation: Invitation) -> bool:
    """Return whether a living session opens the message of another link too."""
    strong = invitation.code_by_email or session.proof.strength > Strength.MAILBOX
    return strong and session.contact_id == invitation.contact_id


def _invitation(request: HttpRequest, token: str) -> Invitation:
    invitation = patients.invitation(token, clock=api.clock())
    visit_of(request).prefer(invitation.language)
    return invitation


def _form(
    request: HttpRequest,
    token: str,
    invitation: Invitation,
    *,
    typed: Typed | None,
    tries_left: int = 0,
    sent: CodeSent | CodeNotSent | None = None,
) -> HttpResponse:
    visit = visit_of(request)
    words = visit.words
    clinic = visit.clinic
    assert clinic is not None
    by_email = invitation.code_by_email and not (isinstance(sent, CodeNotSent) and not sent.wait)
    with translation.override(visit.language):
        months = [(str(number), str(name).capitalize()) for number, name in MONTHS.items()]
    facts: dict[str, Any] = {
        "token": token,
        "typed": typed,
        "months": months,
        "by_email": by_email,
        "lead": words.say("check_lead", clinic=clinic.name),
        "from_us": with_phone(request, "code_from_us"),
        "call": with_phone(request, "call_us"),
        "has_passkey": patients.count_passkeys(invitation.contact_id) > 0,
        "tries_left": _tries(request, tries_left),
    }
    if isinstance(sent, CodeSent):
        facts["sent_to"] = words.say("code_sent", address=sent.address.reveal())
    elif isinstance(sent, CodeNotSent) and sent.wait:
        facts["wait"] = words["code_wait"]
    wrong = bool(tries_left) or bool(typed and typed.errors)
    here = reverse("portal:check", args=[token]) + ("" if typed is None else "?code")
    return page(request, "check.html", 422 if wrong else 200, here=here, **facts)


def _tries(request: HttpRequest, left: int) -> str:
    words = visit_of(request).words
    if not left:
        return ""
    return words["one_try_left"] if left == 1 else words.say("tries_left", count=left)
