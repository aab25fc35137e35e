"""The inbox's table."""

from __future__ import annotations

from django.db import models

from salus.inbox.contracts import Status
from salus.kernel.ids import new_id
from salus.platform.tenancy import TenantModel


class TaskRow(TenantModel):
    """One task about one person, or about nobody; `sealed` holds title and instructions, `sealed_note` how it went.

    `number` is its place in the feed of ended tasks; a withdrawn one has none, nobody waits for it.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    key = models.CharField(max_length=120)
    contact_id = models.UUIDField(null=True)
    role = models.CharField(max_length=30)
    deputy = models.CharField(max_length=30, default="")
    sealed = models.BinaryField()
    sealed_note = models.BinaryField(null=True)
    status = models.CharField(max_length=10, choices=[(each, each) for each in Status], default=Status.OPEN)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    taken_by = models.UUIDField(null=True)
    taken_at = models.DateTimeField(null=True)
    ended_by = models.UUIDField(null=True)
    ended_at = models.DateTimeField(null=True)
    number = models.BigIntegerField(null=True)

    class Meta(TenantModel.Meta):
        """One task a key; the open ones by when they end, the ended ones by number."""

        db_table = "inbox_task"
        constraints = [models.UniqueConstraint(fields=["organization_id", "key"], name="inbox_task_once")]
        indexes = [
            models.Index(
                fields=["organization_id", "due_at", "id"],
                name="inbox_task_open",
                condition=models.Q(status__in=[Status.OPEN, Status.TAKEN]),
            ),
            models.Index(fields=["organization_id", "-ended_at"], name="inbox_task_ended"),
            models.Index(
                fields=["organization_id", "number"],
                name="inbox_task_settled",
                condition=models.Q(number__isnull=False),
            ),
        ]
