"""The tables of intake: imports, their sealed uploads, what was rejected, and saved mappings."""

from __future__ import annotations

from django.db import models

from salus.intake.contracts import ImportKind, ImportStatus, Severity
from salus.kernel.vocabulary import AddressSource
from salus.platform.tenancy import TenantModel


def _choices(words: type[ImportKind | ImportStatus | Severity | AddressSource]) -> list[tuple[str, str]]:
    return [(word.value, word.value.replace("_", " ")) for word in words]


class Import(TenantModel):
    """One import. `position` and `counts` move in the transaction of each batch, so it can always go on."""

    id = models.UUIDField(primary_key=True, editable=False)
    kind = models.CharField(max_length=20, choices=_choices(ImportKind))
    status = models.CharField(max_length=10, choices=_choices(ImportStatus))
    source = models.CharField(max_length=30, choices=_choices(AddressSource))
    obtained = models.DateField()
    sealed = models.BinaryField()
    """Evidence, file names, headings and mapping: staff wrote them, so they may hold PHI."""
    files = models.JSONField(default=list)
    """In the order they are read: number of the upload, what it holds ("csv", "Patient"), bytes."""
    position = models.JSONField(default=dict)
    """Where the next batch begins: file, line, byte."""
    counts = models.JSONField(default=dict)
    bytes_total = models.BigIntegerField(default=0)
    bytes_done = models.BigIntegerField(default=0)
    failure = models.TextField(blank=True, default="")
    created_at = models.DateTimeField()
    created_by = models.UUIDField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        """Listed newest first."""

        db_table = "intake_import"
        indexes = [models.Index(fields=["organization_id", "-created_at"], name="intake_import_newest")]


class Chunk(TenantModel):
    """One mebibyte of an upload, sealed; removed when the import has ended."""

    pk = models.CompositePrimaryKey("organization_id", "import_id", "file", "place")
    import_id = models.UUIDField()
    file = models.IntegerField()
    place = models.IntegerField()
    sealed = models.BinaryField()

    class Meta(TenantModel.Meta):
        """Read in order."""

        db_table = "intake_chunk"


class RejectRow(TenantModel):
    """One refused row or field: line, field and reason in clear, the row itself sealed."""

    id = models.UUIDField(primary_key=True, editable=False)
    import_id = models.UUIDField()
    part = models.CharField(max_length=40)
    line = models.BigIntegerField()
    field = models.CharField(max_length=80)
    reason = models.CharField(max_length=300)
    severity = models.CharField(max_length=5, choices=_choices(Severity))
    sealed = models.BinaryField()

    class Meta(TenantModel.Meta):
        """Read by import, in the order of their ids."""

        db_table = "intake_reject"
        indexes = [models.Index(fields=["organization_id", "import_id", "id"], name="intake_reject_import")]


class MappingRow(TenantModel):
    """A saved mapping; name and columns are sealed because staff wrote them."""

    id = models.UUIDField(primary_key=True, editable=False)
    sealed = models.BinaryField()
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        """Few rows an organization."""

        db_table = "intake_mapping"
        indexes = [models.Index(fields=["organization_id", "-changed_at"], name="intake_mapping_newest")]
