"""The door of content. Functions that read or write rows work for the organization in context."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from salus.contacts.contracts import Attribute, Opened
from salus.content import (
    builtin,
    compiling,
    footers,
    inspecting,
    letters,
    operations,
    people,
    previews,
    queries,
)
from salus.content import house as _house
from salus.content.contracts import (
    Analysis,
    Classification,
    Draft,
    House,
    Link,
    MergeValues,
    Preview,
    Problem,
    Rendered,
    Review,
    ReviewStep,
    Sources,
    Starter,
    TemplateSummary,
    TemplateVersion,
)
from salus.content.fields import LINK_FIELDS, ORG_FIELDS
from salus.content.inspecting import LANGUAGES
from salus.content.rendering import Compiled, RenderFailed, compiled
from salus.content.rules import check_classification
from salus.identity import api as identity
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor, ActorKind
from salus.kernel.errors import BadInput
from salus.kernel.time import Clock, SystemClock
from salus.platform.tenancy import current_organization

__all__ = [
    "LANGUAGES",
    "LINK_FIELDS",
    "ORG_FIELDS",
    "Compiled",
    "Link",
    "RenderFailed",
    "add_own_domain",
    "analyse",
    "check_classification",
    "check_open_text",
    "check_sender_name",
    "classify",
    "compile_version",
    "confirm_classification",
    "create_template",
    "decline_classification",
    "format_values",
    "history",
    "letter",
    "merge_fields",
    "notice",
    "notice_org",
    "org_values",
    "own_domains",
    "preview",
    "preview_draft",
    "readable_fields",
    "remove_own_domain",
    "render",
    "renderer",
    "sample",
    "save_version",
    "some_versions",
    "starters",
    "template_name",
    "templates",
    "version",
    "versions",
    "with_footer",
]

_CLOCK = SystemClock()


def create_template(name: str, *, actor: Actor, clock: Clock = _CLOCK) -> UUID:
    """Make a template with no version yet; return its id. Raises `BadInput` for a name that will not do."""
    _may(actor, Permission.CONTENT_TEMPLATE_EDIT)
    return operations.create_template(name, actor=actor, at=clock.now())


def save_version(
    template_id: UUID,
    *,
    language: str,
    subject: str,
    preheader: str = "",
    mjml: str,
    text: str = "",
    actor: Actor,
    clock: Clock = _CLOCK,
) -> TemplateVersion:
    """Check, compile and store the next version in a language.

    Raises `BadInput` for the first problem when there is any (`analyse` lists them all); nothing is
    stored then.
    """
    _may(actor, Permission.CONTENT_TEMPLATE_EDIT)
    draft = Draft(language, subject, preheader, mjml, text)
    inspected = _inspect(draft, _house.house())
    sources = compiling.build(inspected)
    version_id = operations.save_version(
        template_id,
        inspected.draft,
        inspected.analysis,
        sources,
        renderer=compiling.renderer(),
        actor=actor,
        at=clock.now(),
    )
    return queries.version(version_id)


def analyse(draft: Draft, *, house: House | None = None) -> Analysis:
    """Return what a draft reads and everything that keeps it from being saved. Stores nothing.

    With a `house` given, no organization needs to be in context.
    """
    return _analysed(draft, house or _house.house())[0]


def sample(draft: Draft, *, house: House, clock: Clock = _CLOCK) -> tuple[Analysis, Preview | None]:
    """Return the analysis of a draft and, when it has no problem, what the sample person sees of it."""
    analysis, sources = _analysed(draft, house)
    if sources is None:
        return analysis, None
    person, day = builtin.sample_person(), clock.now().date()
    return analysis, previews.render(sources, analysis, draft.language, person, house, day)


def readable_fields() -> Mapping[str, Attribute]:
    """Return everything that may follow `contact.` in a template."""
    return people.attributes()


def version(version_id: UUID) -> TemplateVersion:
    """Return one version; raises `NotFound`."""
    return queries.version(version_id)


def some_versions(version_ids: Iterable[UUID]) -> Mapping[UUID, TemplateVersion]:
    """Return those of the versions that are here, by id."""
    return queries.some_versions(version_ids)


def versions(template_id: UUID) -> list[TemplateVersion]:
    """Return the versions of a template, newest first; raises `NotFound`."""
    return queries.versions(template_id)


def template_name(template_id: UUID) -> str:
    """Return the name of a template; raises `NotFound`."""
    return queries.template_name(template_id)


def templates() -> list[TemplateSummary]:
    """Return every template with its newest version in each language."""
    return queries.templates()


def classify(
    version_id: UUID, classification: Classification, *, actor: Actor, clock: Clock = _CLOCK
) -> UUID:
    """Propose what a version is for; it stands unconfirmed until another person agrees. Returns the review's id.

    `authored_by` and `confirmed_by` of the argument are ignored: the history knows who acted.
    """
    _may(actor, Permission.CONTENT_TEMPLATE_EDIT)
    return operations.classify(version_id, classification, actor=actor, at=clock.now())


def confirm_classification(version_id: UUID, *, actor: Actor, clock: Clock = _CLOCK) -> UUID:
    """Confirm the proposal that stands. Raises `Conflict` for its author, the version's author, or a program."""
    identity.require(actor, Permission.CONTENT_TEMPLATE_REVIEW)
    return operations.answer(version_id, ReviewStep.CONFIRMED, actor=actor, at=clock.now())


