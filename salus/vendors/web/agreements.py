"""Pages of agreements: record one, change one that is not signed, end one."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from salus.identity.api import requires, toast
from salus.identity.contracts import Permission
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.vendors import api
from salus.vendors.contracts import Agreement, Vendor
from salus.vendors.web.forms import AgreementForm, initial_of, say
from salus.vendors.web.showing import STANDINGS, actor_of, now

EDIT = Permission.VENDORS_VENDOR_EDIT


@requires(EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, vendor_id: UUID) -> HttpResponse:
    """Record an agreement."""
    return _form(request, api.vendor(vendor_id, now()), None, AgreementForm(request.POST or None))


@requires(EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, vendor_id: UUID, agreement_id: UUID) -> HttpResponse:
    """Change an agreement that is not signed; signed, it stays as it is."""
    vendor, agreement = _found(vendor_id, agreement_id)
    form = AgreementForm(request.POST or None, initial=initial_of(agreement))
    return _form(request, vendor, agreement, form)


@requires(EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def end(request: HttpRequest, vendor_id: UUID, agreement_id: UUID) -> HttpResponse:
    """Ask first, then end an agreement."""
    vendor, agreement = _found(vendor_id, agreement_id)
    if request.method == "POST":
        with transaction.atomic():
            api.end_agreement(agreement_id, actor=actor_of(request), at=now())
        toast(request, "Ended.")
        return redirect("vendors:show", vendor_id)
    waiting = api.waiting([service.id for service in vendor.services])
    context = {
        "vendor": vendor,
        "agreement": agreement,
        "tag": STANDINGS[agreement.standing],
        "is_last": vendor.in_force is not None and vendor.in_force.id == agreement.id,
        "waiting": sum(each.count for each in waiting.values()),
    }
    return render(request, "vendors/end.html", context)


def _form(
    request: HttpRequest, vendor: Vendor, agreement: Agreement | None, form: AgreementForm
) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                api.record_agreement(
                    vendor.id,
                    **form.facts(),
                    agreement_id=agreement.id if agreement else None,
                    actor=actor_of(request),
                    at=now(),
                )
        except (BadInput, Conflict) as fault:
            say(form, fault)
        else:
            toast(request, "Recorded.")
            return redirect("vendors:show", vendor.id)
    context = {"form": form, "vendor": vendor, "agreement": agreement}
    return render(request, "vendors/agreement.html", context, status=400 if form.errors else 200)


def _found(vendor_id: UUID, agreement_id: UUID) -> tuple[Vendor, Agreement]:
    vendor = api.vendor(vendor_id, now())
    for each in vendor.agreements:
        if each.id == agreement_id:
            return vendor, each
    raise NotFound
