"""What was sent long ago: addresses, values and files go; the decision and the receipts stay and still verify."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from salus.delivery.models import Deposit, MessageRow
from salus.delivery.rules import WAITING
from salus.delivery.sealing import Content, message_binding, open_content, seal_content
from salus.files import api as files
from salus.files.contracts import Of, Owner
from salus.kernel.aging import Old, Walked
from salus.keys import api as keys
from salus.platform.tenancy import current_organization


def count_messages(old: Old) -> int:
    """Return how many messages ended long ago and still have their contents."""
    return _due(old).count()


def empty_messages(old: Old, after: UUID | None, limit: int) -> Walked:
    """Take address, values and files of up to `limit` of them away.

    One whose words are still kept in the portal, and the notice of one, waits for the portal's own rule.
    """
    rows = _due(old)
    if after is not None:
        rows = rows.filter(id__gt=after)
    found = list(rows.select_for_update(of=("self",)).order_by("id")[:limit])
    organization_id, sealer = current_organization(), keys.sealer()
    for row in found:
        binding = message_binding(organization_id, row.id)
        decision = open_content(sealer, binding, row.sealed).decision
        row.sealed = seal_content(sealer, binding, Content("", {}, {}, decision))
        row.emptied_at = old.at
    files.erase([Owner(Of.MESSAGE, row.id) for row in found], actor=old.actor)
    MessageRow.objects.bulk_update(found, ["sealed", "emptied_at"])
    return Walked(len(found), found[-1].id if len(found) == limit else None)


def _due(old: Old) -> QuerySet[MessageRow]:
    kept = Deposit.objects.filter(erased_at=None)
    rows = MessageRow.objects.filter(emptied_at=None, changed_at__lt=old.before)
    rows = rows.exclude(state__in=WAITING).exclude(contact_id__in=old.spared)
    rows = rows.exclude(id__in=kept.values("message_id"))
    return rows.exclude(id__in=kept.filter(notice_id__isnull=False).values("notice_id"))
