"""Everything that the check finds, one case for each: it is found where it is, and only where it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from salus.contacts.contracts import Read
from salus.content.contracts import Analysis, Problem
from salus.identity.contracts import Role
from salus.journeys.contracts import (
    Again,
    Branch,
    Call,
    Case,
    Ending,
    EndsOn,
    Enter,
    EnterKind,
    Exit,
    Goal,
    GoTo,
    Graph,
    Repeat,
    Rules,
    Send,
    Severity,
    Split,
    Task,
    Update,
    Wait,
    WaitFor,
)
from salus.journeys.rules import checking
from salus.journeys.rules.checking import check
from salus.journeys.rules.findings import in_words
from salus.journeys.rules.known import Known, Neighbour, Verdict
from salus.kernel.vocabulary import Channel, PhiClass, Purpose
from salus.timeline.contracts import EventKind

from .graphs import (
    CLASSIFICATION,
    DAY,
    ELSEWHERE,
    EN,
    ES,
    HERE,
    HOUR,
    LETTERS,
    LIST,
    OTHER_LIST,
    PEOPLE,
    SERVICE,
    WORLD,
    changed,
    graph,
    letter,
    step,
    tree,
)

NOWHERE = UUID(int=0xEE)
OLD = tree({"field": "age", "at_least": 65})
BAD = tree({"field": "age", "at_least": "old"})
CLICKED = {"did": "message_clicked"}


def clinic() -> Graph:
    """Return a journey with a step of every kind that nothing is wrong with."""
    return graph(
        step("write", Send(Channel.EMAIL, LETTERS), next="clicked", refused="not_allowed"),
        step("clicked", WaitFor(7 * DAY, event=CLICKED, of_step="write"), happened="change", timeout="pause"),
        step("pause", Wait(span=2 * DAY), next="again"),
        step("again", Repeat(2, 7 * DAY), again="write", done="which"),
        step("which", Branch((Case("old", OLD),)), **{"old": "ask", "else": "split"}),
        step("split", Split({"a": 1, "control": 1}, "control"), a="tell", control="jump"),
        step("ask", Task(Role.CARE_COORDINATOR, 3 * DAY, deputy=Role.MARKETER), "Call them", done="reached", not_done="jump"),
        step("tell", Call(SERVICE, ("given_name", "email")), done="until"),
        step("until", Wait(attribute="appointments.date", offset=-DAY, at=time(9), where={"status": ["booked"]}), next="jump"),
        step("change", Update({"language": "es"}, ("visits",), (LIST,), (OTHER_LIST,)), next="reached"),
        step("jump", GoTo(), next="away"),
        step("away", GoTo(ELSEWHERE)),
        step("reached", Goal()),
        step("not_allowed", Exit()),
    )  # fmt: skip


@dataclass(frozen=True)
class Flaw:
    """Something wrong: the journey and the world with it, and what is to be found where."""

    code: str
    step: str
    drawn: Graph
    known: Known = WORLD
    port: str = ""
    severity: Severity = Severity.ERROR
    beside: frozenset[str] = frozenset()
    """What follows from it and is found too."""


def _ports(key: str, **ports: str) -> Graph:
    return changed(clinic(), key, ports={**clinic().steps[key].ports, **ports})


def _less(key: str, port: str) -> Graph:
    kept = {name: target for name, target in clinic().steps[key].ports.items() if name != port}
    return changed(clinic(), key, ports=kept)


def _does(key: str, **fields: Any) -> Graph:
    return changed(clinic(), key, **fields)


def _rules(**fields: Any) -> Graph:
    return replace(clinic(), rules=replace(clinic().rules, **fields))


def _enter(kind: EnterKind, **fields: Any) -> Graph:
    return replace(clinic(), enter=(Enter(kind, **fields),))


def _ending(on: EndsOn, **fields: Any) -> Graph:
    return _rules(endings=(Ending(on, **fields),))


def _with(*steps: Any, **ports: str) -> Graph:
    """Return the clinic's journey with more steps; `ports` of the step "until" lead there."""
    drawn = _ports("until", **ports)
    return replace(drawn, steps={**drawn.steps, **{one.key: one for one in steps}})


def _world(**fields: Any) -> Known:
    return replace(WORLD, **fields)


def _letters(**changes: Any) -> Known:
    return _world(letters={EN: letter(EN, "en", **changes), ES: WORLD.letters[ES]})


