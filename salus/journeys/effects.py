"""What steps do to the world, for all people of a batch at once, in the order in which all of Salus locks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from salus.audiences import api as audiences
from salus.contacts import api as contacts
from salus.contacts.contracts import MergeOutcome
from salus.delivery import api as delivery
from salus.delivery.contracts import NewCall
from salus.inbox import api as inbox
from salus.inbox.contracts import NewTask
from salus.journeys import sending
from salus.journeys.contracts import NOT_DONE, Call, GoTo, Send, Task, Update
from salus.journeys.enrolling import Candidate, let_in, occasion
from salus.journeys.rules.position import Leave, Position, Why
from salus.journeys.specifying import Specifier, origin_of
from salus.journeys.walking import Walker
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, NotFound
from salus.kernel.time import Clock
from salus.permissions import api as permissions
from salus.permissions.contracts import EntryKind, NewEntry
from salus.vendors.contracts import OutOfScope

GONE, REJECTED, NO_LIST = "person_is_gone", "value_rejected", "list_is_gone"
UNUSABLE, NOBODY = "call_unusable", "nobody_may_do_it"


@dataclass(frozen=True)
class Effects:
    """Does what the people of a batch came to do, in its transaction; they take what became of it."""

    journey_id: UUID
    priority: int
    specifier: Callable[[UUID], Specifier]
    actor: Actor
    clock: Clock
    at: datetime

    def do(self, walkers: Sequence[Walker]) -> None:
        """Messages first, then contacts, lists, entries, tasks, calls; other journeys last."""
        by_kind: defaultdict[type, list[Walker]] = defaultdict(list)
        for each in walkers:
            assert each.do is not None
            by_kind[type(each.do.step.does)].append(each)
        if by_kind[Send]:
            sending.send(
                self.journey_id, by_kind[Send], self.priority, self.specifier, actor=self.actor, at=self.at
            )
        self._update(by_kind[Update])
        self._ask(by_kind[Task])
        self._call(by_kind[Call])
        self._lead_over(by_kind[GoTo])
        for each in walkers:
            each.do = None

    def _update(self, walkers: Sequence[Walker]) -> None:
        if not walkers:
            return
        faults = self._change_attributes(walkers) | self._change_lists(walkers)
        self._opt_out(walkers)
        for each in walkers:
            each.facts.renew()
            each.take(each.course.updated(faults.get(each.id, "")), self.at)

    def _change_attributes(self, walkers: Sequence[Walker]) -> dict[UUID, str]:
        """Return the people whose values could not be changed, with a code why."""
        changed = [each for each in walkers if _update_of(each).attributes]
        changes = [(each.number, _update_of(each).attributes) for each in changed]
        fates = contacts.change_attributes(changes, self.actor, clock=self.clock) if changes else []
        return {
            each.id: REJECTED
            for each, fate in zip(changed, fates, strict=True)
            if fate.outcome is MergeOutcome.REJECTED
        }

    def _change_lists(self, walkers: Sequence[Walker]) -> dict[UUID, str]:
        """Return the people who could not be put on a list, or off it, with a code why."""
        changes: defaultdict[tuple[UUID, bool], list[Walker]] = defaultdict(list)
        for each in walkers:
            for segment_id in _update_of(each).add_to:
                changes[segment_id, True].append(each)
            for segment_id in _update_of(each).remove_from:
                changes[segment_id, False].append(each)
        faults: dict[UUID, str] = {}
        for (segment_id, add), those in sorted(changes.items(), key=lambda change: change[0]):
            change = audiences.add_members if add else audiences.remove_members
            try:
                change(segment_id, [each.number for each in those], self.actor)
            except (BadInput, NotFound):
                faults |= {each.id: NO_LIST for each in those}
        return faults

    def _opt_out(self, walkers: Sequence[Walker]) -> None:
        entries = [
            NewEntry(
                each.contact_id,
                EntryKind.OPT_OUT,
                self.at,
                f"journey {self.journey_id}",
                topic=topic,
                key=f"journey:{each.id}:{each.position.ordinal}:{topic}",
            )
            for each in walkers
            for topic in _update_of(each).opt_out_topics
        ]
        if entries:
            permissions.append(entries, actor=self.actor, skip_absent=True, clock=self.clock)

    def _ask(self, walkers: Sequence[Walker]) -> None:
        doers = inbox.roles() if walkers else frozenset()
        tasks = [
            NewTask(
                key=task_key(each.id, each.position.ordinal),
                contact_id=each.contact_id,
                role=does.role,
                title=step.title,
                due_at=each.position.arrived_at + does.at_most,
                instructions=does.instructions,
                deputy=does.deputy,
            )
            for each in walkers
            if each.do and isinstance(does := (step := each.do.step).does, Task) and does.role in doers
        ]
        made = inbox.create_tasks(tasks, actor=self.actor, at=self.at) if tasks else {}
        for each in walkers:
            if task_key(each.id, each.position.ordinal) in made:
                each.take(each.course.waiting(each.position, each.facts, self.at), self.at)
            else:
                each.take(Leave(NOT_DONE, "not_done", NOBODY), self.at)

    def _call(self, walkers: Sequence[Walker]) -> None:
        for group, step, those in sending.groups(walkers):
            origin_id = origin_of(group)
            calls = [NewCall(each.contact_id, self._about(each)) for each in those]
            refused, made = GONE, dict[UUID, UUID]()
            try:
                spec = self.specifier(group[0]).call(step, origin_id)
                made = delivery.call(spec, calls, actor=self.actor, at=self.at)
            except OutOfScope as beyond:
                refused = beyond.why
            except (BadInput, NotFound):
                refused = UNUSABLE
            sending.note(self.journey_id, group, origin_id, self.at)
            for each in those:
                if each.contact_id in made:
                    each.position = each.course.called(each.position, origin_id)
                    each.take(each.course.waiting(each.position, each.facts, self.at), self.at)
                else:
                    each.take(each.course.failed(each.position, refused), self.at)

    def _about(self, walker: Walker) -> dict[str, str]:
        return {
            "journey": str(self.journey_id),
            "enrolment": str(walker.id),
            "step": walker.position.step,
        }

    def _lead_over(self, walkers: Iterable[Walker]) -> None:
        by_journey: defaultdict[UUID, list[Walker]] = defaultdict(list)
        for each in walkers:
            does = each.do.step.does if each.do else None
            assert isinstance(does, GoTo)
            assert does.journey_id is not None
            by_journey[does.journey_id].append(each)
        for journey_id, those in sorted(by_journey.items()):
            people = [
                Candidate(each.contact_id, each.number, occasion(f"{each.id} {each.position.ordinal}"))
                for each in those
            ]
            kept_out = let_in(journey_id, people, actor=self.actor, at=self.at).refused
            for each in those:
                each.take(each.course.moved(kept_out.get(each.number, "")), self.at)


def take_back(places: Iterable[Position], *, actor: Actor, at: datetime) -> None:
    """Take back the tasks and calls that people wait for at these places, who leave them now."""
    places = list(places)
    tasks = [task_key(each.enrolment_id, each.ordinal) for each in places if each.waits is Why.TASK]
    if tasks:
        inbox.withdraw(tasks, actor=actor, at=at)
    calls = [
        (origin_id, each.contact_id)
        for each in places
        if each.waits is Why.CALL and (origin_id := each.memory.messages.get(each.step))
    ]
    if calls:
        delivery.cancel_calls(calls, actor=actor, at=at)


def task_key(enrolment_id: UUID, ordinal: int) -> str:
    """Return the key of the task of somebody's visit."""
    return f"journey:{enrolment_id}:{ordinal}"


def visit_of(key: str) -> tuple[UUID, int] | None:
    """Return the enrolment and ordinal of a task's key, None when it is not one of ours."""
    kind, _, rest = key.partition(":")
    enrolment, _, ordinal = rest.partition(":")
    return (UUID(enrolment), int(ordinal)) if kind == "journey" else None


def _update_of(walker: Walker) -> Update:
    does = walker.do.step.does if walker.do else None
    assert isinstance(does, Update)
    return does
