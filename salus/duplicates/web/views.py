"""Pages of duplicates: proposals, two records side by side, the merges and how one is taken apart."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from salus.duplicates import api
from salus.duplicates.web.forms import GIVEN_BY, Merging, Numbers, Splitting, label_of
from salus.identity.api import requires, toast
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict
from salus.kernel.joining import GivenBy
from salus.platform.web.templatetags.salus import contact_number

MERGE = Permission.CONTACTS_RECORD_MERGE


def actor_of(request: HttpRequest) -> Actor:
    """Return who asks; `requires` has set it."""
    return cast("Actor", request.actor)  # type: ignore[attr-defined]


@requires(MERGE)
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Show pairs that may be one person, with the reason; nobody's values are shown here."""
    return _proposals(request, Numbers())


def _proposals(request: HttpRequest, form: Numbers) -> HttpResponse:
    after = request.GET.get("after", "")
    found = api.propose(after, actor=actor_of(request))
    rows = [
        {"ids": each.ids, "numbers": _numbers(each.numbers), "reasons": each.reasons, "against": each.against}
        for each in found.pairs
    ]
    context = {"rows": rows, "next": found.next, "after": after, "form": form}
    return render(request, "duplicates/list.html", context, status=400 if form.errors else 200)


@requires(MERGE)
@require_POST
def find(request: HttpRequest) -> HttpResponse:
    """Compare two contacts by their numbers."""
    form = Numbers(request.POST)
    if not form.is_valid():
        return _proposals(request, form)
    return redirect("duplicates:pair", form.cleaned_data["first_id"], form.cleaned_data["second_id"])


@requires(MERGE)
@require_http_methods(["GET", "HEAD", "POST"])
def pair(request: HttpRequest, first_id: UUID, second_id: UUID) -> HttpResponse:
    """Show two records side by side; merge them."""
    actor = actor_of(request)
    compared = api.compare(first_id, second_id, actor=actor)
    numbers = _numbers(compared.numbers)
    form = Merging(request.POST or None, compared=compared, numbers=numbers)
    if request.method == "POST" and form.is_valid():
        place, choices, why = form.told()
        kept, gone = (first_id, second_id) if place == 0 else (second_id, first_id)
        try:
            with transaction.atomic():
                api.merge(kept, gone, choices, why, actor=actor, at=timezone.now())
        except (BadInput, Conflict) as fault:
            form.add_error(None, f"{fault} {fault.next_step}".strip())
        else:
            toast(request, f"Merged. {numbers[1 - place]} leads to {numbers[place]} now.")
            return redirect("contacts:show", kept)
    context: dict[str, Any] = {
        "first": first_id,
        "second": second_id,
        "numbers": numbers,
        "compared": compared,
        "rows": [
            (label_of(field), ours, theirs, field in compared.differing)
            for field, ours, theirs in compared.rows
        ],
        "form": form,
    }
    return render(request, "duplicates/pair.html", context, status=400 if form.errors else 200)


@requires(MERGE)
@require_POST
def apart(request: HttpRequest, first_id: UUID, second_id: UUID) -> HttpResponse:
    """Remember that two contacts are not the same person."""
    api.tell_apart(first_id, second_id, actor=actor_of(request), at=timezone.now())
    toast(request, "Remembered. These two are not proposed again.")
    return redirect("duplicates:list")


@requires(MERGE)
@require_safe
def merges(request: HttpRequest) -> HttpResponse:
    """Show what was merged, newest first."""
    rows = [_row(each) for each in api.merges(actor=actor_of(request))]
    return render(request, "duplicates/merges.html", {"rows": rows})


@requires(MERGE)
@require_http_methods(["GET", "HEAD", "POST"])
def merge(request: HttpRequest, merge_id: UUID) -> HttpResponse:
    """Show one merge; take it apart."""
    actor = actor_of(request)
    found = api.one_merge(merge_id, actor=actor)
    form = Splitting(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given_by = GivenBy(form.cleaned_data["given_by"])
        try:
            with transaction.atomic():
                api.split(merge_id, given_by, form.cleaned_data["why"], actor=actor, at=timezone.now())
        except (BadInput, Conflict) as fault:
            form.add_error(None, f"{fault} {fault.next_step}".strip())
        else:
            toast(request, "Taken apart. Each record has what it brought.")
            return redirect("duplicates:merge", merge_id)
    context = {
        **_row(found),
        "form": form,
        "given": GIVEN_BY[found.given_by] if found.given_by else "",
    }
    return render(request, "duplicates/merge.html", context, status=400 if form.errors else 200)


def merges_panel(request: HttpRequest, contact_id: UUID) -> SafeString | None:
    """Render what was merged into a contact, for its page; None when nothing ever was, or it is not theirs to see."""
    actor = actor_of(request)
    if MERGE not in actor.permissions:
        return None
    found = api.merges(actor=actor, contact_id=contact_id)
    if not found:
        return None
    return render_to_string("duplicates/panel.html", {"rows": [_row(each) for each in found]}, request)


def _row(found: Any) -> dict[str, Any]:
    return {
        "merge": found,
        "kept": contact_number(found.kept_number),
        "gone": contact_number(found.gone_number),
    }


def _numbers(numbers: tuple[int, int]) -> tuple[str, str]:
    return contact_number(numbers[0]), contact_number(numbers[1])
