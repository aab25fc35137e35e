"""Reads of campaigns, opened for staff who may see them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import orjson

from salus.campaigns.contracts import Campaign, Status
from salus.campaigns.models import CampaignRow
from salus.delivery.contracts import PlanCounts
from salus.kernel.errors import NotFound
from salus.kernel.phi import Phi
from salus.keys import api as keys
from salus.platform.tenancy import current_organization

PAGE = 50


def binding(campaign_id: UUID) -> bytes:
    """Return the associated data of a campaign's sealed text."""
    return keys.binding(current_organization(), "campaigns_campaign", campaign_id)


def seal_text(campaign_id: UUID, *, name: str, note: str, signed_for: str = "") -> bytes:
    """Return a campaign's free text, sealed, with a hash of what its sign-offs were given for."""
    document = {"name": name, "note": note, "signed_for": signed_for}
    return keys.sealer().seal(orjson.dumps(document), binding(campaign_id))


def text_of(row: CampaignRow) -> dict[str, str]:
    """Return what `seal_text` sealed."""
    found: dict[str, str] = orjson.loads(keys.sealer().open(bytes(row.sealed), binding(row.id)))
    return found


def campaign(campaign_id: UUID) -> Campaign:
    """Return one campaign; raises `NotFound`."""
    row = CampaignRow.objects.filter(id=campaign_id).first()
    if row is None:
        raise NotFound
    return opened(row)


def campaigns(*, before: datetime | None = None, limit: int = PAGE) -> list[Campaign]:
    """Return campaigns, newest first, those made before `before`."""
    rows = CampaignRow.objects.order_by("-created_at")
    if before is not None:
        rows = rows.filter(created_at__lt=before)
    return [opened(row) for row in rows[:limit]]


def in_status(statuses: Collection[Status], *, limit: int = PAGE) -> list[Campaign]:
    """Return campaigns that stand so, newest first."""
    rows = CampaignRow.objects.filter(status__in=list(statuses)).order_by("-created_at")
    return [opened(row) for row in rows[:limit]]


def of_plans(plan_ids: Collection[UUID]) -> dict[UUID, Campaign]:
    """Return the campaign of each plan that is its present one."""
    rows = CampaignRow.objects.filter(plan_id__in=list(plan_ids))
    return {row.plan_id: opened(row) for row in rows if row.plan_id}


def opened(row: CampaignRow) -> Campaign:
    """Return a row as the value that others see."""
    text = text_of(row)
    return Campaign(
        id=row.id,
        name=Phi(text["name"]),
        note=Phi(text["note"]),
        status=Status(row.status),
        segment_id=row.segment_id,
        versions={language: UUID(version) for language, version in row.versions.items()},
        author_id=row.author_id,
        writers=frozenset(map(UUID, row.writers)),
        plan_id=row.plan_id,
        frozen_id=row.frozen_id,
        planned=PlanCounts(**row.planned) if row.planned else None,
        planned_people=row.planned_people,
        planned_at=row.planned_at,
        planned_by=row.planned_by,
        sign_offs={name: UUID(evidence) for name, evidence in row.sign_offs.items()},
        approved_by=row.approved_by,
        approved_at=row.approved_at,
        launch_at=row.launch_at,
        created_at=row.created_at,
        changed_at=row.changed_at,
        rules_version=row.rules_version,
        fault=row.fault,
    )
