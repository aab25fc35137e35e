"""Pages for staff: find a patient by record number, check who they are, read a code to them."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from salus.identity.api import requires
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor
from salus.kernel.errors import Conflict
from salus.patients import api
from salus.patients.web.forms import Find, Issue


@requires(Permission.PATIENTS_CODE_ISSUE)
@require_http_methods(["GET", "HEAD", "POST"])
def find(request: HttpRequest) -> HttpResponse:
    """Ask for a record number, then show whom to ask for what."""
    form = Find(request.POST or None)
    if request.method == "POST" and form.is_valid():
        contact_id = api.find_patient(form.cleaned_data["record_number"])
        if contact_id is not None:
            return _confirm(request, Issue(initial={"contact_id": contact_id}), contact_id)
        form.add_error("record_number", "Nobody here has this record number. Please check it.")
    return render(request, "patients/find.html", {"form": form})


@requires(Permission.PATIENTS_CODE_ISSUE)
@require_POST
def issue(request: HttpRequest) -> HttpResponse:
    """Make a code and show it this once."""
    form = Issue(request.POST)
    if not form.is_valid():
        contact_id = form.cleaned_data.get("contact_id")
        if contact_id is None:
            return render(request, "patients/find.html", {"form": Find()})
        return _confirm(request, form, contact_id)
    try:
        issued = api.issue_code(form.cleaned_data["contact_id"], actor=_actor(request))
    except Conflict as fault:
        form.add_error(None, f"{fault.what} {fault.next_step}")
        return _confirm(request, form, form.cleaned_data["contact_id"])
    return render(request, "patients/issued.html", {"issued": issued})


def _confirm(request: HttpRequest, form: Issue, contact_id: UUID) -> HttpResponse:
    person = api.look_at_patient(contact_id, actor=_actor(request))
    return render(request, "patients/confirm.html", {"form": form, "person": person})


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor
