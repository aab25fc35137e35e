"""How long a message is kept in the portal, and how: the organization's rule, a letter's own, and its end for good."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from psycopg import sql

from salus.audit import api as audit
from salus.audit.contracts import Action, NewEntry
from salus.delivery.contracts import Letter, PortalRule, State
from salus.delivery.models import Deposit, LetterRow, MessageRow, PortalRuleRow
from salus.delivery.rules import LONGEST_IN_PORTAL, LONGEST_KEPT
from salus.delivery.sealing import Content, message_binding, open_content, seal_content
from salus.files import api as files
from salus.files.contracts import Of, Owner
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput
from salus.kernel.phi import Phi
from salus.keys import api as keys
from salus.platform import bulk
from salus.platform.tenancy import current_organization

ERASED_AT_ONCE = 200
ERASED = b""

_SET = sql.SQL(
    'INSERT INTO delivery_portalrule (organization_id, "only", days, kept_days) VALUES (%s, true, %s, %s) '
    'ON CONFLICT (organization_id, "only") DO UPDATE SET days = excluded.days, kept_days = excluded.kept_days'
)


@dataclass(frozen=True, slots=True)
class Keeping:
    """How one message is kept: until when it can be read, and whether it is only to be looked at."""

    until: datetime
    view_only: bool


def portal_rule() -> PortalRule:
    """Return how long messages wait in the portal, and how long they are kept after it."""
    row = PortalRuleRow.objects.first()
    return PortalRule(row.days, row.kept_days) if row else PortalRule()


def set_rule(new: PortalRule, *, actor: Actor) -> None:
    """Set the organization's rule; messages that are in the portal keep their day. Raises `BadInput`."""
    _check_days(new.days)
    if not 0 <= new.kept_days <= LONGEST_KEPT:
        raise BadInput(f"Say a number of days from 0 to {LONGEST_KEPT}.", place="kept_days")
    bulk.execute(_SET, [current_organization(), new.days, new.kept_days])
    audit.record(
        Action.PORTAL_RULE,
        actor=actor,
        object_kind="organization",
        object_id=current_organization(),
        details={"days": new.days, "kept_days": new.kept_days},
    )


def keep_letter(message_id: UUID, *, view_only: bool, days: int | None) -> None:
    """Say how a message is to be kept, in the transaction that sent it. Raises `BadInput` for no such days."""
    if days is not None:
        _check_days(days)
    LetterRow.objects.update_or_create(message_id=message_id, defaults={"view_only": view_only, "days": days})


def _check_days(days: int) -> None:
    if not 1 <= days <= LONGEST_IN_PORTAL:
        raise BadInput(f"Say a number of days from 1 to {LONGEST_IN_PORTAL}.", place="days")


def keeping(message_ids: Collection[UUID], at: datetime) -> Mapping[UUID, Keeping]:
    """Return how each of these messages is kept that gets to the portal at `at`."""
    usual = portal_rule().days
    found = dict.fromkeys(message_ids, Keeping(at + timedelta(days=usual), view_only=False))
    for row in LetterRow.objects.filter(message_id__in=message_ids):
        found[row.message_id] = Keeping(at + timedelta(days=row.days or usual), row.view_only)
    return found


def letters_of(message_ids: Collection[UUID]) -> Mapping[UUID, Letter]:
    """Return these messages as their sender sees them; what is not there is left out."""
    stays = {row.message_id: row for row in Deposit.objects.filter(message_id__in=message_ids)}
    own = {row.message_id: row for row in LetterRow.objects.filter(message_id__in=message_ids)}
    found = {}
    for row in MessageRow.objects.filter(id__in=message_ids):
        words = open_content(
            keys.sealer(), message_binding(current_organization(), row.id), row.sealed
        ).values
        stay = stays.get(row.id)
        found[row.id] = Letter(
            message_id=row.id,
            state=State(row.state),
            subject=Phi(str(words.get("subject", ""))),
            text=Phi(str(words.get("text", ""))),
            at=row.decided_at,
            view_only=own[row.id].view_only if row.id in own else False,
            expires_at=stay.expires_at if stay else None,
            opened_at=stay.opened_at if stay else None,
            recalled_at=stay.recalled_at if stay else None,
            erased_at=(stay.erased_at if stay else None) or row.emptied_at,
        )
    return found


def erase_ended(*, spared: Collection[UUID] = (), actor: Actor, at: datetime) -> int:
    """Erase the words and files of messages that ended long enough ago; return how many (200 at most).

    Those of `spared` people stay. The receipts stay too, and say when: what allowed each message, what it
    told, when it was opened.
    """
    before = at - timedelta(days=portal_rule().kept_days)
    rows = list(
        Deposit.objects.select_for_update(skip_locked=True)
        .filter(ended_at__lte=before, erased_at=None)
        .exclude(contact_id__in=spared)
        .order_by("ended_at")[:ERASED_AT_ONCE]
    )
    ids = [row.message_id for row in rows]
    if not ids:
        return 0
    Deposit.objects.filter(message_id__in=ids).update(sealed=ERASED, erased_at=at)
    files.erase([Owner(Of.MESSAGE, each) for each in ids], actor=actor)
    _empty(ids)
    audit.record_many(
        [
            NewEntry(Action.MESSAGE_ERASE, actor, "message", row.message_id, patient_id=row.contact_id)
            for row in rows
        ],
        at=at,
    )
    return len(ids)


def _empty(message_ids: Collection[UUID]) -> None:
    """Take the values out of the messages' own rows too: a body could be made of them again."""
    organization_id, sealer, changed = current_organization(), keys.sealer(), []
    for row in MessageRow.objects.select_for_update().filter(id__in=message_ids).order_by("id"):
        binding = message_binding(organization_id, row.id)
        content = open_content(sealer, binding, row.sealed)
        row.sealed = seal_content(sealer, binding, Content(content.to, {}, {}, content.decision))
        changed.append(row)
    MessageRow.objects.bulk_update(changed, ["sealed"])
