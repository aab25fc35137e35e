"""The tables of audiences: segments, who is on static ones, and frozen memberships; all sealed."""

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


class ListedRow(TenantModel):
    """Who of 65,536 contact numbers is on a static segment, as a sealed bitmap: many rows make one list.

    So adding a thousand people to a list of a million opens and seals a few kilobytes, and the engine
    reads only the ranges that changed.
    """

    pk = models.CompositePrimaryKey("organization_id", "segment_id", "place")
    segment_id = models.UUIDField()
    place = models.IntegerField()
    """Which numbers: those that are `place` when divided by 65,536."""
    change = models.BigIntegerField()
    """The place of the last change in the organization's feed of lists."""
    count = models.IntegerField()
    sealed = models.BinaryField()
    """The serialized roaring bitmap of the contact numbers."""

    class Meta(TenantModel.Meta):
        """Followed by change, read by segment (the primary key)."""

        db_table = "audiences_listed"
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "change"], name="audiences_listed_change")
        ]


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
