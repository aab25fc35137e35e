"""Pages: imports, a new one, its columns and declaration, the check, the run and its rejects."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, cast
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from salus.identity.api import requires, toast
from salus.identity.contracts import Permission
from salus.intake import api
from salus.intake.contracts import (
    ENDED,
    CsvMapping,
    ImportFacts,
    ImportKind,
    ImportStatus,
    ReasonCount,
    Severity,
)
from salus.intake.web.forms import Columns, Declare
from salus.intake.web.uploading import SealingHandler
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput
from salus.kernel.phi import Phi
from salus.platform.tenancy import acting_for

KIND_WORDS = {
    ImportKind.FHIR: "Health record (FHIR)",
    ImportKind.CONTACTS_CSV: "People (CSV)",
    ImportKind.PERMISSIONS_CSV: "Permissions (CSV)",
}
TAGS = {
    ImportStatus.LOADING: ("wait", "Not described yet"),
    ImportStatus.READY: ("wait", "Ready"),
    ImportStatus.RUNNING: ("clear", "Running"),
    ImportStatus.DONE: ("clear", "Done"),
    ImportStatus.FAILED: ("broke", "Stopped"),
    ImportStatus.CANCELLED: ("", "Cancelled"),
}


def actor_of(request: HttpRequest) -> Actor:
    """Return who asks; `requires` has set it."""
    return cast("Actor", request.actor)  # type: ignore[attr-defined]


@requires(Permission.CONTACTS_IMPORT_RUN)
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Show the newest imports."""
    rows = [{"facts": one, "kind": KIND_WORDS[one.kind], "tag": TAGS[one.status]} for one in api.imports()]
    return render(request, "intake/list.html", {"rows": rows})


@requires(Permission.CONTACTS_IMPORT_RUN)
@require_safe
def new(request: HttpRequest) -> HttpResponse:
    """Offer the three kinds of import."""
    return render(request, "intake/new.html", {"fault": None})


@csrf_exempt  # the token is checked by the inner view, after our handler stands ready for the file
@requires(Permission.CONTACTS_IMPORT_RUN)
@require_POST
def upload(request: HttpRequest) -> HttpResponseBase:
    """Seal what is uploaded, and go on to describe it."""
    handler = SealingHandler(request)
    request.upload_handlers = [handler]
    response: HttpResponseBase = _uploaded(request, handler)
    if response.status_code >= 400:
        transaction.set_rollback(True)  # the sealed pieces of a refused upload are not kept
    return response


@csrf_protect
def _uploaded(request: HttpRequest, handler: SealingHandler) -> HttpResponse:
    request.FILES  # noqa: B018 - reads the body
    try:
        if handler.receiving is None:
            raise BadInput("Choose a file first.")  # noqa: TRY301
        import_id = handler.receiving.finish(actor=actor_of(request), now=_now())
    except BadInput as fault:
        return render(request, "intake/new.html", {"fault": fault}, status=422)
    return redirect("intake:describe", import_id)


def _now() -> Any:
    from salus.kernel.time import SystemClock

    return SystemClock().now()


