"""Programs: what an API key may do, and errors as problems (RFC 9457)."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Router
from ninja.errors import AuthenticationError, HttpError, ValidationError

from salus.identity import repeats
from salus.identity.contracts import Idempotency, Permission
from salus.kernel.acting import Actor, ActorKind
from salus.kernel.errors import NotFound, SalusError
from salus.platform.web.errors import ABSENT, problem, status_of

READING = frozenset({"GET", "HEAD", "OPTIONS"})


class ApiKeyAuth:
    """Asks for an API key with one scope; the middleware `ApiKeys` has looked at the key before.

    A call that changes something may have an `Idempotency-Key`, or must: then it is done once.
    """

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __init__(self, permission: Permission, idempotency: Idempotency) -> None:
        self.permission, self.idempotency = permission, idempotency
        self.openapi_name = "ApiKey"

    def __call__(self, request: HttpRequest) -> Actor | None:
        """Return the key as an actor; None without a good key (401), `NotFound` without the scope.

        Raises what `repeats.claim` raises.
        """
        actor: Actor | None = getattr(request, "actor", None)
        if actor is None or actor.kind is not ActorKind.API_KEY:
            return None
        if self.permission not in actor.permissions:
            raise NotFound
        if request.method not in READING and self.idempotency is not Idempotency.READS:
            repeats.claim(request, actor, required=self.idempotency is Idempotency.REQUIRED)
        return actor


def api_key_auth(permission: Permission, *, idempotency: Idempotency = Idempotency.OPTIONAL) -> ApiKeyAuth:
    """Return the `auth=` of a django-ninja operation that needs `permission`."""
    return ApiKeyAuth(permission, idempotency)


def idempotency_key(request: HttpRequest) -> str:
    """Return the `Idempotency-Key` of a call that was let in, "" without one."""
    return request.headers.get(repeats.HEADER, "")


def tell_of_keys(router: Router) -> Router:
    """Write into the OpenAPI document which calls of `router` take an `Idempotency-Key`; return the router."""
    for view in router.path_operations.values():
        for operation in view.operations:
            auth = next((each for each in operation.auth_callbacks if isinstance(each, ApiKeyAuth)), None)
            reads = (
                auth is None or auth.idempotency is Idempotency.READS or READING.issuperset(operation.methods)
            )
            if auth and not reads:
                extra = operation.openapi_extra or {}
                operation.openapi_extra = {**extra, "parameters": [_header(auth.idempotency)]}
    return router


def _header(idempotency: Idempotency) -> dict[str, Any]:
    return {
        "in": "header",
        "name": repeats.HEADER,
        "required": idempotency is Idempotency.REQUIRED,
        "description": "A word of your own for this call. Made again with it within 24 hours, the call changes nothing and is "
        "answered as it was the first time. 409: the first is still being answered; 422: the word was for another call.",
        "schema": {"type": "string", "pattern": repeats.PATTERN},
    }


def use_problems(api: NinjaAPI) -> None:
    """Make every error of `api` a `application/problem+json` that says what and where, and no PHI."""
    api.add_exception_handler(SalusError, _ours)
    api.add_exception_handler(AuthenticationError, _no_key)
    api.add_exception_handler(ValidationError, _unreadable)
    api.add_exception_handler(HttpError, _plain)
    api.add_exception_handler(Http404, _absent)
    api.add_exception_handler(repeats.Answered, _again)


def _ours(request: HttpRequest, error: Any) -> HttpResponse:
    status, title = status_of(error)
    detail = " ".join(part for part in (error.what, error.kept, error.next_step) if part)
    return problem(status, title, detail, place=error.place)


def _no_key(request: HttpRequest, error: Any) -> HttpResponse:
    return problem(
        401,
        "A key is needed",
        "Send a good API key: Authorization: Bearer salus_...",
        headers={"WWW-Authenticate": 'Bearer realm="salus"'},
    )


def _unreadable(request: HttpRequest, error: Any) -> HttpResponse:
    first = error.errors[0] if error.errors else {}
    place = ".".join(str(part) for part in first.get("loc", ())[1:])
    return problem(
        400, "That could not be used", str(first.get("msg", "The request could not be read.")), place=place
    )


def _plain(request: HttpRequest, error: Any) -> HttpResponse:
    return problem(error.status_code, "That did not work", str(error.message))


def _absent(request: HttpRequest, error: Any) -> HttpResponse:
    return problem(404, "Nothing here", ABSENT)


def _again(request: HttpRequest, answered: Any) -> HttpResponse:
    response: HttpResponse = answered.response
    return response
