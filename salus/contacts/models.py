"""The tables of contacts: sealed documents, and blind indexes that lead to them."""

from __future__ import annotations

from django.db import models

from salus.platform.tenancy import TenantModel


class Contact(TenantModel):
    """One person. Nothing here tells who it is: what is known of them is inside `sealed`."""

    id = models.UUIDField(primary_key=True, editable=False)
    number = models.BigIntegerField()
    """Dense within the organization, from 1: the number that bitmaps hold."""
    version = models.IntegerField()
    """Moves with every change of the document; a clearance is bound to it."""
    change = models.BigIntegerField()
    """The place of the last change in the organization's change feed."""
    sealed = models.BinaryField()
    """The AEAD ciphertext of the document, bound to organization, table and id; empty when erased."""
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True)
    merged_into = models.UUIDField(null=True)
    """The living contact that this one is the same person as; what was known of it stays sealed here."""

    class Meta(TenantModel.Meta):
        """Numbers and changes are unique within the organization."""

        db_table = "contacts_contact"
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "number"], name="contacts_contact_number"),
            models.UniqueConstraint(fields=["organization_id", "change"], name="contacts_contact_change"),
            models.CheckConstraint(
                condition=models.Q(erased_at=None) | models.Q(sealed=b""),
                name="contacts_contact_erased_is_empty",
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization_id", "merged_into"],
                name="contacts_contact_merged",
                condition=models.Q(merged_into__isnull=False),
            )
        ]


class Blind(TenantModel):
    """A keyed, one-way index of one address or identifier. What kind it is of cannot be seen either.

    `contact_id` is no foreign key on purpose: both rows are written by one operation, and the check
    would cost as much as the row.
    """

    pk = models.CompositePrimaryKey("organization_id", "blind", "contact_id")
    blind = models.BinaryField()
    contact_id = models.UUIDField()

    class Meta(TenantModel.Meta):
        """The primary key is the only index: look-ups go from blind to contact."""

        db_table = "contacts_blind"


class JoinRow(TenantModel):
    """That two contacts were found to be one person, and what the one that goes on was known by before.

    `sealed` holds the documents before and after, so that a split gives both back; it is emptied when the
    person is erased. While `ended_at` is empty, the merge stands.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    kept_id = models.UUIDField()
    gone_id = models.UUIDField()
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    sealed = models.BinaryField()

    class Meta(TenantModel.Meta):
        """Nobody is merged into two people at once; read by whoever goes on."""

        db_table = "contacts_join"
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "gone_id"],
                condition=models.Q(ended_at=None),
                name="contacts_join_gone_once",
            )
        ]
        indexes = [models.Index(fields=["organization_id", "kept_id"], name="contacts_join_kept")]
