"""The addresses of SCIM 2.0 at /scim/v2: a directory's requests in, resources and SCIM's own errors out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.csrf import csrf_exempt

from salus.identity import scim, scim_filter
from salus.identity import scim_schema as schema
from salus.identity.contracts import Permission
from salus.identity.scim_patch import Refused
from salus.kernel.acting import Actor, ActorKind
from salus.kernel.errors import BadInput, Conflict, NotFound, SalusError
from salus.platform.web.errors import ABSENT, status_of
from salus.platform.web.given import number_given

Answer = Callable[..., HttpResponse]
SCOPE = Permission.IDENTITY_SCIM_PROVISION


class _Stale(SalusError):
    """Somebody changed the resource after the directory read it."""


def _for_directories(*methods: str) -> Callable[[Answer], Answer]:
    """Let in a key with the scope of SCIM, for these methods; every error is SCIM's own (RFC 7644 3.12)."""

    def decorate(view: Answer) -> Answer:
        @csrf_exempt
        @wraps(view)
        def guarded(request: HttpRequest, **given: str) -> HttpResponse:
            actor: Actor | None = getattr(request, "actor", None)
            if actor is None or actor.kind is not ActorKind.API_KEY:
                response = _error(401, "Send an API key with the scope of SCIM.")
                response["WWW-Authenticate"] = 'Bearer realm="salus"'
                return response
            if SCOPE not in actor.permissions:
                return _error(404, ABSENT)
            if request.method not in methods:
                response = _error(405, "This is not done here.")
                response["Allow"] = ", ".join(methods)
                return response
            try:
                return view(request, **given)
            except SalusError as fault:
                return _refusal(fault)

        guarded.required_permission = SCOPE  # type: ignore[attr-defined]
        return guarded

    return decorate


@_for_directories("GET", "POST")
def users(request: HttpRequest) -> HttpResponse:
    """List staff, or bring somebody in."""
    base = _base(request)
    if request.method == "GET":
        return _list(request, scim.users(_filter(request), base=base))
    made = scim.create_user(_body(request), actor=_actor(request), base=base)
    return _resource(request, made, status=201)


@_for_directories("GET", "PUT", "PATCH", "DELETE")
def user(request: HttpRequest, id: str) -> HttpResponse:
    """Show, replace, change or remove one person."""
    base, actor = _base(request), _actor(request)
    present = scim.user(id, base=base)
    if request.method == "GET":
        return _resource(request, present)
    _check_version(request, present)
    if request.method == "DELETE":
        scim.remove_user(id, actor=actor)
        return HttpResponse(status=204)
    if request.method == "PUT":
        return _resource(request, scim.replace_user(id, _body(request), actor=actor, base=base))
    return _resource(request, scim.patch_user(id, _operations(request), actor=actor, base=base))


@_for_directories("GET", "POST")
def groups(request: HttpRequest) -> HttpResponse:
    """List roles; none is made from outside."""
    if request.method == "GET":
        return _list(request, scim.groups(_filter(request), base=_base(request)))
    scim.refuse_group(_body(request))
    raise AssertionError("a group is always refused")


@_for_directories("GET", "PUT", "PATCH")
def group(request: HttpRequest, id: str) -> HttpResponse:
    """Show one role, or say who has it."""
    base, actor = _base(request), _actor(request)
    present = scim.group(id, base=base)
    if request.method == "GET":
        return _resource(request, present)
    _check_version(request, present)
    if request.method == "PUT":
        return _resource(request, scim.replace_group(id, _body(request), actor=actor, base=base))
    return _resource(request, scim.patch_group(id, _operations(request), actor=actor, base=base))


@_for_directories("GET")
def configuration(request: HttpRequest) -> HttpResponse:
    """Say what this server can do."""
    return _json(schema.configuration(_base(request)))


@_for_directories("GET")
def about(request: HttpRequest, kind: str, id: str = "") -> HttpResponse:
    """Show the schemas or the kinds of resources: all, or one."""
    found = (schema.schemas if kind == "Schemas" else schema.resource_types)(_base(request))
    if not id:
        return _list(request, found)
    one = next((each for each in found if each["id"] == id), None)
    if one is None:
        raise NotFound
    return _json(one)


@_for_directories("GET", "POST", "PUT", "PATCH", "DELETE")
def nothing(request: HttpRequest, rest: str) -> HttpResponse:
    """Say in SCIM's words that there is nothing."""
    raise NotFound


