"""The tables of domains: how TLS to others went on a day, and what others report of ours."""

from __future__ import annotations

from django.db import models

from salus.kernel.ids import new_id
from salus.platform.tenancy import TenantModel


class TallyRow(TenantModel):
    """Sessions of one day to one domain under one policy, sealed; the id is a blind index of all three.

    The rows of a domain share `about`, a blind index of day and domain.
    """

    id = models.UUIDField(primary_key=True)
    about = models.UUIDField()
    day = models.DateField()
    sealed = models.BinaryField()
    tried_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        """Found by id; read by day."""

        db_table = "domains_tally"
        indexes = [models.Index(fields=["organization_id", "day"], name="domains_tally_day")]


class ReportRow(TenantModel):
    """A report that somebody sent about our domain, sealed: who writes to whom is patients' affair.

    `blind` is a blind index of who reports and what they call it, so that it counts once; `failed` of the
    `messages` (or sessions) did not pass.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    blind = models.BinaryField()
    kind = models.CharField(max_length=10)
    began_at = models.DateTimeField()
    came_at = models.DateTimeField()
    messages = models.BigIntegerField()
    failed = models.BigIntegerField()
    sealed = models.BinaryField()

    class Meta(TenantModel.Meta):
        """Each once; the newest first."""

        db_table = "domains_report"
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "blind"], name="domains_report_once")
        ]
        indexes = [
            models.Index(fields=["organization_id", "kind", "-began_at"], name="domains_report_newest")
        ]
