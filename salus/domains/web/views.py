"""The page of the sending domain: each record as it is to be published, what was found, and what to mend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from salus.domains import api
from salus.domains.contracts import Purpose, Seen, SeenRecord, Weight
from salus.identity import api as identity
from salus.identity.api import requires
from salus.identity.contracts import Permission
from salus.kernel.time import SystemClock

CLOCK = SystemClock()
GROUPS = (
    (
        "sending",
        "Mail that you send",
        (
            Purpose.SPF,
            Purpose.DKIM,
            Purpose.NEXT_DKIM,
            Purpose.DMARC,
            Purpose.ALIGNMENT,
            Purpose.PTR,
        ),
    ),
    (
        "receiving",
        "What comes back",
        (Purpose.MX, Purpose.MTA_STS, Purpose.STS_FILE, Purpose.TLS_RPT),
    ),
    ("mark", "Your mark", (Purpose.BIMI,)),
)
SHOWN = {
    Seen.THERE: ("clear", "Found"),
    Seen.WRONG: ("broke", "Not right"),
    Seen.MISSING: ("wait", "Not there"),
    Seen.UNKNOWN: ("wait", "Nobody knows"),
}
WEIGHTS = {Weight.HIGH: "Must be right", Weight.MEDIUM: "Should be right", Weight.LOW: "Better to have"}


@requires(Permission.ORGANIZATION_SETTINGS_READ)
@require_safe
def domain(request: HttpRequest) -> HttpResponse:
    """Show every record of the sending domain, as DNS has it now."""
    organization = identity.organization()
    asked = not organization.demo or bool(settings.SALUS_NAMESERVER)
    if asked:
        seen = api.check(CLOCK.now())
    else:
        seen = tuple(SeenRecord(each, Seen.UNKNOWN) for each in api.records())
    rows = [_row(place, each, asked=asked) for place, each in enumerate(seen)]
    mend = [each for each in seen if not each.is_fine]
    context = {
        "domain": organization.sending_domain,
        "asked": asked,
        "groups": [
            {"id": id, "title": title, "rows": [each for each in rows if each["purpose"] in purposes]}
            for id, title, purposes in GROUPS
        ],
        "to_mend": len(mend),
        "fine": len(seen) - len(mend),
        "worst": _worst(mend),
    }
    return render(request, "domains/domain.html", context)


def _row(place: int, seen: SeenRecord, *, asked: bool) -> dict[str, Any]:
    record = seen.record
    tag = SHOWN[seen.seen] if asked else ("", "Not asked")
    if asked and seen.seen is Seen.THERE and seen.note:
        tag = ("wait", "Found, could be better")
    elif asked and record.weight is Weight.OPTIONAL and seen.seen is Seen.MISSING:
        tag = ("", "Optional")
    return {
        "id": f"value-{place}",
        "seen": seen,
        "record": record,
        "purpose": record.purpose,
        "tag": tag,
        "weight": "" if seen.is_fine or not asked else WEIGHTS.get(record.weight, ""),
        "shows_found": bool(seen.found) and seen.found != (record.value,),
    }


def _worst(mend: Sequence[SeenRecord]) -> bool:
    return any(each.record.weight is Weight.HIGH for each in mend)
