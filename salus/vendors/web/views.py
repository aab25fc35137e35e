"""Pages of vendors: the list, one vendor with its agreements and services, its name."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from salus.identity import api as identity
from salus.identity.api import requires, toast
from salus.identity.contracts import Permission
from salus.kernel.errors import BadInput
from salus.vendors import api
from salus.vendors.contracts import Relation, Vendor
from salus.vendors.web.forms import About, say
from salus.vendors.web.showing import (
    actor_of,
    agreement_row,
    finding_row,
    now,
    service_row,
    subcontractor_row,
    vendor_row,
)

READ, EDIT = Permission.VENDORS_VENDOR_READ, Permission.VENDORS_VENDOR_EDIT


@requires(READ)
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Show every vendor, how its agreement stands, how many of its services are in use, and what is wrong."""
    found = api.vendors(now())
    names = {vendor.id: vendor.name for vendor in found}
    context = {
        "rows": [vendor_row(vendor) for vendor in found],
        "findings": [finding_row(each, names) for each in api.findings(now())],
    }
    return render(request, "vendors/list.html", context)


@requires(READ)
@require_safe
def one(request: HttpRequest, vendor_id: UUID) -> HttpResponse:
    """Show a vendor."""
    vendor = api.vendor(vendor_id, now())
    names = identity.staff_names(each.recorded_by for each in vendor.agreements if each.recorded_by)
    waiting = api.waiting([service.id for service in vendor.services])
    context = {
        "vendor": vendor,
        "relation": api.RELATIONS[vendor.relation],
        "needs_agreement": vendor.relation is Relation.ASSOCIATE,
        "agreements": [agreement_row(each, names) for each in vendor.agreements],
        "subcontractors": [subcontractor_row(each) for each in vendor.subcontractors],
        "open_duties": len(api.gaps(vendor.responsibilities)),
        "duties": len(api.DUTIES),
        "today": api.today(now()),
        "services": [service_row(each, waiting) for each in vendor.services],
    }
    return render(request, "vendors/show.html", context)


@requires(EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Put a vendor into the register."""
    form = About(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                made = api.create_vendor(**form.facts(), actor=actor_of(request), at=now())
        except BadInput as fault:
            say(form, fault)
        else:
            toast(request, "Added. Nothing may go there before everything that is listed is in place.")
            return redirect("vendors:show", made)
    return _form(request, form, None)


@requires(EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, vendor_id: UUID) -> HttpResponse:
    """Change a vendor's name, what it is to us, and the note."""
    vendor = api.vendor(vendor_id, now())
    shown = {"name": vendor.name.reveal(), "note": vendor.note.reveal(), "relation": vendor.relation.value}
    form = About(request.POST or None, initial=shown)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                api.change_vendor(vendor_id, **form.facts(), actor=actor_of(request), at=now())
        except BadInput as fault:
            say(form, fault)
        else:
            toast(request, "Saved.")
            return redirect("vendors:show", vendor_id)
    return _form(request, form, vendor)


def _form(request: HttpRequest, form: About, vendor: Vendor | None) -> HttpResponse:
    status = 400 if form.errors else 200
    return render(request, "vendors/about.html", {"form": form, "vendor": vendor}, status=status)
