"""Journeys at work in tests: drawn, put live without the people who approve, and run on a clock that stands still."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from salus.contacts import api as contacts
from salus.contacts.contracts import ContactPatch, Identifier
from salus.journeys import advancing, enrolling, following, numbers
from salus.journeys.contracts import Counts, Fate, Graph, Status, VersionStatus
from salus.journeys.enrolling import Candidate, Entered
from salus.journeys.models import EnrolmentRow, JourneyRow, VersionRow, VisitRow
from salus.journeys.queries import seal_name, seal_version
from salus.kernel.acting import Actor, system
from salus.kernel.ids import new_id
from salus.kernel.phi import Phi
from salus.kernel.time import FakeClock
from salus.platform.tenancy import acting_for
from salus.timeline import api as timeline
from salus.timeline.contracts import EventKind, NewEvent

START = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
"""A Monday, 10:00 in New York."""
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@dataclass
class Running:
    """A journey that runs in an organization, and the clock it runs on."""

    organization_id: UUID
    journey_id: UUID
    version_id: UUID
    clock: FakeClock = field(default_factory=lambda: FakeClock(START))

    @property
    def actor(self) -> Actor:
        """Return the worker."""
        return system(self.organization_id, "worker")

    def enter(self, *people: UUID, occasion: str = "") -> Entered:
        """Let people in by hand."""
        with acting_for(self.organization_id):
            found = contacts.numbers_of(people)
            tag = (occasion or new_id().hex).encode()[:16].ljust(16, b".")
            return enrolling.let_in(
                self.journey_id,
                [Candidate(id, found[id], tag) for id in people],
                actor=self.actor,
                at=self.clock.now(),
            )

    def run(self, limit: int = 1000) -> int:
        """Move everybody on who is due, and return how many steps were left."""
        visits = 0
        while True:
            with acting_for(self.organization_id):
                moved = advancing.advance(self.journey_id, actor=self.actor, clock=self.clock, limit=limit)
            if not moved.people:
                return visits
            visits += moved.visits

    def after(self, by: timedelta) -> int:
        """Let time pass, follow what happened, and move on."""
        self.clock.advance(by)
        self.follow()
        return self.run()

    def follow(self) -> None:
        """Follow every feed to its end."""
        with acting_for(self.organization_id):
            following.follow(actor=self.actor, clock=self.clock)

    def happens(
        self, contact_id: UUID, kind: EventKind, *, ago: timedelta = timedelta(), **details: object
    ) -> None:
        """Append an event, that happened so long ago, without telling anybody."""
        message_id = details.pop("message_id", None)
        with acting_for(self.organization_id):
            timeline.append(
                [
                    NewEvent(
                        contact_id,
                        kind,
                        self.clock.now() - ago,
                        new_id().hex,
                        message_id if isinstance(message_id, UUID) else None,
                        details,
                    )
                ],
                clock=self.clock,
            )

    def way(self, contact_id: UUID) -> list[tuple[str, str, str, str]]:
        """Return the visits of somebody's last enrolment as (step, port, outcome, reason)."""
        return [(each.step, each.port, each.outcome, each.reason) for each in self.visits(contact_id)]

    def visits(self, contact_id: UUID) -> list[VisitRow]:
        """Return the visits of somebody's last enrolment."""
        with acting_for(self.organization_id):
            row = self.enrolment(contact_id)
            return list(VisitRow.objects.filter(enrolment_id=row.id).order_by("ordinal"))

    def enrolment(self, contact_id: UUID) -> EnrolmentRow:
        """Return somebody's last enrolment."""
        with acting_for(self.organization_id):
            rows = EnrolmentRow.objects.filter(journey_id=self.journey_id, contact_id=contact_id)
            return rows.order_by("-entered_at", "-id")[0]

    def step(self, contact_id: UUID) -> str:
        """Return where somebody stands, "" when it is over."""
        row = self.enrolment(contact_id)
        return row.step if row.fate == Fate.WAITING else ""

    def counts(self) -> Counts:
        """Return what is counted."""
        with acting_for(self.organization_id):
            return numbers.counts(self.journey_id, engaged_at=())

    def stand(self, status: Status) -> None:
        """Let the journey stand so."""
        with acting_for(self.organization_id):
            JourneyRow.objects.filter(id=self.journey_id).update(status=status)


def put_live(
    organization_id: UUID, graph: Graph, *, clock: FakeClock | None = None, journey_id: UUID | None = None
) -> Running:
    """Return a journey that takes people, drawn so; with `journey_id`, a new version of it."""
    clock = clock or FakeClock(START)
    journey, version, at = journey_id or new_id(), new_id(), clock.now()
    with acting_for(organization_id):
        following.follow(actor=system(organization_id, "worker"), clock=clock)
        if journey_id is None:
            JourneyRow.objects.create(
                id=journey,
                sealed=seal_name(journey, graph.name),
                status=Status.LIVE,
                priority=graph.rules.priority,
                created_at=at,
                changed_at=at,
            )
        earlier = VersionRow.objects.filter(journey_id=journey)
        earlier.update(status=VersionStatus.RETIRED, retired_at=at)
        VersionRow.objects.create(
            id=version,
            journey_id=journey,
            number=earlier.count() + 1,
            status=VersionStatus.LIVE,
            sealed=seal_version(version, graph),
            live_at=at,
            created_at=at,
            changed_at=at,
        )
    return Running(organization_id, journey, version, clock)


def admit(organization_id: UUID, *people: Mapping[str, Any]) -> list[UUID]:
    """Put invented people with these values into the organization; return their ids."""
    actor = system(organization_id, "test")
    patches = [
        ContactPatch(
            identifiers=(Identifier("mrn", Phi(new_id().hex)),),
            values={"given_name": "Ana", "family_name": "Example", "relation": "patient", **values},
        )
        for values in people
    ]
    with acting_for(organization_id):
        merged = contacts.merge(patches, actor=actor)
    assert all(each.contact_id for each in merged), merged
    return [each.contact_id for each in merged if each.contact_id]