def _without(*kinds: EventKind) -> Known:
    return _world(produced=WORLD.produced - set(kinds))


WARNING = Severity.WARNING
VERDICT = Verdict("no_authorization", "Nobody signed an authorization.", "Ask for one.")


def _drawing() -> Iterator[Flaw]:
    yield Flaw("no_way_in", "", replace(clinic(), enter=()))
    yield Flaw("no_start", "", replace(clinic(), start=""))
    yield Flaw("no_start", "", replace(clinic(), start="gone"))
    yield Flaw(
        "no_target",
        "pause",
        _less("pause", "next"),
        port="next",
        beside=frozenset({"unreachable", "never_again"}),
    )
    yield Flaw(
        "no_target", "clicked", _less("clicked", "timeout"), port="timeout", beside=frozenset({"unreachable"})
    )
    yield Flaw("no_target", "which", _less("which", "old"), port="old", beside=frozenset({"unreachable"}))
    yield Flaw("no_target", "split", _less("split", "a"), port="a", beside=frozenset({"unreachable"}))
    yield Flaw("no_target", "again", _less("again", "again"), port="again")
    yield Flaw("no_such_step", "ask", _ports("ask", done="gone"), port="done")
    yield Flaw(
        "no_such_step",
        "write",
        _ports("write", refused="gone"),
        port="refused",
        beside=frozenset({"unreachable"}),
    )
    yield Flaw("no_such_port", "pause", _ports("pause", timeout="away"), port="timeout")
    yield Flaw("no_such_port", "reached", _ports("reached", next="away"), port="next")
    yield Flaw("case_twice", "which", _does("which", cases=(Case("old", OLD), Case("old", OLD))), port="old")
    yield Flaw(
        "case_twice", "which", _does("which", cases=(Case("old", OLD), Case("else", OLD))), port="else"
    )
    yield Flaw("unreachable", "island", _with(step("island", Exit())))
    yield Flaw("goal_unreachable", "island", _with(step("island", Goal())))
    yield Flaw("endless", "which", _ports("until", next="which"))
    yield Flaw("endless", "pause", _ports("pause", next="pause"), beside=frozenset({"unreachable"}))
    yield Flaw("too_many_rounds", "write", _loops(), beside=frozenset({"time_short"}))
    yield Flaw("no_pause", "again", _does("again", interval=timedelta(0)))
    yield Flaw("never_again", "again", _ports("again", again="ask"), port="again", severity=WARNING)


def _loops() -> Graph:
    """Return four repeats that lead back to one step, a hundred times each."""
    repeats = [
        step(
            f"more_{number}",
            Repeat(100, DAY),
            again="write",
            done=f"more_{number + 1}" if number < 3 else "jump",
        )
        for number in range(4)
    ]
    return _with(*repeats, next="more_0")


def _waits() -> Iterator[Flaw]:
    yield Flaw("wait_unclear", "pause", _does("pause", span=None))
    yield Flaw("wait_unclear", "pause", _does("pause", attribute="birth_date"))
    yield Flaw("wait_unclear", "pause", _does("pause", span=None, until_weekday=1))
    yield Flaw("wait_unclear", "pause", _does("pause", offset=DAY))
    yield Flaw("no_such_attribute", "until", _does("until", attribute="shoe_size", where={}))
    yield Flaw("not_a_date", "until", _does("until", attribute="gender", where={}))
    yield Flaw("not_a_date", "until", _does("until", attribute="appointments", where={}))
    yield Flaw("not_a_date", "until", _does("until", attribute="appointments.status"))
    yield Flaw("not_a_date", "until", _does("until", attribute="birth_date.date"))
    yield Flaw("bad_filter", "until", _does("until", attribute="birth_date"))
    yield Flaw("bad_filter", "until", _does("until", where={"colour": "red"}))
    yield Flaw("wait_unclear", "clicked", _does("clicked", event=None, of_step=""))
    yield Flaw("wait_unclear", "clicked", _does("clicked", condition=OLD))
    yield Flaw("no_time", "clicked", _does("clicked", at_most=timedelta(0)))
    yield Flaw("bad_event", "clicked", _does("clicked", event={"did": "sneezed"}))
    yield Flaw("bad_event", "clicked", _does("clicked", event={"did_not": "visit"}, of_step=""))
    yield Flaw("bad_event", "clicked", _does("clicked", event={**CLICKED, "at_least": 2}))
    yield Flaw("bad_condition", "clicked", _does("clicked", event=None, condition=BAD, of_step=""))
    yield Flaw("nobody_produces", "clicked", clinic(), _without(EventKind.MESSAGE_CLICKED))
    yield Flaw("of_step_unknown", "clicked", _does("clicked", of_step="gone"))
    yield Flaw("of_step_unknown", "clicked", _does("clicked", of_step="pause"))
    yield Flaw("of_step_unknown", "clicked", _past_the_letter(), beside=frozenset({"unreachable"}))
    yield Flaw("of_step_unneeded", "clicked", _does("clicked", event={"did": "visit"}))
    yield Flaw("since_unknown", "clicked", _does("clicked", since="gone"))
    yield Flaw("since_unknown", "clicked", _does("clicked", since="pause"))


