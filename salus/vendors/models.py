"""The register's tables; whatever staff wrote, addresses and secrets are sealed."""

from __future__ import annotations

from django.db import models

from salus.kernel.ids import new_id
from salus.platform.tenancy import TenantModel
from salus.vendors.contracts import Control, Duty, Kind, Owner, Relation


class VendorRow(TenantModel):
    """One vendor; `sealed` holds its name and a note."""

    id = models.UUIDField(primary_key=True, default=new_id)
    sealed = models.BinaryField()
    relation = models.CharField(
        max_length=10,
        choices=[(each, each) for each in Relation],
        default=Relation.ASSOCIATE,
        db_default="associate",
    )
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
    place = models.CharField(max_length=64, default="", db_default="")
    """Where it is, as a digest (`addresses.place`): found without a key, for also keys are kept by a service."""
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
            models.Index(fields=["organization_id", "place"], name="vendors_service_place"),
        ]


class AttestationRow(TenantModel):
    """One attestation of one control of a service; `sealed` holds by whom, and what was seen."""

    id = models.UUIDField(primary_key=True, default=new_id)
    service = models.ForeignKey(ServiceRow, on_delete=models.PROTECT, related_name="+")
    control = models.CharField(max_length=20, choices=[(each, each) for each in Control])
    sealed = models.BinaryField()
    attested_on = models.DateField()
    expires_on = models.DateField()
    recorded_at = models.DateTimeField()
    recorded_by = models.UUIDField(null=True)

    class Meta(TenantModel.Meta):
        """Never changed: the newest of a control counts."""

        db_table = "vendors_attestation"
        indexes = [
            models.Index(
                fields=["organization_id", "service", "control", "-recorded_at"],
                name="vendors_attestation_newest",
            )
        ]


class VerificationRow(TenantModel):
    """One look at whether a vendor keeps its agreement; `sealed` holds by whom, and what was seen."""

    id = models.UUIDField(primary_key=True, default=new_id)
    vendor = models.ForeignKey(VendorRow, on_delete=models.PROTECT, related_name="+")
    sealed = models.BinaryField()
    verified_on = models.DateField()
    next_on = models.DateField()
    recorded_at = models.DateTimeField()
    recorded_by = models.UUIDField(null=True)

    class Meta(TenantModel.Meta):
        """Never changed: the newest counts."""

        db_table = "vendors_verification"
        indexes = [
            models.Index(
                fields=["organization_id", "vendor", "-recorded_at"], name="vendors_verification_newest"
            )
        ]


class SubcontractorRow(TenantModel):
    """Who works for a vendor with our data; `sealed` holds name, what it does, and the proof that was seen."""

    id = models.UUIDField(primary_key=True, default=new_id)
    vendor = models.ForeignKey(VendorRow, on_delete=models.PROTECT, related_name="+")
    sealed = models.BinaryField()
    seen_on = models.DateField(null=True)
    next_on = models.DateField(null=True)
    left_at = models.DateTimeField(null=True)
    """It does not work for the vendor any more."""
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        """Read by vendor."""

        db_table = "vendors_subcontractor"
        indexes = [models.Index(fields=["organization_id", "vendor"], name="vendors_subcontractor_vendor")]


class ResponsibilityRow(TenantModel):
    """Who has a duty about a vendor's services; `sealed` holds who at our side."""

    id = models.UUIDField(primary_key=True, default=new_id)
    vendor = models.ForeignKey(VendorRow, on_delete=models.PROTECT, related_name="+")
    duty = models.CharField(max_length=20, choices=[(each, each) for each in Duty])
    owner = models.CharField(max_length=10, choices=[(each, each) for each in Owner])
    sealed = models.BinaryField()
    changed_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        """One a vendor and duty."""

        db_table = "vendors_responsibility"
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "vendor", "duty"], name="vendors_responsibility_once"
            )
        ]
