"""The work of journeys, found by rounds and done by jobs: any number of workers share it."""

from __future__ import annotations

from uuid import UUID

from psycopg import sql

from salus.journeys import advancing, entering, following
from salus.journeys.contracts import Status
from salus.journeys.cursors import Feed
from salus.journeys.models import JourneyRow
from salus.journeys.ports import clock
from salus.kernel.acting import system
from salus.kernel.time import FAR
from salus.platform import bulk
from salus.platform.jobs import defer
from salus.platform.tenancy import acting_for, current_organization

FEEDS = tuple(each.value for each in Feed)
"""What is followed, each in a round of its own: what breaks in one holds up no other."""
MOVE, ENTER = "salus.journeys.tasks.move", "salus.journeys.tasks.enter"
LANES = 4
"""Workers that move people of one journey at the same time, at most."""
BATCHES = 50
"""Batches that one job does before others have their turn."""
JOINED_FROM = 500
"""Parts of counts of one journey that are joined."""

_DUE = sql.SQL(
    "SELECT count(*) FROM (SELECT FROM journeys_enrolment WHERE organization_id = %s AND journey_id = %s "
    "AND fate = 'waiting' AND due_at <= %s LIMIT %s) AS due"
)
_PARTS = sql.SQL(
    "SELECT journey_id FROM journeys_tally WHERE organization_id = %s GROUP BY 1 HAVING count(*) > %s"
)
_JOIN = sql.SQL(
    "WITH gone AS (DELETE FROM journeys_tally WHERE organization_id = %s AND journey_id = %s RETURNING *) "
    "INSERT INTO journeys_tally (organization_id, journey_id, version_id, what, step, port, outcome, reason, hours, people) "
    "SELECT organization_id, journey_id, version_id, what, step, port, outcome, reason, hours, sum(people) "
    "FROM gone GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 HAVING sum(people) <> 0"
)


def find_due() -> int:
    """Ask for jobs that move on whoever is due: for each journey as many as there is work for; return how many."""
    asked = 0
    running = {Status.LIVE, Status.CLOSED, Status.STOPPED}
    rows = JourneyRow.objects.filter(status__in=running).order_by("-priority", "id")
    for journey_id, status in rows.values_list("id", "status"):
        at = FAR if status == Status.STOPPED else clock().now()
        most = LANES * advancing.BATCH
        [(due,)] = bulk.execute(_DUE, [current_organization(), journey_id, at, most])
        for lane in range(-(-due // advancing.BATCH)):
            defer(MOVE, once=f"{journey_id}:{lane}", journey_id=str(journey_id))
            asked += 1
    return asked


def find_coming() -> int:
    """Ask for a job for each journey whose ways in are to be looked at; return how many."""
    open_ = JourneyRow.objects.filter(status__in=[Status.LIVE, Status.CLOSED]).order_by("id")
    found = [id for id in open_.values_list("id", flat=True) if entering.wants_a_look(id, clock=clock())]
    for journey_id in found:
        defer(ENTER, once=str(journey_id), journey_id=str(journey_id))
    return len(found)


def follow(only: str = "") -> int:
    """Follow what happened elsewhere, or one of `FEEDS` alone; return how many entries were read."""
    actor = system(current_organization(), "worker")
    return following.follow(actor=actor, clock=clock(), only=Feed(only) if only else None)


def join_counts() -> None:
    """Add up the parts of counts that have become many."""
    for (journey_id,) in bulk.execute(_PARTS, [current_organization(), JOINED_FROM]):
        bulk.execute(_JOIN, [current_organization(), journey_id])


def move(organization_id: UUID, journey_id: UUID) -> int:
    """Move on whoever is due in a journey, batch by batch, each in a transaction; return how many were looked at.

    Call it outside the context. Others have their turn after `BATCHES`.
    """
    actor, people = system(organization_id, "worker"), 0
    for _ in range(BATCHES):
        with acting_for(organization_id):
            moved = advancing.advance(journey_id, actor=actor, clock=clock())
        people += moved.people
        if moved.people < advancing.BATCH:
            break
    return people


def enter(organization_id: UUID, journey_id: UUID) -> None:
    """Let in whoever is coming into a journey, in several transactions; call it outside the context."""
    actor = system(organization_id, "worker")
    with acting_for(organization_id):
        coming = entering.look(journey_id, clock=clock())
    while coming:
        with acting_for(organization_id):
            coming = entering.bring(journey_id, actor=actor, clock=clock())