def _past_the_letter() -> Graph:
    """Return a journey in which some come to the wait for a click without the letter."""
    drawn = _with(step("some", Split({"a": 1, "b": 1}), a="write", b="clicked"))
    return replace(drawn, start="some")


def _decisions() -> Iterator[Flaw]:
    yield Flaw(
        "no_case",
        "which",
        _does("which", cases=(), ports={"else": "split"}),
        beside=frozenset({"unreachable"}),
    )
    yield Flaw("bad_condition", "which", _does("which", cases=(Case("old", BAD),)), port="old")
    visited = tree({"did": "visit"})
    yield Flaw(
        "nobody_produces",
        "which",
        _does("which", cases=(Case("old", visited),)),
        _without(EventKind.VISIT),
        port="old",
        severity=WARNING,
    )
    yield Flaw(
        "of_step_unknown", "which", _does("which", cases=(Case("old", tree(CLICKED), "change"),)), port="old"
    )
    yield Flaw(
        "of_step_unneeded", "which", _does("which", cases=(Case("old", visited, "write"),)), port="old"
    )
    yield Flaw("one_arm", "split", _does("split", weights={"a": 1}, control="", ports={"a": "tell"}))
    yield Flaw("no_weight", "split", _does("split", weights={"a": 0, "control": 1}), port="a")
    yield Flaw("no_such_arm", "split", _does("split", control="b"))


def _changes() -> Iterator[Flaw]:
    yield Flaw("does_nothing", "change", _does("change", does=Update()), severity=WARNING)
    yield Flaw("no_such_attribute", "change", _does("change", attributes={"shoe_size": 7}))
    yield Flaw("bad_value", "change", _does("change", attributes={"pregnant": "maybe"}))
    yield Flaw("bad_value", "change", _does("change", attributes={"birth_date": "someday"}))
    yield Flaw("bad_value", "change", _does("change", attributes={"appointments": ["x"]}))
    yield Flaw("no_such_segment", "change", _does("change", add_to=(NOWHERE,)))
    yield Flaw("not_static", "change", _does("change", remove_from=(PEOPLE,)))
    yield Flaw("contradiction", "change", _does("change", remove_from=(LIST,)))
    yield Flaw("no_such_journey", "away", _does("away", journey_id=NOWHERE))
    yield Flaw(
        "journey_not_live",
        "away",
        clinic(),
        _world(journeys={ELSEWHERE: Neighbour(False, Again.NEVER)}),
        severity=WARNING,
    )
    yield Flaw("never_let_in", "away", _does("away", journey_id=HERE), severity=WARNING)
    back = Neighbour(True, Again.ALWAYS, frozenset({HERE}))
    yield Flaw("endless", "away", _rules(again=Again.ALWAYS), _world(journeys={ELSEWHERE: back}))
    other = Neighbour(True, Again.AFTER, frozenset({NOWHERE}))
    yield Flaw(
        "endless",
        "away",
        _rules(again=Again.AFTER, again_after=DAY),
        _world(journeys={ELSEWHERE: other, NOWHERE: back}),
    )
    yield Flaw("endless", "away", replace(_does("away", journey_id=HERE), rules=Rules(again=Again.ALWAYS)))


