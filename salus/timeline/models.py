"""The table of events, which only grows."""

from __future__ import annotations

from django.db import models

from salus.platform.tenancy import TenantModel


class EventRow(TenantModel):
    """One event. Kind, time and details are sealed: "discharge, 3 May" beside a person is PHI.

    `key` is the blind index of the event's own key, so that the same event is stored once;
    `message_id` ties engagement to a message.
    """

    pk = models.CompositePrimaryKey("organization_id", "number")
    number = models.BigIntegerField()
    contact_id = models.UUIDField()
    key = models.BinaryField(max_length=16)
    message_id = models.UUIDField(null=True)
    recorded_at = models.DateTimeField()
    sealed = models.BinaryField()

    class Meta(TenantModel.Meta):
        """Followed by number, read by contact: all of one (the unique index) or what is new of many."""

        db_table = "timeline_event"
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "contact_id", "key"], name="timeline_event_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["organization_id", "contact_id", "recorded_at"], name="timeline_event_recent"
            )
        ]
