"""What each actor did in a period, counted: sign-ins, looks at people, refusals; for who reviews that."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection

from salus.audit.contracts import Action, Activity, Repeated
from salus.platform.tenancy import current_organization

LOOKS = (
    Action.CONTACT_READ,
    Action.CONTACT_REVEAL,
    Action.CONTACT_SEARCH,
    Action.CONTACT_EXPORT,
    Action.PERMISSION_READ,
    Action.TIMELINE_READ,
    Action.RECEIPT_READ,
    Action.TASK_READ,
    Action.REJECT_READ,
    Action.SEGMENT_SAMPLE,
    Action.REPORT_RECIPIENTS,
    Action.REPORT_EXPORT,
    Action.JOURNEY_PEOPLE_READ,
    Action.TEMPLATE_PREVIEW,
)
"""Acts by which somebody sees who a person is or what is known of them."""
EXPORTS = (Action.CONTACT_EXPORT, Action.REPORT_EXPORT)

_COUNT = """
SELECT actor_kind, actor_id, count(*),
    count(*) FILTER (WHERE looks), count(DISTINCT patient_id) FILTER (WHERE looks),
    count(*) FILTER (WHERE action = %(reveal)s AND outcome = 'ok'),
    count(*) FILTER (WHERE action = ANY(%(exports)s) AND outcome = 'ok'),
    count(*) FILTER (WHERE looks AND (hour < %(from)s OR hour >= %(to)s)),
    count(*) FILTER (WHERE action = %(sign_in)s AND outcome = 'ok'),
    count(*) FILTER (WHERE action = %(sign_in)s AND outcome = 'refused'),
    count(*) FILTER (WHERE action = %(lock_out)s),
    count(DISTINCT ip) FILTER (WHERE action = %(sign_in)s AND outcome = 'ok'),
    count(*) FILTER (WHERE action = %(refuse)s)
FROM (
    SELECT *, action = ANY(%(looks)s) AND outcome = 'ok' AS looks,
        extract(hour FROM at AT TIME ZONE %(zone)s) AS hour
    FROM audit_entry
    WHERE organization_id = %(organization)s AND at >= %(since)s AND at < %(until)s
        AND actor_kind IN ('staff', 'api_key') AND actor_id IS NOT NULL
) AS entry
GROUP BY actor_kind, actor_id
"""

_REPEATED = """
SELECT actor_id, patient_id, count(*) FROM audit_entry
WHERE organization_id = %(organization)s AND at >= %(since)s AND at < %(until)s
    AND actor_kind = 'staff' AND patient_id IS NOT NULL AND outcome = 'ok' AND action = ANY(%(looks)s)
GROUP BY actor_id, patient_id HAVING count(*) >= %(often)s
ORDER BY count(*) DESC, actor_id, patient_id LIMIT %(most)s
"""


def activity(since: datetime, until: datetime, *, zone: str, day: tuple[int, int]) -> tuple[Activity, ...]:
    """Return what each person and key did from `since` until before `until`, who looked most first.

    `day` is from which hour to before which hour looks are no surprise, in the time zone `zone`.
    """
    given = {
        "reveal": Action.CONTACT_REVEAL,
        "exports": list(EXPORTS),
        "from": day[0],
        "to": day[1],
        "sign_in": Action.STAFF_SIGN_IN,
        "lock_out": Action.STAFF_LOCK_OUT,
        "refuse": Action.PERMISSION_REFUSE,
        "zone": zone,
    }
    rows = _run(_COUNT, since, until, **given)
    found = [Activity(str(kind), actor_id, *counts) for kind, actor_id, *counts in rows]
    return tuple(
        sorted(found, key=lambda each: (-each.patients, -each.looks, -each.entries, str(each.actor_id)))
    )


def repeated(since: datetime, until: datetime, *, often: int, most: int) -> tuple[Repeated, ...]:
    """Return who looked at the same patient `often` times or more, the most first."""
    return tuple(Repeated(*row) for row in _run(_REPEATED, since, until, often=often, most=most))


def _run(query: str, since: datetime, until: datetime, **given: Any) -> list[tuple[Any, ...]]:
    common: dict[str, Any] = {
        "organization": current_organization(),
        "since": since,
        "until": until,
        "looks": list(LOOKS),
    }
    with connection.cursor() as cursor:
        cursor.execute(query, {**common, **given})
        return list(cursor.fetchall())
