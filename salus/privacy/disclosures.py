"""Disclosures that staff enter, and the accounting of them (45 CFR 164.528)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.contacts import api as contacts
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.ids import new_id
from salus.kernel.phi import Phi
from salus.keys import api as keys
from salus.platform.tenancy import current_organization
from salus.privacy import request_rules, requests
from salus.privacy.contracts import Accounting, Disclosed, Disclosure, Ground, Suspension
from salus.privacy.made import made_by_salus
from salus.privacy.models import DisclosureRow

LONGEST = 500


def record_disclosure(contact_id: UUID, made: Disclosure, *, actor: Actor, at: datetime) -> UUID:
    """Store a disclosure as 164.528(b)(2) asks for it; return its id. Raises `NotFound`, `BadInput` with the place."""
    requests.must_do(actor)
    if not contacts.versions([contact_id]):
        raise NotFound
    if made.at > at:
        raise BadInput("It cannot have been made in the future.", place="at")
    text = {
        name: getattr(made, name).reveal().strip() for name in ("recipient", "address", "what", "purpose")
    }
    for name, value in text.items():
        if len(value) > LONGEST or "\x00" in value or (not value and name != "address"):
            raise BadInput(f"Write 1 to {LONGEST} characters (45 CFR 164.528(b)(2)).", place=name)
    row = DisclosureRow(id=new_id(), contact_id=contact_id, at=made.at, ground=made.ground)
    row.sealed = keys.sealer().seal(orjson.dumps(text), _binding(row.id))
    row.save(force_insert=True)
    _record(Action.PRIVACY_DISCLOSE, row, actor, made.ground.value)
    return row.id


def suspend(contact_id: UUID, disclosure_id: UUID, stated: Suspension, *, actor: Actor, at: datetime) -> None:
    """Leave a disclosure to an agency out of accountings until the moment that the agency stated (164.528(a)(2)).

    Who stated it is documented; it ends by itself. A later statement takes the place of the one before, but what
    was said without writing holds for 30 days from the first time at most. Raises `NotFound`, `Conflict` for
    another ground, `BadInput` with the place.
    """
    requests.must_do(actor)
    row = (
        DisclosureRow.objects.select_for_update()
        .filter(id=disclosure_id, contact_id__in=contacts.whole(contact_id))
        .first()
    )
    if row is None:
        raise NotFound
    if Ground(row.ground) not in request_rules.SUSPENDING:
        raise Conflict("Only what a health oversight or law enforcement agency got can be suspended.")
    by = stated.by.reveal().strip()
    if not 0 < len(by) <= LONGEST or "\x00" in by:
        raise BadInput(f"Write 1 to {LONGEST} characters: the agency and its official.", place="by")
    if stated.until <= at:
        raise BadInput("Give a day to come.", place="until")
    text = _opened(row)
    said = text.get("suspension", {}).get("said_at", "")
    if not stated.in_writing:
        said = said or at.isoformat()
        if stated.until > datetime.fromisoformat(said) + request_rules.ORAL_AT_MOST:
            raise BadInput(
                "Without a written statement it ends within 30 days of what they said first.", place="until"
            )
    text["suspension"] = {"by": by, "in_writing": stated.in_writing, "said_at": said}
    row.suspended_until = stated.until
    row.sealed = keys.sealer().seal(orjson.dumps(text), _binding(row.id))
    row.save(update_fields=["suspended_until", "sealed"])
    _record(Action.PRIVACY_DISCLOSE, row, actor, "suspended")


def accounting(contact_id: UUID, *, since: datetime, actor: Actor, at: datetime) -> Accounting:
    """Return what of a person's record was disclosed from `since` (six years back at most) to `at`; recorded.

    What staff entered, and what Salus itself told others, from receipts and the log. Messages to the person
    are exempt (164.528(a)(1)(ii)) and counted.
    """
    requests.must_do(actor)
    found = [
        _disclosed(row) for row in DisclosureRow.objects.filter(contact_id__in=contacts.whole(contact_id))
    ]
    audit.record(Action.PRIVACY_ACCOUNT, actor=actor, object_kind="contact", patient_id=contact_id)
    return request_rules.account(found, since, at, made_by_salus(contact_id, at))


def _opened(row: DisclosureRow) -> dict[str, Any]:
    text: dict[str, Any] = orjson.loads(keys.sealer().open(bytes(row.sealed), _binding(row.id)))
    return text


def _disclosed(row: DisclosureRow) -> Disclosed:
    text = _opened(row)
    stated, suspension = text.pop("suspension", None), None
    if stated and row.suspended_until:
        suspension = Suspension(Phi(stated["by"]), row.suspended_until, stated["in_writing"])
    facts = Disclosure(row.at, ground=Ground(row.ground), **{name: Phi(each) for name, each in text.items()})
    return Disclosed(row.id, facts, suspension)


def _binding(disclosure_id: UUID) -> bytes:
    return keys.binding(current_organization(), "privacy_disclosure", disclosure_id)


def _record(action: Action, row: DisclosureRow, actor: Actor, outcome: str) -> None:
    audit.record(
        action,
        actor=actor,
        object_kind="disclosure",
        object_id=row.id,
        patient_id=row.contact_id,
        outcome=outcome,
    )
