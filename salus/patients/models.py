"""The tables of patients: how each one's sign-in stands, their sessions, and their passkeys."""

from __future__ import annotations

from django.db import models

from salus.kernel.ids import new_id
from salus.platform.tenancy import TenantModel


class AccessRow(TenantModel):
    """Tries, lockout and the one code that would be right now (as a keyed hash) of a contact."""

    pk = models.CompositePrimaryKey("organization_id", "contact_id")
    contact_id = models.UUIDField()
    failures = models.SmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)
    code = models.BinaryField(null=True, max_length=16)
    code_until = models.DateTimeField(null=True)
    code_proof = models.CharField(max_length=10, default="")
    sends = models.SmallIntegerField(default=0)
    sends_since = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    challenge = models.BinaryField(null=True)
    """What a passkey has to sign; good for one answer."""
    challenge_until = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        """One row a contact."""

        db_table = "patients_access"


class SessionRow(TenantModel):
    """A patient's session; the cookie is a sealed token that names this row."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    contact_id = models.UUIDField()
    message_id = models.UUIDField()
    proof = models.CharField(max_length=10)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        """Ended by contact, forgotten by age."""

        db_table = "patients_session"
        indexes = [
            models.Index(fields=["organization_id", "contact_id"], name="patients_session_contact"),
            models.Index(fields=["organization_id", "seen_at"], name="patients_session_seen"),
        ]


class PasskeyRow(TenantModel):
    """One passkey of a patient; `sealed` holds the credential's public key and its counter.

    A credential's id is a number of a device that leads to a person (45 CFR 164.514(b)(2)(i)(M)).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    contact_id = models.UUIDField()
    sealed = models.BinaryField()
    made_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        """Few a person."""

        db_table = "patients_passkey"
        indexes = [models.Index(fields=["organization_id", "contact_id"], name="patients_passkey_contact")]