def decline_classification(version_id: UUID, *, note: str, actor: Actor, clock: Clock = _CLOCK) -> UUID:
    """Send the proposal back with a note; the version counts as unclassified again."""
    identity.require(actor, Permission.CONTENT_TEMPLATE_REVIEW)
    return operations.answer(version_id, ReviewStep.DECLINED, note=note, actor=actor, at=clock.now())


def history(version_id: UUID) -> list[Review]:
    """Return the steps of a version's review, oldest first."""
    return queries.reviews([version_id]).get(version_id, [])


def merge_fields(version: TemplateVersion) -> tuple[str, ...]:
    """Return the fields that must be opened to render `version`, for `contacts.open_fields`."""
    return people.fields_to_open(_sources(version).needs)


def format_values(
    version: TemplateVersion,
    opened: Opened,
    language: str = "",
    *,
    at: datetime | None = None,
    clock: Clock = _CLOCK,
) -> dict[str, dict[str, Any]]:
    """Return {"contact": ..., "org": ...}: formatted strings, only what `version` reads; store them sealed.

    `language` is the version's own unless another is given; `at` is the moment in whose light an age is
    told, in the organization's time zone. With "link" added, `Compiled.render` takes them.
    """
    return values_maker(version, at or clock.now(), language)(opened)


def values_maker(
    version: TemplateVersion, at: datetime, language: str = ""
) -> Callable[[Opened], dict[str, dict[str, Any]]]:
    """Return `format_values` for many people: what is the same for all of them is looked up once."""
    zone = ZoneInfo(identity.organization().time_zone)
    day = at.astimezone(zone).date()
    needs, formatter, org = _sources(version).needs, people.formatter(), org_values()

    def make(opened: Opened) -> dict[str, dict[str, Any]]:
        values = people.plain_values(opened)
        return {"contact": formatter.contact(needs, values, language or version.language, day), "org": org}

    return make


def org_values() -> dict[str, str]:
    """Return what messages say of the current organization (`org.name` and the like)."""
    return dict(_house.house().org)


def compile_version(version_id: UUID, *, elements: Iterable[str] = (), payer: str = "") -> Compiled:
    """Return the renderer of a version, with the closing elements that its gate decision asks for.

    `elements` are words of `gate.contracts.Element`; "why" is always there. `payer` is named where the
    law wants it. Cached: the same arguments give the same object, and read nothing. Raises `NotFound`, and
    `BadInput` when the message must say what the organization has not given, such as its postal address.
    """
    return _compiled(version_id, current_organization(), frozenset(elements), payer)


def letter(
    subject: str, html: str, text: str, *, language: str, elements: Iterable[str] = (), payer: str = ""
) -> Compiled:
    """Return the renderer of words written elsewhere for one message, with its closing elements.

    `html` is what stands inside the body, "" for plain text; no sign of the words is read as a template's.
    Raises `BadInput` when the message must say what the organization has not given.
    """
    return letters.letter(
        subject, html, text, language=language, elements=elements, house=_house.house(), payer=payer
    )


def with_footer(sources: Sources, language: str, elements: Iterable[str], *, payer: str = "") -> Sources:
    """Return `sources` with the closing elements of a message below them."""
    return footers.with_footer(sources, language, elements, _house.house(), payer)


def render(version: TemplateVersion, values: MergeValues, *, elements: Iterable[str] = ()) -> Rendered:
    """Return the parts of one message; for single messages, the hot path keeps a `Compiled`."""
    return compile_version(version.id, elements=elements).render(values)


def renderer() -> str:
    """Return what makes the bytes of a message here and now: formats and libraries, by version."""
    return builtin.full_renderer()


