"""What a message row keeps sealed, and how it is written down: address, values, tokens, decision, spec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson

from salus.contacts.contracts import Read
from salus.delivery.contracts import CHOICES_LINK, PORTAL_LINK, MessageSpec, Origin, Priority, Sender
from salus.gate.contracts import Decision, MessageFacts
from salus.kernel.vocabulary import (
    Channel,
    PhiClass,
    Profile,
    Promotes,
    Purpose,
    Remuneration,
    SenderRole,
    Special,
)
from salus.keys import api as keys
from salus.keys.contracts import Sealer

TOKEN_LIFETIME = timedelta(days=395)
"""Tracking tokens live thirteen months; then a late open tells nothing any more."""

TRACK, CHOICES, PORTAL = "track", CHOICES_LINK, PORTAL_LINK
"""Purposes of the tokens in a message."""


@dataclass(frozen=True, slots=True, repr=False)
class Content:
    """The opened content of a message row. Plaintext PHI: keep it short-lived; its `repr` shows nothing."""

    to: str
    values: Mapping[str, Any]
    tokens: Mapping[str, str]
    decision: Mapping[str, Any]


def seal_content(sealer: Sealer, binding: bytes, content: Content) -> bytes:
    """Return the sealed form of `content`, bound to its row."""
    document = {"to": content.to, "v": content.values, "t": content.tokens, "d": content.decision}
    return sealer.seal(orjson.dumps(document), binding)


def open_content(sealer: Sealer, binding: bytes, sealed: bytes | memoryview) -> Content:
    """Return the content of a row; raises `BadInput` when it is not that row's."""
    document = orjson.loads(sealer.open(bytes(sealed), binding))
    return Content(document["to"], document["v"], document["t"], document["d"])


def message_binding(organization_id: UUID, message_id: UUID) -> bytes:
    """Return the associated data of a message row."""
    return keys.binding(organization_id, "delivery_message", message_id)


def decision_document(decision: Decision) -> dict[str, Any]:
    """Return a decision as JSON values: what allowed it, on which evidence, disclosing what."""
    return {
        "rules": decision.rule_ids,
        "results": [
            {
                "gate": result.gate,
                "rule": result.rule_id,
                "citation": result.citation,
                "satisfied": result.satisfied,
                "evidence": str(result.evidence_id) if result.evidence_id else None,
                "detail": result.detail,
            }
            for result in decision.results
        ],
        "footer": decision.footer,
        "elements": decision.elements,
        "version": decision.rules_version,
        "profile": decision.profile,
        "disclosed": decision.disclosed,
    }


def spec_document(spec: MessageSpec) -> bytes:
    """Return a specification as JSON bytes."""
    return orjson.dumps(spec)


def read_spec(document: bytes) -> MessageSpec:
    """Return the specification that `spec_document` wrote."""
    raw = orjson.loads(document)
    facts = raw["facts"]
    return MessageSpec(
        origin=Origin(raw["origin"]["kind"], UUID(raw["origin"]["id"])),
        versions={language: UUID(version) for language, version in raw["versions"].items()},
        facts=MessageFacts(
            **{
                **facts,
                "purpose": Purpose(facts["purpose"]),
                "promotes": Promotes(facts["promotes"]),
                "remuneration": Remuneration(facts["remuneration"]),
                "channel": Channel(facts["channel"]),
                "sender_role": SenderRole(facts["sender_role"]),
                "profile": Profile(facts["profile"]),
                "reads": tuple(_read(read) for read in facts["reads"]),
                "conditions": tuple(facts["conditions"]),
                **{
                    name: UUID(facts[name]) if facts[name] else None
                    for name in ("clinician_sign_off", "safety_flag", "waiver_id", "compliance_approval")
                },
            }
        ),
        sender=Sender(**raw["sender"]),
        priority=Priority(raw["priority"]),
    )


def _read(raw: Mapping[str, Any]) -> Read:
    special = raw["special"]
    return Read(
        field=raw["field"],
        phi_class=PhiClass(raw["phi_class"]),
        special=Special(special) if special else None,
        origin=raw["origin"],
        place=raw["place"],
        code=raw["code"],
    )
