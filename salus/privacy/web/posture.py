"""The posture page: what is not as it should be, why, and how it is mended; and what is in order."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from salus.identity.api import requires
from salus.identity.contracts import Permission
from salus.privacy import api
from salus.privacy.contracts import Ruleset, Severity

TAGS = {
    Severity.HIGH: ("broke", "Today"),
    Severity.MEDIUM: ("wait", "Soon"),
    Severity.LOW: ("", "When there is time"),
}


@requires(Permission.ORGANIZATION_SETTINGS_READ)
@require_safe
def posture(request: HttpRequest) -> HttpResponse:
    """Look at everything now and show what was found, the worst first."""
    ruleset = Ruleset.LAW if request.GET.get("rules") == Ruleset.LAW else Ruleset.PROPOSED
    report = api.posture(timezone.now(), ruleset)
    context = {
        "report": report,
        "rows": [{"finding": each, "tag": TAGS[each.severity]} for each in report.findings],
        "only_law": ruleset is Ruleset.LAW,
    }
    return render(request, "privacy/posture.html", context)
