"""What a ready journey is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from salus.content.contracts import Classification, Draft
from salus.journeys.contracts import Graph
from salus.kernel.vocabulary import PhiClass


@dataclass(frozen=True, slots=True)
class ReadySegment:
    """A segment that comes with a ready journey: its name and its rules."""

    name: str
    tree: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ReadyList:
    """A static segment that it fills; `tells` is what being on it tells of somebody."""

    name: str
    tells: tuple[PhiClass, ...]


@dataclass(frozen=True, slots=True)
class ReadyTemplate:
    """A template of it: the proposal for its classification, and a draft for each language.

    With a `starter`, the key of a template that comes with Salus anyway, the drafts are that one's.
    """

    name: str
    classification: Classification
    starter: str
    drafts: Mapping[str, Draft]


@dataclass(frozen=True, slots=True)
class Ready:
    """A journey that comes with Salus.

    `document` is the journey's JSON in which ids stand as "template:welcome" (a send step's versions),
    "segment:new" and "journey:screening_recall"; `leads_to` are the ready journeys that it leads to.
    `graph` is for looking at: its ids stand for nothing.
    """

    key: str
    name: str
    purpose: str
    needs: tuple[str, ...]
    document: Mapping[str, Any]
    graph: Graph
    templates: Mapping[str, ReadyTemplate]
    segments: Mapping[str, ReadySegment]
    lists: Mapping[str, ReadyList]
    leads_to: tuple[str, ...]
