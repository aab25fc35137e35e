"""Tables of reports: how the audit log was found when it was last verified, and the reviews of access to it."""

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


class AccessReviewRow(TenantModel):
    """One review of who signed in and who looked at whom; `sealed` holds the reviewer's note."""

    id = models.UUIDField(primary_key=True, editable=False)
    since = models.DateField()
    until = models.DateField()
    """The last day, included."""
    signed_by = models.UUIDField()
    signed_at = models.DateTimeField()
    finding = models.CharField(max_length=20)
    entries = models.BigIntegerField()
    outliers = models.IntegerField()
    sealed = models.BinaryField()

    class Meta(TenantModel.Meta):
        """The last days that were signed for."""

        db_table = "reports_accessreview"
        indexes = (models.Index(fields=["organization_id", "until"], name="reports_accessreview_until"),)
