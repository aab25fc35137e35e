"""Passkey pages: what the browser asks for as JSON, and the forms that its answers come back in."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from salus.identity import passkeys, sessions
from salus.identity import sign_in as steps
from salus.identity.access import requires, safe_next, toast
from salus.identity.pacing import paced
from salus.identity.ports import now
from salus.identity.web import halfway
from salus.identity.web.forms import CodeStep, PasswordStep
from salus.kernel.acting import Actor
from salus.kernel.errors import Conflict
from salus.platform.tenancy import acting_for

_STATE = "passkey_asked"


@require_POST
def ask(request: HttpRequest) -> HttpResponse:
    """Say what a passkey has to sign: somebody's who gave their password, or anybody's."""
    half = halfway.kept(request)
    options, state = passkeys.ask(half.step if half and not half.step.must_enroll else None)
    request.session[_STATE] = state
    return JsonResponse(options)


@sensitive_post_parameters("answer")
@require_POST
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in with a passkey, alone or after the password."""
    half = halfway.kept(request)
    if half is not None and half.step.must_enroll:
        return redirect("identity:set_up")
    wanted = half.next if half else safe_next(request, request.POST.get("next", "/"))
    with paced(settings.SALUS_REFUSAL_PACE) as wait:
        user = passkeys.sign_in_step(
            half.step if half else None, _state(request), _answer(request), ip=_ip(request), now=now()
        )
        if user is not None:
            steps.begin(request, user, passkeys.FACTOR, ip=_ip(request), now=now())
            return redirect(wanted)
        wait()
    if half is not None:
        context = {"form": CodeStep(), "fault": steps.REFUSED, **steps.ways_of(half.step)}
        return render(request, "identity/code.html", context)
    return render(
        request, "identity/sign_in.html", {"form": PasswordStep(), "fault": steps.REFUSED, "next": wanted}
    )


@require_POST
def ask_to_set_up(request: HttpRequest) -> HttpResponse:
    """Say what a first second factor has to be made of, for somebody who has none."""
    half = halfway.kept(request)
    if half is None or not half.step.must_enroll:
        return redirect("identity:sign_in")
    with acting_for(half.step.organization_id):
        options, state = passkeys.ask_to_register(half.step.user_id)
    request.session[_STATE] = state
    return JsonResponse(options)


@sensitive_post_parameters("answer")
@require_POST
def set_up(request: HttpRequest) -> HttpResponse:
    """Make a passkey the first second factor; then the person is in."""
    half = halfway.kept(request)
    if half is None or not half.step.must_enroll:
        return redirect("identity:sign_in")
    user, codes = passkeys.register_first(
        half.step, _state(request), _answer(request), made_in=_browser(request), ip=_ip(request)
    )
    steps.begin(request, user, passkeys.FACTOR, ip=_ip(request), now=now())
    return render(request, "identity/recovery_codes.html", {"codes": codes, "next": half.next})


@requires(None)
@require_POST
def ask_to_add(request: HttpRequest) -> HttpResponse:
    """Say what a further passkey has to be made of."""
    options, state = passkeys.ask_to_register(_me(request))
    request.session[_STATE] = state
    return JsonResponse(options)


@sensitive_post_parameters("answer")
@requires(None)
@require_POST
def add(request: HttpRequest) -> HttpResponse:
    """Add a passkey to one's account."""
    must_be_fresh(request)
    codes = passkeys.register(
        _me(request),
        _state(request),
        _answer(request),
        made_in=_browser(request),
        actor=_actor(request),
    )
    if codes:
        context = {"codes": codes, "next": reverse("identity:account")}
        return render(request, "identity/recovery_codes.html", context)
    toast(request, "The passkey is yours.")
    return redirect("identity:account")


@requires(None)
@require_POST
def remove(request: HttpRequest, passkey_id: int) -> HttpResponse:
    """Remove a passkey of one's own."""
    must_be_fresh(request)
    passkeys.remove(_me(request), passkey_id, actor=_actor(request))
    toast(request, "The passkey is removed. It opens nothing any more.")
    return redirect("identity:account")


def is_fresh(request: HttpRequest) -> bool:
    """Return whether the sign-in is young enough to change what one signs in with."""
    facts: sessions.SessionFacts = request.staff_session  # type: ignore[attr-defined]
    return now() - facts.started <= passkeys.FRESH


def must_be_fresh(request: HttpRequest) -> None:
    """Raise `Conflict` when it is not."""
    if not is_fresh(request):
        raise Conflict(
            "You signed in more than 15 minutes ago.",
            kept="Nothing was changed.",
            next_step="Sign out and in again, then change what you sign in with.",
        )


def _state(request: HttpRequest) -> passkeys.State:
    """Return what was asked, once: an answer is looked at one time only."""
    state: passkeys.State = request.session.pop(_STATE, {})
    return state


def _answer(request: HttpRequest) -> Any:
    """Return what the browser's script sent, None when it is no JSON."""
    try:
        return json.loads(request.POST.get("answer", ""))
    except ValueError:
        return None


def _browser(request: HttpRequest) -> str:
    return sessions.browser_of(request.headers.get("User-Agent", ""))


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


def _me(request: HttpRequest) -> UUID:
    me = _actor(request).id
    assert me is not None
    return me


def _ip(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))
