"""A TLS proxy is believed about https and about who asks; a stranger who says the same is not."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from salus.platform.web.headers import SecurityHeaders
from salus.platform.web.proxy import Proxied

STRANGER, FAR_PROXY = "203.0.113.5", "192.0.2.40"


@pytest.fixture
def public(settings: Any) -> Any:
    """An installation with a public address, one proxy on this machine and one far away."""
    settings.SALUS_LOOPBACK = False
    settings.SALUS_PROXIES = frozenset({FAR_PROXY})
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    return settings


def ask(asks: str, proto: str | None = "https", by: str | None = None) -> tuple[int, str]:
    """Return the status, and who asked as the pages see it ("" when no page was reached)."""
    seen = []

    def page(request: HttpRequest) -> HttpResponse:
        seen.append(request.META["REMOTE_ADDR"])
        return HttpResponse("page")

    request = RequestFactory().get("/")
    said = {"REMOTE_ADDR": asks, "HTTP_X_FORWARDED_PROTO": proto, "HTTP_X_FORWARDED_FOR": by}
    request.META |= {name: value for name, value in said.items() if value is not None}
    status = Proxied(SecurityHeaders(page))(request).status_code
    return status, seen[0] if seen else ""


@pytest.mark.parametrize("proxy", ["127.0.0.1", "::1", FAR_PROXY])
def test_our_proxy_is_believed(public: Any, proxy: str) -> None:
    assert ask(proxy, by=STRANGER) == (200, STRANGER)
    assert ask(proxy, by="2001:db8::7") == (200, "2001:db8::7")


@pytest.mark.parametrize("stranger", [STRANGER, "192.0.2.41", "2001:db8::7", "", "unix:"])
def test_a_stranger_who_says_https_is_not_believed(public: Any, stranger: str) -> None:
    assert ask(stranger) == (403, "")
    assert ask(stranger, by="127.0.0.1") == (403, "")


@pytest.mark.parametrize("proto", [None, "http", "", "https,http", "https, http", "ftp"])
def test_what_came_to_our_proxy_in_clear_gets_no_page(public: Any, proto: str | None) -> None:
    assert ask("127.0.0.1", proto) == (403, ""), "its own word is the last one"


def test_of_the_names_that_a_stranger_adds_only_the_proxys_counts(public: Any) -> None:
    assert ask("127.0.0.1", by=f"127.0.0.1, {STRANGER}") == (200, STRANGER)
    assert ask("127.0.0.1", by="<script>") == (200, "0.0.0.0"), "no address is nobody's"


def test_without_a_public_address_nobody_is_believed(settings: Any) -> None:
    settings.SALUS_LOOPBACK = True
    assert ask("127.0.0.1", by=STRANGER) == (200, "127.0.0.1")
