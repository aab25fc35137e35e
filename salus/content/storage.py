"""How versions and reviews are written down before they are sealed, and read again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

import orjson

from salus.contacts.contracts import Read
from salus.content.contracts import Analysis, Classification, Draft, Link, Need, Problem, Sources
from salus.kernel.vocabulary import PhiClass, Promotes, Purpose, Remuneration, Special


def version_document(draft: Draft, analysis: Analysis, sources: Sources) -> bytes:
    """Return everything of a version as JSON."""
    needs = {
        key: {
            "forms": sorted(need.forms),
            "asked": sorted(need.asked),
            "codes": None if need.codes is None else sorted(need.codes),
        }
        for key, need in sources.needs.items()
    }
    return orjson.dumps(
        {
            "draft": asdict(draft),
            "reads": [asdict(read) for read in analysis.reads],
            "notes": [asdict(note) for note in analysis.notes],
            "sources": {
                "subject": sources.subject,
                "html": sources.html,
                "text": sources.text,
                "links": [asdict(link) for link in sources.links],
                "needs": needs,
            },
        }
    )


def read_version(document: bytes) -> tuple[Draft, Analysis, Sources]:
    """Return what `version_document` wrote."""
    raw = orjson.loads(document)
    sources = raw["sources"]
    analysis = Analysis(
        tuple(_read(read) for read in raw["reads"]), (), tuple(Problem(**note) for note in raw["notes"])
    )
    needs = {
        key: Need(
            frozenset(need["forms"]),
            frozenset(need["asked"]),
            None if need["codes"] is None else frozenset(need["codes"]),
        )
        for key, need in sources["needs"].items()
    }
    links = tuple(Link(**link) for link in sources["links"])
    return (
        Draft(**raw["draft"]),
        analysis,
        Sources(sources["subject"], sources["html"], sources["text"], links, needs),
    )


def _read(raw: Mapping[str, Any]) -> Read:
    special = Special(raw["special"]) if raw["special"] else None
    return Read(raw["field"], PhiClass(raw["phi_class"]), special, raw["origin"], raw["place"], raw["code"])


def classification_document(classification: Classification) -> dict[str, Any]:
    """Return a classification as JSON values, without the people: they stand in the history."""
    values = asdict(classification)
    del values["authored_by"], values["confirmed_by"]
    return values


def read_classification(
    raw: Mapping[str, Any], authored_by: UUID | None = None, confirmed_by: UUID | None = None
) -> Classification:
    """Return what `classification_document` wrote, with the people of the history."""
    return Classification(
        purpose=Purpose(raw["purpose"]),
        promotes=Promotes(raw["promotes"]),
        remuneration=Remuneration(raw["remuneration"]),
        topic=raw["topic"],
        payer=raw["payer"],
        payer_is_promoted_party=raw["payer_is_promoted_party"],
        conditions=tuple(raw["conditions"]),
        authored_by=authored_by,
        confirmed_by=confirmed_by,
    )
