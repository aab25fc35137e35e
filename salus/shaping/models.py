"""Shaping's tables: measures of each organization; calendars and volumes that all senders of the installation share."""

from __future__ import annotations

from django.db import models

from salus.platform.tenancy import TenantModel


class MeasureRow(TenantModel):
    """What a destination's replies set off; its name is sealed, because a small practice's mail host tells a lot.

    Senders see those of all organizations: what is for everybody binds everybody's mail.
    """

    id = models.UUIDField(primary_key=True)
    site = models.CharField(max_length=80)
    """The destination's name in the plan, else its blind index."""
    sealed = models.BinaryField()
    """The destination's name."""
    rule = models.CharField(max_length=80)
    act = models.CharField(max_length=10)
    whose = models.CharField(max_length=12)
    messages = models.CharField(max_length=20, default="")
    connections = models.IntegerField(null=True)
    to = models.CharField(max_length=80, default="")
    said = models.CharField(max_length=20, default="")
    at = models.DateTimeField()
    until = models.DateTimeField()
    times = models.IntegerField(default=1)
    """How often it was set off while it was in force."""
    lifted_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        """Read by when it ends."""

        db_table = "shaping_measure"
        indexes = [
            models.Index(fields=["organization_id", "at"], name="shaping_measure_at"),
            models.Index(
                fields=["until"], name="shaping_measure_until", condition=models.Q(lifted_at__isnull=True)
            ),
        ]


class SlotRow(models.Model):
    """A calendar of turns: its next free slot. Names of providers and of our own addresses, nothing of anybody."""

    name = models.CharField(max_length=400, primary_key=True)
    next_at = models.DateTimeField()

    class Meta:
        """One row a rate."""

        db_table = "shaping_slot"


class VolumeRow(models.Model):
    """What a source address that warms up sent, or took, of one day's volume to one destination."""

    pk = models.CompositePrimaryKey("source", "site", "day")
    source = models.CharField(max_length=253)
    site = models.CharField(max_length=80)
    day = models.DateField()
    used = models.IntegerField()

    class Meta:
        """One row a day."""

        db_table = "shaping_volume"
