"""Sign-on pages: choose the provider, go there, come back, and leave it again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from salus.identity import saml, sign_on
from salus.identity import sign_in as steps
from salus.identity.access import FACTOR_OF_PROVIDER, safe_next
from salus.identity.ports import now
from salus.identity.sign_on_rules import Refused
from salus.identity.web import halfway
from salus.kernel.errors import NotFound

_WAITING = "sign_on"


@require_safe
def which(request: HttpRequest) -> HttpResponse:
    """Ask for the organization's short name, unless there is only one."""
    wanted = safe_next(request, request.GET.get("next", "/"))
    slug = request.GET.get("organization", "").strip().lower() or sign_on.only_organization()
    if not slug:
        return render(request, "identity/sign_on_which.html", {"next": wanted})
    try:
        organization, providers = sign_on.ways(slug)
    except NotFound:
        fault = "No organization of this name signs on this way. Sign in with e-mail and password, or ask your administrator."
        return render(request, "identity/sign_on_which.html", {"next": wanted, "slug": slug, "fault": fault})
    context = {"organization": organization, "providers": providers, "next": wanted}
    return render(request, "identity/sign_on.html", context)


@require_safe
def start(request: HttpRequest, slug: str, provider_id: UUID) -> HttpResponse:
    """Send the browser to the provider; a link and no form, whose way the content policy would end at our door."""
    wanted = safe_next(request, request.GET.get("next", "/"))
    try:
        address, waiting = sign_on.begin(slug, provider_id, wanted, ip=_ip(request), now=now())
    except Refused:
        return _refused(request)
    request.session[_WAITING] = waiting
    return HttpResponseRedirect(address)


@require_safe
def oidc(request: HttpRequest) -> HttpResponse:
    """Take what an OpenID Connect provider sent the browser back with."""
    return _finish(request, {name: str(value) for name, value in request.GET.items()})


@csrf_exempt  # it comes from the provider's site; the request id that waits in the session is what protects it
@sensitive_post_parameters("SAMLResponse")
@require_POST
def saml_answer(request: HttpRequest) -> HttpResponse:
    """Take what a SAML provider let the browser post.

    From another site the browser sends no session along (SameSite=Lax), so a page of ours posts it once more.
    """
    answer = request.POST.get("SAMLResponse", "")
    if _WAITING not in request.session and not request.POST.get("again"):
        return render(request, "identity/sign_on_again.html", {"answer": answer})
    return _finish(request, {"SAMLResponse": answer})


@require_safe
def metadata(request: HttpRequest, provider_id: UUID) -> HttpResponse:
    """Show our SAML metadata for one provider; they hold no secret and tell nothing of who uses them."""
    text = saml.our_metadata(sign_on.our_entity_id(provider_id), sign_on.saml_place())
    return HttpResponse(text, content_type="application/samlmetadata+xml")


@require_safe
def out(request: HttpRequest, slug: str, provider_id: UUID) -> HttpResponse:
    """Send the browser on to end its session at the provider too."""
    address = sign_on.out_address(slug, provider_id, now=now())
    return HttpResponseRedirect(address or reverse("identity:sign_in"))


@csrf_exempt  # the provider itself calls, without a session; its signature is what protects it
@sensitive_post_parameters("logout_token")
@require_POST
def ended(request: HttpRequest, slug: str, provider_id: UUID) -> HttpResponse:
    """Take a provider's word that it ended somebody's session."""
    try:
        sign_on.end(slug, provider_id, request.POST.get("logout_token", ""), ip=_ip(request), now=now())
    except Refused:
        return HttpResponse(status=400)
    return HttpResponse(status=200)


def _finish(request: HttpRequest, answer: dict[str, str]) -> HttpResponse:
    waiting: Any = request.session.pop(_WAITING, None)
    request.session.save()
    try:
        entered = sign_on.finish(waiting, answer, ip=_ip(request), now=now())
    except Refused:
        return _refused(request)
    if entered.strong:
        steps.begin(request, entered.user, FACTOR_OF_PROVIDER, ip=_ip(request), now=now())
        return redirect(entered.next)
    halfway.keep(request, entered.half, entered.next)
    return redirect("identity:set_up" if entered.half.must_enroll else "identity:code")


def _refused(request: HttpRequest) -> HttpResponse:
    return render(request, "identity/sign_on_refused.html", status=403)


def _ip(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))
