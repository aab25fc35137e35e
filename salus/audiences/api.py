"""The door of audiences. Every function works for the organization in context (`acting_for`)."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from pyroaring import BitMap64

from salus.audiences import client, knowledge, lines, lists, operations, parse, queries, stages, words
from salus.audiences import schema as _schema
from salus.audiences.asking import Happening, Question, Questions
from salus.audiences.client import Engine, Status
from salus.audiences.contracts import Asked, Count, Explanation, Frozen, Group, Segment, Step, Tree
from salus.audiences.joining import join_person as join_person
from salus.audiences.joining import part_person as part_person
from salus.audiences.leaving import erase_person, export_person
from salus.audiences.nodes import Moment
from salus.audiences.ports import gate_preview, use_gate_preview
from salus.audiences.predicate import Person, holds
from salus.audiences.reads import lists as _lists
from salus.audiences.reads import reads
from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.contacts import api as contacts
from salus.contacts.contracts import Read
from salus.kernel.acting import Actor
from salus.kernel.phi import Phi
from salus.kernel.time import Clock, SystemClock
from salus.kernel.vocabulary import PhiClass, Special
from salus.permissions.contracts import Standing
from salus.timeline.contracts import Event

__all__ = [
    "Asked",
    "Happening",
    "Question",
    "Questions",
    "Segment",
    "add_members",
    "breakdown",
    "check",
    "count",
    "create_static",
    "engine_status",
    "entered_and_left",
    "erase_person",
    "explain",
    "export_person",
    "fingerprint",
    "freeze",
    "frozen",
    "frozen_name",
    "gate_preview",
    "heads",
    "latest_frozen",
    "lists_in",
    "lists_of",
    "look_at_members",
    "matches",
    "members",
    "numbers",
    "remove_members",
    "run_engine",
    "sample",
    "save_segment",
    "schema",
    "segment",
    "segments",
    "stage_names",
    "static_members",
    "steps",
    "use_gate_preview",
]

_CLOCK = SystemClock()
CHUNK = 1_000


def schema() -> dict[str, Any]:
    """Return the JSON Schema of the segment language; needs no organization."""
    return _schema.schema(knowledge.lexicon())


def check(tree: Tree, *, segment_id: UUID | None = None) -> tuple[Read, ...]:
    """Return what `tree` reads; raises `BadInput` whose place is the JSON path of the fault."""
    known = queries.lexicon()
    return reads(parse.parse(tree, known, inside=segment_id), known)


def save_segment(
    name: str,
    tree: Tree,
    actor: Actor,
    *,
    segment_id: UUID | None = None,
    version: int | None = None,
    clock: Clock = _CLOCK,
) -> Segment:
    """Make a segment, or change the one with `segment_id` (if it is still at `version`, when given).

    Raises `BadInput` with the place of the fault, `NotFound`, or `Conflict` when somebody was quicker.
    """
    return operations.save_segment(
        name=name, tree=tree, actor=actor, clock=clock, segment_id=segment_id, version=version
    )


def create_static(
    name: str,
    actor: Actor,
    *,
    tells: Iterable[PhiClass],
    specials: Iterable[Special] = (),
    clock: Clock = _CLOCK,
) -> Segment:
    """Make a static segment, empty: people are put into it by hand and by journeys, not by rules.

    `tells` are the PHI classes that being in it tells of a person, `specials` the special categories: the
    gate goes by them, and they stay as they are. Name it in rules as any other: {"segment": id}. To
    rename it, `save_segment` with its own tree. Raises `BadInput`.
    """
    return operations.create_static(name=name, tells=tells, specials=specials, actor=actor, clock=clock)


def add_members(segment_id: UUID, numbers: Iterable[int], actor: Actor) -> int:
    """Put contacts by number into a static segment; return how many were not in it before.

    Raises `NotFound`, or `BadInput` for a segment that has rules or a number that nobody was given yet;
    then nobody is put in. In one transaction after changes of contacts, before entries and events are
    appended: whoever changes a list keeps others from changing any until the end.
    """
    return operations.change_members(segment_id, numbers, wanted=True, actor=actor)


def remove_members(segment_id: UUID, numbers: Iterable[int], actor: Actor) -> int:
    """Take contacts by number out of a static segment; return how many were in it. As `add_members`."""
    return operations.change_members(segment_id, numbers, wanted=False, actor=actor)


def static_members(segment_id: UUID) -> BitMap64:
    """Return the numbers in a static segment, those of people who were erased meanwhile too; needs no engine."""
    return lists.members(segment_id)


def look_at_members(
    segment_id: UUID, *, actor: Actor, after: int = 0, limit: int = 50
) -> list[tuple[int, UUID]]:
    """Return (number, id) of the next people in a static segment after a number; the look is recorded."""
    found: list[tuple[int, UUID]] = []
    numbers = lists.members(segment_id).iter_equal_or_larger(after + 1)
    while len(found) < limit and (chunk := list(islice(numbers, limit - len(found)))):
        found += sorted(contacts.ids_of(chunk).items())
    audit.record(
        Action.SEGMENT_SAMPLE,
        actor=actor,
        object_kind="segment",
        object_id=segment_id,
        details={"people": len(found)},
    )
    return found


def lists_in(tree: Tree) -> frozenset[UUID]:
    """Return the static segments that `tree` asks about, also through other segments; raises `BadInput`."""
    return _lists(parse.parse(tree, queries.lexicon()))


def lists_of(numbers: Sequence[int], among: Iterable[UUID]) -> Mapping[int, frozenset[UUID]]:
    """Return for each contact number which of the static segments `among` it is in: what `matches` takes."""
    return lists.of_numbers(numbers, among)


def segments() -> list[Segment]:
    """Return every segment, the one changed last first."""
    return queries.segments()


def segment(segment_id: UUID) -> Segment:
    """Return one segment; raises `NotFound`."""
    return queries.segment(queries.row_of(segment_id), queries.lexicon())


def fingerprint(segment_id: UUID) -> str:
    """Return a hash that changes when the segment's rules do, or those of a segment that it leads to.

    Rules are few and can be guessed, so a stored hash is as protected as they are: seal it.
    """
    return queries.fingerprint(segment_id)


def count(tree: Tree, *, clock: Clock = _CLOCK) -> Count:
    """Return how many people are in `tree` now; raises `BadInput`, `Unavailable`."""
    check(tree)
    answer = Engine.of_current().count(tree, knowledge.moment(clock))
    return Count(answer.count, answer.positions["contacts"], answer.seconds)


def members(tree: Tree, *, clock: Clock = _CLOCK, caught_up: bool = False) -> BitMap64:
    """Return the numbers of the people in `tree` now.

    With `caught_up`, after the engine has read everything that is committed by now: call it in a
    transaction that has changed no contact. Raises `BadInput`, `Unavailable`.
    """
    check(tree)
    need = queries.heads() if caught_up else None
    return BitMap64.deserialize(Engine.of_current().members(tree, knowledge.moment(clock), need=need).members)


def heads() -> Mapping[str, int]:
    """Return the number of the last entry of each feed that decides who is in a segment."""
    return queries.heads()


def breakdown(tree: Tree, attribute: str, *, actor: Actor, clock: Clock = _CLOCK) -> list[Group]:
    """Return how many of the people in `tree` have each value of `attribute`, the commonest first.

    The value "" stands for those without one and "*" for all after the first fifty. "age" comes in
    bands. Only counts leave the engine, and the look is recorded.
    """
    check(tree)
    answer = Engine.of_current().breakdown(tree, knowledge.moment(clock), attribute)
    audit.record(
        Action.SEGMENT_COUNT,
        actor=actor,
        object_kind="segment",
        fields=[attribute],
        details={"people": answer.count},
    )
    return [Group(Phi(value), many) for value, many in answer.groups]


def sample(tree: Tree, size: int, *, actor: Actor, clock: Clock = _CLOCK) -> list[tuple[int, UUID]]:
    """Return (number, id) of up to `size` people in `tree`; the look is recorded."""
    check(tree)
    answer = Engine.of_current().sample(tree, knowledge.moment(clock), size)
    audit.record(
        Action.SEGMENT_SAMPLE, actor=actor, object_kind="segment", details={"people": len(answer.people)}
    )
    return list(answer.people)


def explain(tree: Tree, *, clock: Clock = _CLOCK) -> Explanation:
    """Return `tree` in words, with the people left after each line, the total, and what it reads."""
    known = queries.lexicon()
    node = parse.parse(tree, known)
    answer = Engine.of_current().explain(tree, knowledge.moment(clock))
    spoken = tuple(
        Step(depth, words.say(one, knowledge.code_names()), people, one.place, left, reads(one, known))
        for (depth, one, _, left), people in zip(lines.lines(node), answer.counts, strict=True)
    )
    return Explanation(spoken, answer.count, reads(node, known))


def steps(tree: Tree) -> tuple[Step, ...]:
    """Return the lines of an explanation without asking the engine: `people` is -1."""
    known = queries.lexicon()
    return tuple(
        Step(depth, words.say(one, knowledge.code_names()), -1, one.place, left, reads(one, known))
        for depth, one, _, left in lines.lines(parse.parse(tree, known))
    )


def freeze(segment_id: UUID, actor: Actor, *, clock: Clock = _CLOCK) -> Frozen:
    """Fix who is in a segment, at a change number not before everything committed by now.

    Waits for the engine to catch up; call it in a transaction that has changed no contact. Raises
    `NotFound`, `BadInput` when the segment is no longer good, and `Unavailable`.
    """
    return operations.freeze(segment_id=segment_id, actor=actor, clock=clock, moment=knowledge.moment(clock))


def frozen(frozen_id: UUID) -> Frozen:
    """Return a frozen membership; raises `NotFound`."""
    return queries.frozen(frozen_id)


def latest_frozen(segment_id: UUID) -> Frozen | None:
    """Return the newest frozen membership of a segment, or None."""
    return queries.latest_frozen(segment_id)


def frozen_name(frozen_id: UUID) -> Phi[str]:
    """Return the name that the segment had when it was frozen; raises `NotFound`."""
    return queries.frozen_name(frozen_id)


def numbers(frozen: Frozen, chunk: int = CHUNK) -> Iterator[list[int]]:
    """Yield the contact numbers of a frozen membership in ascending order, `chunk` at a time."""
    bitmap, found = BitMap64.deserialize(frozen.members), []
    for number in bitmap:
        found.append(number)
        if len(found) == chunk:
            yield found
            found = []
    if found:
        yield found


def entered_and_left(earlier: Frozen, later: Frozen) -> tuple[BitMap64, BitMap64]:
    """Return who is in `later` and was not in `earlier`, and the other way round."""
    before, after = BitMap64.deserialize(earlier.members), BitMap64.deserialize(later.members)
    return after - before, before - after


def matches(
    tree: Tree,
    document: Mapping[str, Any],
    events: Sequence[Event],
    standing: Standing,
    at: datetime,
    *,
    zone: str | None = None,
    lists: Container[UUID] | None = None,
) -> bool:
    """Return whether `tree` holds for one person, without the engine; raises `BadInput`.

    `zone` is the organization's time zone unless it is given; `lists` the static segments that they are
    in (`lists_of`), needed for a tree that asks about some. No store is asked: journeys use this.
    """
    known = queries.lexicon()
    moment = Moment(at, zone or knowledge.moment().zone)
    return holds(parse.parse(tree, known), Person(document, events, standing, moment, known, lists))


def stage_names() -> Mapping[str, str]:
    """Return the journey stages with their labels."""
    return stages.LABELS


def engine_status() -> Status:
    """Return how the engine stands with the current organization; never raises `Unavailable`."""
    return Engine.of_current().status()


def run_engine(socket_path: Path | None = None, directory: Path | None = None, *, shard: int = 0) -> None:
    """Be the engine of the organizations of `shard` until SIGTERM or SIGINT; needs no organization in context.

    There are `SALUS_AUDIENCE_SHARDS` shards (one unless it is set). Raises `BadInput` for another.
    """
    from salus.audiences.engine.process import run

    run(socket_path, directory or client.directory(), shard)
