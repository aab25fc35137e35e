"""The campaigns' table."""

from __future__ import annotations

from django.db import models

from salus.campaigns.contracts import Status
from salus.kernel.ids import new_id
from salus.platform.tenancy import TenantModel


class CampaignRow(TenantModel):
    """One campaign; `sealed` holds its name and the approver's note."""

    id = models.UUIDField(primary_key=True, default=new_id)
    sealed = models.BinaryField()
    status = models.CharField(max_length=12, choices=[(each, each) for each in Status], default=Status.DRAFT)
    segment_id = models.UUIDField()
    versions = models.JSONField()
    """Template version ids by language."""
    author_id = models.UUIDField(null=True)
    writers = models.JSONField(default=list)
    """Ids of everybody who wrote in it: none of them approves it."""
    plan_id = models.UUIDField(null=True)
    """The delivery origin of the present plan: each planning makes a new one."""
    frozen_id = models.UUIDField(null=True)
    planned = models.JSONField(null=True)
    planned_people = models.BigIntegerField(null=True)
    planned_at = models.DateTimeField(null=True)
    planned_by = models.UUIDField(null=True)
    rules_version = models.CharField(max_length=40, default="")
    fault = models.CharField(max_length=300, default="")
    """Why planning stopped: an error's own words, which hold no PHI."""
    sign_offs = models.JSONField(default=dict)
    """Evidence that the gate asked for (a safety flag, a waiver...), by name: the id of its log entry."""
    approved_by = models.UUIDField(null=True)
    approved_at = models.DateTimeField(null=True)
    launch_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        """Listed newest first."""

        db_table = "campaigns_campaign"
        indexes = [
            models.Index(fields=["organization_id", "-created_at"], name="campaigns_newest"),
            models.Index(fields=["organization_id", "status", "launch_at"], name="campaigns_due"),
            models.Index(fields=["organization_id", "plan_id"], name="campaigns_plan"),
        ]
