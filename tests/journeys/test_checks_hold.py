"""What is true of every check, whatever is drawn: it answers, soon, and says no to what is not finished."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from time import process_time

from hypothesis import given, settings
from hypothesis import strategies as st

from salus.journeys.contracts import (
    AGAIN,
    Branch,
    Call,
    Case,
    Ending,
    EndsOn,
    Enter,
    EnterKind,
    Exit,
    Graph,
    Repeat,
    Send,
    Step,
    Task,
    Tree,
    Wait,
    WaitFor,
)
from salus.journeys.rules.checking import check
from salus.journeys.rules.known import Known
from salus.journeys.rules.longest import longest
from salus.journeys.rules.paths import Paths
from salus.journeys.rules.ports import required_ports
from salus.kernel.vocabulary import Channel

from .graphs import DAY, LETTERS, WORLD, broken, changed, graph, graphs, step, tree

calm = settings(deadline=None)


@calm
@given(graphs())
def test_a_lawful_journey_is_verified(drawn: Graph) -> None:
    proof = check(drawn, WORLD)
    assert proof.holds, proof.findings
    assert proof.longest is not None
    assert proof.longest <= drawn.rules.at_most
    assert proof.promises[0].startswith("Everyone finishes.")


@calm
@given(broken(), st.sampled_from([WORLD, Known()]))
def test_the_check_answers_whatever_is_drawn(drawn: Graph, known: Known) -> None:
    proof = check(drawn, known)
    for finding in proof.findings:
        assert finding.step in {"", *drawn.steps}
        assert finding.what.strip()
        assert finding.mend.strip()
    assert proof.holds or any(one.severity == "error" for one in proof.findings)


_words = st.sampled_from(
    [
        "version",
        "where",
        "all",
        "not",
        "field",
        "did",
        "record",
        "code",
        "status",
        "date",
        "age",
        "visit",
        "equal",
        "segment",
    ]
)
_odd = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | _words,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(_words | st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
odd_trees = st.dictionaries(_words, _odd, max_size=4)


@calm
@given(odd_trees, odd_trees, odd_trees)
def test_the_check_answers_whatever_is_asked_for(condition: Tree, event: Tree, where: Tree) -> None:
    drawn = graph(
        step("date", Wait(attribute="appointments.date", where=where), next="event"),
        step("event", WaitFor(DAY, event=event), happened="branch", timeout="branch"),
        step("branch", Branch((Case("case", condition),)), **{"case": "end", "else": "end"}),
        step("end", Exit()),
        endings=(Ending(EndsOn.GOAL, when=condition), Ending(EndsOn.EVENT, event=event)),
    )
    enter = (Enter(EnterKind.EVENT, event=event), Enter(EnterKind.DATE, attribute="labs.date", where=where))
    check(replace(drawn, enter=enter), WORLD)


@calm
@given(st.data(), graphs())
def test_a_journey_with_a_port_less_is_refused(data: st.DataObject, drawn: Graph) -> None:
    needed = [(key, port) for key, one in drawn.steps.items() for port in required_ports(one)]
    if not needed:
        return
    key, port = data.draw(st.sampled_from(needed))
    ports = {name: target for name, target in drawn.steps[key].ports.items() if name != port}
    proof = check(changed(drawn, key, ports=ports), WORLD)
    assert ("no_target", key, port) in {(one.code, one.step, one.port) for one in proof.findings}
    assert not proof.holds


@calm
@given(st.data(), graphs())
def test_a_journey_with_a_way_back_that_no_repeat_counts_is_refused(
    data: st.DataObject, drawn: Graph
) -> None:
    """Lead any port but `again` to a step from which a way leads here."""
    paths = Paths(drawn)
    backs = [
        (key, port, earlier)
        for key, one in drawn.steps.items()
        for port in required_ports(one)
        if port != AGAIN
        for earlier in drawn.steps
        if earlier == key or _leads_without_repeats(paths, earlier, key)
    ]
    if not backs:
        return
    key, port, earlier = data.draw(st.sampled_from(backs))
    proof = check(changed(drawn, key, ports={**drawn.steps[key].ports, port: earlier}), WORLD)
    assert not proof.holds
    assert proof.longest is None or "unreachable" in {one.code for one in proof.findings}


def _leads_without_repeats(paths: Paths, start: str, end: str) -> bool:
    ahead, seen = [start], set()
    while ahead:
        here = ahead.pop()
        if here == end:
            return True
        if here not in seen:
            seen.add(here)
            ahead += paths.onward[here]
    return False


# The longest way, against every way walked


def _minutes(one: Step) -> float:
    match one.does:
        case Wait():
            return (one.does.span or timedelta(0)) / timedelta(minutes=1)
        case WaitFor() | Task() | Call():
            return one.does.at_most / timedelta(minutes=1)
        case _:
            return 0.0


def _walks(
    drawn: Graph, key: str, at: float, used: dict[str, int], seen: dict[str, float]
) -> Iterator[tuple[float, dict[str, int]]]:
    """Yield how long every way through takes, and how often it passes each step, as the mover walks it."""
    one = drawn.steps[key]
    seen = {**seen, key: at}
    passed = {**used, key: used.get(key, 0) + 1}
    again = f"again {key}"
    if isinstance(one.does, Repeat):
        if used.get(again, 0) < one.does.times:
            pause = one.does.interval / timedelta(minutes=1)
            target = one.ports[AGAIN]
            left = max(at, seen.get(target, at) + pause)
            yield from _walks(drawn, target, left, {**passed, again: used.get(again, 0) + 1}, seen)
        yield from _walks(drawn, one.ports["done"], at, passed, seen)
        return
    targets = set(one.ports.values())
    if not targets:
        yield at, passed
    for target in targets:
        yield from _walks(drawn, target, at + _minutes(one), passed, seen)


small = graphs(6).filter(lambda drawn: sum(len(one.ports) for one in drawn.steps.values()) <= 12)


@given(small)
@settings(max_examples=300, deadline=None)
def test_no_way_is_longer_than_the_longest_and_in_a_neat_drawing_one_takes_it(drawn: Graph) -> None:
    paths = Paths(drawn)
    told = longest(paths, _minutes, lambda repeat: repeat.interval / timedelta(minutes=1))
    walked = max(minutes for minutes, _ in _walks(drawn, drawn.start, 0.0, {}, {}))
    assert walked <= told
    if paths.neat:
        assert walked == told


@calm
@given(small)
def test_nobody_comes_to_a_step_more_often_than_is_promised(drawn: Graph) -> None:
    rounds, proof = Paths(drawn).rounds, check(drawn, WORLD)
    assert proof.most_messages is not None
    for _, passed in _walks(drawn, drawn.start, 0.0, {}, {}):
        assert all(passed.get(key, 0) <= rounds.get(key, 1) for key in drawn.steps)
        sent = sum(passed.get(key, 0) for key, one in drawn.steps.items() if isinstance(one.does, Send))
        assert sent <= proof.most_messages


# A drawing of two hundred steps, while somebody draws


def _large() -> Graph:
    """Return 200 steps: forty rounds of a message, a wait for a click, a branch, a wait and a repeat."""
    drawn = []
    for number in range(40):
        send, wait, branch, pause, repeat = (f"{name}_{number}" for name in "swbpr")
        after = f"s_{number + 1}" if number < 39 else "end"
        drawn += [
            step(send, Send(Channel.EMAIL, LETTERS), next=wait),
            step(
                wait,
                WaitFor(DAY, event={"did": "message_clicked"}, of_step=send),
                happened=after,
                timeout=branch,
            ),
            step(
                branch,
                Branch((Case("old", tree({"field": "age", "at_least": 65})),)),
                **{"old": pause, "else": after},
            ),
            step(pause, Wait(span=DAY), next=repeat),
            step(repeat, Repeat(2, 7 * DAY), again=send, done=after),
        ]
    return graph(*drawn, step("end", Exit()), at_most=3650 * DAY)


def test_two_hundred_steps_are_checked_while_somebody_draws() -> None:
    drawn, spent = _large(), []
    for _ in range(5):
        begun = process_time()
        proof = check(drawn, WORLD)
        spent.append(process_time() - begun)
    assert proof.holds, proof.findings
    assert len(drawn.steps) == 201
    assert min(spent) < 0.05


@calm
@given(graphs(4))
def test_what_cannot_be_reached_is_found(drawn: Graph) -> None:
    island = step("island", Exit())
    proof = check(replace(drawn, steps={**drawn.steps, "island": island}), WORLD)
    assert {one.code for one in proof.findings if one.step == "island"} == {"unreachable"}
