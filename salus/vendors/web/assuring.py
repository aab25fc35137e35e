"""Pages about how vendors keep their word: the calendar, who does what, subcontractors, verifications."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from salus.identity.api import requires, toast
from salus.identity.contracts import Permission
from salus.kernel.errors import BadInput, NotFound
from salus.vendors import api
from salus.vendors.contracts import Owner, Relation, Subcontractor, Vendor
from salus.vendors.web.forms import (
    DutiesForm,
    SubcontractorForm,
    VerificationForm,
    say,
    shown_duties,
    shown_subcontractor,
)
from salus.vendors.web.showing import actor_of, due_row, now

READ, EDIT = Permission.VENDORS_VENDOR_READ, Permission.VENDORS_VENDOR_EDIT


@requires(READ)
@require_safe
def calendar(request: HttpRequest) -> HttpResponse:
    """Show what is due about every vendor, the first due first."""
    today = api.today(now())
    return render(
        request, "vendors/calendar.html", {"rows": [due_row(each, today) for each in api.calendar(now())]}
    )


@requires(READ)
@require_safe
def matrix(request: HttpRequest) -> HttpResponse:
    """Show who has each duty about the services of all business associates, and which nobody has."""
    vendors = [each for each in api.vendors(now()) if each.relation is Relation.ASSOCIATE]
    gaps = {each.id: frozenset(api.gaps(each.responsibilities)) for each in vendors}
    rows = []
    for duty, asked in api.DUTIES.items():
        having: dict[str, list[Vendor]] = {"we": [], "vendor": [], "both": [], "nobody": []}
        for each in vendors:
            found = each.responsibilities.get(duty)
            having["nobody" if found is None or duty in gaps[each.id] else found.owner.value].append(each)
        rows.append({"asked": asked, **having})
    context = {"rows": rows, "vendors": vendors, "gaps": sum(map(len, gaps.values()))}
    return render(request, "vendors/matrix.html", context)


@requires(EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def duties(request: HttpRequest, vendor_id: UUID) -> HttpResponse:
    """Say who has each duty about a vendor's services."""
    vendor = api.vendor(vendor_id, now())
    form = DutiesForm(request.POST or None, initial=shown_duties(vendor.responsibilities))
    context = {"rows": form.rows(), "owners": list(Owner)}
    return _form(
        request,
        vendor,
        form,
        "vendors/duties.html",
        context,
        lambda: api.assign(vendor_id, form.facts(), actor=actor_of(request), at=now()),
    )


@requires(EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest, vendor_id: UUID) -> HttpResponse:
    """Record that somebody looked whether a vendor keeps its agreement."""
    vendor = api.vendor(vendor_id, now())
    form = VerificationForm(request.POST or None)
    return _form(
        request,
        vendor,
        form,
        "vendors/verify.html",
        {},
        lambda: api.verify(vendor_id, **form.cleaned_data, actor=actor_of(request), at=now()),
    )


@requires(EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def new_subcontractor(request: HttpRequest, vendor_id: UUID) -> HttpResponse:
    """Record who works for a vendor with our data."""
    return _subcontractor(request, api.vendor(vendor_id, now()), None)


@requires(EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def edit_subcontractor(request: HttpRequest, vendor_id: UUID, subcontractor_id: UUID) -> HttpResponse:
    """Change what is known of a subcontractor."""
    vendor, found = _found(vendor_id, subcontractor_id)
    return _subcontractor(request, vendor, found)


@requires(EDIT)
@require_POST
def drop_subcontractor(request: HttpRequest, vendor_id: UUID, subcontractor_id: UUID) -> HttpResponse:
    """Record that a subcontractor works for a vendor no more."""
    api.drop_subcontractor(vendor_id, subcontractor_id, actor=actor_of(request), at=now())
    toast(request, "It works for the vendor no more.")
    response = redirect("vendors:show", vendor_id)
    response.status_code = 303
    return response


def _subcontractor(request: HttpRequest, vendor: Vendor, found: Subcontractor | None) -> HttpResponse:
    form = SubcontractorForm(request.POST or None, initial=shown_subcontractor(found) if found else None)
    return _form(
        request,
        vendor,
        form,
        "vendors/subcontractor.html",
        {"found": found},
        lambda: api.record_subcontractor(
            vendor.id, found.id if found else None, **form.cleaned_data, actor=actor_of(request), at=now()
        ),
    )


def _form(
    request: HttpRequest, vendor: Vendor, form: forms.Form, page: str, more: dict[str, Any], act: Any
) -> HttpResponse:
    """Show a form about a vendor; when it is right, do `act` and go back to the vendor."""
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                act()
        except BadInput as fault:
            say(form, fault)
        else:
            toast(request, "Recorded.")
            return redirect("vendors:show", vendor.id)
    context = {"form": form, "vendor": vendor, **more}
    return render(request, page, context, status=400 if form.errors else 200)


def _found(vendor_id: UUID, subcontractor_id: UUID) -> tuple[Vendor, Subcontractor]:
    vendor = api.vendor(vendor_id, now())
    for each in vendor.subcontractors:
        if each.id == subcontractor_id:
            return vendor, each
    raise NotFound
