"""Pages of identity providers: which ones, whom they speak for, which of their groups gives which role."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from salus.identity import api, providers, sign_on
from salus.identity.access import requires, toast
from salus.identity.contracts import Permission
from salus.identity.providers import Protocol, Provider
from salus.identity.web.provider_form import FORMS, ProviderForm, SamlForm, initial_of
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, NotFound

_MAY = Permission.IDENTITY_STAFF_MANAGE


@requires(_MAY)
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Show the providers, and whether the vendor register allows each."""
    rows = [(each, sign_on.why_not(each)) for each in providers.every()]
    context = {
        "providers": rows,
        "slug": api.organization().slug,
    }
    return render(request, "identity/providers.html", context)


@sensitive_post_parameters("client_secret")
@requires(_MAY)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, protocol: str) -> HttpResponse:
    """Say what a new provider is; it lets nobody in before it is switched on."""
    if protocol not in set(Protocol):
        raise NotFound
    form = FORMS[Protocol(protocol)](request.POST or None)
    if request.method == "POST" and form.is_valid():
        provider_id = _save(request, form, Protocol(protocol), None)
        if provider_id:
            toast(request, "Saved. Nobody signs on by it before you switch it on.")
            return redirect("identity:provider", provider_id)
    context = {"form": form, "protocol": protocol}
    return render(request, "identity/provider.html", context)


@sensitive_post_parameters("client_secret")
@requires(_MAY)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, provider_id: UUID) -> HttpResponse:
    """Show and change one provider."""
    provider = providers.get(provider_id)
    form = FORMS[provider.protocol](request.POST or None, initial=initial_of(provider))
    if isinstance(form, SamlForm):
        form.may_keep()
    if request.method == "POST" and form.is_valid() and _save(request, form, provider.protocol, provider):
        toast(request, "Saved. It holds from the next sign-on.")
        return redirect("identity:provider", provider_id)
    context = {
        "form": form,
        "provider": provider,
        "protocol": provider.protocol.value,
        "why_not": sign_on.why_not(provider),
        "told": sign_on.told(provider),
    }
    return render(request, "identity/provider.html", context)


@requires(_MAY)
@require_POST
def switch(request: HttpRequest, provider_id: UUID) -> HttpResponse:
    """Switch a provider on or off."""
    active = request.POST.get("active") == "yes"
    providers.switch(provider_id, active, actor=_actor(request))
    toast(request, "It is on." if active else "It is off, and the sessions of those it let in are over.")
    return redirect("identity:provider", provider_id)


@requires(_MAY)
@require_POST
def remove(request: HttpRequest, provider_id: UUID) -> HttpResponse:
    """Forget a provider."""
    providers.remove(provider_id, actor=_actor(request))
    toast(request, "The provider is removed. People without a password need an invitation now.")
    return redirect("identity:providers")


def _save(
    request: HttpRequest, form: ProviderForm, protocol: Protocol, before: Provider | None
) -> UUID | None:
    try:
        return providers.save(
            form.cleaned_data,
            form.lines(),
            protocol=protocol,
            actor=_actor(request),
            provider_id=before.id if before else None,
        )
    except BadInput as fault:
        place = f"role_{fault.place}" if f"role_{fault.place}" in form.fields else fault.place
        form.add_error(place if place in form.fields else None, fault.what)
        return None


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor
