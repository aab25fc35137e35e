"""What is in force at destinations, for people at a terminal and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from salus.identity.contracts import Organization
    from salus.shaping.contracts import Plan, ToldMeasure


def told(chosen: str | None, *, ended: bool, as_json: bool) -> str:
    """Return what is in force and how far addresses are that warm up: of one organization (its slug), or of all.

    With `ended` also what has ended. Raises `BadInput` for a bad shaping.toml, `NotFound` for nobody.
    """
    from django.conf import settings

    from salus.identity import api as identity
    from salus.kernel.errors import NotFound
    from salus.kernel.time import SystemClock
    from salus.platform.tenancy import acting_for
    from salus.shaping import api as shaping

    now, documents = SystemClock().now(), shaping.documents(settings.SALUS_HOME)
    organizations = (identity.find_organization(chosen),) if chosen else identity.organizations()
    if not organizations:
        raise NotFound("There is no organization yet. Run salus setup.")
    found = []
    for organization in organizations:
        with acting_for(organization.id):
            listed = [each for each in shaping.measures(now) if ended or each.stands(now)]
            found.append((organization, listed, shaping.plan(documents, organization.slug)))
    if as_json:
        return json.dumps({"organizations": [_facts(*each, now) for each in found]}, indent=2)
    return "\n".join(line for each in found for line in _lines(*each, now))


def _facts(organization: Organization, told: list[ToldMeasure], plan: Plan, now: datetime) -> dict[str, Any]:
    from salus.platform.tenancy import acting_for
    from salus.shaping import api as shaping

    with acting_for(organization.id):
        volumes = shaping.volumes(plan, now)
    return {
        "organization": organization.slug,
        "measures": [
            {
                "id": str(each.measure.id),
                "destination": each.destination,
                "act": each.measure.act,
                "whose": each.measure.whose,
                "messages": str(each.measure.messages or ""),
                "connections": each.measure.connections,
                "to": each.measure.to,
                "rule": each.rule,
                "said": each.said,
                "at": each.at.isoformat(),
                "until": each.measure.until.isoformat(),
                "times": each.times,
                "stands": each.stands(now),
                "lifted_at": each.lifted_at.isoformat() if each.lifted_at else None,
            }
            for each in told
        ],
        "warming_up": [
            {"source": each.source, "destination": each.site, "used": each.used, "most": each.most}
            for each in volumes
        ],
    }


def _lines(organization: Organization, told: list[ToldMeasure], plan: Plan, now: datetime) -> Iterator[str]:
    facts = _facts(organization, told, plan, now)
    yield f"{organization.slug}: {len(told) or 'nothing'} {'in force' if all(each.stands(now) for each in told) else 'known'}"
    for each in facts["measures"]:
        what = each["act"] + (f" {each['messages']}" if each["messages"] else "")
        what += f" {each['connections']} connections" if each["connections"] else ""
        what += f" to {each['to']}" if each["to"] else ""
        state = "" if each["stands"] else "  ended"
        yield f"  {each['destination']}: {what} for {each['whose']} until {each['until'][:16]}  {each['said']} [{each['rule']}]{state}"
    for each in facts["warming_up"]:
        most = "warm" if each["most"] is None else f"{each['used']:,} of {each['most']:,} today"
        yield f"  {each['source']} to {each['destination']}: {most}"
