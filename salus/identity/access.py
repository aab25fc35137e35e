"""May this actor do this: the decorator for pages, the check for programs, and where the signed-out go."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme
from psycopg import sql

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.identity import organizations, roles, rules, second_factor, sessions
from salus.identity.contracts import Organization, Permission, Role
from salus.identity.models import Staff, User
from salus.identity.ports import now
from salus.identity.roles import Held
from salus.identity.sessions import SessionFacts
from salus.kernel.acting import Actor, ActorKind
from salus.kernel.errors import NotFound
from salus.platform import bulk
from salus.platform.tenancy import acting_for
from salus.platform.web.shell import Who, address_of

FACTOR_OF_PROVIDER = "sign_on"
"""Sessions of those whose identity provider asked for a second factor: they need none of ours."""
_PERSON = ("user_id", "name", "roles", "own_roles", "theme", "glass_until")
"""In the order of the model's fields: `from_db` takes them so."""
_PRESENT = sql.SQL(
    "SELECT u.password, u.is_active, u.organization_id, "
    "EXISTS (SELECT FROM mfa_authenticator a WHERE a.user_id = u.id AND a.type = ANY(%s)), {}, {} "
    "FROM identity_staff s JOIN identity_user u ON u.id = s.user_id "
    "JOIN identity_organization o ON o.id = s.organization_id WHERE s.user_id = %s"
).format(
    sql.SQL(", ").join(sql.Identifier("o", name) for name in organizations.COLUMNS),
    sql.SQL(", ").join(sql.Identifier("s", name) for name in _PERSON),
)
View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def require(actor: Actor, permission: Permission) -> None:
    """Raise `NotFound` unless `actor` holds `permission`: forbidden reads like absent."""
    if permission not in actor.permissions:
        raise NotFound


def requires(permission: Permission | None) -> Callable[[View], View]:
    """Let in signed-in staff who hold `permission` (None: all staff), inside their organization.

    The view runs in one transaction of `acting_for`, with `request.actor`, `request.who`,
    `request.organization` and the organization's time zone. An exception undoes all of it. The signed-out
    go to the sign-in page and come back; whoever may not gets what an absent address gets, and it is recorded.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            facts: SessionFacts | None = getattr(request, "staff_session", None)
            if facts is None:
                return to_sign_in(request)
            with acting_for(facts.organization_id):
                present = _present(facts)
                if present is None:
                    request.session.flush()
                    return to_sign_in(request)
                row, request.organization = present  # type: ignore[attr-defined]
                held = roles.held(row, now())
                actor = _actor(row, held, facts, request)
                if permission is None or permission in actor.permissions:
                    return _run(view, request, row, held, actor, args, kwargs)
                audit.record(
                    Action.PERMISSION_REFUSE,
                    actor=actor,
                    object_kind="permission",
                    outcome="refused",
                    reason=str(permission),
                )
            raise NotFound

        guarded.required_permission = permission  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return decorate


def _present(facts: SessionFacts) -> tuple[Staff, Organization] | None:
    """Return the person of a session and where they are, if they still may come in.

    That is: active, of this organization, the password the same, a second factor set up. One statement:
    every page asks.
    """
    found = bulk.read(_PRESENT, [list(second_factor.FACTORS), facts.user_id])
    if not found:
        return None
    password, is_active, organization_id, has_factor, *rest = found[0]
    if not is_active or organization_id != facts.organization_id:
        return None
    if not constant_time_compare(User(password=password).get_session_auth_hash(), facts.password_mark):
        return None
    if facts.factor != FACTOR_OF_PROVIDER and not has_factor:
        return None
    told, row = rest[: len(organizations.COLUMNS)], rest[len(organizations.COLUMNS) :]
    return Staff.from_db("default", _PERSON, row), organizations.told(told)


def _actor(row: Staff, held: Held, facts: SessionFacts, request: HttpRequest) -> Actor:
    return Actor(
        ActorKind.STAFF,
        facts.organization_id,
        row.pk,
        roles=tuple(Role(role).value for role in row.roles),
        permissions=frozenset(word.value for word in held.permissions),
        session_id=sessions.short_id(request.session),
        ip=request.META.get("REMOTE_ADDR", ""),
    )


def _run(
    view: Callable[..., HttpResponseBase],
    request: HttpRequest,
    row: Staff,
    held: Held,
    actor: Actor,
    args: Any,
    kwargs: Any,
) -> HttpResponseBase:
    organization: Organization = request.organization  # type: ignore[attr-defined]
    request.actor = actor  # type: ignore[attr-defined]
    request.who = Who(  # type: ignore[attr-defined]
        organization=organization.name,
        person=row.name,
        role=held.words,
        permissions=actor.permissions,
        theme=row.theme,
        account_url=address_of("identity:account"),
        sign_out_url=address_of("identity:sign_out"),
        alive_url=address_of("identity:alive"),
        signed_out_url=f"{address_of('identity:sign_in')}?{urlencode({'ended': 'idle', 'next': request.get_full_path()})}",
        idle_seconds=int(rules.IDLE.total_seconds()),
    )
    with timezone.override(ZoneInfo(organization.time_zone)):
        response = view(request, *args, **kwargs)
        if isinstance(response, TemplateResponse) and not response.is_rendered:
            response.render()  # inside the transaction, or the page would find no rows
    return response


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """Return the way to the sign-in page, and back here after it when the page can be asked for again."""
    here = request.get_full_path() if request.method in {"GET", "HEAD"} else ""
    is_htmx = request.headers.get("HX-Request") == "true"
    if is_htmx:
        here = urlsplit(request.headers.get("HX-Current-URL", "")).path
    ended = getattr(request, "session_ended", "")
    query = urlencode({name: value for name, value in (("ended", ended), ("next", here)) if value})
    address = reverse("identity:sign_in") + (f"?{query}" if query else "")
    if is_htmx:
        return HttpResponse(status=401, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)


def safe_next(request: HttpRequest, wanted: str) -> str:
    """Return `wanted` if it is an address of this site, else the home page: sign-in sends nobody elsewhere."""
    if wanted.startswith("/") and url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return wanted
    return "/"


def toast(request: HttpRequest, text: str) -> None:
    """Say on the next page what was done: acts and numbers, never a name (it is kept in the session table)."""
    messages.success(request, text)
