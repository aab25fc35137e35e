"""Makes a journey of a ready one: its templates, what they are for, its segments, and the first draft."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any
from uuid import UUID

from salus.audiences import api as audiences
from salus.content import api as content
from salus.content.contracts import Classification, Draft, TemplateVersion
from salus.identity import api as identity
from salus.identity.contracts import Permission
from salus.journeys import drafting, queries
from salus.journeys.contracts import Version
from salus.journeys.gallery.filling import Made, fill
from salus.journeys.gallery.reading import DOMAIN, read
from salus.journeys.gallery.ready import Ready, ReadyTemplate
from salus.journeys.rules.reading import read as read_graph
from salus.kernel.acting import Actor, ActorKind
from salus.kernel.time import Clock

NEEDED = (
    Permission.JOURNEYS_JOURNEY_EDIT,
    Permission.SEGMENTS_SEGMENT_EDIT,
    Permission.CONTENT_TEMPLATE_EDIT,
)
"""What somebody may do who adds a ready journey."""
_MOST = 1_000


def install(key: str, *, actor: Actor, clock: Clock) -> Version:
    """Return the first draft of a new journey, made of the ready one `key`; those that it leads to are made too.

    Templates and segments that are there already, word for word, are used again, and so are the journeys
    that it leads to, by their names. `actor` proposes what each template is for, and somebody else confirms
    it; a program proposes nothing. Raises `NotFound` for a key that is not there, and for who may not.
    """
    if actor.kind is not ActorKind.SYSTEM:
        for permission in NEEDED:
            identity.require(actor, permission)
    return _Workshop(actor, clock).make(read(key))


class _Workshop:
    """Makes what is not there yet; what is there is looked up once."""

    def __init__(self, actor: Actor, clock: Clock) -> None:
        self._actor, self._clock = actor, clock

    def make(self, ready: Ready) -> Version:
        made = Made(
            {word: self._versions(template) for word, template in ready.templates.items()},
            {
                **{word: self._segment(one.name, one.tree) for word, one in ready.segments.items()},
                **{word: self._list(one.name, one.tells) for word, one in ready.lists.items()},
            },
            {key: self._journey(read(key)) for key in ready.leads_to},
        )
        graph = read_graph(fill(ready.document, made))
        return drafting.create(graph, actor=self._actor, at=self._clock.now())

    def _journey(self, ready: Ready) -> UUID:
        for one in queries.journeys(limit=_MOST):
            if one.name.reveal() == ready.name:
                return one.id
        return self.make(ready).journey_id

    @cached_property
    def _segments(self) -> Mapping[str, tuple[UUID, Mapping[str, Any], bool]]:
        return {one.name.reveal(): (one.id, one.tree, one.static) for one in reversed(audiences.segments())}

    def _segment(self, name: str, tree: Mapping[str, Any]) -> UUID:
        known = self._segments.get(name)
        if known and known[1] == tree:
            return known[0]
        return audiences.save_segment(name, tree, self._actor, clock=self._clock).id

    def _list(self, name: str, tells: tuple[Any, ...]) -> UUID:
        known = self._segments.get(name)
        if known and known[2]:
            return known[0]
        return audiences.create_static(name, self._actor, tells=tells, clock=self._clock).id

    @cached_property
    def _templates(self) -> Mapping[str, Mapping[str, TemplateVersion]]:
        return {one.name: one.newest for one in reversed(content.templates())}

    @cached_property
    def _starters(self) -> Mapping[str, Mapping[str, Draft]]:
        return {one.key: one.drafts for one in content.starters()}

    def _versions(self, template: ReadyTemplate) -> dict[str, UUID]:
        """Return a version in each language, with the proposal of what it is for."""
        drafts = self._starters[template.starter] if template.starter else self._own(template.drafts)
        known = self._templates.get(template.name, {})
        if all(_is_said(known.get(each), draft, template.classification) for each, draft in drafts.items()):
            return {language: known[language].id for language in drafts}
        template_id = content.create_template(template.name, actor=self._actor, clock=self._clock)
        return {
            language: self._version(template_id, draft, template.classification)
            for language, draft in drafts.items()
        }

    def _own(self, drafts: Mapping[str, Draft]) -> dict[str, Draft]:
        """Return the drafts with links to the organization's own site, as `content` does for its starters."""
        sending, *others = content.own_domains()
        site = others[0] if others else sending
        return {
            language: replace(draft, mjml=draft.mjml.replace(DOMAIN, site))
            for language, draft in drafts.items()
        }

    def _version(self, template_id: UUID, draft: Draft, classification: Classification) -> UUID:
        version = content.save_version(
            template_id,
            language=draft.language,
            subject=draft.subject,
            preheader=draft.preheader,
            mjml=draft.mjml,
            actor=self._actor,
            clock=self._clock,
        )
        if self._actor.kind is ActorKind.STAFF:
            content.classify(version.id, classification, actor=self._actor, clock=self._clock)
        return version.id


def _is_said(version: TemplateVersion | None, draft: Draft, classification: Classification) -> bool:
    """Tell whether a version that is there says the same for the same purpose."""
    if version is None or version.classification is None:
        return False
    said = (version.subject, version.preheader, version.mjml) == (draft.subject, draft.preheader, draft.mjml)
    return said and replace(version.classification, authored_by=None, confirmed_by=None) == classification
