"""The register's tables; whatever staff wrote, addresses and secrets are sealed."""

from __future__ import annotations

from django.db import models

from salus.kernel.ids import new_id
from salus.platform.tenancy import TenantModel
from salus.vendors.contracts import Kind


class VendorRow(TenantModel):
    """One vendor; `sealed` holds its name and a note."""

    id = models.UUIDField(primary_key=True, default=new_id)
    sealed = models.BinaryField()
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        """A register of dozens."""

        db_table = "vendors_vendor"


class AgreementRow(TenantModel):
    """One agreement (business associate agreement, 45 CFR 164.504(e)); `sealed` holds a note."""

    id = models.UUIDField(primary_key=True, default=new_id)
    vendor = models.ForeignKey(VendorRow, on_delete=models.PROTECT, related_name="+")
    sealed = models.BinaryField()
    signed_on = models.DateField(null=True)
    valid_until = models.DateField(null=True)
    agent = models.BooleanField()
    report_hours = models.IntegerField()
    clauses = models.JSONField(default=list)
    ended_on = models.DateField(null=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.UUIDField(null=True)

    class Meta(TenantModel.Meta):
        """Read by vendor, newest first."""

        db_table = "vendors_agreement"
        indexes = [
            models.Index(
                fields=["organization_id", "vendor", "-recorded_at"], name="vendors_agreement_newest"
            )
        ]


class ServiceRow(TenantModel):
    """One service; `sealed` holds its name, its address and its signing secrets."""

    id = models.UUIDField(primary_key=True, default=new_id)
    vendor = models.ForeignKey(VendorRow, on_delete=models.PROTECT, related_name="+")
    sealed = models.BinaryField()
    kind = models.CharField(max_length=20, choices=[(kind, kind) for kind in Kind])
    may_carry = models.JSONField(default=list)
    """PHI classes and special categories, by their words."""
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        """Read by vendor, and by kind for whoever looks for one to use."""

        db_table = "vendors_service"
        indexes = [
            models.Index(fields=["organization_id", "vendor"], name="vendors_service_vendor"),
            models.Index(fields=["organization_id", "kind"], name="vendors_service_kind"),
        ]