def _people() -> Iterator[Flaw]:
    yield Flaw("no_title", "ask", _does("ask", title=" "))
    yield Flaw("no_time", "ask", _does("ask", at_most=timedelta(0)))
    yield Flaw("role_cannot", "ask", _does("ask", role=Role.AUDITOR))
    yield Flaw("role_cannot", "ask", _does("ask", deputy=Role.AUDITOR))
    yield Flaw("no_deputy", "ask", _does("ask", deputy=None), severity=WARNING)
    yield Flaw("no_deputy", "ask", _does("ask", deputy=Role.CARE_COORDINATOR), severity=WARNING)
    yield Flaw("no_time", "tell", _does("tell", at_most=timedelta(0)))
    yield Flaw("too_long", "tell", _does("tell", at_most=31 * DAY))
    yield Flaw("no_such_attribute", "tell", _does("tell", fields=("shoe_size",)))
    out = Verdict("class_out_of_scope", "This is more than the service may carry.", "Leave the field out.")
    yield Flaw("class_out_of_scope", "tell", clinic(), _world(never={"tell": out}))


def _messages() -> Iterator[Flaw]:
    yield Flaw("channel_missing", "write", _does("write", channel=Channel.SMS))
    yield Flaw("no_template", "write", _does("write", versions={}))
    yield Flaw("no_such_template", "write", _does("write", versions={"en": NOWHERE, "es": ES}))
    yield Flaw("language_missing", "write", _does("write", versions={"en": EN}), severity=WARNING)
    yield Flaw("language_missing", "write", _does("write", versions={"es": ES}), severity=WARNING)
    yield Flaw("language_differs", "write", _does("write", versions={"en": ES, "es": ES}))
    broken = Analysis((), (Problem("line 3", "This field is not known.", "Take it away."),))
    yield Flaw("template_problem", "write", clinic(), _letters(analysis=broken))
    gone = Analysis((Read("shoe_size", PhiClass.CONTACT),), ())
    yield Flaw("no_such_attribute", "write", clinic(), _letters(analysis=gone))
    yield Flaw("not_classified", "write", clinic(), _letters(classification=None))
    unconfirmed = replace(CLASSIFICATION, confirmed_by=None)
    yield Flaw("not_confirmed", "write", clinic(), _letters(classification=unconfirmed))
    other = replace(CLASSIFICATION, purpose=Purpose.NEWSLETTER)
    yield Flaw("classified_differently", "write", clinic(), _letters(classification=other))
    yield Flaw("no_authorization", "write", clinic(), _world(never={"write": VERDICT}))


def _ways_in() -> Iterator[Flaw]:
    kinds = EnterKind
    yield Flaw("no_such_segment", "", _enter(kinds.SEGMENT_ENTERED))
    yield Flaw("no_such_segment", "", _enter(kinds.SEGMENT_LEFT, segment_id=NOWHERE))
    yield Flaw("no_such_segment", "", _enter(kinds.SCHEDULE, every="day"))
    yield Flaw("bad_schedule", "", _enter(kinds.SCHEDULE, segment_id=PEOPLE, every="week", on=7))
    yield Flaw("bad_schedule", "", _enter(kinds.SCHEDULE, segment_id=PEOPLE, every="month"))
    yield Flaw("bad_event", "", _enter(kinds.EVENT))
    yield Flaw("bad_event", "", _enter(kinds.EVENT, event={"did": "visit", "where": {"a b": {}}}))
    yield Flaw("nobody_produces", "", _enter(kinds.EVENT, event={"did": "visit"}), _without(EventKind.VISIT))
    yield Flaw("no_such_attribute", "", _enter(kinds.DATE))
    yield Flaw("not_a_date", "", _enter(kinds.DATE, attribute="appointments.code"))
    yield Flaw("no_such_form", "", _enter(kinds.FORM))
    yield Flaw("nobody_produces", "", _enter(kinds.FORM, form="feedback"), _without(EventKind.FORM_COMPLETED))


def _ends() -> Iterator[Flaw]:
    yield Flaw("no_such_segment", "", _ending(EndsOn.SEGMENT_LEFT))
    yield Flaw("bad_event", "", _ending(EndsOn.EVENT))
    yield Flaw(
        "nobody_produces", "", _ending(EndsOn.EVENT, event={"did": "visit"}), _without(EventKind.VISIT)
    )
    yield Flaw("goal_unclear", "", _ending(EndsOn.GOAL))
    yield Flaw("bad_condition", "", _ending(EndsOn.GOAL, when=BAD))
    visited = tree({"all": [{"did": "visit"}, {"field": "age", "at_least": 65}]})
    yield Flaw("goal_unreachable", "", _ending(EndsOn.GOAL, when=visited), _without(EventKind.VISIT))
    yield Flaw("again_unclear", "", _rules(again=Again.AFTER))
    yield Flaw("quiet_unclear", "", _rules(quiet_from=None))
    yield Flaw("quiet_unclear", "", _rules(quiet_from=time(8)))
    yield Flaw("no_time", "", _rules(at_most=timedelta(0)), beside=frozenset({"time_short"}))
    yield Flaw("time_short", "", _rules(at_most=20 * DAY), severity=WARNING)


