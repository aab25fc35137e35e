"""The log's tables: entries, the queue of those not yet in order, the order, tiles, and checkpoints."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from salus.platform.tenancy import TenantModel, current_organization


class EntryRow(TenantModel):
    """One entry; append-only. `leaf_hash` is over the canonical bytes of all other columns."""

    pk = models.CompositePrimaryKey("organization_id", "id")
    id = models.UUIDField(editable=False)
    at = models.DateTimeField()
    action = models.TextField()
    actor_kind = models.TextField()
    actor_id = models.UUIDField(null=True)
    actor_name = models.TextField()
    role = models.TextField()
    session_id = models.TextField()
    ip = models.TextField()
    object_kind = models.TextField()
    object_id = models.UUIDField(null=True)
    patient_id = models.UUIDField(null=True)
    fields = ArrayField(models.TextField())
    purpose = models.TextField()
    outcome = models.TextField()
    reason = models.TextField()
    rule_version = models.TextField()
    details = models.JSONField()
    leaf_hash = models.BinaryField()

    class Meta(TenantModel.Meta):
        """Ids grow with time, so each index gives newest first; sparse ones hold only what they name."""

        db_table = "audit_entry"
        indexes = [
            models.Index(
                "organization_id",
                "patient_id",
                "id",
                name="audit_entry_patient",
                condition=models.Q(patient_id__isnull=False),
            ),
            models.Index(
                "organization_id",
                "object_id",
                "id",
                name="audit_entry_object",
                condition=models.Q(object_id__isnull=False),
            ),
            models.Index(
                "organization_id",
                "actor_id",
                "id",
                name="audit_entry_actor",
                condition=models.Q(actor_id__isnull=False),
            ),
            models.Index("organization_id", "action", "id", name="audit_entry_action"),
            models.Index("organization_id", "at", "id", name="audit_entry_at"),
            models.Index(
                "organization_id",
                "outcome",
                "id",
                name="audit_entry_outcome",
                condition=~models.Q(outcome="ok"),
            ),
        ]


class PendingRow(TenantModel):
    """An entry that waits for its place; written with the entry, removed by the sequencer."""

    pk = models.CompositePrimaryKey("organization_id", "entry_id")
    entry_id = models.UUIDField(editable=False)

    class Meta(TenantModel.Meta):
        """The sequencer takes one organization's, oldest first."""

        db_table = "audit_pending"


class IndexRow(TenantModel):
    """The place of an entry in its organization's log; append-only."""

    pk = models.CompositePrimaryKey("organization_id", "position")
    position = models.BigIntegerField()
    entry_id = models.UUIDField()
    leaf_hash = models.BinaryField()

    class Meta(TenantModel.Meta):
        """An entry has one place."""

        db_table = "audit_index"
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "entry_id"], name="audit_index_entry_once"),
            models.CheckConstraint(condition=models.Q(position__gte=0), name="audit_index_from_zero"),
        ]


class TileRow(TenantModel):
    """A full tile, 256 hashes (C2SP tlog-tiles); append-only."""

    pk = models.CompositePrimaryKey("organization_id", "level", "number")
    level = models.SmallIntegerField()
    number = models.BigIntegerField()
    hashes = models.BinaryField()

    class Meta(TenantModel.Meta):
        """Partial tiles are in `LogRow.edge`."""

        db_table = "audit_tile"


class LogRow(TenantModel):
    """An organization's log: its size and right edge; its lock makes the sequencer one at a time."""

    organization_id = models.UUIDField(primary_key=True, default=current_organization, editable=False)
    size = models.BigIntegerField(default=0)
    edge = models.BinaryField(default=b"")

    class Meta(TenantModel.Meta):
        """One row an organization."""

        db_table = "audit_log"


class CheckpointRow(TenantModel):
    """A signed checkpoint (C2SP tlog-checkpoint); append-only."""

    pk = models.CompositePrimaryKey("organization_id", "size")
    size = models.BigIntegerField()
    root = models.BinaryField()
    note = models.TextField()
    at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        """One a size."""

        db_table = "audit_checkpoint"
