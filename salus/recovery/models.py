"""The one table of recovery: each organization's evidence of backups, restores and drills."""

from __future__ import annotations

from django.db import models

from salus.kernel.ids import new_id
from salus.platform.tenancy import TenantModel
from salus.recovery.contracts import Event


class RunRow(TenantModel):
    """One backup, restore or drill; counts, roots and times only. Never changed (45 CFR 164.316(b)(2)(i))."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    event = models.CharField(max_length=20, choices=[(each.value, each.value) for each in Event])
    at = models.DateTimeField()
    passed = models.BooleanField()
    facts = models.JSONField()

    class Meta(TenantModel.Meta):
        """Newest first, of one kind or all."""

        db_table = "recovery_run"
        indexes = [models.Index(fields=["organization_id", "event", "-at"], name="recovery_run_newest")]
