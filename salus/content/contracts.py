"""What other packages may know of content: versions, classification, analysis, rendered parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from salus.contacts.contracts import Read
from salus.kernel.vocabulary import Promotes, Purpose, Remuneration


@dataclass(frozen=True, slots=True)
class Classification:
    """Why a message is written, set by its author and confirmed by another person.

    `topic` is the subscription topic that a reader may opt out of; `conditions` are the codes whose
    active treatment it is about (D08, D12). `confirmed_by` None means not confirmed: never sent.
    """

    purpose: Purpose
    promotes: Promotes
    remuneration: Remuneration
    topic: str
    payer: str = ""
    payer_is_promoted_party: bool = False
    conditions: tuple[str, ...] = ()
    authored_by: UUID | None = None
    confirmed_by: UUID | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that keeps a template from being used: where, what, and how to mend it."""

    place: str
    what: str
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class Analysis:
    """What static analysis says: the fields read, and the problems (any problem refuses it).

    `notes` refuse nothing: words of the body that tell a condition, with their lines.
    """

    reads: tuple[Read, ...]
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """A page that a version links to: `key` names it in the values, `url` is where it leads.

    Delivery gives `values["link"][key]` an address of its own for each message to count clicks; without
    one the page itself is linked.
    """

    key: str
    url: str
    label: str


@dataclass(frozen=True, slots=True)
class Need:
    """What must be opened and formatted of one field for a version, and nothing beyond it.

    `forms`: "" is the shown words, "raw" what is compared, "within" which of the codes in `asked` the
    person's codes fall under; of records: "list", names of parts, "<part>__raw" and "within". `codes`
    limits the records to those that can show; None means all.
    """

    forms: frozenset[str]
    asked: frozenset[str] = frozenset()
    codes: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Sources:
    """What MiniJinja reads for a version: subject, HTML and text, the pages linked, the fields needed."""

    subject: str
    html: str
    text: str
    links: tuple[Link, ...]
    needs: Mapping[str, Need]


@dataclass(frozen=True, slots=True)
class TemplateVersion:
    """An immutable version of a template, in one language."""

    id: UUID
    template_id: UUID
    number: int
    name: str
    language: str
    subject: str
    preheader: str
    mjml: str
    text: str
    renderer: str
    analysis: Analysis
    classification: Classification | None
    authored_by: UUID | None = None
    created_at: datetime | None = None
    sources: Sources | None = field(default=None, repr=False)
    """The compiled form, as it was when the version was saved."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """The parts of a message; same inputs and renderer give the same bytes."""

    subject: str
    html: str
    text: str
    renderer: str


MergeValues = Mapping[str, Mapping[str, Any]]
"""What a render may see: {"contact": {...}, "org": {...}, "link": {...}} of formatted strings, and lists
of dicts of formatted strings for records. `link` holds portal, choices, unsubscribe and why, if the version
or its footer prints them, an address for each counted link, and "open" for the picture that counts opens."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What an author writes of one version; `text` may be empty: then it is made from the MJML."""

    language: str
    subject: str
    preheader: str
    mjml: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class House:
    """What a template may say of the organization, and the domains that are its own."""

    domains: tuple[str, ...]
    org: Mapping[str, str]
    """name, phone, postal_address."""


class ReviewStep(StrEnum):
    """What happened to a version's classification, in an append-only history."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Review:
    """One entry of that history; `classification` stands with a proposal, `note` with a decline."""

    id: UUID
    version_id: UUID
    step: ReviewStep
    actor_id: UUID
    at: datetime
    classification: Classification | None = None
    note: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class TemplateSummary:
    """A template with the newest version in each language, without the texts."""

    id: UUID
    name: str = field(repr=False)
    created_at: datetime
    newest: Mapping[str, TemplateVersion]


@dataclass(frozen=True, slots=True)
class Starter:
    """A template that comes with Salus: a draft for each language and a proposal for its classification."""

    key: str
    name: str
    drafts: Mapping[str, Draft]
    classification: Classification


@dataclass(frozen=True, slots=True)
class Preview:
    """What a reader would see, and the fields that were opened to show it."""

    rendered: Rendered = field(repr=False)
    analysis: Analysis
    fields: tuple[str, ...]
