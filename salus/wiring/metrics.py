"""Figures of all organizations together: nothing in them says whose they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

from salus.audit import api as audit
from salus.campaigns.contracts import CAMPAIGN
from salus.delivery import api as delivery
from salus.identity import api as identity
from salus.kernel.time import SystemClock
from salus.platform.metrics import Family
from salus.platform.tenancy import acting_for

CLOCK = SystemClock()
RECENT = timedelta(days=7)


def work() -> Iterable[Family]:
    """Return how far the log is behind, what waits to be sent, and what became of recent messages."""
    now = CLOCK.now()
    waiting, behind = 0, 0.0
    queue: Counter[str] = Counter()
    states: Counter[str] = Counter()
    organizations = identity.organizations()
    for organization in organizations:
        with acting_for(organization.id):
            log = audit.waiting()
            waiting += log.count
            behind = max(behind, (now - log.since).total_seconds() if log.since else 0.0)
            queue.update(delivery.waiting_by_state())
            for sending in delivery.sendings(CAMPAIGN, now - RECENT):
                states.update(sending.states)
    yield Family("salus_organizations", "Organizations of this installation.", [({}, len(organizations))])
    yield Family("salus_audit_waiting", "Log entries that wait for their place.", [({}, waiting)])
    yield Family("salus_audit_lag_seconds", "How long the oldest of them has waited.", [({}, behind)])
    yield Family(
        "salus_delivery_queue",
        "Messages in the queue: due, later, leased to a sender, held back.",
        [({"state": state}, queue[state]) for state in ("due", "later", "leased", "held")],
    )
    yield Family(
        "salus_messages_recent",
        "Messages of campaigns released in the last seven days, by state.",
        [({"state": state}, count) for state, count in sorted(states.items())],
    )


COLLECTORS = (work,)
