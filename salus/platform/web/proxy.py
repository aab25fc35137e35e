"""Believes a TLS proxy about the person behind it, and nobody else."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

Next = Callable[[HttpRequest], HttpResponseBase]
SAID = ("HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_FOR")


class Proxied:
    """Middleware, first in line: who asks is whom our proxy names last; what others say of it is dropped.

    Our proxies are this machine and `SALUS_PROXIES`. Without a public address there is no proxy.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer with `REMOTE_ADDR` of the person, and with the proxy's word about https."""
        if settings.SALUS_LOOPBACK or not _is_ours(request.META.get("REMOTE_ADDR", "")):
            for name in SAID:
                request.META.pop(name, None)
        elif said := request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip():
            request.META["REMOTE_ADDR"] = said if _address(said) else "0.0.0.0"  # noqa: S104 - nobody's
        return self.get_response(request)


def _is_ours(text: str) -> bool:
    found = _address(text)
    return found is not None and (found.is_loopback or text in settings.SALUS_PROXIES)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
