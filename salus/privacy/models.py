"""The tables of the privacy office: what people asked for, the copies, what each package erased, what was disclosed."""

from __future__ import annotations

from django.db import models

from salus.kernel.ids import new_id
from salus.platform.tenancy import TenantModel
from salus.privacy.contracts import Ground, Kind, Status


class RequestRow(TenantModel):
    """One request; `sealed` holds the note and the reason of an extension or refusal."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=12, choices=[(each, each) for each in Kind])
    contact_id = models.UUIDField()
    status = models.CharField(max_length=10, choices=[(each, each) for each in Status], default=Status.OPEN)
    sealed = models.BinaryField()
    received_at = models.DateTimeField()
    due_at = models.DateTimeField()
    extended = models.BooleanField(default=False)
    decided_by = models.UUIDField(null=True)
    decided_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    """When somebody last had it carried out."""
    done_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        """Listed by when they are due."""

        db_table = "privacy_request"
        indexes = [models.Index(fields=["organization_id", "due_at"], name="privacy_request_due")]


class CopyRow(TenantModel):
    """The copy that one request for access made, sealed: JSON, until it is forgotten or the person is erased."""

    request_id = models.UUIDField(primary_key=True)
    contact_id = models.UUIDField()
    made_at = models.DateTimeField()
    sealed = models.BinaryField()

    class Meta(TenantModel.Meta):
        """One a request."""

        db_table = "privacy_copy"


class StepRow(TenantModel):
    """What one package erased and keeps, in counts and words without PHI: the completion record."""

    pk = models.CompositePrimaryKey("organization_id", "request_id", "package")
    request_id = models.UUIDField()
    package = models.CharField(max_length=20)
    done_at = models.DateTimeField()
    erased = models.JSONField()
    kept = models.JSONField()

    class Meta(TenantModel.Meta):
        """One a package."""

        db_table = "privacy_step"


class DisclosureRow(TenantModel):
    """One disclosure that staff entered; `sealed` holds to whom, what and why, and what an agency stated."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    contact_id = models.UUIDField()
    at = models.DateTimeField()
    ground = models.CharField(max_length=30, choices=[(each, each) for each in Ground])
    sealed = models.BinaryField()
    suspended_until = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        """Read by person and time."""

        db_table = "privacy_disclosure"
        indexes = [
            models.Index(fields=["organization_id", "contact_id", "at"], name="privacy_disclosure_person")
        ]
