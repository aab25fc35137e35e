"""The tables of safeguards: every policy that was ever saved, and the wish of each person who has one."""

from __future__ import annotations

from django.db import models

from salus.kernel.ids import new_id
from salus.kernel.vocabulary import Protection
from salus.platform.tenancy import TenantModel


class PolicyRow(TenantModel):
    """One saved policy; `sealed` holds its text, which may name partners. The largest number is in force."""

    id = models.UUIDField(primary_key=True, default=new_id)
    number = models.IntegerField()
    sealed = models.BinaryField()
    saved_by = models.UUIDField(null=True)
    saved_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        """Append-only; two who save at once cannot both get a number."""

        db_table = "safeguards_policy"
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "number"], name="safeguards_policy_number")
        ]


class WishRow(TenantModel):
    """What one person asks for at least."""

    pk = models.CompositePrimaryKey("organization_id", "contact_id")
    contact_id = models.UUIDField()
    level = models.SmallIntegerField(choices=[(int(each), each.name) for each in Protection])
    since = models.DateTimeField()

    class Meta(TenantModel.Meta):
        """One a person; no row means no wish."""

        db_table = "safeguards_wish"
