"""Pages of services: register one, change it, switch it on or off, its signing secret."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from salus.identity import api as identity
from salus.identity.api import requires, toast
from salus.identity.contracts import Permission
from salus.kernel.errors import BadInput, NotFound
from salus.vendors import api
from salus.vendors.contracts import Kind, Service, Vendor
from salus.vendors.web.forms import AttestationForm, ServiceForm, say, shown_of, to_attest
from salus.vendors.web.showing import actor_of, control_rows, now, service_row

EDIT = Permission.VENDORS_VENDOR_EDIT


@requires(EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, vendor_id: UUID) -> HttpResponse:
    """Register a service of a vendor."""
    vendor = api.vendor(vendor_id, now())
    form = ServiceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                made = api.create_service(
                    vendor_id,
                    kind=Kind(form.cleaned_data["kind"]),
                    **form.facts(),
                    actor=actor_of(request),
                    at=now(),
                )
        except BadInput as fault:
            say(form, fault)
        else:
            toast(request, "Registered.")
            return redirect("vendors:service", vendor_id, made)
    context = {"form": form, "vendor": vendor}
    return render(request, "vendors/new_service.html", context, status=400 if form.errors else 200)


@requires(EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, vendor_id: UUID, service_id: UUID) -> HttpResponse:
    """Show a service and change it."""
    vendor, service = _found(vendor_id, service_id)
    form = ServiceForm(request.POST or None, initial=shown_of(service))
    form.fix()
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                api.change_service(service_id, **form.facts(), actor=actor_of(request), at=now())
        except BadInput as fault:
            say(form, fault)
        else:
            toast(request, "Saved.")
            return redirect("vendors:service", vendor_id, service_id)
    return _page(request, vendor, service, form, status=400 if form.errors else 200)


@requires(EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def attest(request: HttpRequest, vendor_id: UUID, service_id: UUID) -> HttpResponse:
    """Record what somebody attests of a service."""
    vendor, service = _found(vendor_id, service_id)
    form = AttestationForm(request.POST or None, initial=to_attest(service))
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                api.attest(service_id, **form.facts(), actor=actor_of(request), at=now())
        except BadInput as fault:
            say(form, fault)
        else:
            toast(request, "Recorded.")
            return redirect("vendors:service", vendor_id, service_id)
    context = {"form": form, "vendor": vendor, "service": service}
    return render(request, "vendors/attest.html", context, status=400 if form.errors else 200)


@requires(EDIT)
@require_POST
def switch(request: HttpRequest, vendor_id: UUID, service_id: UUID) -> HttpResponse:
    """Switch a service off, or on again."""
    _, service = _found(vendor_id, service_id)
    active = request.POST.get("active") == "yes"
    api.switch_service(service.id, active=active, actor=actor_of(request), at=now())
    toast(request, "Switched on." if active else "Switched off. Nothing goes to it; what waits stays.")
    return _back(vendor_id, service_id)


@requires(EDIT)
@require_POST
def secret(request: HttpRequest, vendor_id: UUID, service_id: UUID) -> HttpResponse:
    """Show the signing secret on the page, once; that the person looked is recorded."""
    vendor, service = _found(vendor_id, service_id)
    shown = api.show_secret(service_id, actor=actor_of(request), at=now())
    form = ServiceForm(initial=shown_of(service))
    form.fix()
    return _page(request, vendor, service, form, secret=shown)


@requires(EDIT)
@require_POST
def renew(request: HttpRequest, vendor_id: UUID, service_id: UUID) -> HttpResponse:
    """Make a new signing secret."""
    _found(vendor_id, service_id)
    api.renew_secret(service_id, actor=actor_of(request), at=now())
    toast(request, "A new secret signs from now on; the one before signs along for a day.")
    return _back(vendor_id, service_id)


def _page(
    request: HttpRequest,
    vendor: Vendor,
    service: Service,
    form: ServiceForm,
    *,
    secret: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "vendor": vendor,
        "form": form,
        "secret": secret,
        "is_webhook": service.kind is Kind.WEBHOOK,
        "controls": control_rows(
            service,
            identity.staff_names(each.recorded_by for each in service.attestations if each.recorded_by),
        ),
        **service_row(service, api.waiting([service.id])),
    }
    return render(request, "vendors/service.html", context, status=status)


def _found(vendor_id: UUID, service_id: UUID) -> tuple[Vendor, Service]:
    vendor = api.vendor(vendor_id, now())
    for each in vendor.services:
        if each.id == service_id:
            return vendor, each
    raise NotFound


def _back(vendor_id: UUID, service_id: UUID) -> HttpResponse:
    response = redirect("vendors:service", vendor_id, service_id)
    response.status_code = 303
    return response
