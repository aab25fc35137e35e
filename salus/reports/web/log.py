"""Pages of the audit log: its health, its entries, one entry with its proof, and the button that verifies."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import orjson
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from salus.audit.contracts import Filters
from salus.identity import api as identity
from salus.identity.api import requires
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor
from salus.platform.web.given import id_given
from salus.reports import api
from salus.reports.contracts import Verified
from salus.reports.web.documents import entry_document
from salus.reports.web.forms import Entries


@requires(Permission.AUDIT_LOG_READ)
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Show entries, newest first."""
    return _page(request, None)


@requires(Permission.AUDIT_LOG_VERIFY)
@require_POST
def verify(request: HttpRequest) -> HttpResponse:
    """Verify the whole log, and show what was found; a long one is left to the workers."""
    seconds = api.verify_log_soon(actor=_actor(request))
    if seconds is not None:
        identity.toast(request, f"The log is being verified. It took {seconds:.0f} seconds the last time.")
        return redirect("reports:log")
    return _page(request, api.verify_log(actor=_actor(request)))


@requires(Permission.AUDIT_LOG_READ)
@require_safe
def entry(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    """Show one entry, with a seal when it was just found in the log, unchanged."""
    found = api.entry_proof(entry_id, actor=_actor(request))
    context = {
        "found": found,
        "entry": found.entry,
        "name": found.names.get(found.entry.actor_id) if found.entry.actor_id else None,
        "encoded": found.evidence.encoded.decode() if found.evidence else "",
    }
    return render(request, "reports/entry.html", context)


@requires(Permission.AUDIT_LOG_READ)
@require_safe
def proof(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    """Answer with what proves an entry, for a program that is not ours."""
    found = api.entry_proof(entry_id, actor=_actor(request))
    return HttpResponse(
        orjson.dumps(entry_document(found), option=orjson.OPT_INDENT_2),
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="entry-{entry_id}.json"'},
    )


def _page(request: HttpRequest, verified: Verified | None) -> HttpResponse:
    people = [(each.id, each.name) for each in identity.staff_members()]
    form = Entries(request.GET if request.method == "GET" else {}, people=people)
    form.is_valid()
    after = id_given(request.GET.get("after", ""))
    page = api.log_page(form.filters(), actor=_actor(request), after=after)
    health = api.log_health()
    context = {
        "form": form,
        "page": page,
        "rows": [(each, page.names.get(each.actor_id) if each.actor_id else None) for each in page.entries],
        "health": health,
        "verified": verified,
        "narrowed": form.filters() != Filters(),
        **_paging(request, page.entries[-1].id if page.more else None, after),
    }
    return render(request, "reports/log.html", context)


def _paging(request: HttpRequest, last: UUID | None, after: UUID | None) -> dict[str, Any]:
    here = reverse("reports:log")
    kept = {name: value for name, value in request.GET.items() if value and name != "after"}
    return {
        "first_url": f"{here}?{urlencode(kept)}" if after else "",
        "next_url": f"{here}?{urlencode({**kept, 'after': str(last)})}" if last else "",
    }


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor
