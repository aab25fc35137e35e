"""What other packages may know of content: versions, classification, analysis, rendered parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
    """What static analysis says: the fields read, and the problems (any problem refuses it)."""

    reads: tuple[Read, ...]
    problems: tuple[Problem, ...]


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


@dataclass(frozen=True, slots=True)
class Rendered:
    """The parts of a message; same inputs and renderer give the same bytes."""

    subject: str
    html: str
    text: str
    renderer: str


MergeValues = Mapping[str, Mapping[str, object]]
"""What a render may see: {"contact": {...}, "org": {...}, "link": {...}} of formatted strings, and lists
of dicts of formatted strings for records."""
