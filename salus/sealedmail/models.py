"""Tables of sealed mail: keys of others, the organization's own, whom it trusts, what it chose."""

from __future__ import annotations

from django.db import models

from salus.kernel.ids import new_id
from salus.platform.tenancy import TenantModel
from salus.sealedmail.contracts import Found, KeyKind, Revocation, Source, Use, Vouched


class KeyRow(TenantModel):
    """A key of a person, or (no `contact_id`) of a partner's domain.

    A public key is public elsewhere: in clear it would tell who the person is. So the key, its fingerprint, the
    address and what it says of its holder are sealed; in clear stands only when it is used.
    """

    id = models.UUIDField(primary_key=True, default=new_id)
    contact_id = models.UUIDField(null=True)
    kind = models.CharField(max_length=8, choices=[(each, each) for each in KeyKind])
    sealed = models.BinaryField()
    source = models.CharField(max_length=8, choices=[(each, each) for each in Source])
    vouched = models.CharField(max_length=12, choices=[(each, each) for each in Vouched])
    not_before = models.DateTimeField(null=True)
    not_after = models.DateTimeField(null=True)
    added_at = models.DateTimeField()
    refreshed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    why = models.CharField(max_length=12, default="", choices=[(each, each) for each in Revocation])
    """Why it is revoked; empty for one that another replaced."""

    class Meta(TenantModel.Meta):
        """Found by person; those of domains, and those in use, apart."""

        db_table = "sealedmail_key"
        indexes = [
            models.Index(fields=["organization_id", "contact_id"], name="sealedmail_key_contact"),
            models.Index(
                fields=["organization_id", "not_after"],
                name="sealedmail_key_ends",
                condition=models.Q(ended_at=None),
            ),
        ]


class OwnRow(TenantModel):
    """What the organization signs with, one of each kind; certificate and secret key are sealed together."""

    id = models.UUIDField(primary_key=True, default=new_id)
    kind = models.CharField(max_length=8, choices=[(each, each) for each in KeyKind])
    sealed = models.BinaryField()
    self_signed = models.BooleanField(default=False)
    not_after = models.DateTimeField(null=True)
    added_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        """One a kind."""

        db_table = "sealedmail_own"
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "kind"], name="sealedmail_own_once")
        ]


class AnchorRow(TenantModel):
    """An authority that the organization trusts to vouch for mail certificates: public, and nobody's secret."""

    id = models.UUIDField(primary_key=True, default=new_id)
    certificate = models.BinaryField()
    fingerprint = models.CharField(max_length=64)
    not_after = models.DateTimeField()
    added_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        """Each once."""

        db_table = "sealedmail_anchor"
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "fingerprint"], name="sealedmail_anchor_once")
        ]


class ChoiceRow(TenantModel):
    """When keys are used, and whether directories are asked; without a row: when needed, and no."""

    pk = models.CompositePrimaryKey("organization_id", "only")
    only = models.BooleanField(default=True)
    use = models.CharField(max_length=12, choices=[(each, each) for each in Use])
    look_up = models.BooleanField()

    class Meta(TenantModel.Meta):
        """One an organization."""

        db_table = "sealedmail_choice"


class LookRow(TenantModel):
    """When a directory was asked for a person's key last, and what it brought."""

    pk = models.CompositePrimaryKey("organization_id", "contact_id")
    contact_id = models.UUIDField()
    at = models.DateTimeField()
    found = models.CharField(max_length=8, choices=[(each, each) for each in Found])

    class Meta(TenantModel.Meta):
        """One a person."""

        db_table = "sealedmail_look"
