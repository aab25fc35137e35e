"""The page of reports about the sending domain, and the door for those that came elsewhere."""

from __future__ import annotations

from collections import Counter

from django import forms
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST, require_safe

from salus.domains import api
from salus.domains.contracts import Became, Overview
from salus.domains.web.charts import chart
from salus.identity import api as identity
from salus.identity.api import requires, toast
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor
from salus.kernel.time import SystemClock

CLOCK = SystemClock()
WORDS = {
    Became.TAKEN: "taken",
    Became.KNOWN: "known already",
    Became.OF_OTHERS: "about another domain",
    Became.UNREADABLE: "no report that can be read",
    Became.TOO_LARGE: "unpacks to more than a report has",
    Became.TOO_MANY: "not taken: too many came today",
}
RESULTS = {
    "starttls-not-supported": "Your host offered no encryption",
    "certificate-host-mismatch": "The certificate was for another name",
    "certificate-expired": "The certificate had expired",
    "certificate-not-trusted": "The certificate was from nobody they trust",
    "validation-failure": "Another fault of the connection",
    "tlsa-invalid": "The TLSA records were not right",
    "dnssec-invalid": "The signatures in DNS did not hold",
    "dane-required": "They demand DANE, and there was none",
    "sts-policy-fetch-error": "The policy file could not be fetched",
    "sts-policy-invalid": "The policy file was not right",
    "sts-webpki-invalid": "The certificate of the policy's web server did not hold",
    "not-said": "They did not say why",
}


class UploadForm(forms.Form):
    """A report as it came: XML, JSON, zip, gzip, or the mail that it came in."""

    report = forms.FileField(
        label="A report that came elsewhere",
        help_text="As it came: .xml, .json, .zip, .gz, or the mail as a file (.eml). 2.5 MB at most.",
        error_messages={"required": "Choose a file of at most 2.5 MB."},
    )


@requires(Permission.ORGANIZATION_SETTINGS_READ)
@require_safe
def reports(request: HttpRequest) -> HttpResponse:
    """Show what others report."""
    return _page(request, UploadForm())


@csrf_exempt  # the token is checked by the inner view, after our handler stands ready for the file
@requires(Permission.ORGANIZATION_SETTINGS_EDIT)
@require_POST
def take(request: HttpRequest) -> HttpResponseBase:
    """Take a report from a file, in memory."""
    request.upload_handlers = [MemoryFileUploadHandler(request)]
    answer: HttpResponseBase = _take(request)
    return answer


@csrf_protect
def _take(request: HttpRequest) -> HttpResponse:
    form = UploadForm(request.POST, request.FILES)
    if form.is_valid():
        raw = form.cleaned_data["report"].read()
        became = Counter(api.upload_report(raw, actor=_actor(request), at=CLOCK.now()))
        said = ", ".join(f"{count} {WORDS[what]}" for what, count in became.items())
        if became[Became.TAKEN]:
            toast(request, f"Reports: {said}.")
            return redirect("domains:reports")
        form.add_error("report", f"Nothing was kept: {said}.")
    return _page(request, form)


def _page(request: HttpRequest, form: UploadForm) -> HttpResponse:
    now = CLOCK.now()
    dmarc, tls = api.overview(api.DMARC, now), api.overview(api.TLS, now)
    context = {
        "domain": identity.organization().sending_domain,
        "kinds": [
            _kind("dmarc", "Who sends in your name", "messages", dmarc),
            _kind("tls", "TLS to your mail host", "sessions", tls),
        ],
        "sources": dmarc.sources,
        "results": [(RESULTS.get(result, result), count) for result, count in tls.results],
        "form": form,
        "edits": Permission.ORGANIZATION_SETTINGS_EDIT in _actor(request).permissions,
    }
    return render(request, "domains/reports.html", context, status=422 if form.errors else 200)


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


def _kind(id: str, title: str, unit: str, found: Overview) -> dict[str, object]:
    says = (
        f"{found.count} reports of the last {len(found.days)} days: {found.passed} {unit} passed, "
        f"{found.failed} did not. The table below has each day."
    )
    return {
        "id": id,
        "title": title,
        "unit": unit,
        "found": found,
        "chart": chart(found.days),
        "says": says,
        "days": [each for each in found.days if each.passed or each.failed],
    }
