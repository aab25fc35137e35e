"""The numbers of a journey, from the counts that the engine keeps: no visit is read for them, however many there are."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

from psycopg import sql

from salus.delivery import api as delivery
from salus.delivery.contracts import By
from salus.journeys.contracts import Counts, Fate, StepCounts
from salus.journeys.courses import course
from salus.journeys.models import SendingRow, TallyRow, VersionRow
from salus.journeys.rules.counting import median_hours
from salus.kernel.errors import NotFound
from salus.platform import bulk

_SUMS = sql.SQL(
    "SELECT what, step, port, outcome, reason, hours, sum(people)::int8 FROM journeys_tally "
    "WHERE journey_id = %s AND (%s::uuid IS NULL OR version_id = %s) GROUP BY 1, 2, 3, 4, 5, 6"
)
_TOTALS = sql.SQL(
    "SELECT journey_id, what, outcome, reason, sum(people)::int8 FROM journeys_tally "
    "WHERE journey_id = ANY(%s) AND what IN ('entered', 'over', 'kept_out') GROUP BY 1, 2, 3, 4"
)
_INSIDE = sql.SQL(
    "SELECT version_id, sum(CASE what WHEN 'entered' THEN people ELSE -people END)::int8 FROM journeys_tally "
    "WHERE journey_id = %s AND what IN ('entered', 'over') GROUP BY 1"
)


def counts(
    journey_id: UUID, version_id: UUID | None = None, *, engaged_at: Collection[str] | None = None
) -> Counts:
    """Return the numbers of a journey, or of one version of it; raises `NotFound`.

    Steps of the same key are counted together over the versions; those that nobody came to are there with
    zeros. `engaged_at` are the steps whose opens
    and clicks are counted too, None for all: those are read from what people did, which takes longer.
    """
    rows = VersionRow.objects.filter(journey_id=journey_id)
    found = list((rows if version_id is None else rows.filter(id=version_id)).values_list("id", "live_at"))
    if not found:
        raise NotFound
    drawn = dict.fromkeys(step for id, live_at in found if live_at for step in course(id).graph.steps)
    groups = bulk.execute(_SUMS, [journey_id, version_id, version_id])
    whole = ((what, outcome, reason, people) for what, _, _, outcome, reason, _, people in groups)
    engaged = _engaged(journey_id, version_id, engaged_at)
    return _counts(whole, _steps(drawn, groups, engaged))


def totals(journey_ids: Collection[UUID]) -> Mapping[UUID, Counts]:
    """Return the sums of each of these journeys, without their steps; one query for all."""
    found: defaultdict[UUID, list[tuple[Any, ...]]] = defaultdict(list)
    for journey_id, *group in bulk.execute(_TOTALS, [list(journey_ids)]):
        found[journey_id].append(tuple(group))
    return {id: _counts(found[id], {}) for id in journey_ids}


def inside_by_version(journey_id: UUID) -> Mapping[UUID, int]:
    """Return how many people are inside each version that had any."""
    return dict(bulk.execute(_INSIDE, [journey_id]))


def _counts(groups: Iterable[tuple[Any, ...]], steps: Mapping[str, StepCounts]) -> Counts:
    entered, over, reasons = 0, Counter[str](), Counter[str]()
    for what, outcome, reason, people in groups:
        if what == TallyRow.ENTERED:
            entered += people
        elif what == TallyRow.OVER:
            over[outcome] += people
        if reason and what in {TallyRow.OVER, TallyRow.KEPT_OUT}:
            reasons[reason] += people
    return Counts(
        entered=entered,
        waiting=entered - over.total(),
        completed=over[Fate.COMPLETED],
        exited=over[Fate.EXITED],
        refused=over[Fate.REFUSED],
        reasons=dict(+reasons),
        steps=steps,
    )


def _steps(
    drawn: Iterable[str], groups: Iterable[tuple[Any, ...]], engaged: Mapping[str, tuple[int, int]]
) -> dict[str, StepCounts]:
    arrived: Counter[str] = Counter()
    left: defaultdict[str, Counter[str]] = defaultdict(Counter)
    outcomes: defaultdict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    hours: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for what, step, port, outcome, reason, place, people in groups:
        if what == TallyRow.ARRIVED:
            arrived[step] += people
        elif what == TallyRow.LEFT:
            left[step][port] += people
            outcomes[step][outcome, reason] += people
            hours[step][place] += people
    return {
        step: StepCounts(
            step=step,
            arrived=arrived[step],
            here=arrived[step] - left[step].total(),
            left=dict(+left[step]),
            outcomes=dict(+outcomes[step]),
            hours=median_hours(hours[step]),
            opened=engaged.get(step, (0, 0))[0],
            clicked=engaged.get(step, (0, 0))[1],
        )
        for step in dict.fromkeys((*drawn, *arrived))
    }


def _engaged(
    journey_id: UUID, version_id: UUID | None, steps: Collection[str] | None
) -> Mapping[str, tuple[int, int]]:
    """Return how many messages of each step a person read, and how many they clicked in."""
    rows = SendingRow.objects.filter(journey_id=journey_id)
    if version_id is not None:
        rows = rows.filter(version_id=version_id)
    if steps is not None:
        rows = rows.filter(step__in=steps)
    of_step = dict(rows.values_list("id", "step"))
    found: defaultdict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for id, engagement in delivery.engagement_of(list(of_step)).items() if of_step else ():
        read, clicked = found[of_step[id]]
        found[of_step[id]] = (read + engagement.readers, clicked + engagement.clicked.get(By.PERSON, 0))
    return found
