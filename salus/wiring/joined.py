"""What holds something of a person: what each package does in a merge and in a split, in the order of its locks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from salus.audiences import api as audiences
from salus.contacts import api as contacts
from salus.delivery import api as delivery
from salus.duplicates.contracts import Step
from salus.inbox import api as inbox
from salus.journeys import api as journeys
from salus.kernel.acting import Actor
from salus.kernel.joining import GivenBy, Pair
from salus.patients import api as patients
from salus.permissions import api as permissions
from salus.privacy import api as privacy
from salus.retention import api as retention
from salus.safeguards import api as safeguards
from salus.sealedmail import api as sealedmail


def _join_contacts(pair: Pair, choices: Mapping[str, Any], actor: Actor, at: datetime) -> dict[str, Any]:
    contacts.join(pair.id, pair.kept_id, pair.gone_id, choices, now=at)
    return {}


def _part_contacts(pair: Pair, moved: dict[str, Any], given_by: GivenBy, actor: Actor, at: datetime) -> None:
    contacts.part(pair.id, now=at)


def _join_holds(pair: Pair, choices: Mapping[str, Any], actor: Actor, at: datetime) -> dict[str, Any]:
    retention.join_person(pair)
    return {}


STEPS = (
    Step(
        "privacy",
        lambda pair, choices, actor, at: privacy.join_person(pair),
        lambda pair, moved, given_by, actor, at: privacy.part_person(pair),
    ),
    Step("retention", _join_holds, lambda pair, moved, given_by, actor, at: None),
    Step(
        "journeys",
        lambda pair, choices, actor, at: journeys.join_person(pair, actor=actor, at=at),
        lambda pair, moved, given_by, actor, at: journeys.part_person(pair, moved),
    ),
    Step(
        "delivery",
        lambda pair, choices, actor, at: delivery.join_person(pair, actor=actor, at=at),
        lambda pair, moved, given_by, actor, at: delivery.part_person(pair),
    ),
    Step("contacts", _join_contacts, _part_contacts),
    Step(
        "audiences",
        lambda pair, choices, actor, at: audiences.join_person(pair, actor=actor),
        lambda pair, moved, given_by, actor, at: audiences.part_person(pair, moved, actor=actor),
    ),
    Step(
        "permissions",
        lambda pair, choices, actor, at: permissions.join_person(pair),
        lambda pair, moved, given_by, actor, at: permissions.part_person(pair, given_by, actor=actor, now=at),
    ),
    Step(
        "patients",
        lambda pair, choices, actor, at: patients.join_person(pair, at=at),
        lambda pair, moved, given_by, actor, at: patients.part_person(pair, at=at),
    ),
    Step(
        "safeguards",
        lambda pair, choices, actor, at: safeguards.join_person(pair, at=at),
        lambda pair, moved, given_by, actor, at: safeguards.part_person(pair, at=at),
    ),
    Step(
        "sealedmail",
        lambda pair, choices, actor, at: sealedmail.join_person(pair),
        lambda pair, moved, given_by, actor, at: sealedmail.part_person(pair, moved),
    ),
    Step(
        "inbox",
        lambda pair, choices, actor, at: inbox.join_person(pair),
        lambda pair, moved, given_by, actor, at: inbox.part_person(pair, moved),
    ),
)
"""Holds cover both after a merge, and after its split too. Timeline and intake move nothing: an event is read as the person's, and a file finds the person by what either
record had. Campaigns, reports, portal, vendors and identity hold nothing of a person of their own.
"""
