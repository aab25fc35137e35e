"""The page of the way of mail: straight to the recipients' hosts, or by a relay of the vendor register."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from salus.delivery import api
from salus.delivery.contracts import Route, Standby
from salus.identity import api as identity
from salus.identity.api import requires, toast
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput
from salus.kernel.time import SystemClock
from salus.shaping import api as shaping
from salus.vendors import api as vendors
from salus.vendors.contracts import Kind, Service, Why

CLOCK = SystemClock()
DIRECT = "direct"


class Login(forms.Form):
    """The login of a relay."""

    user = forms.CharField(
        label="User name at the relay",
        required=False,
        help_text="Only if the relay asks who you are.",
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    password = forms.CharField(
        label="Password at the relay",
        required=False,
        help_text="Leave it empty to keep the present one. It is sealed, and said only within TLS.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class RouteForm(Login):
    """One way out of those that there are, and the login of a relay."""

    way = forms.ChoiceField(label="All mail goes", widget=forms.RadioSelect)

    field_order = ("way", "user", "password")

    def __init__(self, services: list[Service], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ways = [(str(each.id), f"By a relay: {each.name.reveal()}") for each in services]
        field = self.fields["way"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(DIRECT, "Straight to the recipients' mail hosts"), *ways]

    def service_id(self) -> UUID | None:
        """Return the relay that was chosen, None for straight delivery."""
        chosen = self.cleaned_data["way"]
        return None if chosen == DIRECT else UUID(chosen)


@requires(Permission.ORGANIZATION_SETTINGS_READ)
@require_http_methods(["GET", "HEAD", "POST"])
def route(request: HttpRequest) -> HttpResponse:
    """Show the way of mail and how it stands; choose another."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    now = CLOCK.now()
    present = api.route(now)
    services = vendors.services(now, Kind.SMTP_ROUTE) if _knows_vendors(actor) else []
    form = RouteForm(services, request.POST or None, initial=_initial(present))
    if request.method == "POST" and form.is_valid():
        user, password = form.cleaned_data["user"], form.cleaned_data["password"]
        try:
            with transaction.atomic():
                api.set_route(form.service_id(), user=user, password=password, actor=actor, at=now)
        except BadInput as fault:
            form.add_error(fault.place if fault.place in form.fields else None, fault.what)
        else:
            toast(request, "Saved. Mail that waits goes the new way.")
            return redirect("delivery:route")
    context = {
        "route": present,
        "name": next((each.name for each in services if present and each.id == present.service_id), None),
        "refusal": vendors.WORDS[Why(present.why_not)] if present and present.why_not else None,
        "ready": [named(each, services) for each in api.relays_ready(now)],
        "missing": sorted(_asked_for() - {each.name for each in api.relays_ready(now)}),
        "form": form,
        "edits": _knows_vendors(actor) and Permission.ORGANIZATION_SETTINGS_EDIT in actor.permissions,
    }
    return render(request, "delivery/route.html", context, status=400 if form.errors else 200)


def named(standby: Standby, services: list[Service]) -> dict[str, Any]:
    """Return a relay that is kept ready, with its service's name where it may be known, and why it is closed."""
    return {
        "standby": standby,
        "service": next((each.name for each in services if each.id == standby.service_id), None),
        "refusal": vendors.WORDS[Why(standby.why_not)] if standby.why_not else None,
    }


def _asked_for() -> set[str]:
    """Return the names of relays that rules of destinations switch to; a plan that cannot be asks for none."""
    try:
        documents = shaping.documents(settings.SALUS_HOME)
    except BadInput:
        return set()
    return shaping.relays(shaping.plan(documents, identity.organization().slug))


def _knows_vendors(actor: Actor) -> bool:
    return Permission.VENDORS_VENDOR_READ in actor.permissions


def _initial(present: Route | None) -> dict[str, str]:
    return {"way": str(present.service_id), "user": present.user} if present else {"way": DIRECT}
