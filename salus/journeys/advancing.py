"""Moves people on who are due, a batch in a transaction: facts, visits, messages and the audit entry commit together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID

from psycopg import sql

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.identity import api as identity
from salus.journeys import cursors
from salus.journeys.arriving import trees_before
from salus.journeys.contracts import Status
from salus.journeys.courses import course
from salus.journeys.effects import Effects, take_back
from salus.journeys.opening import Books, Opened
from salus.journeys.rules.position import ENDED, Stay, Why
from salus.journeys.specifying import Specifier
from salus.journeys.walking import Claimed, Walker, claim, walk_all, write
from salus.kernel.acting import Actor
from salus.kernel.time import FAR, Clock
from salus.platform import bulk
from salus.platform.tenancy import current_organization

BATCH = 1000
"""People moved on in one transaction."""
STOPPED = "stopped"

_JOURNEY = sql.SQL(
    "SELECT status, priority FROM journeys_journey WHERE organization_id = %s AND id = %s FOR SHARE"
)


@dataclass(frozen=True, slots=True)
class Moved:
    """What one batch did: `people` were looked at, they left `visits` steps, `ended` of them for good."""

    people: int = 0
    visits: int = 0
    ended: int = 0


def advance(journey_id: UUID, *, actor: Actor, clock: Clock, limit: int = BATCH) -> Moved:
    """Move on up to `limit` people of a journey who are due, in the caller's transaction.

    Any number of workers may do so at once: each takes people whom no other has. Killed before the commit,
    nothing was done. In a journey that is paused nobody moves; of one that was stopped, everybody leaves.
    """
    found = bulk.execute(_JOURNEY, [current_organization(), journey_id])
    if not found or found[0][0] not in (Status.LIVE, Status.CLOSED, Status.STOPPED):
        return Moved()
    [(status, priority)] = found
    stopped = status == Status.STOPPED
    claimed = claim(journey_id, FAR if stopped else clock.now(), limit)
    if not claimed:
        return Moved()
    batch = _Batch(journey_id, priority, actor, clock)
    walkers = [batch.walker(each, stopped=stopped) for each in claimed]
    batch.move(walkers)
    visits = write(journey_id, walkers, batch.at)
    ended = sum(each.end is not None for each in walkers)
    audit.record(
        Action.JOURNEY_MOVE,
        actor=actor,
        object_kind="journey",
        object_id=journey_id,
        fields=sorted(batch.books.fields),
        details={"people": len(walkers), "visits": visits, "ended": ended},
    )
    return Moved(len(walkers), visits, ended)


class _Batch:
    """What is the same for all people of a batch.

    Its moment is read after the people were locked: an event that was followed without seeing that they
    had moved happened before, so it does not count for a wait that begins now.
    """

    def __init__(self, journey_id: UUID, priority: int, actor: Actor, clock: Clock) -> None:
        self.at = clock.now()
        self.books = Books(self.at)
        self._specifiers: dict[UUID, Specifier] = {}
        self._before = partial(trees_before, journey_id)
        self._actor = actor
        self._effects = Effects(journey_id, priority, self._specifier, actor, clock, self.at)
        self._behind = cursors.is_behind()

    def walker(self, claimed: Claimed, *, stopped: bool) -> Walker:
        """Return somebody who was claimed, with facts that open when they are asked for."""
        position, version_id = claimed.position, claimed.version_id
        if stopped:
            position = replace(position, answer=f"{ENDED}:{STOPPED}")
        known = course(version_id)
        facts = Opened(
            self.books,
            position.contact_id,
            claimed.number,
            asked=claimed.asked,
            urgent=lambda step: step in self._specifier(version_id).urgent,
            channels=known.channels,
        )
        facts.look_back = self._behind or claimed.asked or position.waits in (None, Why.DUE)
        return Walker(claimed.id, version_id, claimed.number, known, position, facts)

    def move(self, walkers: Sequence[Walker]) -> None:
        """Let everybody go on to where they wait, or to their end; what they come to do is done once."""
        began = {each.id: each.position for each in walkers}
        walk_all(walkers, self.at, self.books.fetch)
        doing = [each for each in walkers if each.do]
        if doing:
            self._effects.do(doing)
            walk_all([each for each in doing if not each.stay and not each.end], self.at, self.books.fetch)
            for each in doing:
                if each.do:  # what comes next is done in the next batch: each locks in the same order
                    each.do, each.stay = None, Stay(self.at, Why.DUE)
        early = [began[each.id] for each in walkers if each.end and each.visits[0].port == ENDED]
        take_back(early, actor=self._actor, at=self.at)

    def _specifier(self, version_id: UUID) -> Specifier:
        if version_id not in self._specifiers:
            self._specifiers[version_id] = Specifier(
                course(version_id).graph, identity.organization(), self._before
            )
        return self._specifiers[version_id]
