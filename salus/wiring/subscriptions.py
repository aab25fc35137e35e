"""Who listens to what: the one table of what a lower package tells and a higher one does with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from salus.delivery import api as delivery
from salus.identity import api as identity
from salus.identity.contracts import Glass, Role
from salus.inbox import api as inbox
from salus.inbox.contracts import NewTask
from salus.kernel.acting import Actor
from salus.kernel.time import SystemClock
from salus.permissions import api as permissions
from salus.permissions.contracts import Appended, EntryKind
from salus.reports import api as reports
from salus.timeline import api as timeline
from salus.timeline.contracts import EventKind, NewEvent

CLOCK = SystemClock()

_CHOICES = {
    EntryKind.OPT_IN: EventKind.OPTED_IN,
    EntryKind.OPT_IN_CONFIRMED: EventKind.OPTED_IN,
    EntryKind.OPT_OUT: EventKind.OPTED_OUT,
}


REVIEW_WITHIN = timedelta(days=7)
_REVIEW = "Somebody took emergency access: review it"
_WHERE = "Under Emergency reviews you see who, to what and why, and what they did with it."


def subscribe() -> None:
    """Connect listeners, in this process; called once when its ports are assembled."""
    permissions.on_change(_put_choices_on_the_timeline)
    delivery.use_origins(reports.describe_sending)
    identity.on_emergency_access(_tell_privacy_office)


def _tell_privacy_office(glass: Glass, actor: Actor) -> None:
    """Ask the privacy officer to review an emergency access, from the moment it begins until they did."""
    key = f"glass:{glass.id}"
    if glass.reviewed_at is not None:
        inbox.withdraw([key], actor=actor, at=glass.reviewed_at)
        return
    task = NewTask(key, None, Role.PRIVACY_OFFICER, _REVIEW, glass.opened_at + REVIEW_WITHIN, _WHERE)
    inbox.create_tasks([task], actor=actor, at=glass.opened_at)


def _put_choices_on_the_timeline(appended: Sequence[Appended]) -> None:
    """Let segments and journeys see who opted in or out, in the transaction of the choice."""
    timeline.append(
        [
            NewEvent(each.contact_id, _CHOICES[each.kind], CLOCK.now(), key=f"entry:{each.entry_id}")
            for each in appended
            if each.kind in _CHOICES
        ]
    )
