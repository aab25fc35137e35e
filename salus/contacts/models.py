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