def _feeding() -> Iterator[Flaw]:
    def again(drawn: Graph, rule: Again = Again.ALWAYS) -> Graph:
        return replace(drawn, rules=Rules(again=rule, again_after=DAY if rule is Again.AFTER else None))

    clicked = _enter(EnterKind.EVENT, event=CLICKED)
    yield Flaw("feeds_itself", "", again(clicked))
    yield Flaw("feeds_itself", "", again(clicked, Again.AFTER), severity=WARNING)
    yield Flaw("feeds_itself", "change", again(_enter(EnterKind.SEGMENT_ENTERED, segment_id=LIST)))
    yield Flaw("feeds_itself", "change", again(_enter(EnterKind.SEGMENT_LEFT, segment_id=OTHER_LIST)))


def _names() -> Iterator[Flaw]:
    """Keys and ports are kept in the open beside people."""

    def tells(words: str) -> str:
        return "It tells a condition." if "diabetes" in words else ""

    known = _world(telling=tells)
    lesson = step("diabetes_lesson", Wait(span=DAY), next="again")
    told = _ports("pause", next="diabetes_lesson")
    yield Flaw(
        "telling_name",
        "diabetes_lesson",
        replace(told, steps={**told.steps, "diabetes_lesson": lesson}),
        known,
    )
    arms = _does("split", weights={"has_diabetes": 1, "control": 1})
    way = changed(arms, "split", ports={"has_diabetes": "tell", "control": "jump"})
    yield Flaw("telling_name", "split", way, known, "has_diabetes")


FLAWS = [
    *_names(), *_drawing(), *_waits(), *_decisions(), *_changes(), *_people(), *_messages(), *_ways_in(), *_ends(), *_feeding(),
]  # fmt: skip


def test_a_journey_of_every_kind_of_step_has_no_finding() -> None:
    proof = check(clinic(), WORLD)
    assert proof.findings == ()
    assert proof.promises == (
        "Everyone finishes. The longest path takes 365 days.",
        "Nobody gets a step more than 3 times.",
        "Nobody gets more than 3 messages.",
        "However long messages wait for others, nobody is inside after 365 days.",
        "Every send can be lawful, and what it is for is confirmed.",
    )


@pytest.mark.parametrize("flaw", FLAWS, ids=lambda flaw: f"{flaw.code}-{flaw.step or 'journey'}-{flaw.port}")
def test_what_is_wrong_is_found_where_it_is(flaw: Flaw) -> None:
    proof = check(flaw.drawn, flaw.known)
    found = [one for one in proof.findings if one.code not in flaw.beside]
    assert {(one.code, one.step, one.port, one.severity) for one in found} == {
        (flaw.code, flaw.step, flaw.port, flaw.severity)
    }
    assert proof.holds == (flaw.severity is WARNING)


def test_every_code_has_its_case() -> None:
    folder = Path(checking.__file__).parent
    made = r'(?:error|warning|finding)\(\s*"([a-z_]+)"'
    codes = {code for file in folder.glob("*.py") for code in re.findall(made, file.read_text())}
    assert codes - {flaw.code for flaw in FLAWS} == set()
    assert len(codes) > 45


# What is lawful though it may look odd


@pytest.mark.parametrize(
    ("drawn", "known"),
    [
        (_does("pause", span=timedelta(0)), WORLD),
        (_less("write", "refused"), WORLD),
        (_does("clicked", since="write"), WORLD),
        (_does("clicked", since="enter"), WORLD),
        (_does("clicked", since="clicked"), WORLD),
        (_does("clicked", event={"did": ["visit", "message_clicked"]}), _without(EventKind.VISIT)),
        (_does("change", attributes={"outcome": None}), WORLD),
        (clinic(), _world(journeys={ELSEWHERE: Neighbour(True, Again.ALWAYS, frozenset({HERE}))})),
        (_rules(again=Again.ALWAYS), WORLD),
        (_rules(quiet_from=None, quiet_until=None), WORLD),
        (_rules(again=Again.NEVER), _world(journeys={ELSEWHERE: Neighbour(True, Again.ALWAYS)})),
        (_enter(EnterKind.EVENT, event=CLICKED), WORLD),
    ],
)
def test_what_is_lawful_is_not_found(drawn: Graph, known: Known) -> None:
    findings = [one for one in check(drawn, known).findings if one.code != "unreachable"]
    assert findings == []


