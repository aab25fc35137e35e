"""The first page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from salus.identity.api import requires
from salus.reports import api
from salus.reports.web.charts import chart
from salus.reports.web.live import bar_of
from salus.reports.web.words import waiting


@requires(None)
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show what waits for this person, what is being sent, the week, and what comes next."""
    page = api.home_page(actor=request.actor)  # type: ignore[attr-defined]
    context = {
        "page": page,
        "headline": waiting(len(page.todos)),
        "today": timezone.localdate(),
        "live": [(each, bar_of(each.outcomes)) for each in page.live],
        "chart": chart(page.week) if page.week and page.week.planned else None,
    }
    return render(request, "reports/home.html", context)