def notice(language: str) -> Compiled:
    """Return the notice of a portal message: no name, no topic, one button, which leads to `link.portal`.

    English for a language that Salus does not write. Give it `notice_org(language)` as "org".
    """
    return builtin.notice(language if language in inspecting.LANGUAGES else "en")


def notice_org(language: str) -> dict[str, str]:
    """Return the organization's facts for a notice: a name that tells a condition is replaced."""
    return _house.neutral(org_values(), language if language in inspecting.LANGUAGES else "en")


def check_sender_name(name: str) -> tuple[Problem, ...]:
    """Return what keeps `name` from being shown as the sender: it travels in the open, to everybody alike."""
    return inspecting.sender_name(name)


def check_open_text(text: str, place: str) -> tuple[Problem, ...]:
    """Return a problem for every word that tells a condition, for what travels in the open ("sender name")."""
    return inspecting.neutral_words(text, place)


def preview(
    version: TemplateVersion, *, contact_id: UUID | None = None, actor: Actor, clock: Clock = _CLOCK
) -> Preview:
    """Return what a reader sees: a contact (opened for "preview", recorded), or the sample person.

    Raises `NotFound` for a contact who is not there, or when `actor` may not open anybody.
    """
    sources = _sources(version)
    if contact_id is not None:
        _may(actor, Permission.CONTACTS_PHI_REVEAL)
    values = (
        builtin.sample_person()
        if contact_id is None
        else previews.values_of(sources, contact_id, version_id=version.id, actor=actor)
    )
    today = clock.now().date()
    return previews.render(sources, version.analysis, version.language, values, _house.house(), today)


def preview_draft(
    draft: Draft, *, contact_id: UUID | None = None, actor: Actor, clock: Clock = _CLOCK
) -> tuple[Analysis, Preview | None]:
    """Return the analysis of a draft, and its preview when it has no problem."""
    analysis, sources = _analysed(draft, _house.house())
    if sources is None:
        return analysis, None
    values: Mapping[str, Any] = builtin.sample_person()
    if contact_id is not None:
        _may(actor, Permission.CONTACTS_PHI_REVEAL)
        values = previews.values_of(sources, contact_id, version_id=None, actor=actor)
    return analysis, previews.render(
        sources, analysis, draft.language, values, _house.house(), clock.now().date()
    )


def starters() -> tuple[Starter, ...]:
    """Return the templates that come with Salus, in English and Spanish, linked to the organization's site.

    That is the first domain that was added beside the sending domain, else the sending domain itself.
    """
    sending, *others = _house.house().domains
    return builtin.starters(others[0] if others else sending)


def own_domains() -> tuple[str, ...]:
    """Return the domains that messages may link to: the sending domain first."""
    return _house.house().domains


def add_own_domain(domain: str, *, actor: Actor, clock: Clock = _CLOCK) -> str:
    """Add a domain of the organization's own; raises `BadInput`."""
    _may(actor, Permission.ORGANIZATION_SETTINGS_EDIT)
    return operations.add_domain(domain, actor=actor, at=clock.now())


def remove_own_domain(domain: str, *, actor: Actor) -> None:
    """Remove a domain; raises `NotFound`."""
    _may(actor, Permission.ORGANIZATION_SETTINGS_EDIT)
    operations.remove_domain(domain, actor=actor)


@functools.lru_cache(maxsize=256)
def _compiled(version_id: UUID, organization_id: UUID, elements: frozenset[str], payer: str) -> Compiled:
    del organization_id
    found = queries.version(version_id)
    sources = footers.with_footer(_sources(found), found.language, elements, _house.house(), payer)
    return compiled(sources, language=found.language, renderer=builtin.full_renderer())


def _inspect(draft: Draft, house: House) -> inspecting.Inspected:
    return inspecting.inspect(draft, house, people.attributes(), people.special_of)


def _analysed(draft: Draft, house: House) -> tuple[Analysis, Sources | None]:
    inspected = _inspect(draft, house)
    found = inspected.analysis
    if found.problems:
        return found, None
    try:
        return found, compiling.build(inspected)
    except BadInput as error:
        return Analysis(found.reads, (compiling.problem_of(error),), found.notes), None


def _sources(version: TemplateVersion) -> Sources:
    if version.sources is None:
        raise BadInput("This version was not read from the store.", place="version")
    return version.sources


def _may(actor: Actor, permission: Permission) -> None:
    """Let the system and whoever holds `permission` through; raises `NotFound` for all others."""
    if actor.kind is not ActorKind.SYSTEM:
        identity.require(actor, permission)