@requires(Permission.CONTACTS_IMPORT_RUN)
@require_http_methods(["GET", "HEAD", "POST"])
def describe(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Ask where the addresses come from and where each column goes."""
    facts = api.status(import_id)
    if facts.status not in {ImportStatus.LOADING, ImportStatus.READY}:
        return redirect("intake:show", import_id)
    with_columns = facts.kind is ImportKind.CONTACTS_CSV
    headings = api.headings(import_id) if facts.kind is not ImportKind.FHIR else ()
    sample = api.sample(import_id) if with_columns else []
    mapping = _proposed(request, headings, sample) if with_columns else None
    declare = Declare(request.POST or None)
    columns = Columns(headings, mapping, request.POST or None) if mapping is not None else None
    if request.method == "POST" and declare.is_valid() and (columns is None or columns.is_valid()):
        try:
            with transaction.atomic():
                api.describe(
                    import_id,
                    declaration=declare.declaration(),
                    mapping=columns.mapping() if columns is not None else None,
                )
        except BadInput as fault:
            declare.add_error(None, _in_words(fault, headings))
        else:
            if columns is not None and request.POST.get("save_as", "").strip():
                api.save_mapping(
                    request.POST["save_as"].strip()[:100], columns.mapping(), actor=actor_of(request)
                )
            return redirect("intake:check", import_id)
    context = {
        "facts": facts,
        "kind": KIND_WORDS[facts.kind],
        "declare": declare,
        "columns": columns,
        "rows": _rows_of(columns, headings, sample) if columns is not None else [],
        "headings": headings,
        "saved": api.saved_mappings() if with_columns else [],
    }
    return render(request, "intake/describe.html", context)


def _proposed(request: HttpRequest, headings: Sequence[str], sample: list[list[Phi[str]]]) -> CsvMapping:
    """Return the mapping that the form begins with: a saved one that was asked for, else a suggestion."""
    wanted = request.GET.get("mapping", "")
    for saved in api.saved_mappings():
        if str(saved.id) == wanted:
            present = tuple(one for one in saved.mapping.columns if one.heading in headings)
            return CsvMapping(
                present, saved.mapping.defaults, saved.mapping.date, "", saved.mapping.existing_only
            )
    found = api.suggest_mapping(headings)
    dates = [
        row[headings.index(column.heading)].reveal().strip()
        for column in found.columns
        if column.target.endswith(("_date", ":birth_date"))
        for row in sample
    ]
    return CsvMapping(found.columns, date=date_format(dates))


_SHAPES = (
    (re.compile(r"(\d{1,2})/(\d{1,2})/\d{4}"), "MM/DD/YYYY", "DD/MM/YYYY"),
    (re.compile(r"(\d{1,2})-(\d{1,2})-\d{4}"), "MM-DD-YYYY", ""),
    (re.compile(r"(\d{1,2})\.(\d{1,2})\.\d{4}"), "", "DD.MM.YYYY"),
)


def date_format(dates: Sequence[str]) -> str:
    """Return the format that all of `dates` fit, "" when they are ISO or unclear: a person confirms it."""
    given = [one for one in dates if one]
    if given and all(re.fullmatch(r"(19|20)\d{6}", one) for one in given):
        return "YYYYMMDD"
    for shape, month_first, day_first in _SHAPES:
        matches = [shape.fullmatch(one) for one in given]
        if given and all(matches):
            pairs = [(int(match[1]), int(match[2])) for match in matches if match]
            if any(first > 12 for first, _ in pairs):
                return day_first
            return month_first or day_first
    return ""


def _in_words(fault: BadInput, headings: Sequence[str]) -> str:
    return f"{fault.place}: {fault.what}." if fault.place else f"{fault.what}."


def _rows_of(
    columns: Columns, headings: Sequence[str], sample: list[list[Phi[str]]]
) -> list[tuple[Any, list[bool]]]:
    """Return each column's field, and whether the sample rows have a value in it."""
    return [
        (
            columns[f"column_{index}"],
            [bool(row[index].reveal().strip()) for row in sample if index < len(row)],
        )
        for index in range(len(headings))
    ]


@requires(Permission.CONTACTS_IMPORT_RUN)
@require_safe
def check(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Show what would come in and what not, and why, before anything is written."""
    facts = api.status(import_id)
    if facts.status is ImportStatus.LOADING:
        return redirect("intake:describe", import_id)
    if facts.status is not ImportStatus.READY:
        return redirect("intake:show", import_id)
    actor = actor_of(request)
    counts, reasons = api.check(actor.organization_id, import_id, actor=actor, limit=20_000)
    context = {
        "facts": facts,
        "kind": KIND_WORDS[facts.kind],
        "counts": counts,
        "reasons": _reasons(reasons),
        "parts": [("clear", counts.taken), ("refuse", counts.rejected)],
        "partly": counts.read >= 20_000,
    }
    return render(request, "intake/check.html", context)


def _reasons(found: Sequence[ReasonCount]) -> dict[str, Any]:
    rows = [one for one in found if one.severity is Severity.ROW]
    fields = [one for one in found if one.severity is Severity.FIELD]
    return {"rows": rows, "fields": fields, "most": max((one.rows for one in found), default=1)}


@requires(Permission.CONTACTS_IMPORT_RUN)
@require_POST
def run(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Hand the import to the workers; one that stopped in the middle goes on."""
    facts = api.status(import_id)
    if facts.status in ENDED:
        return redirect("intake:show", import_id)
    api.start(import_id)
    toast(request, "The import has started. You can leave this page; it goes on.")
    return redirect("intake:show", import_id)


@requires(Permission.CONTACTS_IMPORT_RUN)
@require_POST
def cancel(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Stop an import; what is in stays in."""
    api.cancel(import_id, actor=actor_of(request))
    toast(request, "Stopped. What is in stays in, and the uploaded file is gone.")
    return redirect("intake:show", import_id)


@requires(Permission.CONTACTS_IMPORT_RUN)
@require_safe
def show(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Show how far an import is, or how it ended."""
    facts = api.status(import_id)
    if facts.status is ImportStatus.LOADING:
        return redirect("intake:describe", import_id)
    return render(request, "intake/show.html", _state(request, facts))


@requires(Permission.CONTACTS_IMPORT_RUN)
@require_safe
def now(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Return the part of the page that moves."""
    facts = api.status(import_id)
    response = render(request, "intake/parts/progress.html", _state(request, facts))
    if facts.status in ENDED:
        response["HX-Refresh"] = "true"
    return response


def _state(request: HttpRequest, facts: ImportFacts) -> dict[str, Any]:
    counts = facts.counts
    return {
        "facts": facts,
        "kind": KIND_WORDS[facts.kind],
        "tag": TAGS[facts.status],
        "moving": facts.status in {ImportStatus.READY, ImportStatus.RUNNING},
        "reasons": _reasons(api.reasons(facts.id)),
        "parts": [("clear", counts.taken), ("refuse", counts.rejected)],
        "may_see_rows": Permission.CONTACTS_PHI_REVEAL in actor_of(request).permissions,
    }


@requires(Permission.CONTACTS_PHI_REVEAL)
@require_POST
def rejects(request: HttpRequest, import_id: UUID) -> HttpResponseBase:
    """Give the rejected rows as a file to correct; it is PHI, and the download is in the log."""
    actor = actor_of(request)
    facts = api.status(import_id)
    pieces = api.rejects_file(import_id, actor=actor)
    kind, name = (
        ("application/x-ndjson", "rejects.ndjson")
        if facts.kind is ImportKind.FHIR
        else ("text/csv", "rejects.csv")
    )
    # The stream outlives the view's transaction, so each page of it enters the organization anew.
    response = StreamingHttpResponse(_in_tenant(actor.organization_id, pieces), content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _in_tenant(organization_id: UUID, pieces: Iterator[bytes]) -> Iterator[bytes]:
    while True:
        with acting_for(organization_id):
            piece = next(pieces, None)
        if piece is None:
            return
        yield piece


def address_of(import_id: UUID) -> str:
    """Return the address of an import's page."""
    return reverse("intake:show", args=[import_id])
