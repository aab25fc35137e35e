"""The pure mover: what somebody does at each kind of step, by when, and what their visit says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salus.identity.contracts import Role
from salus.journeys.contracts import (
    Branch,
    Call,
    Case,
    Ending,
    EndsOn,
    Exit,
    Fate,
    Goal,
    GoTo,
    Graph,
    Repeat,
    Rules,
    Send,
    Split,
    Step,
    StepKind,
    Task,
    Tree,
    Update,
    Wait,
    WaitFor,
)
from salus.journeys.rules import calendar
from salus.journeys.rules.moving import Course, chosen
from salus.journeys.rules.position import NO_MESSAGE, Do, End, Leave, Position, Stay, Why
from salus.kernel.ids import new_id
from salus.kernel.vocabulary import Channel

MONDAY = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
"""10:00 in New York, before the clocks change on March 8."""
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ANA = UUID(int=7)
SALT = UUID(int=99)
BOOKED = {"did": "appointment_booked"}


@dataclass
class Known:
    """What a test says is known of Ana."""

    zone: str = "America/New_York"
    true: tuple[Any, ...] = ()
    events: Mapping[str, datetime] = field(default_factory=dict)
    when: Sequence[tuple[date, time | None]] = ()
    died: bool = False
    out_of: tuple[str, ...] = ()
    urgent: bool = False
    off: tuple[date, ...] = ()
    asked: list[tuple[Tree, UUID | None]] = field(default_factory=list)

    def holds(self, tree: Tree, message_id: UUID | None = None) -> bool:
        self.asked.append((tree, message_id))
        return tree in self.true

    def happened(
        self, event: Tree, since: datetime, until: datetime, message_id: UUID | None = None
    ) -> datetime | None:
        self.asked.append((event, message_id))
        at = self.events.get(event["did"])
        return at if at is not None and since <= at <= until else None

    def dates(self, attribute: str, where: Tree) -> Sequence[tuple[date, time | None]]:
        return self.when

    def deceased(self) -> bool:
        return self.died

    def opted_out(self, topic: str) -> bool:
        return topic in self.out_of

    def transactional(self, step: Step) -> bool:
        return self.urgent

    def holiday(self, day: date) -> bool:
        return day in self.off


def drawn(does: Any, *others: Step, ports: str = "", start: str = "here", **leads: str) -> Graph:
    """Return a journey with a step "here" that does this; its `ports` lead to "end", unless `leads` say."""
    kind = {"WaitFor": "wait_for", "GoTo": "go_to"}.get(type(does).__name__, type(does).__name__.lower())
    here = Step("here", StepKind(kind), "Here", does, dict.fromkeys(ports.split(), "end") | leads)
    end = Step("end", StepKind.EXIT, "End", Exit(), {})
    return Graph("A journey", (), start, {each.key: each for each in (here, end, *others)})


def stood(
    does: Any,
    ports: str = "",
    known: Known | None = None,
    at: datetime = MONDAY,
    rules: Rules | None = None,
) -> Any:
    """Return what Ana, who came on Monday at 10, decides at `at` at a step that does this."""
    course = Course(replace(drawn(does, ports=ports), rules=rules or Rules()), SALT)
    return course.decide(arrived(course), known or Known(), at)


def arrived(course: Course, **changed: Any) -> Position:
    return replace(course.enter(new_id(), ANA, MONDAY), **changed)


def test_a_wait_lasts_as_long_as_it_says_from_the_arrival() -> None:
    wait = Wait(span=3 * DAY)
    assert stood(wait, "next") == Stay(MONDAY + 3 * DAY, Why.TIME)
    assert stood(wait, "next", at=MONDAY + 3 * DAY) == Leave("next", "waited")


@pytest.mark.parametrize(
    ("weekday", "clock", "until"),
    [
        (1, time(10), datetime(2026, 3, 3, 15, tzinfo=UTC)),
        (0, time(10), MONDAY),  # it is Monday, ten o'clock, now
        (0, time(9), datetime(2026, 3, 9, 13, tzinfo=UTC)),  # past nine: next Monday, in summer time
        (None, time(9), datetime(2026, 3, 3, 14, tzinfo=UTC)),
        (2, None, datetime(2026, 3, 4, 5, tzinfo=UTC)),
        (0, None, MONDAY),
    ],
)
def test_a_wait_until_a_weekday_and_hour_is_told_by_clocks_where_the_person_lives(
    weekday: int | None, clock: time | None, until: datetime
) -> None:
    found = stood(Wait(until_weekday=weekday, until_time=clock), "next")
    assert found == (Leave("next", "waited") if until == MONDAY else Stay(until, Why.TIME))


def test_a_wait_for_a_date_moves_with_the_date() -> None:
    wait = Wait(attribute="appointments.date", offset=-3 * DAY, at=time(9))
    assert stood(wait, "next", Known(when=[(date(2026, 3, 20), time(14, 30))])) == Stay(
        datetime(2026, 3, 17, 13, tzinfo=UTC), Why.DATE
    )
    moved = Known(when=[(date(2026, 3, 27), None)])
    assert stood(wait, "next", moved, MONDAY + DAY) == Stay(datetime(2026, 3, 24, 13, tzinfo=UTC), Why.DATE)
    assert stood(wait, "next", Known()) == Leave("next", "date_gone")


def test_of_several_dates_the_next_one_counts_as_seen_from_the_arrival() -> None:
    wait = Wait(attribute="appointments.date", offset=DAY)
    known = Known(when=[(date(2026, 4, 1), None), (date(2026, 3, 4), None), (date(2026, 2, 1), None)])
    due = datetime(2026, 3, 5, 5, tzinfo=UTC)
    assert stood(wait, "next", known) == Stay(due, Why.DATE)
    assert stood(wait, "next", known, due) == Leave("next", "waited")


def test_an_offset_in_hours_counts_from_the_time_of_the_appointment() -> None:
    wait = Wait(attribute="appointments.date", offset=-4 * HOUR)
    known = Known(when=[(date(2026, 3, 4), time(14, 30))])
    assert stood(wait, "next", known) == Stay(datetime(2026, 3, 4, 15, 30, tzinfo=UTC), Why.DATE)


def test_a_date_whose_offset_is_past_leads_on_at_once() -> None:
    wait = Wait(attribute="appointments.date", offset=-3 * DAY)
    assert stood(wait, "next", Known(when=[(date(2026, 3, 3), None)])) == Leave("next", "waited")


def test_a_wait_for_an_event_ends_with_it_or_with_its_time() -> None:
    wait = WaitFor(at_most=7 * DAY, event=BOOKED)
    ports = "happened timeout"
    assert stood(wait, ports) == Stay(MONDAY + 7 * DAY, Why.EVENT)
    assert stood(wait, ports, at=MONDAY + 7 * DAY) == Leave("timeout", "timeout")
    known = Known(events={"appointment_booked": MONDAY + DAY})
    assert stood(wait, ports, known, MONDAY + 9 * DAY) == Leave("happened", "happened")


@pytest.mark.parametrize("off", [-HOUR, 8 * DAY])
def test_an_event_before_the_anchor_or_after_the_time_does_not_count(off: timedelta) -> None:
    known = Known(events={"appointment_booked": MONDAY + off})
    found = stood(WaitFor(7 * DAY, BOOKED), "happened timeout", known, MONDAY + 9 * DAY)
    assert found == Leave("timeout", "timeout")


def test_since_moves_the_anchor_to_an_earlier_step_or_to_the_entry() -> None:
    first = Step("first", StepKind.WAIT, "First", Wait(span=DAY), {"next": "here"})
    for since in ("first", "enter"):
        wait = WaitFor(7 * DAY, BOOKED, since=since)
        course = Course(drawn(wait, first, ports="happened timeout", start="first"), SALT)
        _, position = course.leave(arrived(course), Leave("next", "waited"), MONDAY + DAY)
        known = Known(events={"appointment_booked": MONDAY + HOUR})
        assert course.decide(position, known, MONDAY + DAY) == Leave("happened", "happened")


def test_a_condition_is_asked_on_arrival_and_again_every_day() -> None:
    tree = {"version": 1, "where": {"field": "state", "equal": "OH"}}
    wait = WaitFor(at_most=3 * DAY, condition=tree)
    ports = "happened timeout"
    assert stood(wait, ports) == Stay(MONDAY + DAY, Why.CONDITION)
    assert stood(wait, ports, at=MONDAY + 2 * DAY + HOUR) == Stay(MONDAY + 3 * DAY, Why.CONDITION)
    assert stood(wait, ports, Known(true=(tree,))) == Leave("happened", "happened")
    assert stood(wait, ports, at=MONDAY + 3 * DAY) == Leave("timeout", "timeout")


def test_an_answer_from_outside_ends_a_wait() -> None:
    course = Course(drawn(WaitFor(7 * DAY, BOOKED), ports="happened timeout"), SALT)
    woken = arrived(course, answer="happened", waits=Why.EVENT)
    assert course.decide(woken, Known(), MONDAY + 30 * DAY) == Leave("happened", "happened")


def test_the_first_case_that_holds_is_taken_else_the_rest() -> None:
    one, two = {"one": 1}, {"two": 2}
    branch = Branch((Case("a", one), Case("b", two)))
    ports = "a b else"
    assert stood(branch, ports, Known(true=(one, two))) == Leave("a", "case")
    assert stood(branch, ports, Known(true=(two,))) == Leave("b", "case")
    assert stood(branch, ports) == Leave("else", "case")


def test_of_step_ties_an_expression_to_the_message_of_that_step() -> None:
    letter = Step("letter", StepKind.SEND, "Letter", Send(Channel.EMAIL, {}), {"next": "here"})
    branch = Branch((Case("opened", {"did": "message_opened"}, of_step="letter"),))
    course = Course(drawn(branch, letter, ports="opened else", start="letter"), SALT)
    message, known = new_id(), Known()
    for allowed, tied in ((True, message), (False, NO_MESSAGE)):
        standing = arrived(course)
        _, position = course.leave(standing, course.sent(standing, message, allowed=allowed), MONDAY)
        course.decide(position, known, MONDAY)
        assert known.asked[-1] == ({"did": "message_opened"}, tied)


def test_a_split_is_the_same_for_the_same_person_and_divides_as_its_weights_say() -> None:
    weights = {"letter": 3, "nothing": 1}
    arms = [chosen(weights, bytes([number % 256, number // 256])) for number in range(4_000)]
    assert arms == [chosen(weights, bytes([number % 256, number // 256])) for number in range(4_000)]
    assert 2_850 < Counter(arms)["letter"] < 3_150
    split = Split({"only": 1}, control="only")
    assert stood(split, "only") == Leave("only", "control")
    assert stood(Split({"only": 1}), "only") == Leave("only", "case")


@given(st.dictionaries(st.text(max_size=5), st.integers(1, 10_000), min_size=1), st.binary())
def test_a_split_always_finds_an_arm(weights: dict[str, int], of: bytes) -> None:
    assert chosen(weights, of) in weights


def test_repeat_leads_back_at_most_so_often_and_not_too_soon() -> None:
    loop = Step("loop", StepKind.WAIT, "Loop", Wait(span=timedelta()), {"next": "here"})
    graph = drawn(Repeat(2, 7 * DAY), loop, ports="done", start="loop", again="loop")
    course = Course(graph, SALT)
    position, at, taken = arrived(course), MONDAY, []
    while position.step != "end":
        found = course.decide(position, Known(), at)
        if isinstance(found, Stay):
            assert found == Stay(at + 7 * DAY, Why.INTERVAL)
            at = found.due_at
        else:
            assert isinstance(found, Leave)
            visit, position = course.leave(position, found, at)
            taken.append((visit.ordinal, visit.step, visit.port))
    assert taken == [
        (0, "loop", "next"),
        (1, "here", "again"),
        (2, "loop", "next"),
        (3, "here", "again"),
        (4, "loop", "next"),
        (5, "here", "done"),
    ]
    assert at == MONDAY + 14 * DAY


def test_what_is_done_on_a_loop_has_a_number_of_its_own_each_time() -> None:
    letter = Step("letter", StepKind.SEND, "Letter", Send(Channel.EMAIL, {}), {"next": "here"})
    graph = drawn(Repeat(1, timedelta()), letter, ports="done", start="letter", again="letter")
    course = Course(graph, SALT)
    position = course.enter(new_id(), ANA, MONDAY, entry=4)
    assert course.decide(position, Known(), MONDAY) == Do(letter, (4, 0))
    _, position = course.leave(position, course.sent(position, new_id(), allowed=True), MONDAY)
    _, position = course.leave(position, Leave("again", "again"), MONDAY)
    assert course.decide(position, Known(), MONDAY) == Do(letter, (4, 1))


@pytest.mark.parametrize(
    ("at", "free"),
    [
        (MONDAY, None),
        (
            datetime(2026, 3, 3, 1, tzinfo=UTC),
            datetime(2026, 3, 3, 13, tzinfo=UTC),
        ),  # 20:00: until 8 next day
        (datetime(2026, 3, 3, 12, 59, tzinfo=UTC), datetime(2026, 3, 3, 13, tzinfo=UTC)),
        (datetime(2026, 3, 8, 6, 30, tzinfo=UTC), datetime(2026, 3, 8, 12, tzinfo=UTC)),  # clocks go forward
    ],
)
def test_no_message_leaves_in_quiet_hours(at: datetime, free: datetime | None) -> None:
    found = stood(Send(Channel.EMAIL, {}), "next", at=at)
    assert found == Stay(free, Why.QUIET) if free else isinstance(found, Do)


def test_no_message_leaves_on_a_holiday() -> None:
    off = Known(off=(date(2026, 3, 2), date(2026, 3, 3)))
    found = stood(Send(Channel.EMAIL, {}), "next", off)
    assert found == Stay(datetime(2026, 3, 4, 13, tzinfo=UTC), Why.QUIET)
    assert isinstance(stood(Send(Channel.EMAIL, {}), "next", off, rules=Rules(holidays=False)), Do)


def test_a_year_of_holidays_does_not_hold_a_message_for_ever() -> None:
    found = calendar.send_time(MONDAY, None, None, "UTC", lambda day: True)
    assert found <= MONDAY + timedelta(days=calendar.MOST_HOLIDAYS)


def test_nothing_holds_back_transactional_mail() -> None:
    urgent = Known(urgent=True, off=(date(2026, 3, 2),))
    for at in (MONDAY, datetime(2026, 3, 3, 1, tzinfo=UTC)):
        assert isinstance(stood(Send(Channel.EMAIL, {}), "next", urgent, at), Do)


def test_whom_the_gate_refuses_goes_by_refused_where_it_is_drawn() -> None:
    message = new_id()
    drawn_port = Course(drawn(Send(Channel.EMAIL, {}), ports="next refused"), SALT)
    undrawn = Course(drawn(Send(Channel.EMAIL, {}), ports="next"), SALT)
    for course, port in ((drawn_port, "refused"), (undrawn, "next")):
        found = course.sent(arrived(course), message, allowed=False, reason="opted_out")
        assert found == Leave(port, "refused", "opted_out", message)
    assert undrawn.sent(arrived(undrawn), message, allowed=True) == Leave("next", "sent", "", message)


def test_the_fate_of_an_exit_tells_whether_they_were_refused() -> None:
    course = Course(drawn(Exit()), SALT)
    assert course.decide(arrived(course), Known(), MONDAY) == End(Fate.EXITED, "exit")
    refused = arrived(course, came_by="refused")
    assert course.decide(refused, Known(), MONDAY) == End(Fate.REFUSED, "exit")
    assert stood(Goal()) == End(Fate.COMPLETED, "goal")


def test_a_task_is_made_once_and_ends_done_or_not_done() -> None:
    course = Course(drawn(Task(Role.CARE_COORDINATOR, at_most=5 * DAY), ports="done not_done"), SALT)
    position = arrived(course)
    assert isinstance(course.decide(position, Known(), MONDAY), Do)
    assert course.waiting(position, Known(), MONDAY) == Stay(MONDAY + 5 * DAY, Why.TASK)
    for answer, at, found in (
        ("done", MONDAY + DAY, Leave("done", "done")),
        ("not_done", MONDAY + DAY, Leave("not_done", "not_done")),
        ("", MONDAY + 5 * DAY, Leave("not_done", "not_done")),
    ):
        waiting = replace(position, waits=Why.TASK, answer=answer)
        assert course.decide(waiting, Known(), at) == found


def test_a_call_that_fails_goes_by_failed_where_it_is_drawn() -> None:
    call = Call(new_id(), at_most=DAY)
    for ports, port in (("done failed", "failed"), ("done", "done")):
        course = Course(drawn(call, ports=ports), SALT)
        position = arrived(course)
        assert isinstance(course.decide(position, Known(), MONDAY), Do)
        assert course.waiting(position, Known(), MONDAY) == Stay(MONDAY + DAY, Why.CALL)
        waiting = replace(position, waits=Why.CALL)
        assert course.decide(replace(waiting, answer="done"), Known(), MONDAY) == Leave("done", "done")
        failed = course.decide(replace(waiting, answer="failed:refused_by_peer"), Known(), MONDAY)
        assert failed == Leave(port, "failed", "refused_by_peer")
        assert course.decide(waiting, Known(), MONDAY + DAY) == Leave(port, "failed", "no_answer")


def test_an_update_says_whether_it_could_be_made() -> None:
    course = Course(drawn(Update(attributes={"city": "Ada"}), ports="next"), SALT)
    assert isinstance(course.decide(arrived(course), Known(), MONDAY), Do)
    assert course.updated() == Leave("next", "updated")
    assert course.updated("not_changed") == Leave("next", "failed", "not_changed")


def test_go_to_leads_to_a_step_here_or_out_of_the_journey() -> None:
    assert stood(GoTo(), "next") == Leave("next", "moved")
    assert isinstance(stood(GoTo(new_id())), Do)
    assert Course(drawn(Exit()), SALT).moved() == End(Fate.EXITED, "moved", "moved")


def test_early_endings() -> None:
    tree = {"goal": True}
    rules = Rules(
        at_most=30 * DAY, endings=(Ending(EndsOn.GOAL, when=tree), Ending(EndsOn.OPTED_OUT, topic="news"))
    )
    course = Course(replace(drawn(Wait(span=90 * DAY), ports="next"), rules=rules), SALT)
    position = arrived(course)

    def ended(known: Known, at: datetime = MONDAY, answer: str = "") -> End | None:
        return course.ended(replace(position, answer=answer), known, at)

    assert ended(Known()) is None
    assert ended(Known(died=True)) == End(Fate.EXITED, "ended", "deceased", "ended")
    assert ended(Known(true=(tree,))) == End(Fate.COMPLETED, "goal", "goal", "ended")
    assert ended(Known(out_of=("news",))) == End(Fate.EXITED, "ended", "opted_out", "ended")
    assert ended(Known(), answer="ended:segment_left") == End(Fate.EXITED, "ended", "segment_left", "ended")
    assert ended(Known(), MONDAY + 30 * DAY) == End(Fate.EXITED, "ended", "time_over", "ended")
    assert course.decide(position, Known(), MONDAY) == Stay(MONDAY + 30 * DAY, Why.TIME)


def test_the_last_visit_says_where_somebody_was_when_it_ended() -> None:
    course = Course(drawn(Wait(span=DAY), ports="next"), SALT)
    visit = course.end(arrived(course), End(Fate.EXITED, "ended", "deceased", "ended"), MONDAY + HOUR)
    assert (visit.step, visit.port, visit.outcome, visit.reason) == ("here", "ended", "ended", "deceased")
    assert (visit.arrived_at, visit.left_at) == (MONDAY, MONDAY + HOUR)
