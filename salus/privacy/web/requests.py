"""Pages of what people asked for: the list with its deadlines, one request, and the decisions about it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from salus.contacts import api as contacts
from salus.identity import api as identity
from salus.identity.api import requires, toast
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.platform.web.templatetags.salus import contact_number
from salus.privacy import api
from salus.privacy.contracts import Form, Kind, PersonRequest, Status, Step
from salus.privacy.web.forms import KINDS, Asked, Reason, say
from salus.retention import api as retention
from salus.retention.contracts import Kind as Retained

DO = Permission.PRIVACY_REQUEST_DO
SOON_DAYS = 7
TAGS = {
    Status.OPEN: ("wait", "Open"),
    Status.APPROVED: ("portal", "Approved"),
    Status.DONE: ("clear", "Answered"),
    Status.REFUSED: ("refuse", "Refused"),
}
FILES = {
    Form.PDF: ("application/pdf", "pdf"),
    Form.FHIR: ("application/fhir+json", "fhir.json"),
    Form.JSON: ("application/json", "json"),
}
"""Of each form: what it is to a browser, and how the file's name ends."""
ENDED = (Status.DONE, Status.REFUSED)


def actor_of(request: HttpRequest) -> Actor:
    """Return who asks."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


def living(contact_id: UUID) -> str:
    """Return the number of a contact as pages show it; raises `NotFound` for one who is not here."""
    number = contacts.numbers_of([contact_id]).get(contact_id)
    if number is None:
        raise NotFound
    return contact_number(number)


@requires(DO)
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Show every request: what waits first, the next due on top."""
    found = api.requests(actor=actor_of(request))
    numbers = contacts.numbers_of([each.contact_id for each in found])
    rows = [_row(each, numbers.get(each.contact_id)) for each in found]
    context = {"rows": rows, "overdue": api.overdue(timezone.now())}
    return render(request, "privacy/requests.html", context)


