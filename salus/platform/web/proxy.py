"""Believes a TLS proxy about the person behind it, and nobody else."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

Next = Callable[[HttpRequest], HttpResponseBase]
PROTO, FOR = "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_FOR"


class Proxied:
    """Middleware, first in line: who asks is whom our proxy names last; nothing else that is said of it counts.

    Our proxies are this machine and `SALUS_PROXIES`. Without a public address there is no proxy. The header that
    names people stays: `/metrics` tells by it that a request is not this machine's own.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer with `REMOTE_ADDR` of the person, and with the proxy's word about https."""
        proto = _last(request.META.pop(PROTO, ""))
        if not settings.SALUS_LOOPBACK and _is_ours(request.META.get("REMOTE_ADDR", "")):
            request.META[PROTO] = proto
            if said := _last(request.META.get(FOR, "")):
                request.META["REMOTE_ADDR"] = said if _address(said) else "0.0.0.0"  # noqa: S104 - nobody's
        return self.get_response(request)


def _last(said: str) -> str:
    """Return the last word: a proxy that adds its own to a stranger's adds it at the end."""
    return said.rpartition(",")[2].strip()


def _is_ours(text: str) -> bool:
    found = _address(text)
    return found is not None and (found.is_loopback or text in settings.SALUS_PROXIES)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
