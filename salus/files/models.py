"""The tables of files: what a file is, sealed, and its sealed pieces."""

from __future__ import annotations

from django.db import models

from salus.files.contracts import Of
from salus.platform.tenancy import TenantModel


class FileRow(TenantModel):
    """One file; `sealed` holds its name, kind, size and count of pieces, and whose it is once more."""

    id = models.UUIDField(primary_key=True)
    owner_of = models.CharField(max_length=10, choices=[(each, each) for each in Of])
    owner_id = models.UUIDField()
    contact_id = models.UUIDField()
    sealed = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        """Found by owner, by person, and drafts by age."""

        db_table = "files_file"
        indexes = [
            models.Index(fields=["organization_id", "owner_of", "owner_id"], name="files_file_owner"),
            models.Index(fields=["organization_id", "contact_id"], name="files_file_contact"),
            models.Index(
                fields=["organization_id", "created_at"],
                name="files_file_drafts",
                condition=models.Q(owner_of=Of.DRAFT),
            ),
        ]


class PieceRow(TenantModel):
    """One sealed piece of a file."""

    pk = models.CompositePrimaryKey("organization_id", "file_id", "place")
    file_id = models.UUIDField()
    place = models.IntegerField()
    sealed = models.BinaryField()

    class Meta(TenantModel.Meta):
        """Read in order."""

        db_table = "files_piece"
