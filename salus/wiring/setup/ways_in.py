"""Gathers how staff and directories get in, and who looks after it: facts of the posture."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.identity import api as identity
from salus.identity.contracts import Permission
from salus.keys import api as keys
from salus.privacy.contracts import WaysIn
from salus.reports import api as reports
from salus.wiring.subscriptions import REVIEW_WITHIN

SILENT = timedelta(days=30)
"""A directory that did not ask for so long takes nobody's access away."""
_WORDS = {
    "unreachable": "the provider cannot be reached",
    "out_of_scope": "the vendor register does not allow it",
    "paused": "the vendor register does not allow it",
    "signature": "its signatures do not verify with the certificates that are known",
    "unreadable": "its answers cannot be read",
    "issuer": "it names itself otherwise",
    "audience": "its answers are for somebody else",
    "encrypted": "its answers are encrypted",
    "no_role": "its groups give nobody a role",
}
"""Refusals that are about the connection and not about one person."""
_MOST = 500


def ways_in(at: datetime) -> WaysIn:
    """Return them for the organization in context."""
    providers = [(each, why) for each, why in identity.sign_on_providers() if each.active]
    ends = [max(map(keys.certificate_ends, each.certificates)) for each, _ in providers if each.certificates]
    refused = _refused({each.id for each, _ in providers})
    refused.update({each.id: "out_of_scope" for each, why in providers if why})
    directories = [
        each
        for each in identity.api_keys_of_organization()
        if each.revoked_at is None and Permission.IDENTITY_SCIM_PROVISION in each.scopes
    ]
    living = [each for each in directories if each.expires_at is None or each.expires_at > at]
    return WaysIn(
        certificates_end=min(ends, default=None),
        failing=Counter(_WORDS[why] for why in refused.values()),
        directory=bool(directories),
        directory_ends=max(
            (each.expires_at or datetime.max.replace(tzinfo=at.tzinfo) for each in living), default=at
        ),
        directories_silent=sum((each.last_used_at or each.created_at) < at - SILENT for each in living),
        examined=_examined(),
        emergencies_overdue=identity.emergency_accesses_to_review(at - REVIEW_WITHIN),
    )


def _refused(providers: set[UUID]) -> dict[UUID, str]:
    """Return by which connections nobody came in the last time, and why."""
    found: dict[UUID, str] = {}
    if not providers:
        return found
    decided: set[UUID] = set()
    for entry in audit.entries(Filters(action=Action.STAFF_SIGN_ON), limit=_MOST):
        refused = entry.outcome == "refused"
        id = entry.object_id if refused else UUID(str(entry.details["provider"]))
        if id is None or id not in providers or id in decided or (refused and entry.reason not in _WORDS):
            continue
        decided.add(id)
        if refused:
            found[id] = entry.reason
    return found


def _examined() -> datetime | None:
    """Return up to when somebody signed for having examined who looked at whom; before that, since when there is anything."""
    until = reports.access_signed_until()
    if until is not None:
        return datetime.combine(until, time.max, ZoneInfo(identity.organization().time_zone))
    first = audit.entries(limit=1, oldest_first=True)
    return first[0].at if first else None
