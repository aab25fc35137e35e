"""The one table of reports: how the audit log was found when it was last verified."""

from __future__ import annotations

from django.db import models

from salus.platform.tenancy import TenantModel, current_organization


class LastVerification(TenantModel):
    """The last verification of an organization's log; what it found is counted, never told again."""

    organization_id = models.UUIDField(primary_key=True, default=current_organization, editable=False)
    at = models.DateTimeField()
    verified = models.BooleanField()
    entries = models.BigIntegerField()
    faults = models.IntegerField()
    first_fault = models.BigIntegerField(null=True)
    """The first position that does not match, None when all do or the fault is of the log as a whole."""
    seconds = models.FloatField()

    class Meta(TenantModel.Meta):
        """One row an organization."""

        db_table = "reports_lastverification"
