"""What holds something of a person: how each package exports and erases it, in the order of an erasure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from salus.audiences import api as audiences
from salus.contacts import api as contacts
from salus.delivery import api as delivery
from salus.duplicates import api as duplicates
from salus.files import api as files
from salus.identity import api as identity
from salus.inbox import api as inbox
from salus.intake import api as intake
from salus.journeys import api as journeys
from salus.kernel.acting import Actor
from salus.kernel.errors import NotFound
from salus.kernel.leaving import Kept, Left
from salus.kernel.time import Clock, SystemClock
from salus.patients import api as patients
from salus.permissions import api as permissions
from salus.privacy import api as privacy
from salus.privacy.contracts import Package
from salus.safeguards import api as safeguards
from salus.sealedmail import api as sealedmail
from salus.timeline import api as timeline


def _journeys(contact_id: UUID, actor: Actor, clock: Clock) -> Left:
    journeys.erase_person(contact_id, actor=actor, clock=clock)
    return Left(
        kept=(Kept("diaries and counts", 1, "ids, codes and times only; they lead to no record any more"),)
    )


def _contact(contact_id: UUID, actor: Actor, clock: Clock) -> Left:
    try:
        contacts.erase_person(contact_id, actor=actor, clock=clock)
    except NotFound:  # erased before, by another way
        return Left()
    return Left(
        {"records": 1},
        (
            Kept("the empty row", 1, "caches learn from it that the person is gone; an id and a number"),
            Kept(
                "entries of the audit log", 1, "the log is never changed; ids and field names only",
                "45 CFR 164.312(b), 164.316(b)(2)(i)",
            ),
            Kept("what is in backups", 1, "backups are sealed and are removed at the end of their time"),
        ),
    )  # fmt: skip


def _nothing(contact_id: UUID, purpose: str, actor: Actor) -> Mapping[str, Any]:
    return {}


PACKAGES = (
    Package(
        "journeys", lambda id, why, actor: journeys.export_person(id, purpose=why, actor=actor), _journeys
    ),
    Package(
        "inbox",
        lambda id, why, actor: inbox.export_person(id, purpose=why, actor=actor),
        lambda id, actor, clock: inbox.erase_person(id, actor=actor, clock=clock),
    ),
    Package(
        "patients",
        lambda id, why, actor: patients.export_person(id),
        lambda id, actor, clock: patients.erase_person(id),
    ),
    Package(
        "delivery",
        lambda id, why, actor: delivery.export_person(id),
        lambda id, actor, clock: delivery.erase_person(id, actor=actor, clock=clock),
    ),
    Package(
        "files",
        lambda id, why, actor: files.export_person(id, actor=actor),
        lambda id, actor, clock: files.erase_person(id, actor=actor),
    ),
    Package("intake", _nothing, lambda id, actor, clock: intake.erase_person(id, actor=actor)),
    Package(
        "audiences",
        lambda id, why, actor: audiences.export_person(id),
        lambda id, actor, clock: audiences.erase_person(id, actor=actor),
    ),
    Package(
        "timeline",
        lambda id, why, actor: timeline.export_person(id, purpose=why, actor=actor),
        lambda id, actor, clock: timeline.erase_person(id),
    ),
    Package(
        "permissions",
        lambda id, why, actor: permissions.export_person(id, purpose=why, actor=actor),
        lambda id, actor, clock: permissions.erase_person(id, actor=actor, clock=clock),
    ),
    Package("duplicates", _nothing, lambda id, actor, clock: Left({"merges": duplicates.erase_person(id)})),
    Package(
        "safeguards",
        lambda id, why, actor: safeguards.export_person(id),
        lambda id, actor, clock: safeguards.erase_person(id),
    ),
    Package(
        "sealedmail",
        lambda id, why, actor: sealedmail.export_person(id, SystemClock().now()),
        lambda id, actor, clock: sealedmail.erase_person(id),
    ),
    Package("privacy", _nothing, lambda id, actor, clock: privacy.erase_copies(id, clock.now())),
    Package(
        "contacts", lambda id, why, actor: contacts.export_person(id, purpose=why, actor=actor), _contact
    ),
    Package("identity", _nothing, lambda id, actor, clock: Left({"answers": identity.erase_answers()})),
)
"""The contact's own record goes after the others: they find by it what they have to erase. Of the answers to programs
that are kept for a day nobody knows whom they tell of: all go, once no new one can tell of this person.

Portal, campaigns, reports and vendors hold nothing of a person of their own. A legal hold stays on the list
after it was lifted: it is documentation of the organization.
"""
