"""Serves the MTA-STS policy of a sending domain at its well-known place (RFC 8461, 3.2, 3.3)."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from salus.domains import api
from salus.kernel.errors import NotFound

PATH, LABEL = "/.well-known/mta-sts.txt", "mta-sts."
Next = Callable[[HttpRequest], HttpResponseBase]


class PolicyFiles:
    """Middleware before whoever checks the host's name: mta-sts.DOMAIN is no address of the console or the portal.

    Only the file is there, only for domains of ours, and it is the same for everybody.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer with the policy, or let the others answer."""
        host = request.META.get("HTTP_HOST", "").partition(":")[0].lower()
        if request.path != PATH or not host.startswith(LABEL) or request.method not in ("GET", "HEAD"):
            return self.get_response(request)
        try:
            text = api.policy_text(host.removeprefix(LABEL))
        except NotFound:
            return HttpResponse("There is no policy here.\n", status=404, content_type="text/plain")
        return HttpResponse(text.replace("\n", "\r\n"), content_type="text/plain")