@requires(DO)
@require_safe
def show(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Show one request, what may be done about it, and what was done."""
    return _page(request, request_id, Reason(), "")


@requires(DO)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, contact_id: UUID) -> HttpResponse:
    """Record what a person asked for."""
    number = living(contact_id)
    form = Asked(request.POST or None, initial={"received_at": timezone.localdate()})
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                made = api.receive(contact_id, **form.facts(), actor=actor_of(request), at=timezone.now())
        except BadInput as fault:
            say(form, fault)
        else:
            toast(request, "Recorded. The clock runs.")
            return redirect("privacy:request", made)
    context = {"form": form, "contact_id": contact_id, "number": number}
    return render(request, "privacy/new_request.html", context, status=400 if form.errors else 200)


@requires(DO)
@require_POST
def extend(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Extend a request by 30 days, with its reason."""
    return _with_reason(request, request_id, "extend")


@requires(DO)
@require_POST
def refuse(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Refuse a request, with its reason."""
    return _with_reason(request, request_id, "refuse")


@requires(DO)
@require_POST
def approve(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Approve a request."""
    api.approve(request_id, actor=actor_of(request), at=timezone.now())
    toast(request, "Approved. Nothing was done yet.")
    return redirect("privacy:request", request_id)


@requires(DO)
@require_http_methods(["GET", "HEAD", "POST"])
def carry_out(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Ask first, then queue what was approved."""
    found = api.request(request_id, actor=actor_of(request))
    if request.method == "POST":
        api.carry_out(request_id, actor=actor_of(request), at=timezone.now())
        toast(request, "Answered." if found.kind is Kind.ACCOUNTING else "Under way.")
        return redirect("privacy:request", request_id)
    if found.status is not Status.APPROVED:
        raise Conflict("Only what is approved and not answered can be carried out.")
    context = {
        "asked": found,
        "number": _number(found.contact_id),
        "copy_days": retention.days_of(Retained.COPIES),
    }
    return render(request, "privacy/carry_out.html", context)


@requires(DO)
@require_POST
def copy(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Hand over the copy that was made, as a file in the form that the person asked for; recorded."""
    api.request(request_id, actor=actor_of(request))
    form = next((each for each in Form if each == request.POST.get("form", "")), None)
    if form is None:
        raise BadInput("Choose PDF, FHIR or JSON.", place="form")
    document = api.open_copy(request_id, form, actor=actor_of(request))
    kind, ending = FILES[form]
    return as_file(document, kind, f"record-{request_id}.{ending}")


def as_file(content: bytes, kind: str, name: str) -> HttpResponse:
    """Return a file that no cache keeps."""
    answer = HttpResponse(content, content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "no-store"
    return answer


def requests_panel(request: HttpRequest, contact_id: UUID) -> SafeString | None:
    """Return the panel of a contact's page, for those who answer requests."""
    if DO not in actor_of(request).permissions:
        return None
    found = api.requests(actor=actor_of(request), contact_id=contact_id)
    context = {"contact_id": contact_id, "rows": [_row(each, None) for each in found]}
    return render_to_string("privacy/panel.html", context, request)


def _with_reason(request: HttpRequest, request_id: UUID, act: str) -> HttpResponse:
    form = Reason(request.POST, auto_id=f"{act}_%s")
    if form.is_valid():
        do = api.extend if act == "extend" else api.refuse
        try:
            with transaction.atomic():
                do(request_id, reason=form.cleaned_data["reason"], actor=actor_of(request), at=timezone.now())
        except BadInput as fault:
            say(form, fault)
        else:
            toast(request, "Extended." if act == "extend" else "Refused.")
            return redirect("privacy:request", request_id)
    return _page(request, request_id, form, act)


def _page(request: HttpRequest, request_id: UUID, form: Reason, act: str) -> HttpResponse:
    found = api.request(request_id, actor=actor_of(request))
    number = _number(found.contact_id)
    context = {
        "row": _row(found, None),
        "asked": found,
        "number": number,
        "law": api.DUE[found.kind][1],
        "by": identity.staff_names([found.decided_by]).get(found.decided_by) if found.decided_by else "",
        "steps": [(step, _erased(step)) for step in api.steps(request_id)],
        "copy_made_at": api.copy_made_at(request_id),
        "copy_days": retention.days_of(Retained.COPIES),
        "held_since": retention.held_since(found.contact_id)
        if found.kind is Kind.ERASURE and found.status not in ENDED
        else None,
        "extend_form": form if act == "extend" else Reason(auto_id="extend_%s"),
        "refuse_form": form if act == "refuse" else Reason(auto_id="refuse_%s"),
        "may_extend": found.status not in ENDED and not found.extended and found.due_at >= timezone.now(),
        "is_open": found.status is Status.OPEN,
        "is_approved": found.status is Status.APPROVED,
        "is_accounting": found.kind is Kind.ACCOUNTING,
    }
    return render(request, "privacy/request.html", context, status=400 if form.errors else 200)


def _erased(step: Step) -> str:
    """Return what a part erased, in words; empty for nothing."""
    counts = step.left.erased.items()
    return ", ".join(f"{count:,} {what.replace('_', ' ')}" for what, count in counts if count)


def _number(contact_id: UUID) -> str:
    """Return the number of a contact, empty for one who was erased."""
    number = contacts.numbers_of([contact_id]).get(contact_id)
    return "" if number is None else contact_number(number)


def _row(asked: PersonRequest, number: int | None) -> dict[str, Any]:
    days = (asked.due_at - timezone.now()).days
    waits = asked.status not in ENDED
    due = ("broke", "Overdue") if days < 0 else ("wait", "Soon") if days <= SOON_DAYS else None
    return {
        "asked": asked,
        "kind": KINDS[asked.kind],
        "number": contact_number(number) if number is not None else "",
        "tag": TAGS[asked.status],
        "due": due if waits else None,
    }
