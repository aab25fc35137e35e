"""The demo clinic with ready journeys at work: its people come in, read, book, come or do not, on a fast clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import sha256
from typing import Any
from uuid import UUID

from salus.audiences import api as audiences
from salus.contacts import api as contacts
from salus.content import api as content
from salus.identity import api as identity
from salus.identity.contracts import Organization, Permission, Role
from salus.inbox import api as inbox
from salus.journeys import api
from salus.journeys.contracts import Counts, Fate, Send, Version
from salus.journeys.models import EnrolmentRow, VisitRow
from salus.kernel.acting import Actor, system
from salus.kernel.time import FakeClock
from salus.kernel.vocabulary import SenderRole
from salus.platform.tenancy import acting_for
from salus.timeline import api as timeline
from salus.timeline.contracts import EventKind, NewEvent, Outcome
from salus.wiring.demo import clinic as demo
from salus.wiring.demo.terminal import Terminal
from tests.delivery import office

EVERYBODY = {"version": 1, "where": {"all": []}}
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MIDDAY = 19
"""In UTC: late morning in the west, early afternoon in the east, so nobody's quiet hours."""


@dataclass
class Clinic:
    """The demo clinic, its staff, the clock, and the journeys that run in it by key."""

    organization: Organization
    clock: FakeClock
    began: datetime
    live: dict[str, Version] = field(default_factory=dict)
    booked: dict[UUID, tuple[str, datetime]] = field(default_factory=dict)
    """Who has which appointment, when."""
    _newcomers: dict[UUID, int] = field(default_factory=dict)

    @property
    def id(self) -> UUID:
        """Return the organization's id."""
        return self.organization.id

    @property
    def program(self) -> Actor:
        """Return the program that tells of events."""
        return system(self.id, "test")

    def staff(self, role: Role) -> Actor:
        """Return a member of staff, acting."""
        with acting_for(self.id):
            return office.staff(self.organization, role)

    # Journeys

    def add(self, key: str) -> Version:
        """Return the draft of a ready journey that the marketer added."""
        marketer = self.staff(Role.MARKETER)
        with acting_for(self.id):
            return api.add_ready(key, actor=marketer, clock=self.clock)

    def confirm(self, draft: Version) -> None:
        """Confirm, as somebody else, what the letters of a draft are for."""
        officer = self.staff(Role.PRIVACY_OFFICER)
        with acting_for(self.id):
            for id in letters_of(draft):
                found = content.version(id).classification
                if found and found.confirmed_by is None:
                    content.confirm_classification(id, actor=officer, clock=self.clock)

    def start(self, key: str) -> Version:
        """Return a ready journey once it is confirmed, approved and live."""
        draft = self.add(key)
        self.confirm(draft)
        marketer, officer, at = self.staff(Role.MARKETER), self.staff(Role.PRIVACY_OFFICER), self.clock.now()
        with acting_for(self.id):
            handed_in = api.submit(draft.id, actor=marketer, at=at)
            api.approve(draft.id, seen=handed_in.changed_at, actor=officer, at=at)
            self.live[key] = api.go_live(draft.id, actor=marketer, at=at)
        return self.live[key]

    def close(self) -> None:
        """Let nobody in any more."""
        marketer = self.staff(Role.MARKETER)
        with acting_for(self.id):
            for version in self.live.values():
                api.close(version.journey_id, actor=marketer, at=self.clock.now())

    def counts(self, key: str) -> Counts:
        """Return the numbers of a journey."""
        with acting_for(self.id):
            return api.counts(self.live[key].journey_id)

    # Time

    def let_pass(self, days: int) -> None:
        """Let days pass, with what people did meanwhile and what the workers do then."""
        self.clock.advance(days * DAY)
        self._answer_letters(days * DAY)
        self._do_tasks()
        self._come_or_not()
        self.work()

    def work(self) -> None:
        """Do what the workers do at this moment: let people in, follow what happened, move everybody on."""
        before = api.use_clock(self.clock)
        try:
            with acting_for(self.id):
                inbox.expire(actor=self.program, at=self.clock.now())
                api.follow()
            for version in self.live.values():
                api.enter(self.id, version.journey_id)
            for _ in range(2):  # who goes on to another journey begins there
                for version in self.live.values():
                    api.move(self.id, version.journey_id)
        finally:
            api.use_clock(before)

    # What people do

    def people(self, share: float, word: str) -> list[UUID]:
        """Return about this share of those who were patients from the beginning, the same for the same word."""
        return [id for id, number in self._numbers.items() if chance(number, word) < share]

    @cached_property
    def _numbers(self) -> Mapping[UUID, int]:
        with acting_for(self.id):
            everybody = contacts.ids_of(list(audiences.members(EVERYBODY)))
        return {id: number for number, id in everybody.items()}

    def _chance(self, contact_id: UUID, word: str) -> float:
        """Return a number from 0 to 1; contact numbers follow the files, so habits are the same in every run."""
        return chance(self._numbers.get(contact_id) or self._newcomers[contact_id], word)

    def tell(self, kind: EventKind, people: Iterable[UUID], *, ago: timedelta = HOUR, **details: Any) -> None:
        """Tell, as a program with a key does, that something happened to people."""
        at = self.clock.now() - ago
        events = [
            {
                "contact_id": str(id),
                "kind": kind,
                "at": at.isoformat(),
                "key": f"{kind} {at.isoformat()} {id} {details.get('id', '')}",
                "details": details,
            }
            for id in people
        ]
        with acting_for(self.id):
            told = timeline.tell(events, actor=self.program, clock=self.clock)
        assert all(each.outcome is Outcome.STORED for each in told), told

    def enrol(self, key: str, people: Iterable[UUID]) -> None:
        """Put people into a journey by hand."""
        lines = [f"C-{self._numbers[id]}" for id in people]
        marketer = self.staff(Role.MARKETER)
        with acting_for(self.id):
            api.enrol_numbers(self.live[key].journey_id, lines, actor=marketer, at=self.clock.now())

    def register(self, name: str, *, with_mail: bool = True, **values: Any) -> UUID:
        """Let a new patient register, with a first visit yesterday; return who it is."""
        day = (self.clock.now() - DAY).date().isoformat()
        visit = {"id": f"first-{name}", "date": day, "status": "finished"}
        patch = office.patient(
            name,
            f"{name}@partner.example.test" if with_mail else None,
            self.clock.now(),
            conditions=(),
            encounters=(visit,),
            **values,
        )
        with acting_for(self.id):
            [id] = office.admit([patch], self.program)
            self._newcomers |= contacts.numbers_of([id])
        return id

    def book(self, people: Iterable[UUID], days: int) -> None:
        """Let people book an appointment in so many days."""
        starts = self.clock.now() + days * DAY
        for id in people:
            name = f"{self.clock.now():%j} {id}"
            self.booked[id] = (name, starts)
            self.tell(EventKind.APPOINTMENT_BOOKED, [id], id=name, starts_at=starts.isoformat())

    def book_from(self, key: str, most: int) -> None:
        """Let the first few who are in a journey book an appointment."""
        with acting_for(self.id):
            inside = EnrolmentRow.objects.filter(journey_id=self.live[key].journey_id, fate=Fate.WAITING)
            ids = list(inside.order_by("contact_number").values_list("contact_id", flat=True)[:most])
        self.book(ids, days=20)

    def move_appointments(self, people: Iterable[UUID], by: timedelta) -> None:
        """Let people move the appointment that they have."""
        for id in people:
            name, starts = self.booked[id]
            self.booked[id] = (name, starts + by)
            self.tell(EventKind.APPOINTMENT_MOVED, [id], id=name, starts_at=(starts + by).isoformat())

    def cancel_appointments(self, people: Iterable[UUID]) -> None:
        """Let people cancel the appointment that they have."""
        for id in people:
            name, _ = self.booked.pop(id)
            self.tell(EventKind.APPOINTMENT_CANCELLED, [id], id=name)

    def _come_or_not(self) -> None:
        """Let those whose appointment is over have come, or missed it."""
        for id, (name, starts) in list(self.booked.items()):
            if starts <= self.clock.now() - 2 * HOUR:
                del self.booked[id]
                came = self._chance(id, "comes") < 0.7
                self.tell(
                    EventKind.APPOINTMENT_ATTENDED if came else EventKind.APPOINTMENT_MISSED, [id], id=name
                )

    def _answer_letters(self, since: timedelta) -> None:
        """Let people open, click and sign in as their habits are, a few hours after they were written to."""
        with acting_for(self.id):
            sent = VisitRow.objects.filter(outcome="sent", left_at__gt=self.clock.now() - since - HOUR)
            rows = list(sent.values_list("enrolment_id", "message_id", "step", "left_at"))
            writers = EnrolmentRow.objects.filter(id__in={each[0] for each in rows})
            contact_of = dict(writers.values_list("id", "contact_id"))
            events = [
                event
                for enrolment_id, message_id, step, at in rows
                if message_id is not None
                for event in self._habits(contact_of[enrolment_id], message_id, step, at + 3 * HOUR)
            ]
            timeline.append(events, actor=self.program, clock=self.clock)

    def _habits(self, contact_id: UUID, message_id: UUID, step: str, at: datetime) -> Iterator[NewEvent]:
        def event(kind: EventKind, at: datetime, of: UUID | None) -> NewEvent:
            details = {"by": "person"} if of else {}
            return NewEvent(contact_id, kind, at, f"{kind} {message_id}", of, details)

        if self._chance(contact_id, f"opens {step}") < 0.6:
            yield event(EventKind.MESSAGE_OPENED, at, message_id)
            if self._chance(contact_id, f"clicks {step}") < 0.6:
                yield event(EventKind.MESSAGE_CLICKED, at + HOUR, message_id)
                if self._chance(contact_id, "signs in") < 0.5:
                    yield event(EventKind.PORTAL_SIGNED_IN, at + HOUR, None)

    def _do_tasks(self) -> None:
        """Do two of three tasks; the others are left until their time is over."""
        coordinator = self.staff(Role.CARE_COORDINATOR)
        with acting_for(self.id):
            for task in inbox.tasks(coordinator, limit=inbox.MANY):
                if task.contact_id and self._chance(task.contact_id, "is called") < 0.66:
                    inbox.end(task.id, done=True, actor=coordinator, at=self.clock.now())


