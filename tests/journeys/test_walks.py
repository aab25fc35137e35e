"""No verified journey runs for ever, loses anybody, or does a step twice, whatever people and events do."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from salus.identity.contracts import Role
from salus.journeys.contracts import (
    ELSE,
    Branch,
    Case,
    Exit,
    Fate,
    Goal,
    Graph,
    Send,
    StepKind,
    Supposed,
    Task,
    Tree,
    Wait,
    WaitFor,
)
from salus.journeys.rules.checking import check
from salus.journeys.rules.moving import Course
from salus.journeys.rules.position import ENDED, Decision, Do, Facts, Position
from salus.journeys.rules.supposing import Endless, Walk, walk
from salus.journeys.rules.tallying import tally
from salus.kernel.ids import new_id
from salus.kernel.vocabulary import Channel
from tests.journeys.graphs import HERE, LETTERS, WORLD, graph, graphs, step

MONDAY = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
DAY = timedelta(days=1)
LONG = timedelta(days=4000)
ZONES = ("America/New_York", "Pacific/Honolulu", "America/Phoenix")


@dataclass
class Oracle:
    """A person of whom anything may be true: every question is answered by chance, the same for the same moment."""

    seed: int
    zone: str = "America/New_York"
    at: datetime = MONDAY
    messages: int = 0

    def chance(self, *parts: object) -> float:
        told = sha256(repr((self.seed, *parts)).encode()).digest()
        return int.from_bytes(told[:4], "big") / 2**32

    def move_to(self, at: datetime) -> None:
        assert at >= self.at, "time does not run backwards"
        self.at = at

    def sent(self, message_id: UUID, at: datetime) -> None:
        self.messages += 1

    def holds(self, tree: Tree, message_id: UUID | None = None) -> bool:
        return self.chance("holds", tree, self.at) < 0.3

    def happened(
        self, event: Tree, since: datetime, until: datetime, message_id: UUID | None = None
    ) -> datetime | None:
        return since if self.chance("happened", event, since) < 0.1 else None

    def dates(self, attribute: str, where: Tree) -> Sequence[tuple[date, time | None]]:
        many = int(self.chance("dates", attribute, self.at.date()) * 4)
        days = [int(self.chance("date", attribute, n) * 400) - 100 for n in range(many)]
        return [((MONDAY + days_on * DAY).date(), time(9) if days_on % 2 else None) for days_on in days]

    def deceased(self) -> bool:
        return self.chance("dead", self.at) < 0.01

    def opted_out(self, topic: str) -> bool:
        return self.chance("out", topic, self.at) < 0.02

    def transactional(self, step: object) -> bool:
        return self.chance("urgent", step) < 0.5

    def holiday(self, day: date) -> bool:
        return self.chance("holiday", day) < 0.1


def act(course: Course, oracle: Oracle) -> object:
    """Return what does steps for this person: refused, failed, or done, by chance."""

    def do(doing: Do, position: Position, facts: Facts, at: datetime) -> Decision:
        lucky = oracle.chance("act", doing.step.key, doing.nth, at) < 0.7
        match doing.step.kind:
            case StepKind.SEND:
                return course.sent(position, new_id(), allowed=lucky, reason="" if lucky else "opted_out")
            case StepKind.UPDATE:
                return course.updated("" if lucky else "cannot_be_changed")
            case StepKind.GO_TO:
                return course.moved()
            case _:
                return course.waiting(position, facts, at)

    return do


def went(drawn: Graph, oracle: Oracle, supposed: Supposed, until: datetime = MONDAY + LONG) -> Walk:
    course = Course(drawn, HERE)
    position = course.enter(new_id(), UUID(int=oracle.seed + 1), MONDAY)
    return walk(course, position, oracle, act(course, oracle), supposed, until)  # type: ignore[arg-type]


shares = st.floats(0, 1)
supposings = st.builds(
    Supposed,
    st.dictionaries(st.sampled_from(["visit", "message_clicked", "appointment_booked"]), shares),
    shares,
    shares,
    st.integers(1, 1000),
)
people = st.builds(Oracle, st.integers(0, 2**32), st.sampled_from(ZONES))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(graphs(), people, supposings)
def test_no_verified_journey_runs_for_ever_loses_anybody_or_does_a_visit_twice(
    drawn: Graph, oracle: Oracle, supposed: Supposed
) -> None:
    proof = check(drawn, WORLD)
    assert proof.holds
    found = went(drawn, oracle, supposed)
    assert found.fate is not Fate.WAITING
    assert found.ended_at is not None
    assert found.ended_at - found.entered_at <= drawn.rules.at_most
    assert [each.ordinal for each in found.visits] == list(range(len(found.visits)))
    standing, since = drawn.start, found.entered_at
    for visit in found.visits:
        assert (visit.step, visit.arrived_at) == (standing, since)
        assert visit.left_at >= visit.arrived_at
        standing, since = drawn.steps[visit.step].ports.get(visit.port, ""), visit.left_at
    assert standing == "", "the last visit leads nowhere, all others to the next"
    assert found.visits[-1].port in ("", ENDED)
    assert proof.most_messages is not None
    sent = Counter(each.step for each in found.visits if each.outcome == "sent")
    assert sent.total() == oracle.messages <= proof.most_messages
    assert all(each.reason for each in found.visits if each.outcome in ("refused", "failed", ENDED))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(graphs(), st.lists(people, min_size=1, max_size=8), supposings, st.integers(0, 60))
def test_the_numbers_add_up_at_any_time(
    drawn: Graph, crowd: list[Oracle], supposed: Supposed, days: int
) -> None:
    ways = [went(drawn, each, supposed, MONDAY + days * DAY) for each in crowd]
    counts = tally(drawn, ways)
    assert counts.entered == len(crowd)
    assert counts.entered == counts.waiting + counts.completed + counts.exited + counts.refused
    assert set(counts.steps) == set(drawn.steps)
    came = Counter({drawn.start: len(crowd)})
    for key, one in counts.steps.items():
        assert one.arrived == one.here + sum(one.left.values())
        assert sum(one.left.values()) == sum(one.outcomes.values())
        for port, people_left in one.left.items():
            if port in drawn.steps[key].ports:  # several ports may lead to one step
                came[drawn.steps[key].ports[port]] += people_left
    assert came == Counter({key: one.arrived for key, one in counts.steps.items()})
    assert counts.waiting == sum(one.here for one in counts.steps.values())


@settings(max_examples=50, deadline=None)
@given(graphs(), people, supposings)
def test_the_same_supposition_is_the_same_walk(drawn: Graph, oracle: Oracle, supposed: Supposed) -> None:
    ways = [went(drawn, dataclasses.replace(oracle), supposed) for _ in range(2)]
    told = [
        [(each.step, each.port, each.outcome, each.reason, each.left_at) for each in way.visits]
        for way in ways
    ]
    assert told[0] == told[1]


REMINDED = graph(
    step("letter", Send(Channel.EMAIL, LETTERS), next="wait"),
    step("wait", WaitFor(10 * DAY, event={"did": "appointment_booked"}), happened="goal", timeout="nurse"),
    step("nurse", Task(Role.CARE_COORDINATOR, 4 * DAY, "Call"), done="goal", not_done="end"),
    step("goal", Goal()),
    step("end", Exit()),
)


@dataclass
class Calm(Oracle):
    """A person to whom nothing happens but what is supposed."""

    def chance(self, *parts: object) -> float:
        return 0.5

    def deceased(self) -> bool:
        return False


def test_what_is_supposed_happens_half_way_through_the_wait() -> None:
    booked = went(REMINDED, Calm(1), Supposed({"appointment_booked": 1.0}))
    assert [(each.step, each.port) for each in booked.visits] == [
        ("letter", "next"), ("wait", "happened"), ("goal", ""),
    ]  # fmt: skip
    assert booked.visits[1].left_at - booked.visits[1].arrived_at == 5 * DAY
    assert booked.fate is Fate.COMPLETED

    called = went(REMINDED, Calm(1), Supposed(tasks_done=1.0))
    assert [each.port for each in called.visits] == ["next", "timeout", "done", ""]
    assert called.visits[2].left_at - called.visits[2].arrived_at == 2 * DAY

    nobody = went(REMINDED, Calm(1), Supposed(tasks_done=0.0))
    assert [each.port for each in nobody.visits] == ["next", "timeout", "not_done", ""]
    assert (nobody.fate, nobody.ended_at) == (Fate.EXITED, nobody.entered_at + 14 * DAY)


def test_a_share_of_people_is_that_share() -> None:
    ways = [went(REMINDED, Calm(seed), Supposed({"appointment_booked": 0.3})) for seed in range(2000)]
    counts = tally(REMINDED, ways)
    assert 0.25 < counts.steps["wait"].left["happened"] / 2000 < 0.35


def test_who_has_not_finished_by_then_still_stands_somewhere() -> None:
    found = went(REMINDED, Calm(1), Supposed(), MONDAY + 3 * DAY)
    assert (found.fate, found.step, found.ended_at) == (Fate.WAITING, "wait", None)
    assert tally(REMINDED, [found]).steps["wait"].here == 1


def test_a_journey_that_the_check_refuses_is_found_out_when_it_is_walked() -> None:
    circle = graph(
        step(
            "again", Branch((Case("on", {"version": 1, "where": {"all": []}}),)), on="back", **{ELSE: "back"}
        ),
        step("back", Wait(span=timedelta(0)), next="again"),
    )
    assert not check(circle, WORLD).holds
    with pytest.raises(Endless):
        went(circle, Calm(1), Supposed())
