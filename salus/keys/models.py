"""The table of an organization's keys, each wrapped by the key provider."""

from __future__ import annotations

from django.db import models

from salus.platform.tenancy import TenantModel


class Kind(models.TextChoices):
    """What a key is for."""

    DATA = "data"
    """Seals documents, message values, deposits: AES-256-GCM (Tink)."""
    BLIND = "blind"
    """Makes blind indexes: HMAC-SHA-256 PRF (Tink)."""
    TOKEN = "token"  # noqa: S105
    """Seals links and tokens: AES-256-GCM (Tink); aged out after 13 months."""
    AUDIENCE = "audience"
    """Encrypts the audience engine's file: 32 raw bytes."""
    CHECKPOINT = "checkpoint"
    """Signs the audit log's checkpoints: Ed25519. It opens nothing, and outlives the others."""
    DKIM_RSA = "dkim-rsa"
    DKIM_ED25519 = "dkim-ed25519"
    """Sign mail of the domain in `name`."""


class Status(models.TextChoices):
    """Where a key is in its life."""

    WAITING = "waiting"
    """A DKIM key whose record is being published; signs nothing yet."""
    ACTIVE = "active"
    RETIRED = "retired"
    """Still opens what it sealed; seals nothing more."""
    DESTROYED = "destroyed"
    """The row stays, the key is gone."""


class KeyRow(TenantModel):
    """One version of one key."""

    id = models.UUIDField(primary_key=True, editable=False)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    name = models.CharField(max_length=253, blank=True)
    """The domain of a DKIM key, else empty."""
    version = models.IntegerField()
    status = models.CharField(max_length=10, choices=Status.choices)
    wrapped = models.BinaryField()
    wrapped_by = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)
    written_in = models.BigIntegerField()
    """The database transaction that wrote the row last: what is not committed is never cached."""

    class Meta(TenantModel.Meta):
        """At most one key of a kind and name is active."""

        db_table = "keys_key"
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "kind", "name", "version"], name="keys_key_version"
            ),
            models.UniqueConstraint(
                fields=["organization_id", "kind", "name"],
                condition=models.Q(status="active"),
                name="keys_key_one_active",
            ),
            models.CheckConstraint(
                condition=models.Q(status="destroyed", wrapped=b"")
                | (~models.Q(status="destroyed") & ~models.Q(wrapped=b"")),
                name="keys_key_destroyed_is_empty",
            ),
        ]


class WalkRow(TenantModel):
    """How far the work after a rotation has got in one table: it moves in the transaction of each batch."""

    pk = models.CompositePrimaryKey("organization_id", "kind", "name")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    name = models.CharField(max_length=80)
    version = models.IntegerField()
    """The key that everything is brought to."""
    cursor = models.JSONField(null=True)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        """One a table."""

        db_table = "keys_walk"