def chance(number: int, word: str) -> float:
    """Return a number from 0 to 1 that is the same for the same number and word."""
    return int.from_bytes(sha256(f"{number} {word}".encode()).digest()[:4], "big") / 2**32


def letters_of(version: Version) -> set[UUID]:
    """Return the template versions that a journey sends."""
    sends = (step.does for step in version.graph.steps.values() if isinstance(step.does, Send))
    return {id for send in sends for id in send.versions.values()}


def open_clinic(slug: str, patients: int) -> Clinic:
    """Return the demo clinic with so many patients, really imported, and a program that may tell of events."""
    organization = identity.create_organization(
        name="Cedar Row Clinic",
        slug=slug,
        sender_role=SenderRole.PROVIDER,
        postal_address="12 Cedar Row, Albany, NY 12207",
        phone="518-555-0142",
        sending_domain="mail.cedar-row.example.org",
        time_zone="America/New_York",
        demo=True,
    )
    identity.create_demo_staff(organization)
    demo.bring_in(organization, patients, Terminal({}))
    now = datetime.now(UTC)
    start = now.replace(hour=MIDDAY, minute=0, second=0, microsecond=0)
    start = start if start > now else start + DAY
    clinic = Clinic(organization, FakeClock(start), start)
    developer = clinic.staff(Role.DEVELOPER)
    with acting_for(organization.id):
        identity.create_api_key(
            "record system", [Permission.TIMELINE_EVENT_WRITE], actor=developer, allowed=Permission
        )
    return clinic