app_name = "scim"
urlpatterns: list[URLPattern] = [
    path("Users", users, name="scim_users"),
    path("Users/<str:id>", user, name="scim_user"),
    path("Groups", groups, name="scim_groups"),
    path("Groups/<str:id>", group, name="scim_group"),
    path("ServiceProviderConfig", configuration, name="scim_configuration"),
    path("Schemas", about, {"kind": "Schemas"}, name="scim_schemas"),
    path("Schemas/<str:id>", about, {"kind": "Schemas"}, name="scim_schema"),
    path("ResourceTypes", about, {"kind": "ResourceTypes"}, name="scim_resource_types"),
    path("ResourceTypes/<str:id>", about, {"kind": "ResourceTypes"}, name="scim_resource_type"),
    path("<path:rest>", nothing, name="scim_nothing"),
]


def _list(request: HttpRequest, found: list[scim.Document]) -> HttpResponse:
    """Return a page of resources, counted from 1 (RFC 7644 section 3.4.2.4)."""
    start = max(1, _number(request, "startIndex", 1))
    count = min(schema.MOST, max(0, _number(request, "count", schema.MOST)))
    shown = [_chosen(request, _versioned(each)) for each in found[start - 1 : start - 1 + count]]
    return _json(
        {
            "schemas": [schema.LIST],
            "totalResults": len(found),
            "startIndex": start,
            "itemsPerPage": len(shown),
            "Resources": shown,
        }
    )


def _resource(request: HttpRequest, document: scim.Document, *, status: int = 200) -> HttpResponse:
    version = scim.version_of(document)
    if request.method == "GET" and request.headers.get("If-None-Match") == version:
        return HttpResponse(status=304, headers={"ETag": version})
    headers = {"ETag": version, "Location": document["meta"]["location"]}
    return _json(_chosen(request, _versioned(document)), status=status, headers=headers)


def _versioned(document: scim.Document) -> scim.Document:
    return {**document, "meta": {**document["meta"], "version": scim.version_of(document)}}


def _chosen(request: HttpRequest, document: scim.Document) -> scim.Document:
    """Return the attributes that were asked for (RFC 7644 section 3.9); schemas and id always."""
    wanted, unwanted = (
        {
            name.strip().partition(".")[0].casefold()
            for name in request.GET.get(word, "").split(",")
            if name.strip()
        }
        for word in ("attributes", "excludedAttributes")
    )
    return {
        name: value
        for name, value in document.items()
        if name in {"schemas", "id"}
        or ((not wanted or name.casefold() in wanted) and name.casefold() not in unwanted)
    }


def _check_version(request: HttpRequest, document: scim.Document) -> None:
    wanted = request.headers.get("If-Match", "*")
    if wanted not in {"*", scim.version_of(document)}:
        raise _Stale("It was changed since you read it. Read it again.")


def _filter(request: HttpRequest) -> scim_filter.Filter | None:
    text = request.GET.get("filter", "").strip()
    return scim_filter.parse(text) if text else None


def _operations(request: HttpRequest) -> Any:
    return next((value for name, value in _body(request).items() if name.casefold() == "operations"), None)


def _body(request: HttpRequest) -> Mapping[str, Any]:
    try:
        given = orjson.loads(request.body)
    except orjson.JSONDecodeError:
        raise Refused("invalidSyntax", "That is no JSON.") from None
    if not isinstance(given, dict):
        raise Refused("invalidSyntax", "A resource is an object.")
    return given


def _number(request: HttpRequest, name: str, otherwise: int) -> int:
    text = request.GET.get(name, "")
    if not text:
        return otherwise
    number = number_given(text.removeprefix("-"))
    if number is None:
        raise Refused("invalidValue", f"{name} is a whole number.")
    return -number if text.startswith("-") else number


def _base(request: HttpRequest) -> str:
    return request.build_absolute_uri(reverse("scim:scim_users")).removesuffix("/Users")


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


def _refusal(fault: SalusError) -> HttpResponse:
    detail = " ".join(part for part in (fault.what, fault.next_step) if part)
    if isinstance(fault, _Stale):
        return _error(412, detail)
    if isinstance(fault, Refused):
        return _error(400, detail, fault.scim_type)
    if isinstance(fault, BadInput):
        return _error(400, detail, "invalidFilter" if fault.place == "filter" else "invalidValue")
    if isinstance(fault, Conflict):
        return _error(409, detail, "uniqueness" if fault.place else "")
    return _error(status_of(fault)[0], detail)


def _error(status: int, detail: str, scim_type: str = "") -> HttpResponse:
    said: dict[str, Any] = {"schemas": [schema.ERROR], "status": str(status), "detail": detail}
    return _json({**said, "scimType": scim_type} if scim_type else said, status=status)


def _json(document: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpResponse:
    return HttpResponse(
        orjson.dumps(document),
        status=status,
        content_type="application/scim+json",
        headers=dict(headers or {}),
    )
