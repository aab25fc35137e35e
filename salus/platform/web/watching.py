"""For whoever watches over an installation: `/healthz` says whether it works, `/metrics` how much it does."""

from __future__ import annotations

import hmac
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from salus.platform import health, metrics
from salus.platform.web.errors import absent

_LOOPBACK = frozenset({"127.0.0.1", "::1"})
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")
"""What a proxy adds: a request that came through one did not begin on this machine."""


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200 when this process can work, else 503 with what is wrong; it tells nothing else."""
    problems = health.problems()
    body = {"status": "down", "problems": problems} if problems else {"status": "ok"}
    return JsonResponse(body, status=503 if problems else 200)


@require_safe
def figures(request: HttpRequest) -> HttpResponseBase:
    """Answer with the figures, to this machine, or to whoever has the token when a token file is set."""
    if not _may_look(request):
        return absent(request)
    return HttpResponse(metrics.exposition(metrics.collect()), content_type=metrics.CONTENT_TYPE)


def _may_look(request: HttpRequest) -> bool:
    file: str = getattr(settings, "SALUS_METRICS_TOKEN_FILE", "")
    if not file:
        near = request.META.get("REMOTE_ADDR", "") in _LOOPBACK
        return near and not any(name in request.headers for name in _FORWARDED)
    token = Path(file).read_text(encoding="utf-8").strip()
    word, _, given = request.headers.get("Authorization", "").partition(" ")
    return (
        bool(token)
        and word.lower() == "bearer"
        and hmac.compare_digest(given.strip().encode(), token.encode())
    )
