"""Pages of the accounting of one person: what was disclosed, what is not listed and why, an entry, the file."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from salus.identity.api import requires, toast
from salus.kernel.errors import BadInput, NotFound
from salus.privacy import api
from salus.privacy.contracts import Accounting, To
from salus.privacy.web.forms import GROUNDS, DisclosureForm, SuspensionForm, say
from salus.privacy.web.requests import DO, actor_of, as_file, living

LONG_AGO = datetime(1970, 1, 2, tzinfo=UTC)
"""The accounting itself goes six years back at most."""
TO = {To.REPRESENTATIVE: "Personal representative", To.VENDOR: "Vendor"}


@requires(DO)
@require_http_methods(["GET", "HEAD", "POST"])
def accounting(request: HttpRequest, contact_id: UUID) -> HttpResponse:
    """Show what was disclosed of a person, and take in a disclosure that was made outside Salus."""
    number = living(contact_id)
    form = DisclosureForm(request.POST or None, initial={"at": timezone.localdate()})
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                api.record_disclosure(contact_id, form.facts(), actor=actor_of(request), at=timezone.now())
        except BadInput as fault:
            say(form, fault)
        else:
            toast(request, "Recorded.")
            return redirect("privacy:accounting", contact_id)
    found = _accounting(request, contact_id)
    context = {
        "form": form,
        "contact_id": contact_id,
        "number": number,
        "found": found,
        "told": [
            (each, GROUNDS[each.facts.ground], each.facts.ground in api.SUSPENDING) for each in found.told
        ],
        "sent": [(each, TO[each.to]) for each in found.sent],
        "exempt": [(ground, count, api.EXEMPT[ground]) for ground, count in found.exempt.items()],
    }
    return render(request, "privacy/accounting.html", context, status=400 if form.errors else 200)


@requires(DO)
@require_http_methods(["GET", "HEAD", "POST"])
def suspend(request: HttpRequest, contact_id: UUID, disclosure_id: UUID) -> HttpResponse:
    """Leave a disclosure to an agency out for a time, because it asked for it."""
    number = living(contact_id)
    found = _accounting(request, contact_id)
    one = next((each for each in (*found.told, *found.suspended) if each.id == disclosure_id), None)
    if one is None or one.facts.ground not in api.SUSPENDING:
        raise NotFound
    form = SuspensionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                api.suspend(
                    contact_id, disclosure_id, form.facts(), actor=actor_of(request), at=timezone.now()
                )
        except BadInput as fault:
            say(form, fault)
        else:
            toast(request, "Suspended. It is told again by itself.")
            return redirect("privacy:accounting", contact_id)
    context = {"form": form, "contact_id": contact_id, "number": number, "one": one}
    return render(request, "privacy/suspend.html", context, status=400 if form.errors else 200)


@requires(DO)
@require_POST
def download(request: HttpRequest, contact_id: UUID) -> HttpResponse:
    """Give the accounting as a text that the person can read."""
    living(contact_id)
    language = request.POST.get("language", "")
    if language not in api.LANGUAGES:
        raise BadInput("Choose English or Spanish.", place="language")
    text = api.letter(_accounting(request, contact_id), language, timezone.get_current_timezone())
    return as_file(text.encode(), "text/plain; charset=utf-8", f"accounting-{contact_id}.txt")


def _accounting(request: HttpRequest, contact_id: UUID) -> Accounting:
    return api.accounting(contact_id, since=LONG_AGO, actor=actor_of(request), at=timezone.now())
