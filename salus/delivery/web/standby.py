"""The pages of relays that are kept ready for destinations that refuse our mail: keeping one, and keeping it no more."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from salus.delivery import api
from salus.delivery.web.route import CLOCK, Login, named
from salus.identity.api import requires, toast
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, NotFound
from salus.vendors import api as vendors
from salus.vendors.contracts import Kind


class StandbyForm(Login):
    """A relay of the register, and what rules of destinations call it."""

    name = forms.CharField(
        label="Name in rules",
        max_length=62,
        help_text='As shaping.toml has it: to = "relay:NAME". The one that has this name is replaced.',
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    service = forms.ChoiceField(label="Relay")

    field_order = ("name", "service", "user", "password")


@requires(Permission.ORGANIZATION_SETTINGS_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def keep(request: HttpRequest) -> HttpResponse:
    """Keep a relay ready under a name."""
    actor, now = _actor(request), CLOCK.now()
    services = vendors.services(now, Kind.SMTP_ROUTE) if _knows_vendors(actor) else []
    form = StandbyForm(request.POST or None)
    field = form.fields["service"]
    assert isinstance(field, forms.ChoiceField)
    field.choices = [(str(each.id), each.name.reveal()) for each in services]
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        login = {"user": given["user"], "password": given["password"]}
        try:
            with transaction.atomic():
                api.keep_relay_ready(given["name"], UUID(given["service"]), **login, actor=actor, at=now)
        except BadInput as fault:
            form.add_error(fault.place if fault.place in form.fields else None, fault.what)
        else:
            toast(request, "Kept ready. A rule of a destination may switch to it from now on.")
            return redirect("delivery:route")
    context = {"form": form, "services": services}
    return render(request, "delivery/standby.html", context, status=400 if form.errors else 200)


@requires(Permission.ORGANIZATION_SETTINGS_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def drop(request: HttpRequest, standby_id: UUID) -> HttpResponse:
    """Ask whether to keep a relay ready no more, and do it."""
    actor, now = _actor(request), CLOCK.now()
    found = next((each for each in api.relays_ready(now) if each.id == standby_id), None)
    if found is None:
        raise NotFound
    if request.method == "POST":
        with transaction.atomic():
            api.drop_relay(standby_id, actor=actor)
        toast(request, "It is kept ready no more. What was to go by it waits for its usual way.")
        return redirect("delivery:route")
    services = vendors.services(now, Kind.SMTP_ROUTE) if _knows_vendors(actor) else []
    return render(request, "delivery/standby_drop.html", {"row": named(found, services)})


def _knows_vendors(actor: Actor) -> bool:
    return Permission.VENDORS_VENDOR_READ in actor.permissions


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor
