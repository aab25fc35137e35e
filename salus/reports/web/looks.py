"""Who looked at one person's record: the page, and the panel of the contact's page that leads there."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from salus.identity.api import requires
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor
from salus.platform.web.given import id_given
from salus.reports import api


@requires(Permission.AUDIT_LOG_READ)
@require_safe
def listing(request: HttpRequest, contact_id: UUID) -> HttpResponse:
    """Show who looked, when, at which fields and what for; that somebody asked is recorded."""
    after = id_given(request.GET.get("after", ""))
    page = api.looks_at(contact_id, actor=_actor(request), after=after)
    here = reverse("reports:looks", args=[contact_id])
    context = {
        "contact_id": contact_id,
        "rows": [(each, page.names.get(each.actor_id) if each.actor_id else None) for each in page.entries],
        "first_url": here if after else "",
        "next_url": f"{here}?after={page.entries[-1].id}" if page.more else "",
    }
    return render(request, "reports/looks.html", context)


def looks_panel(request: HttpRequest, contact_id: UUID) -> SafeString | None:
    """Return the panel of a contact's page, for roles that may read the log."""
    if Permission.AUDIT_LOG_READ not in _actor(request).permissions:
        return None
    return render_to_string("reports/looks_panel.html", {"contact_id": contact_id}, request)


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor
