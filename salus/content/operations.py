"""What changes content, each in one transaction with its audit entry."""

from __future__ import annotations

import re
from datetime import datetime
from uuid import UUID

from django.db.models import Max

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.content import queries
from salus.content.contracts import Analysis, Classification, Draft, Review, ReviewStep, Sources
from salus.content.models import OwnDomainRow, ReviewRow, TemplateRow, VersionRow
from salus.content.rules import check_classification, may_confirm, standing_proposal
from salus.content.storage import classification_document, version_document
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.ids import new_id

MAX_NAME = 120
_DOMAIN = re.compile(r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")


def create_template(name: str, *, actor: Actor, at: datetime) -> UUID:
    """Make a template; return its id."""
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME:
        raise BadInput(f"A name has 1 to {MAX_NAME} characters.", place="name")
    template_id = new_id()
    TemplateRow.objects.create(
        id=template_id,
        sealed=queries.sealed("content_template", template_id, {"name": name}),
        created_by=actor.id,
        created_at=at,
    )
    audit.record(Action.TEMPLATE_CREATE, actor=actor, object_kind="template", object_id=template_id)
    return template_id


def save_version(
    template_id: UUID,
    draft: Draft,
    analysis: Analysis,
    sources: Sources,
    *,
    renderer: str,
    actor: Actor,
    at: datetime,
) -> UUID:
    """Store a compiled draft as the next version in its language; return its id."""
    # The lock on the template gives numbers one at a time.
    template = TemplateRow.objects.select_for_update().filter(id=template_id).first()
    if template is None:
        raise NotFound
    before = VersionRow.objects.filter(template_id=template_id, language=draft.language)
    number = (before.aggregate(last=Max("number"))["last"] or 0) + 1
    version_id = new_id()
    VersionRow.objects.create(
        id=version_id,
        template=template,
        language=draft.language,
        number=number,
        renderer=renderer,
        sealed=queries.sealed("content_version", version_id, version_document(draft, analysis, sources)),
        created_by=actor.id,
        created_at=at,
    )
    audit.record(
        Action.TEMPLATE_VERSION,
        actor=actor,
        object_kind="template_version",
        object_id=version_id,
        fields=sorted(sources.needs),
        rule_version=renderer,
        details={"template": str(template_id), "number": number, "language": draft.language},
    )
    return version_id


def classify(version_id: UUID, proposed: Classification, *, actor: Actor, at: datetime) -> UUID:
    """Append a proposal; it replaces the one that stood, confirmed or not. Returns its id."""
    if problems := check_classification(proposed):
        first = problems[0]
        raise BadInput(first.what, place=first.place, next_step=first.next_step)
    row = _locked(version_id)
    review_id = _append(row, ReviewStep.PROPOSED, None, classification_document(proposed), actor, at)
    audit.record(
        Action.TEMPLATE_CLASSIFY,
        actor=actor,
        object_kind="template_version",
        object_id=version_id,
        details={"review": str(review_id), "purpose": proposed.purpose.value},
    )
    return review_id


def answer(version_id: UUID, step: ReviewStep, *, note: str = "", actor: Actor, at: datetime) -> UUID:
    """Confirm or decline the proposal that stands; raises `Conflict` when there is none or it is one's own."""
    row = _locked(version_id)
    proposal = _open_proposal(version_id)
    reason = may_confirm(_person(actor), row.created_by, proposal)
    if reason:
        raise Conflict(reason)
    review_id = _append(row, step, proposal.id, {"note": note.strip()}, actor, at)
    audit.record(
        Action.TEMPLATE_CONFIRM if step is ReviewStep.CONFIRMED else Action.TEMPLATE_DECLINE,
        actor=actor,
        object_kind="template_version",
        object_id=version_id,
        details={"proposal": str(proposal.id), "review": str(review_id)},
    )
    return review_id


def add_domain(domain: str, *, actor: Actor, at: datetime) -> str:
    """Add a domain of the organization's own; return it as it is stored. Twice is once."""
    name = domain.strip().lower().removeprefix("https://").rstrip("/.")
    if not _DOMAIN.fullmatch(name):
        raise BadInput(
            "This is not a domain name.", place="domain", next_step="Write it like clinic.example.org."
        )
    _, made = OwnDomainRow.objects.get_or_create(domain=name, defaults={"added_by": actor.id, "added_at": at})
    if made:
        _domain_changed(actor, "add")
    return name


def remove_domain(domain: str, *, actor: Actor) -> None:
    """Remove a domain; versions that link there stay as they are. Raises `NotFound`."""
    gone, _ = OwnDomainRow.objects.filter(domain=domain).delete()
    if not gone:
        raise NotFound
    _domain_changed(actor, "remove")


def _domain_changed(actor: Actor, change: str) -> None:
    audit.record(
        Action.ORGANIZATION_CHANGE,
        actor=actor,
        object_kind="organization",
        object_id=actor.organization_id,
        fields=["own_domains"],
        details={"change": change},
    )


def _person(actor: Actor) -> UUID:
    if actor.id is None:
        raise Conflict("A person confirms this, not a program.")
    return actor.id


def _locked(version_id: UUID) -> VersionRow:
    """Return a version after locking its template: steps of a review come one at a time."""
    row = VersionRow.objects.filter(id=version_id).first()
    if row is None:
        raise NotFound
    TemplateRow.objects.select_for_update().get(id=row.template_id)
    return row


def _open_proposal(version_id: UUID) -> Review:
    proposal, given = standing_proposal(queries.reviews([version_id]).get(version_id, ()))
    if proposal is None:
        raise Conflict("Nobody has said yet what this is for.", next_step="Propose a classification first.")
    if given is not None:
        raise Conflict("Somebody has answered this already.", next_step="Load the page again.")
    return proposal


def _append(
    row: VersionRow, step: ReviewStep, proposal_id: UUID | None, document: object, actor: Actor, at: datetime
) -> UUID:
    review_id = new_id()
    ReviewRow.objects.create(
        id=review_id,
        version=row,
        step=step.value,
        proposal_id=proposal_id,
        sealed=queries.sealed("content_review", review_id, document),
        actor_id=_person(actor),
        at=at,
    )
    return review_id
