"""What a version is for: proposed by one person, confirmed or sent back by another."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from salus.content import api
from salus.content.web.forms import ClassificationForm
from salus.content.web.views import show_again
from salus.identity.api import requires, toast
from salus.identity.contracts import Permission


@requires(Permission.CONTENT_TEMPLATE_EDIT)
@require_POST
def classify(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Propose a classification."""
    form = ClassificationForm(request.POST)
    if form.is_valid():
        proposed = form.classification()
        problems = api.check_classification(proposed)
        if not problems:
            api.classify(version_id, proposed, actor=request.actor)  # type: ignore[attr-defined]
            toast(request, "Proposed. Somebody else confirms it.")
            return redirect("content:version", version_id)
        for problem in problems:
            form.add_error(problem.place, f"{problem.what} {problem.next_step}".strip())
    return show_again(request, version_id, form)


@requires(Permission.CONTENT_TEMPLATE_REVIEW)
@require_POST
def confirm(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Agree with the proposal that stands."""
    api.confirm_classification(version_id, actor=request.actor)  # type: ignore[attr-defined]
    toast(request, "Confirmed. Campaigns may use this version.")
    return redirect("content:version", version_id)


@requires(Permission.CONTENT_TEMPLATE_REVIEW)
@require_POST
def decline(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Send the proposal back with a note."""
    note = request.POST.get("note", "").strip()[:2_000]
    api.decline_classification(version_id, note=note, actor=request.actor)  # type: ignore[attr-defined]
    toast(request, "Sent back.")
    return redirect("content:version", version_id)
