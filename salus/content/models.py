"""The tables of content. Names and texts are sealed: what staff write counts as PHI."""

from __future__ import annotations

from django.db import models

from salus.content.contracts import ReviewStep
from salus.platform.tenancy import TenantModel


class TemplateRow(TenantModel):
    """A template: a name, under which versions in each language follow one another."""

    id = models.UUIDField(primary_key=True, editable=False)
    sealed = models.BinaryField()
    """{"name": ...}"""
    created_by = models.UUIDField(null=True)
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        """Listed by age."""

        db_table = "content_template"
        indexes = [models.Index(fields=["organization_id", "-created_at"], name="content_template_age")]


class VersionRow(TenantModel):
    """A version of a template in one language; a trigger refuses every change."""

    id = models.UUIDField(primary_key=True, editable=False)
    template = models.ForeignKey(TemplateRow, on_delete=models.PROTECT, related_name="+", db_index=False)
    language = models.CharField(max_length=2)
    number = models.IntegerField()
    """1, 2, 3... within template and language."""
    renderer = models.CharField(max_length=120)
    sealed = models.BinaryField()
    """What `storage.version_document` writes: the draft, the analysis and the compiled sources."""
    created_by = models.UUIDField(null=True)
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        """Numbers are given once."""

        db_table = "content_version"
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "template", "language", "number"], name="content_version_number"
            )
        ]


class ReviewRow(TenantModel):
    """A step in the review of a version: proposed, confirmed, declined; nothing is ever taken back."""

    id = models.UUIDField(primary_key=True, editable=False)
    version = models.ForeignKey(VersionRow, on_delete=models.PROTECT, related_name="+", db_index=False)
    step = models.CharField(max_length=10, choices=[(step.value, step.value) for step in ReviewStep])
    proposal = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    """The proposal that is confirmed or declined."""
    sealed = models.BinaryField()
    """The classification of a proposal, the note of a decline."""
    actor_id = models.UUIDField()
    at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        """Read by version; a proposal is answered once."""

        db_table = "content_review"
        indexes = [models.Index(fields=["organization_id", "version", "id"], name="content_review_version")]
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "proposal"], name="content_review_answered_once"
            ),
            models.CheckConstraint(
                condition=models.Q(step=ReviewStep.PROPOSED.value, proposal=None)
                | (~models.Q(step=ReviewStep.PROPOSED.value) & models.Q(proposal__isnull=False)),
                name="content_review_answers_a_proposal",
            ),
        ]


class OwnDomainRow(TenantModel):
    """A domain of the organization's own, to which messages may link."""

    pk = models.CompositePrimaryKey("organization_id", "domain")
    domain = models.CharField(max_length=253)
    added_by = models.UUIDField(null=True)
    added_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        """The primary key is the only index."""

        db_table = "content_own_domain"
