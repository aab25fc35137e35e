"""The tables of duplicates: merges with what they moved, and pairs that somebody told apart."""

from __future__ import annotations

from django.db import models

from salus.kernel.joining import GivenBy
from salus.platform.tenancy import TenantModel


class MergeRow(TenantModel):
    """One merge; `sealed` holds why and what each package moved, `sealed_end` why it was taken apart."""

    id = models.UUIDField(primary_key=True, editable=False)
    kept_id = models.UUIDField()
    gone_id = models.UUIDField()
    kept_number = models.BigIntegerField()
    gone_number = models.BigIntegerField()
    at = models.DateTimeField()
    by_id = models.UUIDField()
    sealed = models.BinaryField()
    ended_at = models.DateTimeField(null=True)
    ended_by_id = models.UUIDField(null=True)
    given_by = models.CharField(max_length=6, default="", choices=[(each, each) for each in GivenBy])
    sealed_end = models.BinaryField(null=True)

    class Meta(TenantModel.Meta):
        """Listed newest first, and by either person."""

        db_table = "duplicates_merge"
        indexes = [
            models.Index(fields=["organization_id", "-at"], name="duplicates_merge_at"),
            models.Index(fields=["organization_id", "kept_id"], name="duplicates_merge_kept"),
            models.Index(fields=["organization_id", "gone_id"], name="duplicates_merge_gone"),
        ]


class ApartRow(TenantModel):
    """Two contacts, the lower id first, of whom somebody said that they are not the same person."""

    pk = models.CompositePrimaryKey("organization_id", "first_id", "second_id")
    first_id = models.UUIDField()
    second_id = models.UUIDField()
    at = models.DateTimeField()
    by_id = models.UUIDField()

    class Meta(TenantModel.Meta):
        """Once a pair."""

        db_table = "duplicates_apart"
