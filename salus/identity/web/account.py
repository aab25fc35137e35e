"""The account page: one's own password, recovery codes, theme and sessions."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from salus.identity import account, sessions, staff
from salus.identity import passkeys as own
from salus.identity.access import requires, toast
from salus.identity.ports import now
from salus.identity.web.forms import ChangePassword, CodeStep
from salus.identity.web.passkeys import is_fresh, must_be_fresh
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput


@requires(None)
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Show who one is here and what one can change."""
    return _page(request)


@sensitive_post_parameters("old", "new")
@requires(None)
@require_POST
def password(request: HttpRequest) -> HttpResponse:
    """Change the password; other sessions end, this one gets a new key."""
    form = ChangePassword(request.POST)
    if not form.is_valid():
        return _page(request, password_form=form)
    actor = _actor(request)
    try:
        user = staff.change_password(
            _me(actor), form.cleaned_data["old"], form.cleaned_data["new"], actor=actor
        )
    except BadInput as fault:
        form.add_error(fault.place, fault.what)
        return _page(request, password_form=form)
    factor = request.staff_session.factor  # type: ignore[attr-defined]
    sessions.start(request, user, factor, now())
    toast(request, "Your password is changed. Your other sessions are over.")
    return redirect("identity:account")


@requires(None)
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Keep light, dark, or as the system."""
    staff.choose_theme(_me(_actor(request)), request.POST.get("theme", ""))
    return redirect("identity:account")


@sensitive_post_parameters("code")
@requires(None)
@require_POST
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Make new recovery codes for somebody who can show a code of their app, or signed in just now."""
    form, actor, code = CodeStep(request.POST), _actor(request), ""
    if not account.has_app(_me(actor)):
        must_be_fresh(request)
    elif form.is_valid():
        code = form.cleaned_data["code"]
    else:
        return _page(request, code_form=form)
    try:
        codes = account.renew_recovery_codes(_me(actor), code, actor=actor)
    except BadInput as fault:
        form.add_error(fault.place, fault.what)
        return _page(request, code_form=form)
    return render(
        request, "identity/recovery_codes.html", {"codes": codes, "next": reverse("identity:account")}
    )


@requires(None)
@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """End all of one's sessions but this one."""
    actor = _actor(request)
    ended = account.end_other_sessions(_me(actor), request.session.session_key or "", actor=actor)
    toast(request, f"{ended} other session{'' if ended == 1 else 's'} ended.")
    return redirect("identity:account")


def _page(
    request: HttpRequest, *, password_form: ChangePassword | None = None, code_form: CodeStep | None = None
) -> HttpResponse:
    me = _me(_actor(request))
    fresh_code = CodeStep()
    fresh_code.fields["code"].widget.attrs.pop("autofocus")
    context = {
        "person": staff.get(me),
        "sessions": account.sessions_of(me, request.session.session_key or ""),
        "codes_left": account.recovery_codes_left(me),
        "password_form": password_form or ChangePassword(),
        "code_form": code_form or fresh_code,
        "passkeys": own.of(me),
        "has_app": account.has_app(me),
        "has_password": account.has_password(me),
        "fresh": is_fresh(request),
    }
    return render(request, "identity/account.html", context)


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


def _me(actor: Actor) -> UUID:
    assert actor.id is not None
    return actor.id
