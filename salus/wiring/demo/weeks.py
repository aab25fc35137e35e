"""A ready journey at work on the demo's clinic: weeks that lie behind us, on a fast clock, with real mail.

The clock begins in the past and ends now, so that every message is one that may leave now, and the worker
can go on from there. Meanwhile workers keep off: they would look at the same people with the clock of today.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from uuid import UUID

from salus.content import api as content
from salus.delivery import api as delivery
from salus.delivery.contracts import By, Engaged, State
from salus.identity.contracts import Organization, Role
from salus.inbox import api as inbox
from salus.journeys import api as journeys
from salus.journeys.contracts import (
    JOURNEY,
    Counts,
    Fate,
    Figure,
    Graph,
    Journey,
    Send,
    StepCounts,
    StepKind,
    Version,
    VersionStatus,
    Visit,
)
from salus.kernel.acting import Actor, system
from salus.kernel.time import FakeClock
from salus.platform import rounds
from salus.platform.tenancy import acting_for
from salus.timeline import api as timeline
from salus.timeline.contracts import EventKind
from salus.wiring.demo.cast import member
from salus.wiring.demo.terminal import Terminal
from salus.wiring.rounds import ROUNDS

KEY = "re_engagement"
DAYS = 40
HOUR_OF_DAY = 19
"""In UTC, when every day is looked at: daytime all over the country."""
HELD = (*(each.name for each in ROUNDS if each.name.startswith("journeys-")), "inbox-expire")
ENDED = "ended"
"""The port by which an early ending takes people out."""
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


def known() -> Journey | None:
    """Return the journey of this or an earlier run; inside the organization's context."""
    name = journeys.ready_journey(KEY).name
    return next((each for each in journeys.journeys() if each.name.reveal() == name), None)


class Weeks:
    """The weeks of one journey, from its approval until now.

    `settle` waits until senders have tried every message of journeys since a moment; the weeks end at `now`.
    """

    def __init__(self, organization: Organization, now: datetime, settle: Callable[[datetime], None]) -> None:
        self._organization, self._settle = organization, settle
        today = now.replace(hour=HOUR_OF_DAY, minute=0, second=0, microsecond=0)
        self._began = (today if today <= now else today - _DAY) - DAYS * _DAY
        self._clock = FakeClock(self._began)
        self._plans: list[tuple[datetime, Callable[[datetime], None]]] = []
        self._seen: set[UUID] = set()
        self._numbers: dict[UUID, int] = {}
        self._letters: Counter[UUID] = Counter()

    def live(self, report: Callable[[int], None]) -> UUID:
        """Have the journey approved and let it run until now; return its id. `report` is told each day."""
        before = journeys.use_clock(self._clock)
        try:
            with rounds.held(HELD, self._organization.id):
                journey_id = self._start()
                for day in range(DAYS + 1):
                    self._work(journey_id)
                    self._read_mail()
                    report(day)
                    self._clock.advance(_DAY if day < DAYS else timedelta())
        finally:
            journeys.use_clock(before)
        return journey_id

    @property
    def _program(self) -> Actor:
        return system(self._organization.id, "demo")

    def _start(self) -> UUID:
        """Draw it, confirm what its letters are for, approve it, and let it go live."""
        at = self._clock.now()
        with acting_for(self._organization.id):
            marketer = member(self._organization, Role.MARKETER)
            officer = member(self._organization, Role.PRIVACY_OFFICER)
            present = known()
            if present and present.draft:
                version = journeys.version(present.draft)
            else:
                version = journeys.add_ready(KEY, actor=marketer, clock=self._clock)
            for id in _letters_of(version):
                classification = content.version(id).classification
                if classification and classification.confirmed_by is None:
                    content.confirm_classification(id, actor=officer)
            if version.status is VersionStatus.DRAFT:
                version = journeys.submit(version.id, actor=marketer, at=at)
            if version.status is VersionStatus.SUBMITTED:
                version = journeys.approve(version.id, seen=version.changed_at, actor=officer, at=at)
            journeys.go_live(version.id, actor=marketer, at=at)
        return version.journey_id

    def _work(self, journey_id: UUID) -> None:
        """Do at this moment what people and workers do."""
        due = [plan for plan in self._plans if plan[0] <= self._clock.now()]
        self._plans = [plan for plan in self._plans if plan[0] > self._clock.now()]
        with acting_for(self._organization.id):
            for at, act in due:
                act(at)
            self._do_tasks()
            journeys.follow()
        journeys.enter(self._organization.id, journey_id)
        journeys.move(self._organization.id, journey_id)

    def _do_tasks(self) -> None:
        coordinator = member(self._organization, Role.CARE_COORDINATOR)
        inbox.expire(actor=self._program, at=self._clock.now())
        for task in inbox.tasks(coordinator, limit=inbox.MANY):
            if task.contact_id and self._chance(task.contact_id, "is reached") < 0.8:
                inbox.end(task.id, done=True, actor=coordinator, at=self._clock.now())
                if self._chance(task.contact_id, "books by telephone") < 0.6:
                    self._plans.append((self._clock.now() + _HOUR, self._booking(task.contact_id)))

    def _read_mail(self) -> None:
        """Wait for the sender, and plan what those do who got a letter today."""
        self._settle(self._began)
        with acting_for(self._organization.id):
            for sending in delivery.sendings(JOURNEY, self._began):
                for each in delivery.recipients(sending.origin, states=(State.ACCEPTED,), limit=10_000):
                    if each.message_id not in self._seen:
                        self._seen.add(each.message_id)
                        self._numbers[each.contact_id] = each.contact_number
                        self._plans += self._habits(each.message_id, each.contact_id)

    def _habits(
        self, message_id: UUID, contact_id: UUID
    ) -> Iterator[tuple[datetime, Callable[[datetime], None]]]:
        """Yield when a reader opens, clicks and books, if they do."""
        self._letters[contact_id] += 1
        number, at = self._letters[contact_id], self._clock.now()
        if self._chance(contact_id, f"opens {number}") > 0.62:
            return
        yield at + 4 * _HOUR, self._engagement(message_id, Engaged.OPENED)
        if self._chance(contact_id, f"clicks {number}") > 0.5:
            return
        yield at + 5 * _HOUR, self._engagement(message_id, Engaged.CLICKED)
        if self._chance(contact_id, f"books {number}") < 0.5:
            yield at + 2 * _DAY, self._booking(contact_id)

    def _engagement(self, message_id: UUID, kind: Engaged) -> Callable[[datetime], None]:
        return lambda at: delivery.record_engagement(message_id, kind, By.PERSON, at=at)

    def _booking(self, contact_id: UUID) -> Callable[[datetime], None]:
        def book(at: datetime) -> None:
            event = {
                "contact_id": str(contact_id),
                "kind": EventKind.APPOINTMENT_BOOKED,
                "at": at.isoformat(),
                "key": f"demo {contact_id}",
                "details": {"id": f"demo-{contact_id}", "starts_at": (at + 60 * _DAY).isoformat()},
            }
            timeline.tell([event], actor=self._program, clock=self._clock)

        return book

    def _chance(self, contact_id: UUID, word: str) -> float:
        """Return a number from 0 to 1; contact numbers follow the files, so people do the same in every run."""
        digest = hashlib.sha256(f"{self._numbers[contact_id]} {word}".encode()).digest()
        return int.from_bytes(digest[:4], "big") / 2**32


