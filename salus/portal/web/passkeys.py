"""More proof of who it is: a code from the clinic or a passkey, by a link or within a session; and one's passkeys."""

from __future__ import annotations

import json
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from salus.kernel.errors import BadInput, Conflict
from salus.patients import api as patients
from salus.patients.contracts import LockedOut, NotVerified, Strength, Verified
from salus.portal import api
from salus.portal.web.gates import (
    for_link,
    for_patient,
    keep_session,
    page,
    says,
    see,
    session_of,
    visit_of,
    with_phone,
)
from salus.portal.words import Words


def ask_for_more(
    request: HttpRequest, message_id: UUID, *, error: str = "", tries_left: int = 0, status: int = 403
) -> HttpResponse:
    """Return the page that asks a signed-in patient for more proof before it shows this message."""
    words = visit_of(request).words
    return page(
        request,
        "stronger.html",
        status,
        message_id=message_id,
        from_us=with_phone(request, "code_from_us"),
        error=error,
        tries_left=_tries(words, tries_left),
        has_passkey=patients.count_passkeys(session_of(request).contact_id) > 0,
        call=with_phone(request, "call_us"),
    )


def _tries(words: Words, left: int) -> str:
    if not left:
        return ""
    return words["code_one_try"] if left == 1 else words.say("code_tries", count=left)


@sensitive_post_parameters("code")
@for_patient
@require_POST
def stronger(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Judge a code from the clinic; right, show the message."""
    visit, code = visit_of(request), request.POST.get("code", "").strip()[:12]
    if not code:
        return ask_for_more(request, message_id, error=visit.words["missing"], status=422)
    outcome = patients.step_up(session_of(request), code=code, ip=visit.ip, clock=api.clock())
    if isinstance(outcome, LockedOut):
        return says(request, "locked", status=429)
    if isinstance(outcome, NotVerified):
        wrong = visit.words["code_wrong"]
        return ask_for_more(request, message_id, error=wrong, tries_left=outcome.tries_left, status=422)
    return _in(outcome, message_id)


@for_patient
@require_POST
def ask_in_session(request: HttpRequest) -> HttpResponse:
    """Say what a passkey of the signed-in patient has to sign."""
    return JsonResponse(patients.ask_session_for_passkey(session_of(request), clock=api.clock()))


@sensitive_post_parameters("answer")
@for_patient
@require_POST
def step_up(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Judge a passkey that a signed-in patient shows; good, show the message."""
    visit = visit_of(request)
    shown = patients.show_passkey_in_session(
        session_of(request), _answer(request), ip=visit.ip, clock=api.clock()
    )
    if shown is None:
        return ask_for_more(request, message_id, error=visit.words["passkey_failed"], status=422)
    return _in(shown, message_id)


@for_link
@require_POST
def ask_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """Say what a passkey of the reader of this link has to sign."""
    return JsonResponse(patients.ask_for_passkey(token, clock=api.clock()))


@sensitive_post_parameters("answer")
@for_link
@require_POST
def sign_in(request: HttpRequest, token: str) -> HttpResponse:
    """Sign in with a passkey alone; what fails leads back to the code."""
    shown = patients.show_passkey(token, _answer(request), ip=visit_of(request).ip, clock=api.clock())
    if shown is None:
        return see("check", token=token)
    return _in(shown, shown.message_id)


@sensitive_post_parameters("answer")
@for_patient
@require_http_methods(["GET", "HEAD", "POST"])
def own(request: HttpRequest) -> HttpResponse:
    """Show whether there are passkeys; keep a new one."""
    if request.method == "POST":
        return _keep(request)
    return _own(request)


@for_patient
@require_POST
def ask_for_new(request: HttpRequest) -> HttpResponse:
    """Say what a new passkey has to be made of."""
    visit = visit_of(request)
    assert visit.clinic is not None
    session = session_of(request)
    return JsonResponse(patients.ask_for_new_passkey(session, clinic=visit.clinic.name, clock=api.clock()))


@for_patient
@require_POST
def forget(request: HttpRequest) -> HttpResponse:
    """Remove the patient's passkeys."""
    patients.forget_passkeys(session_of(request), ip=visit_of(request).ip)
    return _own(request, said="passkeys_forgotten")


def _keep(request: HttpRequest) -> HttpResponse:
    try:
        patients.keep_passkey(
            session_of(request), _answer(request), ip=visit_of(request).ip, clock=api.clock()
        )
    except (BadInput, Conflict):
        return _own(request, said="passkey_failed", status=422)
    return _own(request, said="passkey_made")


def _own(request: HttpRequest, said: str = "", status: int = 200) -> HttpResponse:
    session, words = session_of(request), visit_of(request).words
    return page(
        request,
        "passkeys.html",
        status,
        count=patients.count_passkeys(session.contact_id),
        strong=session.proof.strength > Strength.MAILBOX,
        said=words[said] if said else "",
        failed=status != 200,
        from_us=with_phone(request, "code_from_us"),
    )


def _in(shown: Verified, message_id: UUID) -> HttpResponse:
    response = see("message", message_id=message_id)
    keep_session(response, shown.cookie)
    return response


def _answer(request: HttpRequest) -> object:
    try:
        return json.loads(request.POST.get("answer", ""))
    except ValueError:
        return None