def test_a_cycle_of_journeys_ends_where_one_takes_nobody_again() -> None:
    never = Neighbour(True, Again.NEVER, frozenset({NOWHERE}))
    back = Neighbour(True, Again.ALWAYS, frozenset({HERE}))
    known = _world(journeys={ELSEWHERE: never, NOWHERE: back})
    assert check(_rules(again=Again.ALWAYS), known).findings == ()


# What is promised


def _line(*spans: timedelta, **rules: Any) -> Graph:
    waits = [
        step(f"wait_{n}", Wait(span=span), next=f"wait_{n + 1}" if n + 1 < len(spans) else "end")
        for n, span in enumerate(spans)
    ]
    return graph(*waits, step("end", Exit()), **rules)


def test_the_longest_path_is_said_in_days() -> None:
    proof = check(_line(20 * DAY, 6 * DAY), WORLD)
    assert proof.longest == 26 * DAY
    assert proof.most_messages == 0
    assert proof.promises == (
        "Everyone finishes. The longest path takes 26 days.",
        "Nobody gets a step twice.",
    )


def test_who_may_come_in_again_is_promised_no_more_than_once_while_inside() -> None:
    proof = check(_line(DAY, again=Again.ALWAYS), WORLD)
    assert proof.promises[1] == "Nobody gets a step twice while inside."


def test_a_round_takes_its_interval_or_what_is_in_it_whichever_is_longer() -> None:
    def round_of(inside: timedelta, interval: timedelta) -> timedelta | None:
        drawn = graph(
            step("wait", Wait(span=inside), next="repeat"),
            step("repeat", Repeat(3, interval), again="wait", done="end"),
            step("end", Exit()),
        )
        return check(drawn, WORLD).longest

    assert round_of(7 * DAY, 7 * DAY) == 28 * DAY
    assert round_of(2 * DAY, 7 * DAY) == 23 * DAY


def test_a_loop_that_is_entered_in_its_middle_takes_at_most_so_long() -> None:
    drawn = graph(
        step("some", Split({"a": 1, "b": 1}), a="first", b="second"),
        step("first", Wait(span=DAY), next="second"),
        step("second", Wait(span=DAY), next="repeat"),
        step("repeat", Repeat(1, DAY), again="first", done="end"),
        step("end", Exit()),
    )
    proof = check(drawn, WORLD)
    assert proof.promises[0] == "Everyone finishes. The longest path takes at most 5 days."


def test_a_wait_for_a_date_may_take_as_long_as_people_may_be_inside() -> None:
    drawn = graph(
        step("wait", Wait(attribute="birth_date"), next="end"), step("end", Exit()), at_most=90 * DAY
    )
    proof = check(drawn, WORLD)
    assert proof.findings == ()
    assert proof.longest == 90 * DAY


def test_what_goes_round_without_end_promises_nothing() -> None:
    proof = check(_ports("pause", next="pause"), WORLD)
    assert (proof.longest, proof.most_messages, proof.promises) == (None, None, ())
    assert "“pause” → “pause”" in next(one.what for one in proof.findings if one.code == "endless")


def test_a_send_that_is_not_confirmed_takes_its_promise_only() -> None:
    proof = check(clinic(), _letters(classification=replace(CLASSIFICATION, confirmed_by=None)))
    assert proof.promises[0].startswith("Everyone finishes.")
    assert not any("lawful" in promise for promise in proof.promises)


def test_a_verdict_of_the_gate_is_said_in_its_words() -> None:
    (finding,) = check(clinic(), _world(never={"write": VERDICT})).findings
    assert (finding.what, finding.mend) == (VERDICT.what, VERDICT.mend)


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (26 * DAY, "26 days"),
        (DAY + 2 * HOUR, "1 day and 2 hours"),
        (HOUR / 2, "30 minutes"),
        (timedelta(0), "no time"),
    ],
)
def test_lengths_of_time_are_said_as_people_say_them(span: timedelta, words: str) -> None:
    assert in_words(span) == words
