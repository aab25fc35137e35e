"""What somebody of another organization could try: every address of the console, every call for programs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from playwright.sync_api import APIRequestContext, APIResponse, Page

from salus.identity import api as identity
from salus.identity.contracts import Permission, Role
from salus.kernel.ids import new_id

WORDS = {
    "language": "en",
    "part": "html",
    "key": "feedback",
    "protocol": "oidc",
    "passkey_id": "1",
    "mark": "another-session",
    "id": "1",
    "rest": "Users",
    "kind": "smime",
}
"""What stands in an address beside ids."""
BODIES: dict[str, dict[str, Any]] = {
    "/open": {"fields": ["given_name"], "purpose": "treatment"},
    "/end": {"done": True},
    "/people": {"numbers": ["1"]},
    "/mail-keys": {"key": "-----BEGIN CERTIFICATE-----"},
}
"""What a call must say, by the end of its path, to come as far as looking for what it names."""
ANSWERERS = (Role.PRIVACY_OFFICER, Role.MARKETER, Role.ADMINISTRATOR)
"""Who of them asks: together they may open everything."""
_PARAMETER = re.compile(r"<(?:[a-z]+:)?([a-z_]+)>")
_TOKEN = re.compile(r'(csrfmiddlewaretoken" value="|X-CSRFToken": "|data-csrf=")[A-Za-z0-9]+')


@dataclass(frozen=True)
class Address:
    """An address of the console: its route, and who may open it."""

    route: str
    permission: Permission | None

    @property
    def parameters(self) -> tuple[str, ...]:
        """Return the names in the route."""
        return tuple(_PARAMETER.findall(self.route))

    def with_ids(self, ids: Mapping[str, str]) -> str:
        """Return the path with these ids, and with unknown ones where none is given.

        An id may be of this part of the console only: "journeys_version_id" beside "version_id".
        """
        area = self.route.partition("/")[0]
        return "/" + _PARAMETER.sub(
            lambda found: (
                WORDS.get(found[1]) or ids.get(f"{area}_{found[1]}") or ids.get(found[1]) or str(new_id())
            ),
            self.route,
        )


def console_addresses() -> list[Address]:
    """Return every address that staff may open, as the program itself has them."""

    def walk(patterns: list[URLPattern | URLResolver], before: str) -> Iterator[Address]:
        for each in patterns:
            route = before + str(each.pattern)
            if isinstance(each, URLResolver):
                yield from walk(each.url_patterns, route)
            elif hasattr(each.callback, "required_permission"):
                yield Address(route, each.callback.required_permission)

    return list(walk(get_resolver().url_patterns, ""))


def who_may(permission: Permission | None) -> Role:
    """Return somebody whose role opens it."""
    return next(
        role for role in ANSWERERS if permission is None or permission in identity.permissions_of([role])
    )


def ask(page: Page, url: str, method: str) -> APIResponse:
    """Send a request as the person at this browser, with a good form token."""
    headers = {"X-CSRFToken": page.locator("body").get_attribute("data-csrf") or ""}
    return page.context.request.fetch(url, method=method, headers=headers, max_redirects=0)


def shown(answer: APIResponse) -> str:
    """Return an answer's text without what differs from one look to the next."""
    return _TOKEN.sub(r"\1", answer.text())


def calls_with_ids(requests: APIRequestContext, url: str, key: str) -> list[tuple[str, str]]:
    """Return (method, path) of every call for programs that names something."""
    document = requests.get(f"{url}/api/v1/openapi.json", headers={"Authorization": f"Bearer {key}"}).json()
    return [
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method in methods
        if "_id}" in path
    ]


def call(
    requests: APIRequestContext, url: str, key: str, method: str, path: str, ids: Mapping[str, str]
) -> Any:
    """Make a call; return its status and its answer without the ids that were asked for."""
    asked = {name: ids.get(name) or str(new_id()) for name in re.findall(r"\{([a-z_]+)\}", path)}
    body = next((each for end, each in BODIES.items() if path.endswith(end)), {})
    answer = requests.fetch(
        url + path.format(**asked),
        method=method,
        headers={
            "Authorization": f"Bearer {key}",
            "Idempotency-Key": str(new_id()),
            "Content-Type": "application/json",
        },
        data=json.dumps(body) if method == "POST" else None,
    )
    text = answer.text()
    for value in asked.values():
        text = text.replace(value, "ID")
    return answer.status, text
