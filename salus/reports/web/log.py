"""Pages of the audit log: its health, its entries, one entry with its proof, and the button that verifies."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
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
from salus.reports.contracts import LogCopy, LogForm, Verified
from salus.reports.web.documents import entry_document
from salus.reports.web.forms import CopyHours, Entries, LogExport

FILES = {
    LogForm.CSV: ("text/csv", "log.csv"),
    LogForm.JSON: ("application/x-ndjson", "log.jsonl"),
    LogForm.SYSLOG: ("text/plain", "log.syslog"),
}
"""Media type and name of a file, by its form."""


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


@requires(Permission.AUDIT_LOG_READ)
@require_POST
def export(request: HttpRequest) -> HttpResponseBase:
    """Answer with the entries that the filters in the address let through, made while it is read."""
    form, entries = LogExport(request.POST), _entries(request)
    if not (form.is_valid() and entries.is_valid()):
        return _page(request, None, status=400)
    kind = LogForm(form.cleaned_data["form"])
    content_type, name = FILES[kind]
    host = urlsplit(settings.SALUS_PUBLIC_URL).hostname or ""
    lines = api.export_log(entries.filters(), kind, host=host, actor=_actor(request))
    return StreamingHttpResponse(
        (line.encode() for line in lines),
        content_type=f"{content_type}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@requires(Permission.AUDIT_LOG_VERIFY)
@require_POST
def copy(request: HttpRequest, service_id: UUID) -> HttpResponse:
    """Have a copy of the log sent now, or set how often a witness is written to."""
    if "hours" not in request.POST:
        api.send_copy_soon(service_id, actor=_actor(request))
        identity.toast(request, "It is being sent. Look again in a moment.")
        return redirect("reports:log")
    form = CopyHours(request.POST)
    if not form.is_valid():
        return _page(request, None, status=400)
    api.set_copy_hours(service_id, form.cleaned_data["hours"], actor=_actor(request))
    identity.toast(request, "Saved.")
    return redirect("reports:log")


def _hours(copy: LogCopy) -> CopyHours:
    return CopyHours(initial={"hours": copy.hours}, auto_id=f"copy_{copy.service_id}_%s")


def _entries(request: HttpRequest) -> Entries:
    return Entries(
        request.GET,
        find=lambda text: [(each.id, each.name) for each in identity.staff_page(like=text, limit=2)],
    )


def _page(request: HttpRequest, verified: Verified | None, status: int = 200) -> HttpResponse:
    form = _entries(request)
    form.is_valid()
    after = id_given(request.GET.get("after", ""))
    page = api.log_page(form.filters(), actor=_actor(request), after=after)
    health = api.log_health()
    context = {
        "form": form,
        "page": page,
        "rows": [(each, page.names.get(each.actor_id) if each.actor_id else None) for each in page.entries],
        "health": health,
        "copies": [(each, _hours(each)) for each in api.log_copies()],
        "verified": verified,
        "export": LogExport(),
        "asked": urlencode({name: value for name, value in request.GET.items() if value and name != "after"}),
        "narrowed": form.filters() != Filters(),
        **_paging(request, page.entries[-1].id if page.more else None, after),
    }
    return render(request, "reports/log.html", context, status=status)


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
