"""API key pages: list, make (shown once), revoke."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from salus.identity import api
from salus.identity.access import requires, toast
from salus.identity.contracts import Permission
from salus.identity.ports import now
from salus.identity.web.forms import NewKey
from salus.kernel.errors import BadInput


@requires(Permission.IDENTITY_APIKEY_MANAGE)
@require_http_methods(["GET", "HEAD", "POST"])
def listing(request: HttpRequest) -> HttpResponse:
    """Show the keys; make one and show it this once."""
    actor = request.actor  # type: ignore[attr-defined]
    form, made = NewKey(request.POST or None), ""
    form.offer(api.givable_scopes(actor))
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = api.create_api_key(
                given["name"], given["scopes"], actor=actor, expires_at=now() + timedelta(days=given["days"])
            )
        except BadInput as fault:
            form.add_error(fault.place if fault.place in form.fields else None, fault.what)
        else:
            form = NewKey()
            form.offer(api.givable_scopes(actor))
    found = api.api_keys_of_organization()
    names = api.staff_names(key.created_by for key in found if key.created_by)
    rows = [
        (key, names.get(key.created_by, "The command line") if key.created_by else "The command line")
        for key in found
    ]
    context = {"keys": rows, "form": form, "made": made, "now": now()}
    return render(request, "identity/keys.html", context)


@requires(Permission.IDENTITY_APIKEY_MANAGE)
@require_POST
def revoke(request: HttpRequest, key_id: UUID) -> HttpResponse:
    """Stop a key for good."""
    api.revoke_api_key(key_id, actor=request.actor)  # type: ignore[attr-defined]
    toast(request, "The key is revoked. Programs that use it are refused from now on.")
    return redirect("identity:keys")
