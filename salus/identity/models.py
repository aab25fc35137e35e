"""Tables of identity. Three are asked before a tenant is known: organization, user and session."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models

from salus.kernel.ids import new_id
from salus.platform.tenancy import TenantModel


class OrganizationRow(models.Model):
    """One organization. Row-level security shows it inside its own context and `before_tenant()`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=200)
    slug = models.CharField(max_length=40, unique=True)
    sender_role = models.CharField(max_length=20)
    profile = models.CharField(max_length=20)
    postal_address = models.CharField(max_length=300)
    phone = models.CharField(max_length=40)
    sending_domain = models.CharField(max_length=253)
    time_zone = models.CharField(max_length=60)
    demo = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        """The table's name says what it holds."""

        db_table = "identity_organization"


class UserManager(BaseUserManager["User"]):
    """Finds users by e-mail; what is seen at all, row-level security decides."""


class User(AbstractBaseUser):
    """The least that must be known before a tenant is: e-mail, password, and the organization to enter."""

    last_login = None
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization_id = models.UUIDField(editable=False)
    email = models.CharField(max_length=254, unique=True)
    is_active = models.BooleanField(default=True)
    totp_step = models.BigIntegerField(default=0)
    """The time step of the last code that was used: no code works twice."""
    invited_at = models.DateTimeField(null=True)
    """When the invitation that is still good was made; None when there is none."""

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        """Staff of one organization are listed together."""

        db_table = "identity_user"
        indexes = (models.Index(fields=["organization_id"], name="identity_user_org"),)

    def __repr__(self) -> str:
        return f"<User {self.pk}>"

    __str__ = __repr__


class Staff(TenantModel):
    """Who a user is inside their organization."""

    user = models.OneToOneField(User, primary_key=True, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=120)
    roles = ArrayField(models.CharField(max_length=30))
    own_roles = ArrayField(models.UUIDField(), default=list, db_default=[])
    theme = models.CharField(max_length=5, blank=True, default="")
    glass_until = models.DateTimeField(null=True)
    """When the last emergency access ends: a later page need not look for one."""
    created_at = models.DateTimeField()
    given_name = models.CharField(max_length=120, default="", db_default="")
    family_name = models.CharField(max_length=120, default="", db_default="")
    external_id = models.CharField(max_length=200, default="", db_default="")
    """What the organization's directory calls them (SCIM)."""
    removed_at = models.DateTimeField(null=True)
    """When the directory removed them; the row stays, because the log names it."""
    changed_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        """Listed by organization."""

        db_table = "identity_staff"
        indexes = (models.Index(fields=["organization_id", "name"], name="identity_staff_org"),)


class RoleRow(TenantModel):
    """A role that an organization made: the permissions it should have, and those that were granted."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=60)
    wanted = ArrayField(models.CharField(max_length=60))
    granted = ArrayField(models.CharField(max_length=60))
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        """A name means one role."""

        db_table = "identity_role"
        constraints = (
            models.UniqueConstraint(fields=["organization_id", "name"], name="identity_role_once"),
        )


class GlassRow(TenantModel):
    """One emergency access; `sealed` holds the reason, `sealed_note` what the reviewer wrote."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    staff_id = models.UUIDField()
    permission = models.CharField(max_length=60)
    sealed = models.BinaryField()
    opened_at = models.DateTimeField()
    until = models.DateTimeField()
    reviewed_by = models.UUIDField(null=True)
    reviewed_at = models.DateTimeField(null=True)
    finding = models.CharField(max_length=20, default="")
    sealed_note = models.BinaryField(null=True)

    class Meta(TenantModel.Meta):
        """One person's that may still hold, and the organization's newest first."""

        db_table = "identity_glass"
        indexes = (
            models.Index(fields=["organization_id", "staff_id", "until"], name="identity_glass_held"),
            models.Index(fields=["organization_id", "-opened_at"], name="identity_glass_newest"),
        )


class ApiKey(TenantModel):
    """A key for a program: a hash of its secret, and what it may do."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=120)
    secret_hash = models.BinaryField(max_length=32)
    scopes = ArrayField(models.CharField(max_length=60))
    words = models.JSONField(default=dict, db_default={})
    """What the messages that its program submits are, where they do not say so themselves: names and codes."""
    created_by = models.UUIDField(null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        """Listed by organization."""

        db_table = "identity_apikey"
        indexes = (models.Index(fields=["organization_id", "created_at"], name="identity_apikey_org"),)


class AnswerRow(TenantModel):
    """How a call with an idempotency key was answered; key and call are kept as keyed hashes, the answer sealed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    api_key_id = models.UUIDField()
    digest = models.BinaryField(max_length=32)
    fingerprint = models.BinaryField(max_length=32)
    size = models.BigIntegerField()
    """Bytes of the call's body: a call of another length is another one, and need not be read to see that."""
    status = models.SmallIntegerField()
    sealed = models.BinaryField(null=True)
    """None when somebody was erased meanwhile: it might have told of them."""
    answered_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        """One answer a key; the oldest go first."""

        db_table = "identity_answer"
        constraints = (
            models.UniqueConstraint(
                fields=["organization_id", "api_key_id", "digest"], name="identity_answer_once"
            ),
        )
        indexes = (models.Index(fields=["organization_id", "answered_at"], name="identity_answer_old"),)


class Session(AbstractBaseSession):
    """A browser's session. Its key is stored as a hash: whoever reads this table cannot enter with it."""

    user_id = models.UUIDField(null=True)
    started_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    ip = models.GenericIPAddressField(null=True)
    browser = models.CharField(max_length=120, blank=True, default="")

    class Meta(AbstractBaseSession.Meta):
        """A person's sessions are listed on their account page."""

        abstract = False
        db_table = "identity_session"
        indexes = (models.Index(fields=["user_id"], name="identity_session_user"),)


class Guard(models.Model):
    """Failures in a row of one account or one network address, by a keyed hash of it."""

    key = models.BinaryField(primary_key=True, max_length=32)
    failures = models.IntegerField(default=0)
    last_at = models.DateTimeField()
    paused_until = models.DateTimeField(null=True)

    class Meta:
        """The table's name says what it holds."""

        db_table = "identity_guard"


class ProviderRow(TenantModel):
    """One identity provider of the organization; `sealed` holds all that is known of it, its secret too."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    protocol = models.CharField(max_length=10)
    active = models.BooleanField(default=False)
    sealed = models.BinaryField()
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        """A handful."""

        db_table = "identity_provider"


class ProviderLink(TenantModel):
    """Who somebody at a provider is here; the provider's name for them is kept as a digest."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    provider = models.ForeignKey(ProviderRow, on_delete=models.CASCADE, related_name="+")
    subject = models.BinaryField(max_length=32)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    managed = models.BooleanField()
    """Whether the provider brought them in: then their roles follow what it says at each sign-on."""
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        """One person a name, found by it."""

        db_table = "identity_provider_link"
        constraints = (
            models.UniqueConstraint(fields=["provider", "subject"], name="identity_provider_link_once"),
        )
        indexes = (models.Index(fields=["organization_id", "user"], name="identity_provider_link_user"),)


class SpentAssertion(TenantModel):
    """An assertion that was used, as a digest of its id, until it has run out: it lets nobody in again."""

    digest = models.BinaryField(primary_key=True, max_length=32)
    until = models.DateTimeField()

    class Meta(TenantModel.Meta):
        """Those that ran out go when the next one comes."""

        db_table = "identity_spent_assertion"
        indexes = (models.Index(fields=["organization_id", "until"], name="identity_spent_until"),)
