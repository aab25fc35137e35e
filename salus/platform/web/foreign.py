"""Serves HTML that is not ours (e-mail previews, portal letters) so that it can do nothing to our pages."""

from __future__ import annotations

from django.http import HttpResponse

_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox"
)
_LINKS = " allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"


def foreign_html(html: str, *, links: bool = False) -> HttpResponse:
    """Return `html` for an `<iframe>` of ours: its own origin, no script, no forms, inline styles only.

    With `links` the reader may follow links out of the frame (the portal); previews leave it off, so
    that a click by staff goes nowhere and counts as nothing.
    """
    response = HttpResponse(html)
    response.headers["Content-Security-Policy"] = _POLICY + (_LINKS if links else "")
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response
