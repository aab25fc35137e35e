"""The tables of permissions: the ledger that only grows, and one row a contact that sums it up."""

from __future__ import annotations

from django.db import models

from salus.kernel.ids import new_id
from salus.platform.tenancy import TenantModel


class LedgerEntry(TenantModel):
    """One entry, sealed whole: its kind and topic alone would tell what somebody is treated for."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    contact_id = models.UUIDField()
    recorded_at = models.DateTimeField()
    sealed = models.BinaryField()

    class Meta(TenantModel.Meta):
        """Read a contact at a time."""

        db_table = "permissions_entry"
        indexes = [
            models.Index(fields=["organization_id", "contact_id", "id"], name="permissions_entry_contact")
        ]


class StandingRow(TenantModel):
    """What the rules need of one contact's entries, sealed together, so that one row is one standing.

    `version` moves with every change; `change` is its place in the change feed. The ledger is the
    truth: this row can be rebuilt from it at any time.
    """

    pk = models.CompositePrimaryKey("organization_id", "contact_id")
    contact_id = models.UUIDField()
    version = models.IntegerField(default=0)
    change = models.BigIntegerField(default=0)
    sealed = models.BinaryField(default=b"")

    class Meta(TenantModel.Meta):
        """Followed by the order of changes."""

        db_table = "permissions_standing"
        indexes = [models.Index(fields=["organization_id", "change"], name="permissions_standing_change")]


class BarredRow(TenantModel):
    """An address of somebody who was erased, as its blind index alone: nobody writes there because of an old file."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    blind = models.BinaryField(max_length=16)
    channel = models.CharField(max_length=10)
    recorded_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        """Each address once."""

        db_table = "permissions_barred"
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "blind"], name="permissions_barred_once")
        ]
