"""The tables of audiences: segments and frozen memberships, both sealed."""

from __future__ import annotations

from django.db import models

from salus.platform.tenancy import TenantModel


class SegmentRow(TenantModel):
    """A segment. Its name is free text of staff and its tree may hold any value: both are sealed."""

    id = models.UUIDField(primary_key=True, editable=False)
    version = models.IntegerField()
    sealed = models.BinaryField()
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        """Lists go by the time of the last change."""

        db_table = "audiences_segment"
        indexes = [models.Index(fields=["organization_id", "-changed_at"], name="audiences_segment_recent")]


class FrozenRow(TenantModel):
    """Who was in a segment at one change number: never changed, never deleted."""

    id = models.UUIDField(primary_key=True, editable=False)
    segment_id = models.UUIDField()
    segment_version = models.IntegerField()
    change = models.BigIntegerField()
    count = models.BigIntegerField()
    frozen_at = models.DateTimeField()
    sealed = models.BinaryField()
    """What was asked: the segment's name and tree, what it reads, the moment and zone."""
    sealed_members = models.BinaryField()
    """The serialized 64-bit roaring bitmap of contact numbers."""

    class Meta(TenantModel.Meta):
        """The latest membership of a segment is asked for."""

        db_table = "audiences_frozen"
        indexes = [
            models.Index(fields=["organization_id", "segment_id", "-id"], name="audiences_frozen_latest")
        ]
