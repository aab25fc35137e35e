"""The tables of retention: legal holds and whom they cover, the organization's rules, and what was emptied."""

from __future__ import annotations

from django.db import models

from salus.kernel.ids import new_id
from salus.platform.tenancy import TenantModel


class HoldRow(TenantModel):
    """One legal hold; `sealed` holds its reason and reference, `sealed_end` why it was lifted."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    everybody = models.BooleanField()
    """It is on the whole organization."""
    sealed = models.BinaryField()
    put_by = models.UUIDField(null=True)
    put_at = models.DateTimeField()
    sealed_end = models.BinaryField(null=True)
    lifted_by = models.UUIDField(null=True)
    lifted_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        """Few; a lifted one stays as documentation."""

        db_table = "retention_hold"


class HeldRow(TenantModel):
    """One record that a hold covers: the person's own, and those that were or are merged with it."""

    pk = models.CompositePrimaryKey("organization_id", "hold_id", "contact_id")
    hold = models.ForeignKey(HoldRow, on_delete=models.PROTECT, related_name="held")
    contact_id = models.UUIDField()

    class Meta(TenantModel.Meta):
        """Found by person too."""

        db_table = "retention_held"
        indexes = [models.Index(fields=["organization_id", "contact_id"], name="retention_held_person")]


class RuleRow(TenantModel):
    """How many days one kind is kept, as the organization set it; None: until its person is erased."""

    pk = models.CompositePrimaryKey("organization_id", "kind")
    kind = models.CharField(max_length=20)
    days = models.IntegerField(null=True)

    class Meta(TenantModel.Meta):
        """One a kind; the usual time holds where there is none."""

        db_table = "retention_rule"


class TallyRow(TenantModel):
    """What was emptied of one kind so far, how much of the present run is left, and when it moved last."""

    pk = models.CompositePrimaryKey("organization_id", "kind")
    kind = models.CharField(max_length=20)
    emptied = models.BigIntegerField(default=0)
    left = models.BigIntegerField(default=0)
    at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        """One a kind."""

        db_table = "retention_tally"
