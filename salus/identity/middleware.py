"""Two middlewares: one ends staff sessions in time and wants a second factor, one lets API keys in."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.identity import api_keys, repeats, rules, sessions, sign_in
from salus.identity.ports import now
from salus.kernel.acting import Actor
from salus.platform.tenancy import acting_for

_log = logging.getLogger(__name__)

Next = Callable[[HttpRequest], HttpResponseBase]
FACTORS = frozenset({"totp", "recovery_code", "passkey", "sign_on"})


class StaffSessions:
    """Puts `staff_session` on the request: who is signed in, or None.

    A session that was idle for 15 minutes or is 12 hours old ends here, and so does one that has no
    second factor, however it came about: no view can forget to ask. Polling does not keep a session
    alive; a page, a form or the browser's sign of life does.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer with `request.staff_session`, `request.session_ended` and no leftovers of a dead session."""
        request.staff_session = None  # type: ignore[attr-defined]
        request.session_ended = ""  # type: ignore[attr-defined]
        if settings.SESSION_COOKIE_NAME in request.COOKIES and not request.path.startswith(
            settings.STATIC_URL
        ):
            self._look(request)
        return self.get_response(request)

    def _look(self, request: HttpRequest) -> None:
        facts = sessions.facts_of(request.session)
        if facts is None:
            return
        at = now()
        end = rules.session_end(facts.started, facts.seen, at)
        if end is None and facts.factor in FACTORS:
            request.staff_session = facts  # type: ignore[attr-defined]
            if not _is_poll(request):
                sessions.touch(request.session, at)
            return
        reason = end.value if end else "no_second_factor"
        sign_in.record_sign_out(
            facts.organization_id,
            facts.user_id,
            reason=reason,
            ip=request.META.get("REMOTE_ADDR", ""),
            session_id=sessions.short_id(request.session),
            now=at,
        )
        request.session.flush()
        request.session_ended = reason  # type: ignore[attr-defined]


def _is_poll(request: HttpRequest) -> bool:
    """Return whether the page asked by itself: htmx reads (a poll, a live figure) are not a person."""
    return request.method in {"GET", "HEAD"} and request.headers.get("HX-Request") == "true"


class ApiKeys:
    """Lets in requests with an API key: one transaction around the whole answer, for the key's organization.

    Sets `request.actor` for `api_key_auth` to look at. An answer of 400 or more undoes what was done; one to a
    call with an idempotency key is kept with what it did, or neither is.
    Every call is recorded under the key, with the name of its address; a refused one is, too.
    A wrong key goes on without an actor: `api_key_auth` says 401 to it, as to none at all.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer inside the key's organization, or pass the request on untouched."""
        word, _, raw = request.headers.get("Authorization", "").partition(" ")
        organization_id = api_keys.organization_of(raw.strip()) if word.lower() == "bearer" else None
        if organization_id is None:
            return self.get_response(request)
        ip = request.META.get("REMOTE_ADDR", "")
        with acting_for(organization_id):
            actor = api_keys.actor_of(raw.strip(), ip=ip, at=now())
            if actor is not None:
                request.actor = actor  # type: ignore[attr-defined]
                response = self.get_response(request)
                if response.status_code < 400:
                    repeats.keep(request, response)
                    _record_call(request, actor, response)
                    return response
                transaction.set_rollback(True)
        if actor is not None:
            with acting_for(organization_id):  # what the call did is undone; that it was made is not
                _record_call(request, actor, response)
            return response
        _log.info("an API key was refused, from %s", ip)
        return self.get_response(request)


def _record_call(request: HttpRequest, actor: Actor, response: HttpResponseBase) -> None:
    match, status = request.resolver_match, response.status_code
    again = {"again": 1} if repeats.REPEATED in response else {}
    audit.record(
        Action.API_KEY_USE,
        actor=actor,
        object_kind="apikey",
        object_id=actor.id,
        outcome="ok" if status < 400 else "refused",
        details={"status": status, "call": match.view_name if match else "", **again},
    )
