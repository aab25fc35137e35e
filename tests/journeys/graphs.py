"""Generated journeys: verified ones of every kind of step, loops included, and ones with something broken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import time, timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from salus.audiences.parse import parse
from salus.contacts.contracts import Read
from salus.contacts.dictionary import DICTIONARY
from salus.contacts.values import check_value
from salus.content.contracts import Analysis, Classification, TemplateVersion
from salus.identity.contracts import Role
from salus.journeys.contracts import (
    AGAIN,
    NEXT,
    REFUSED,
    Action,
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
    Split,
    Step,
    StepKind,
    Task,
    Tree,
    Update,
    Wait,
    WaitFor,
)
from salus.journeys.rules.known import Known, Neighbour
from salus.journeys.rules.paths import Paths
from salus.journeys.rules.ports import optional_ports, required_ports
from salus.kernel.errors import BadInput
from salus.kernel.vocabulary import Channel, PhiClass, Promotes, Purpose, Remuneration
from salus.timeline.contracts import EventKind
from tests.audiences.worlds import LEXICON

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
HERE, ELSEWHERE, SERVICE = UUID(int=0xA0), UUID(int=0xA1), UUID(int=0xA2)
PEOPLE, LIST, OTHER_LIST = UUID(int=0xB0), UUID(int=0xB1), UUID(int=0xB2)
EN, ES = UUID(int=0xC0), UUID(int=0xC1)
LETTERS = {"en": EN, "es": ES}
ANA, BEN = UUID(int=0xD0), UUID(int=0xD1)
CLASSIFICATION = Classification(
    Purpose.APPOINTMENT, Promotes.NOTHING, Remuneration.NONE, "visits", authored_by=ANA, confirmed_by=BEN
)

KINDS: dict[type, StepKind] = {
    Send: StepKind.SEND,
    Wait: StepKind.WAIT,
    WaitFor: StepKind.WAIT_FOR,
    Branch: StepKind.BRANCH,
    Split: StepKind.SPLIT,
    Update: StepKind.UPDATE,
    GoTo: StepKind.GO_TO,
    Repeat: StepKind.REPEAT,
    Task: StepKind.TASK,
    Call: StepKind.CALL,
    Goal: StepKind.GOAL,
    Exit: StepKind.EXIT,
}


def letter(version_id: UUID, language: str, **changes: Any) -> TemplateVersion:
    """Return a version of a template that nothing is wrong with."""
    read = Read("given_name", PhiClass.CONTACT)
    version = TemplateVersion(
        version_id, UUID(int=1), 1, "Visits", language, "Your visit", "", "", "", "1",
        Analysis((read,), ()), CLASSIFICATION,
    )  # fmt: skip
    return replace(version, **changes)


def faults_of(tree: Tree) -> str:
    """Return what the segment language says against `tree`."""
    try:
        parse(tree, LEXICON)
    except BadInput as fault:
        return str(fault)
    return ""


def fault_of_value(key: str, value: Any) -> str:
    """Return what the dictionary says against a value."""
    try:
        check_value(key, value)
    except BadInput as fault:
        return fault.what
    return ""


WORLD = Known(
    journey_id=HERE,
    attributes=DICTIONARY,
    readable=frozenset(DICTIONARY),
    segments={PEOPLE: False, LIST: True, OTHER_LIST: True},
    letters={EN: letter(EN, "en"), ES: letter(ES, "es")},
    channels=frozenset({Channel.EMAIL, Channel.PORTAL}),
    doers=frozenset({Role.CARE_COORDINATOR, Role.MARKETER, Role.PRIVACY_OFFICER}),
    journeys={ELSEWHERE: Neighbour(True, Again.NEVER)},
    produced=frozenset(EventKind),
    faults_of=faults_of,
    fault_of_value=fault_of_value,
)
"""A clinic in which every generated journey is verified."""


def tree(where: Any) -> dict[str, Any]:
    """Return a segment expression."""
    return {"version": 1, "where": where}


def step(key: str, does: Action, title: str = "", **ports: str) -> Step:
    """Return a step; its ports are given by name."""
    return Step(key, KINDS[type(does)], title or key, does, ports)


def graph(*steps: Step, **rules: Any) -> Graph:
    """Return a journey of these steps that begins at the first."""
    return Graph(
        "A journey",
        (Enter(EnterKind.BY_HAND),),
        steps[0].key,
        {each.key: each for each in steps},
        Rules(**rules),
    )


def changed(drawn: Graph, key: str, **changes: Any) -> Graph:
    """Return the journey with one step changed: `does`, `ports`, `title`, or fields of what it does."""
    old = drawn.steps[key]
    own = {name: changes.pop(name) for name in ("does", "ports", "title") if name in changes}
    new = replace(old, **own)
    if changes:
        new = replace(new, does=replace(new.does, **changes))
    return replace(drawn, steps={**drawn.steps, key: replace(new, kind=KINDS[type(new.does)])})


spans = st.one_of(
    st.integers(0, 40).map(lambda n: n * DAY),
    st.integers(0, 100).map(lambda n: n * HOUR),
    st.integers(0, 500).map(lambda n: n * MINUTE),
)
some_time = spans.filter(bool)
clocks = st.builds(time, st.integers(0, 23), st.integers(0, 59))
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
events = st.sampled_from(
    [
        {"did": "appointment_booked"},
        {"did": ["visit", "discharge"]},
        {"did": "page_visited", "where": {"page": {"equal": "flu"}}},
        {"did": "message_clicked"},
    ]
)
message_events = st.sampled_from([{"did": "message_clicked"}, {"did": ["message_opened", "message_read"]}])
conditions = st.sampled_from(
    [
        tree({"field": "gender", "equal": "female"}),
        tree({"field": "age", "at_least": 65}),
        tree({"not": {"field": "language", "equal": "es"}}),
        tree({"did": "visit", "at": {"within_last": {"days": 30}}}),
        tree({"all": []}),
    ]
)
_offsets = st.integers(-30, 30).map(lambda n: n * DAY)
_filters = st.sampled_from([{}, {"status": ["booked"]}])
_waits = st.one_of(
    st.builds(Wait, span=spans),
    st.builds(Wait, until_weekday=st.none() | st.integers(0, 6), until_time=clocks),
    st.builds(Wait, attribute=st.just("birth_date"), offset=_offsets, at=st.none() | clocks),
    st.builds(
        Wait, attribute=st.just("appointments.date"), offset=_offsets, at=st.none() | clocks, where=_filters
    ),
)
_updates = st.builds(
    Update,
    attributes=st.sampled_from([{}, {"language": "es"}, {"outcome": None}, {"pregnant": False}]),
    opt_out_topics=st.sampled_from([(), ("visits",)]),
    add_to=st.sampled_from([(), (LIST,)]),
    remove_from=st.sampled_from([(), (OTHER_LIST,)]),
)
_arms = st.dictionaries(st.sampled_from(["a", "b", "control", "d"]), st.integers(1, 5), min_size=2)
_actions: st.SearchStrategy[Action] = st.one_of(
    st.builds(
        Send,
        st.sampled_from([Channel.EMAIL, Channel.PORTAL]),
        st.sampled_from([LETTERS, {"en": EN}]),
    ),
    _waits,
    st.builds(WaitFor, some_time, event=events, since=st.sampled_from(["", "enter"])),
    st.builds(WaitFor, some_time, condition=conditions),
    st.lists(conditions, min_size=1, max_size=3).map(
        lambda trees: Branch(tuple(Case(f"case_{n}", when) for n, when in enumerate(trees)))
    ),
    _arms.map(lambda arms: Split(arms, "control" if "control" in arms else "")),
    _updates,
    st.just(GoTo()),
    st.builds(Repeat, st.integers(1, 3), some_time),
    st.builds(Task, st.just(Role.CARE_COORDINATOR), some_time, texts, st.sampled_from([None, Role.MARKETER])),
    st.builds(
        Call,
        st.just(SERVICE),
        st.sampled_from([(), ("given_name", "email")]),
        some_time.filter(lambda span: span <= 30 * DAY),
    ),
)
_endings: st.SearchStrategy[Action] = st.one_of(
    st.just(Exit()), st.just(Goal()), st.just(GoTo(journey_id=ELSEWHERE))
)
_enters = st.one_of(
    st.builds(Enter, st.just(EnterKind.SEGMENT_ENTERED), st.just(PEOPLE), st.booleans()),
    st.builds(Enter, st.just(EnterKind.SEGMENT_LEFT), st.just(PEOPLE)),
    st.builds(Enter, st.just(EnterKind.EVENT), event=st.just({"did": "visit"})),
    st.builds(
        Enter,
        st.just(EnterKind.DATE),
        attribute=st.just("appointments.date"),
        offset=_offsets,
        yearly=st.booleans(),
        at=st.none() | clocks,
        where=_filters,
    ),
    st.builds(Enter, st.just(EnterKind.FORM), form=st.just("feedback")),
    st.builds(Enter, st.sampled_from([EnterKind.API, EnterKind.BY_HAND])),
    st.builds(
        Enter,
        st.just(EnterKind.SCHEDULE),
        st.just(PEOPLE),
        every=st.sampled_from(["day", "week", "month"]),
        on=st.integers(1, 6),
        at=st.none() | clocks,
    ),
)
_early = st.one_of(
    st.builds(Ending, st.just(EndsOn.GOAL), when=conditions),
    st.builds(Ending, st.just(EndsOn.SEGMENT_LEFT), segment_id=st.just(PEOPLE)),
    st.builds(Ending, st.just(EndsOn.OPTED_OUT), topic=st.sampled_from(["", "visits"])),
    st.just(Ending(EndsOn.DECEASED)),
    st.builds(Ending, st.just(EndsOn.EVENT), event=events),
)


@st.composite
def rules(draw: st.DrawFn) -> Rules:
    """Return the rules of a journey."""
    again = draw(st.sampled_from(Again))
    quiet = draw(st.none() | st.tuples(clocks, clocks).filter(lambda pair: pair[0] != pair[1]))
    return Rules(
        again=again,
        again_after=draw(some_time) if again is Again.AFTER else None,
        endings=tuple(draw(st.lists(_early, max_size=3))),
        quiet_from=quiet[0] if quiet else None,
        quiet_until=quiet[1] if quiet else None,
        holidays=draw(st.booleans()),
        priority=draw(st.integers(0, 100)),
        at_most=draw(st.integers(1, 400)) * DAY,
    )


@st.composite
def graphs(draw: st.DrawFn, most: int = 12) -> Graph:
    """Return a journey that `check` verifies in `WORLD`: any shape that is lawful, not only neat ones.

    Every port leads to a later step, but `again`, which leads to an earlier one or to its own step.
    What nobody can come to is taken away.
    """
    acts = [*draw(st.lists(_actions, max_size=most - 1)), draw(_endings)]
    for place in draw(st.lists(st.integers(0, most), max_size=2)):
        acts.insert(min(place, len(acts) - 1), draw(_endings))
    keys = [f"step_{number}" for number in range(len(acts))]
    steps = {}
    for number, (key, does) in enumerate(zip(keys, acts, strict=True)):
        steps[key] = _connected(draw, key, does, keys[: number + 1], keys[number + 1 :])
    drawn = Graph(
        draw(texts.filter(bool)),
        tuple(draw(st.lists(_enters, min_size=1, max_size=3))),
        keys[0],
        steps,
        draw(rules()),
        draw(st.dictionaries(st.sampled_from(keys), st.tuples(st.integers(-999, 999), st.floats(0, 999)))),
        draw(texts),
    )
    reached = Paths(drawn).reachable
    drawn = replace(drawn, steps={key: one for key, one in steps.items() if key in reached})
    return _tied(draw, drawn)


def _connected(draw: st.DrawFn, key: str, does: Action, before: Sequence[str], after: Sequence[str]) -> Step:
    bare = step(key, does, draw(st.sampled_from(["Write", "Später", key])))
    ports = {port: draw(st.sampled_from(before if port == AGAIN else after)) for port in required_ports(bare)}
    for port in optional_ports(bare):
        if draw(st.booleans()):
            ports[port] = draw(st.sampled_from(after))
    return replace(bare, ports=ports)


def _tied(draw: st.DrawFn, drawn: Graph) -> Graph:
    """Tie some waits and cases to the message of a step that lies on every way to them."""
    paths = Paths(drawn)
    sends = [key for key, one in drawn.steps.items() if one.kind is StepKind.SEND]
    for key, one in drawn.steps.items():
        before = [each for each in sends if each != key and key not in paths.reachable_without(each)]
        if not before or not draw(st.booleans()):
            continue
        if isinstance(one.does, WaitFor) and one.does.event is not None:
            of_step, since = draw(st.sampled_from(before)), draw(st.sampled_from(["", "enter", *before]))
            drawn = changed(drawn, key, event=draw(message_events), of_step=of_step, since=since)
        if isinstance(one.does, Branch):
            first, *others = one.does.cases
            tied = Case(first.port, tree(draw(message_events)), draw(st.sampled_from(before)))
            drawn = changed(drawn, key, cases=(tied, *others))
    return drawn


@st.composite
def broken(draw: st.DrawFn, most: int = 12) -> Graph:
    """Return a journey with anything broken: ports that lead back, nowhere or away, steps gone or exchanged."""
    drawn = draw(graphs(most))
    for _ in range(draw(st.integers(1, 4))):
        drawn = draw(st.sampled_from(_BREAKS))(draw, drawn)
    return drawn


def _lead_elsewhere(draw: st.DrawFn, drawn: Graph) -> Graph:
    key = draw(st.sampled_from(sorted(drawn.steps)))
    names = sorted({*drawn.steps[key].ports, NEXT, REFUSED, "strange"})
    port, target = draw(st.sampled_from(names)), draw(st.sampled_from([*sorted(drawn.steps), "gone"]))
    return changed(drawn, key, ports={**drawn.steps[key].ports, port: target})


def _lose_port(draw: st.DrawFn, drawn: Graph) -> Graph:
    key = draw(st.sampled_from(sorted(drawn.steps)))
    ports = dict(drawn.steps[key].ports)
    if ports:
        del ports[draw(st.sampled_from(sorted(ports)))]
    return changed(drawn, key, ports=ports)


def _lose_step(draw: st.DrawFn, drawn: Graph) -> Graph:
    gone = draw(st.sampled_from(sorted(drawn.steps)))
    kept = {key: one for key, one in drawn.steps.items() if key != gone}
    return replace(drawn, steps=kept) if kept else drawn


def _begin_elsewhere(draw: st.DrawFn, drawn: Graph) -> Graph:
    return replace(drawn, start=draw(st.sampled_from(["", "gone", *sorted(drawn.steps)])))


def _exchange(draw: st.DrawFn, drawn: Graph) -> Graph:
    return changed(drawn, draw(st.sampled_from(sorted(drawn.steps))), does=draw(_actions | _endings))


def _empty(draw: st.DrawFn, drawn: Graph) -> Graph:
    """Put a step there as a canvas does before anything was chosen."""
    bare = [
        Send(Channel.SMS, {}),
        Wait(),
        WaitFor(0 * DAY),
        Branch(()),
        Split({}),
        Update(),
        Repeat(1, 0 * DAY),
    ]
    key = draw(st.sampled_from(sorted(drawn.steps)))
    return changed(drawn, key, does=draw(st.sampled_from(bare)), ports={})


_BREAKS = [_lead_elsewhere, _lose_port, _lose_step, _begin_elsewhere, _exchange, _empty]
