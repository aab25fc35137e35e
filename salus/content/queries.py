"""Reads templates, versions and reviews, opened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson

from salus.content.contracts import Classification, Review, ReviewStep, TemplateSummary, TemplateVersion
from salus.content.models import OwnDomainRow, ReviewRow, TemplateRow, VersionRow
from salus.content.rules import standing_proposal
from salus.content.storage import read_classification, read_version
from salus.kernel.errors import NotFound
from salus.keys import api as keys
from salus.keys.contracts import Sealer
from salus.platform.tenancy import current_organization


def opened(sealer: Sealer, table: str, row_id: UUID, sealed: bytes | memoryview) -> bytes:
    """Return the plaintext of a sealed column of this package's `table`."""
    return sealer.open(bytes(sealed), keys.binding(current_organization(), table, row_id))


def sealed(table: str, row_id: UUID, document: Any) -> bytes:
    """Return `document` (JSON values or bytes) sealed for a row of `table`."""
    plain = document if isinstance(document, bytes) else orjson.dumps(document)
    return keys.sealer().seal(plain, keys.binding(current_organization(), table, row_id))


def version(version_id: UUID) -> TemplateVersion:
    """Return one version with its classification; raises `NotFound`."""
    row = VersionRow.objects.select_related("template").filter(id=version_id).first()
    if row is None:
        raise NotFound
    return _versions([row])[0]


def some_versions(version_ids: Iterable[UUID]) -> dict[UUID, TemplateVersion]:
    """Return those of the versions that are here, by id; two queries."""
    rows = VersionRow.objects.select_related("template").filter(id__in=list(version_ids))
    return {one.id: one for one in _versions(list(rows))}


def versions(template_id: UUID) -> list[TemplateVersion]:
    """Return every version of a template, newest first; raises `NotFound` if there is no such template."""
    rows = (
        VersionRow.objects.select_related("template")
        .filter(template_id=template_id)
        .order_by("-created_at", "-id")
    )
    found = list(rows)
    if not found and not TemplateRow.objects.filter(id=template_id).exists():
        raise NotFound
    return _versions(found)


def template_name(template_id: UUID) -> str:
    """Return a template's name; raises `NotFound`."""
    row = TemplateRow.objects.filter(id=template_id).first()
    if row is None:
        raise NotFound
    return _name(keys.sealer(), row)


def templates() -> list[TemplateSummary]:
    """Return every template with its newest versions, the youngest template first; three queries."""
    newest = VersionRow.objects.select_related("template").order_by("template_id", "language", "-number")
    by_template: dict[UUID, dict[str, TemplateVersion]] = defaultdict(dict)
    for found in _versions(list(newest.distinct("template_id", "language"))):
        by_template[found.template_id][found.language] = found
    sealer = keys.sealer()
    return [
        TemplateSummary(row.id, _name(sealer, row), row.created_at, by_template[row.id])
        for row in TemplateRow.objects.order_by("-created_at", "-id")
    ]


def reviews(version_ids: Iterable[UUID]) -> dict[UUID, list[Review]]:
    """Return the history of each version, oldest first; one query."""
    sealer = keys.sealer()
    found: dict[UUID, list[Review]] = defaultdict(list)
    for row in ReviewRow.objects.filter(version_id__in=list(version_ids)).order_by("at", "id"):
        found[row.version_id].append(_review(sealer, row))
    return found


def own_domains() -> list[str]:
    """Return the domains that an administrator added."""
    return list(OwnDomainRow.objects.order_by("domain").values_list("domain", flat=True))


def _name(sealer: Sealer, row: TemplateRow) -> str:
    return str(orjson.loads(opened(sealer, "content_template", row.id, row.sealed))["name"])


def _review(sealer: Sealer, row: ReviewRow) -> Review:
    raw: Mapping[str, Any] = orjson.loads(opened(sealer, "content_review", row.id, row.sealed))
    step = ReviewStep(row.step)
    proposed = read_classification(raw, authored_by=row.actor_id) if step is ReviewStep.PROPOSED else None
    return Review(row.id, row.version_id, step, row.actor_id, row.at, proposed, str(raw.get("note", "")))


def classification_of(history: Sequence[Review]) -> Classification | None:
    """Return the classification that stands: the last proposal, confirmed or not; None when it was declined."""
    proposal, answer = standing_proposal(history)
    if proposal is None or proposal.classification is None:
        return None
    if answer is None:
        return proposal.classification
    if answer.step is ReviewStep.DECLINED:
        return None
    stands = proposal.classification
    return Classification(
        purpose=stands.purpose,
        promotes=stands.promotes,
        remuneration=stands.remuneration,
        topic=stands.topic,
        payer=stands.payer,
        payer_is_promoted_party=stands.payer_is_promoted_party,
        conditions=stands.conditions,
        authored_by=stands.authored_by,
        confirmed_by=answer.actor_id,
    )


def _versions(rows: list[VersionRow]) -> list[TemplateVersion]:
    sealer = keys.sealer()
    histories = reviews(row.id for row in rows) if rows else {}
    names: dict[UUID, str] = {}
    made = []
    for row in rows:
        draft, analysis, sources = read_version(opened(sealer, "content_version", row.id, row.sealed))
        if row.template_id not in names:
            names[row.template_id] = _name(sealer, row.template)
        made.append(
            TemplateVersion(
                id=row.id,
                template_id=row.template_id,
                number=row.number,
                name=names[row.template_id],
                language=row.language,
                subject=draft.subject,
                preheader=draft.preheader,
                mjml=draft.mjml,
                text=draft.text,
                renderer=row.renderer,
                analysis=analysis,
                classification=classification_of(histories.get(row.id, ())),
                authored_by=row.created_by,
                created_at=row.created_at,
                sources=sources,
            )
        )
    return made
