"""The picture that counts an open, and the address that counts a click and leads on."""

from __future__ import annotations

import base64

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_safe

from salus.delivery import api
from salus.delivery.contracts import Fetch
from salus.kernel.time import SystemClock

CLOCK = SystemClock()
_PICTURE = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""One transparent pixel."""


@require_safe
def picture(request: HttpRequest, token: str) -> HttpResponse:
    """Answer with the pixel, whatever the token is worth."""
    api.record_open(token, _fetch(request))
    return HttpResponse(_PICTURE, content_type="image/gif", headers={"Cache-Control": "no-store"})


@require_safe
def link(request: HttpRequest, token: str, link: str) -> HttpResponse:
    """Lead on to the page behind a link of the message; a bad token reads like an absent page."""
    target = api.record_click(token, link, _fetch(request))
    return HttpResponseRedirect(
        target, headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    )


def _fetch(request: HttpRequest) -> Fetch:
    return Fetch(CLOCK.now(), request.headers.get("User-Agent", "")[:300], request.method or "")
