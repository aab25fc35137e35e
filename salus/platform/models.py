"""The platform's tables: one counter row for each feed of each organization."""

from __future__ import annotations

from django.db import models

from salus.platform.tenancy import TenantModel


class FeedCounter(TenantModel):
    """The last number given out in one feed; its row lock makes number order commit order."""

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=60)
    last = models.BigIntegerField(default=0)

    class Meta(TenantModel.Meta):
        """One counter a feed and organization."""

        constraints = [models.UniqueConstraint(fields=["organization_id", "name"], name="feed_counter_once")]