def _letters_of(version: Version) -> set[UUID]:
    sends = (step.does for step in version.graph.steps.values() if isinstance(step.does, Send))
    return {id for send in sends for id in send.versions.values()}


def longest_way(organization: Organization, journey_id: UUID) -> tuple[Visit, ...]:
    """Return the longest way of one of those who came to the goal; inside the organization's context."""
    coordinator = member(organization, Role.CARE_COORDINATOR)
    found = journeys.people_at(journey_id, Figure(fate=Fate.COMPLETED), actor=coordinator, limit=20)
    ways = [journeys.diary(each.enrolment_id, actor=coordinator).visits for each in found]
    return max(ways, key=len, default=())


def refused(counts: Counts) -> Counter[str]:
    """Return how many letters the gate refused, by reason."""
    found: Counter[str] = Counter()
    for step in counts.steps.values():
        for (outcome, reason), people in step.outcomes.items():
            if outcome == "refused":
                found[reason] += people
    return found


def show(terminal: Terminal, graph: Graph, counts: Counts) -> None:
    """Show the steps with how many came and what became of them, and where everybody is."""
    plain = {StepKind.WAIT, StepKind.GOAL, StepKind.EXIT}
    steps = [counts.steps[key] for key, step in graph.steps.items() if step.kind not in plain]
    terminal.table(
        f"{graph.name}: {counts.entered:,} people came in",
        [
            (graph.steps[each.step].title, f"{each.arrived:,}", _became(each))
            for each in steps
            if each.arrived
        ],
        ("step", "people", "and then"),
    )
    ends = {
        "booked a visit": counts.completed,
        "left without": counts.exited,
        "may not be written to": counts.refused,
        "wait, and the worker goes on with them": counts.waiting,
    }
    title = f"Where the {counts.entered:,} are now"
    terminal.sums(title, {word: people for word, people in ends.items() if people}, counts.entered)


def show_way(terminal: Terminal, graph: Graph, way: tuple[Visit, ...]) -> None:
    """Show one person's visits, in order."""
    rows = [(f"{each.left_at:%b %-d}", graph.steps[each.step].title, each.outcome) for each in way]
    if rows:
        terminal.table("One person’s way", rows, ("", "", ""))


_WORDS = {"next": "went on", "else": "neither", "timeout": "not in time", ENDED: "left early"}


def _became(step: StepCounts) -> str:
    """Return what became of those who came to a step."""
    left = Counter(
        {_WORDS.get(port, port.replace("_", " ")): people for port, people in step.left.items() if port}
    )
    at_goal = (
        sum(people for (outcome, _), people in step.outcomes.items() if outcome == "goal") if left else 0
    )
    left = left + Counter({"at the goal": at_goal}) - Counter({_WORDS[ENDED]: at_goal})
    words = [f"{people:,} {word}" for word, people in left.items()]
    if step.opened:
        words.append(f"{step.opened:,} opened, {step.clicked:,} clicked")
    if step.here:
        words.append(f"{step.here:,} still here")
    return ", ".join(words)
