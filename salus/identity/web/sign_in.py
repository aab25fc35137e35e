"""Sign-in pages: password, code or set-up of the code, join by invitation, sign-out, the sign of life."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from salus.identity import second_factor, sessions, sign_on, staff
from salus.identity import sign_in as steps
from salus.identity.access import safe_next
from salus.identity.pacing import paced
from salus.identity.ports import now
from salus.identity.sign_in import HalfSignedIn
from salus.identity.web import halfway
from salus.identity.web.forms import CodeStep, NewPassword, PasswordStep
from salus.kernel.errors import BadInput

ENDED = {
    "idle": "You were away for 15 minutes, so we signed you out.",
    "absolute": "You were signed in for 12 hours, so we signed you out.",
    "asked": "You are signed out.",
}


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """First step: e-mail and password."""
    wanted = safe_next(request, request.POST.get("next") or request.GET.get("next") or "/")
    if getattr(request, "staff_session", None) is not None and request.method != "POST":
        return redirect(wanted)
    form = PasswordStep(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with paced(settings.SALUS_REFUSAL_PACE) as wait:
            half = steps.password_step(
                form.cleaned_data["email"], form.cleaned_data["password"], ip=_ip(request), now=now()
            )
            if half is not None:
                halfway.keep(request, half, wanted)
                return redirect("identity:set_up" if half.must_enroll else "identity:code")
            wait()
        form.add_error(None, steps.REFUSED)
    context = {
        "form": form,
        "next": wanted,
        "ended": ENDED.get(request.GET.get("ended", ""), ""),
        "elsewhere": _elsewhere(request),
    }
    return render(request, "identity/sign_in.html", context)


@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """Second step: the code of the authenticator app, or a recovery code."""
    half = halfway.kept(request)
    if half is None or half.step.must_enroll:
        return redirect("identity:sign_in")
    form = CodeStep(request.POST or None)
    if request.method == "POST" and form.is_valid():
        found = steps.code_step(half.step, form.cleaned_data["code"], ip=_ip(request), now=now())
        if found is not None:
            user, factor = found
            steps.begin(request, user, factor, ip=_ip(request), now=now())
            return redirect(half.next)
        form.add_error(None, steps.REFUSED)
    context = {"form": form, **steps.ways_of(half.step)}
    return render(request, "identity/code.html", context)


@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def set_up(request: HttpRequest) -> HttpResponse:
    """Second step for somebody who has no second factor yet: nothing opens before they have one."""
    half = halfway.kept(request)
    if half is None or not half.step.must_enroll:
        return redirect("identity:sign_in")
    secret = halfway.secret(request, half)
    form = CodeStep(request.POST or None)
    if request.method == "POST" and form.is_valid():
        found = steps.enroll_step(half.step, secret, form.cleaned_data["code"], ip=_ip(request), now=now())
        if found is not None:
            user, codes = found
            steps.begin(request, user, "totp", ip=_ip(request), now=now())
            return render(request, "identity/recovery_codes.html", {"codes": codes, "next": half.next})
        form.add_error(
            "code", "That is not the code of this moment. Check the clock of your phone, wait for a new code."
        )
    uri = second_factor.otpauth(secret, steps.email_of(half.step))
    context = {
        "form": form,
        "qr": second_factor.qr_svg(uri),
        "secret": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        "uri": uri,
    }
    return render(request, "identity/set_up.html", context)


@sensitive_post_parameters("password", "again")
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    """By invitation: choose a password, then set up the second factor."""
    person = staff.invited(token, now())
    form = NewPassword(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user_id, organization_id = staff.join(
                token, form.cleaned_data["password"], ip=_ip(request), at=now()
            )
        except BadInput as weak:
            form.add_error("password", weak.what)
        else:
            halfway.keep(request, HalfSignedIn(user_id, organization_id, must_enroll=True), "/")
            return redirect("identity:set_up")
    return render(request, "identity/join.html", {"form": form, "person": person})


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session, here and in the database."""
    facts: sessions.SessionFacts | None = getattr(request, "staff_session", None)
    query = {"ended": "asked"}
    if facts is not None:
        elsewhere = sign_on.left_open(facts.organization_id, facts.user_id)
        if elsewhere:
            query |= {"organization": elsewhere[0], "provider": str(elsewhere[1])}
        steps.record_sign_out(
            facts.organization_id,
            facts.user_id,
            reason="asked",
            ip=_ip(request),
            session_id=sessions.short_id(request.session),
            now=now(),
        )
    request.session.flush()
    return HttpResponseRedirect(reverse("identity:sign_in") + "?" + urlencode(query))


@require_http_methods(["GET", "POST"])
def alive(request: HttpRequest) -> HttpResponse:
    """Say whether the session lives (204) or is over (401); the middleware takes a POST as a sign of life."""
    return HttpResponse(status=204 if getattr(request, "staff_session", None) is not None else 401)


def _elsewhere(request: HttpRequest) -> str:
    """Return the way to the session that is still open at a provider, "" when none was named."""
    try:
        named = [request.GET.get("organization", ""), UUID(request.GET.get("provider", ""))]
        return reverse("identity:sign_on_out", args=named)
    except (ValueError, NoReverseMatch):
        return ""


def _ip(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))
