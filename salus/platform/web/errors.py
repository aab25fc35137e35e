"""Error pages in plain words: what happened, what was not lost, what to do next."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string

from salus.kernel.errors import BadInput, Conflict, NotFound, Reused, SalusError, Unavailable

_log = logging.getLogger(__name__)

ABSENT = "There is nothing here, or it is not for you."
KINDS: tuple[tuple[type[SalusError], int, str], ...] = (
    (BadInput, 400, "That could not be used"),
    (NotFound, 404, "Nothing here"),
    (Reused, 422, "This was used for something else"),
    (Conflict, 409, "That is not possible now"),
    (Unavailable, 503, "A part of Salus does not answer"),
)


def status_of(error: SalusError) -> tuple[int, str]:
    """Return the HTTP status and the title of a page or problem for `error`."""
    for kind, status, title in KINDS:
        if isinstance(error, kind):
            return status, title
    return 400, "That did not work"


def error_page(request: HttpRequest, status: int, title: str, *lines: str) -> HttpResponse:
    """Return a whole page with a title and some sentences."""
    context = {"title": title, "lines": [line for line in lines if line]}
    return render(request, "salus/errors/page.html", context, status=status)


def problem(
    status: int, title: str, detail: str, *, place: str = "", headers: dict[str, str] | None = None
) -> JsonResponse:
    """Return an RFC 9457 problem for programs; `place` names where in the input."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    if place:
        body["place"] = place
    return JsonResponse(body, status=status, content_type="application/problem+json", headers=headers)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 400: the request itself could not be read."""
    return error_page(request, 400, "That could not be read", "Nothing was changed. Go back and try again.")


def absent(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 404, and 403 too: the two read the same on purpose."""
    return error_page(request, 404, "Nothing here", ABSENT)


def broken(request: HttpRequest) -> HttpResponse:
    """Answer 500: needs neither database nor session; the reference is in the log."""
    reference = secrets.token_hex(4)
    _log.error("unhandled error, reference %s", reference)
    return HttpResponse(render_to_string("salus/errors/500.html", {"reference": reference}), status=500)


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose CSRF token does not fit: mostly a page that was open too long."""
    return error_page(
        request,
        403,
        "This page was open too long",
        "Nothing was changed. Go back, reload the page and send it again.",
    )


class PlainErrors:
    """Middleware: an error of ours that a view lets out becomes its page; the transaction is undone by then."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Return the page for a `SalusError`; anything else goes on to Django."""
        if not isinstance(exception, SalusError):
            return None
        status, title = status_of(exception)
        head = f"{exception.place}: {exception.what}" if exception.place else exception.what
        return error_page(request, status, title, head, exception.kept, exception.next_step)
