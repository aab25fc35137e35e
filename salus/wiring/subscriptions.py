"""Who listens to what: the one table of what a lower package tells and a higher one does with it."""

from __future__ import annotations

from collections.abc import Sequence

from salus.delivery import api as delivery
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


def subscribe() -> None:
    """Connect listeners, in this process; called once when its ports are assembled."""
    permissions.on_change(_put_choices_on_the_timeline)
    delivery.use_origins(reports.describe_sending)


def _put_choices_on_the_timeline(appended: Sequence[Appended]) -> None:
    """Let segments and journeys see who opted in or out, in the transaction of the choice."""
    timeline.append(
        [
            NewEvent(each.contact_id, _CHOICES[each.kind], CLOCK.now(), key=f"entry:{each.entry_id}")
            for each in appended
            if each.kind in _CHOICES
        ]
    )
