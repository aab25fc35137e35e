"""The inbox's table."""

from __future__ import annotations

from django.db import models

from salus.inbox.contracts import Side, Status
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


class ConversationRow(TenantModel):
    """A conversation with one patient, about the message it began with."""

    id = models.UUIDField(primary_key=True, default=new_id)
    contact_id = models.UUIDField()
    message_id = models.UUIDField()
    waiting = models.BooleanField(default=False)
    begun_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        """One a message; those that wait by how long, all by when they went on."""

        db_table = "inbox_conversation"
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "message_id"], name="inbox_conversation_once")
        ]
        indexes = [
            models.Index(
                fields=["organization_id", "last_at", "id"],
                name="inbox_conversation_waiting",
                condition=models.Q(waiting=True),
            ),
            models.Index(fields=["organization_id", "-last_at", "-id"], name="inbox_conversation_last"),
            models.Index(fields=["organization_id", "contact_id"], name="inbox_conversation_contact"),
        ]


class EntryRow(TenantModel):
    """One thing that was written: a patient's words, sealed, or which letter of staff."""

    id = models.UUIDField(primary_key=True, default=new_id)
    conversation = models.ForeignKey(ConversationRow, on_delete=models.CASCADE, related_name="+")
    contact_id = models.UUIDField()
    side = models.CharField(max_length=10, choices=[(each, each) for each in Side])
    sealed = models.BinaryField(null=True)
    message_id = models.UUIDField(null=True)
    """Staff: the letter. Patient: the message that they answered."""
    by = models.UUIDField(null=True)
    at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        """Read in order; a patient's counted for the limits; a letter is in one conversation."""

        db_table = "inbox_entry"
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "message_id"],
                name="inbox_entry_letter_once",
                condition=models.Q(side=Side.STAFF),
            ),
            models.CheckConstraint(
                condition=models.Q(side=Side.PATIENT, sealed__isnull=False)
                | models.Q(side=Side.STAFF, message_id__isnull=False, sealed=None),
                name="inbox_entry_words",
            ),
        ]
        indexes = [
            models.Index(fields=["organization_id", "conversation", "at", "id"], name="inbox_entry_order"),
            models.Index(
                fields=["organization_id", "contact_id", "-at"],
                name="inbox_entry_patient",
                condition=models.Q(side=Side.PATIENT),
            ),
        ]
