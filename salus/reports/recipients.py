"""Who exactly is behind a figure of a report, on a page or as a file; every look is recorded."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.contacts import api as contacts
from salus.contacts.contracts import Opened
from salus.delivery import api as delivery
from salus.delivery.api import Recipient
from salus.delivery.contracts import Origin
from salus.identity import api as identity
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import Channel
from salus.platform.tenancy import acting_for
from salus.reports import campaign, rules
from salus.reports.contracts import Figure, Reveal, Wanted, Who

PAGE = 50
CHUNK = 1000
FIELDS = ("given_name", "family_name", "email")
COLUMNS = ("message", "contact_number", "state", "reason", "rule", "protection", "uncertain")


def page(
    campaign_id: UUID,
    wanted: Wanted,
    *,
    actor: Actor,
    after: int = 0,
    limit: int = PAGE,
    purpose: Reveal | None = None,
) -> list[Who]:
    """Return people behind a figure by contact number, up to `limit` after `after`.

    Names and addresses are opened only with a purpose, by whoever may. Raises `NotFound` for whoever
    may not know who they are.
    """
    _may(actor, purpose)
    found = campaign.find(campaign_id)
    rows = delivery.recipients(campaign.origin_of(found), after=after, limit=limit, **rules.narrowed(wanted))
    audit.record(
        Action.REPORT_RECIPIENTS,
        actor=actor,
        object_kind="campaign",
        object_id=found.id,
        purpose=purpose or "",
        reason=wanted.figure,
        fields=FIELDS if purpose else (),
        details={"people": len(rows)},
    )
    return _people(rows, actor, purpose)


def unnotified(*, actor: Actor) -> list[Who]:
    """Return people whose portal message could not be announced, newest first; the look is recorded."""
    _may(actor, None)
    rows = delivery.unnotified(limit=PAGE)
    audit.record(
        Action.REPORT_RECIPIENTS,
        actor=actor,
        object_kind="message",
        reason=Figure.UNNOTIFIED,
        details={"people": len(rows)},
    )
    return _people(rows, actor, None)


def export(
    campaign_id: UUID, wanted: Wanted, *, actor: Actor, purpose: Reveal | None = None
) -> Iterator[str]:
    """Return the people behind a figure as lines of a CSV; the export is recorded before the first line.

    The lines come chunk by chunk, each in a transaction of its own: read them outside of this one.
    """
    _may(actor, purpose)
    found = campaign.find(campaign_id)
    origin = campaign.origin_of(found)
    audit.record(
        Action.REPORT_EXPORT,
        actor=actor,
        object_kind="campaign",
        object_id=found.id,
        purpose=purpose or "",
        reason=wanted.figure,
        fields=(*COLUMNS, *(FIELDS if purpose else ())),
    )
    return _lines(origin, rules.narrowed(wanted), actor, purpose)


def _lines(origin: Origin, narrowed: dict[str, Any], actor: Actor, purpose: Reveal | None) -> Iterator[str]:
    yield _line((*COLUMNS, *(FIELDS if purpose else ())))
    after = 0
    while True:
        with acting_for(actor.organization_id):
            rows = delivery.recipients(origin, after=after, limit=CHUNK, **narrowed)
            people = _people(rows, actor, purpose)
        yield "".join(_line(_cells(each, revealed=purpose is not None)) for each in people)
        if len(rows) < CHUNK:
            return
        after = rows[-1].contact_number


def _cells(who: Who, *, revealed: bool) -> Iterable[object]:
    yield from (who.message_id, who.contact_number, who.state, who.reason, who.rule, who.reached)
    yield "yes" if who.uncertain else "no"
    if revealed:
        for value in (who.given_name, who.family_name, who.address):
            yield value.reveal() if value else ""


def _line(cells: Iterable[object]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([rules.safe_cell(cell) for cell in cells])
    return out.getvalue()


def _may(actor: Actor, purpose: Reveal | None) -> None:
    identity.require(actor, Permission.CAMPAIGNS_RECIPIENTS_READ)
    if purpose is not None:
        identity.require(actor, Permission.CONTACTS_PHI_REVEAL)


def _people(rows: Sequence[Recipient], actor: Actor, purpose: Reveal | None) -> list[Who]:
    opened: dict[UUID, Opened] = {}
    if purpose is not None and rows:
        found = contacts.open_fields(
            ids=[row.contact_id for row in rows],
            fields=list(FIELDS),
            purpose=purpose,
            actor=actor,
            revealed=True,
        )
        opened = {each.id: each for each in found}
    return [_who(row, opened.get(row.contact_id)) for row in rows]


def _who(row: Recipient, opened: Opened | None) -> Who:
    return Who(
        message_id=row.message_id,
        contact_id=row.contact_id,
        contact_number=row.contact_number,
        state=row.state,
        reason=row.reason,
        rule=row.rule,
        reached=row.reached,
        uncertain=row.uncertain,
        given_name=opened.values.get("given_name") if opened else None,
        family_name=opened.values.get("family_name") if opened else None,
        address=_address(opened) if opened else None,
    )


def _address(opened: Opened) -> Phi[str] | None:
    return next((each.value for each in opened.addresses if each.channel is Channel.EMAIL), None)
