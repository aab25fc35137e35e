"""Tables of reports: how the audit log was found when it was last verified, reviews of access to it, copies of it outside."""

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


class LogCopyRow(TenantModel):
    """How far a witness or a log server of the vendor register came with its copy of the log."""

    service_id = models.UUIDField(primary_key=True, editable=False)
    hours = models.SmallIntegerField(default=1)
    """A witness is written to every so many hours at most; 0: only when somebody asks."""
    asked = models.BooleanField(default=False)
    reached = models.BigIntegerField(default=0)
    """How many entries it has, or are under the checkpoint that it has."""
    sent_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField(null=True)
    tries = models.IntegerField(default=0)
    """Attempts since the last one that went well, the one under way included."""
    reason = models.CharField(max_length=60, blank=True)
    """A word for why the last attempt failed; empty: it did not."""

    class Meta(TenantModel.Meta):
        """A handful of rows an organization."""

        db_table = "reports_logcopy"
