"""Security headers on every response, and the refusal of plain http off this machine."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; "
    "script-src 'self'; "
    "style-src 'self'; "
    "img-src 'self'; "
    "font-src 'self'; "
    "connect-src 'self'; "
    "frame-src 'self'; "
    "form-action 'self'; "
    "base-uri 'none'; "
    "frame-ancestors 'none'; "
    "object-src 'none'"
)
"""No inline script or style, nothing from elsewhere, no framing by others."""

FIXED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), interest-cohort=()",
    "X-Robots-Tag": "noindex, nofollow",
}

UNLESS_SET = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
"""A view may state its own: foreign HTML has a stricter policy, static files may be cached."""

HSTS = "max-age=31536000; includeSubDomains"

Next = Callable[[HttpRequest], HttpResponseBase]


class SecurityHeaders:
    """Middleware, first in line. Pages hold PHI, so nothing is stored by browsers unless a view says so."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer with the headers; off loopback, plain http gets no page and no cookie."""
        if not settings.SALUS_LOOPBACK and not request.is_secure():
            response: HttpResponseBase = HttpResponse(
                "Salus answers only over https here. Open the same address with https.",
                status=403,
                content_type="text/plain; charset=utf-8",
            )
        else:
            response = self.get_response(request)
        for name, value in FIXED.items():
            response.headers[name] = value
        for name, value in UNLESS_SET.items():
            response.headers.setdefault(name, value)
        if request.is_secure():
            response.headers["Strict-Transport-Security"] = HSTS
        return response
