"""The page of backups: is there a fresh one, was it proven, and the evidence of both."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from salus.identity.api import requires
from salus.identity.contracts import Permission
from salus.recovery import api
from salus.recovery.contracts import Event, Run

WORDS = {Event.BACKUP: "Backup", Event.DRILL: "Drill", Event.RESTORE: "Restore"}


@requires(Permission.ORGANIZATION_SETTINGS_READ)
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Show how backups and drills stand, and what was recorded of them."""
    context = {
        "backup": api.last_run(Event.BACKUP),
        "backup_overdue": api.overdue(Event.BACKUP),
        "drill": api.last_run(Event.DRILL),
        "drill_overdue": api.overdue(Event.DRILL),
        "rows": [_row(each) for each in api.runs()],
    }
    return render(request, "recovery/list.html", context)


def _row(run: Run) -> dict[str, object]:
    facts = run.facts
    found: dict[str, object] = {"run": run, "words": WORDS[run.event]}
    if run.event is Event.BACKUP:
        found["until"] = datetime.fromisoformat(str(facts["until"]))
        found["bytes"] = facts["bytes"]
    elif run.event is Event.RESTORE:
        found["to"] = datetime.fromisoformat(str(facts["to"]))
    return found
