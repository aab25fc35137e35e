"""A clinic that runs journeys: its people, its letters, and the staff who draw, approve, start and look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from salus.identity.contracts import Organization, Role
from salus.journeys import drafting, launching
from salus.journeys.contracts import Graph, Version
from salus.kernel.acting import Actor, system
from salus.platform.tenancy import acting_for
from tests.delivery import office

PEOPLE = ("ada", "bert", "cora", "dan", "eve")


@dataclass
class House:
    """An organization with five patients who may be written to, and a letter that two people agreed on."""

    organization: Organization
    versions: dict[str, UUID]
    people: dict[str, UUID]
    marketer: Actor
    coordinator: Actor
    officer: Actor

    @property
    def id(self) -> UUID:
        """Return the organization's id."""
        return self.organization.id

    def drafted(self, graph: Graph) -> Version:
        """Return the first draft of a journey that the marketer drew."""
        with acting_for(self.id):
            return drafting.create(graph, actor=self.marketer, at=now())

    def approved(self, graph: Graph) -> Version:
        """Return a version that the privacy officer approved."""
        return self.approve(self.drafted(graph))

    def approve(self, draft: Version) -> Version:
        """Return a draft as it stands once it was handed in and approved."""
        with acting_for(self.id):
            handed_in = drafting.submit(draft.id, actor=self.marketer, at=now())
            return drafting.approve(draft.id, seen=handed_in.changed_at, actor=self.officer, at=now())

    def live(self, graph: Graph) -> Version:
        """Return a version that takes people."""
        return self.start(self.approved(graph))

    def start(self, approved: Version) -> Version:
        """Return an approved version once it is live."""
        with acting_for(self.id):
            return launching.go_live(approved.id, actor=self.marketer, at=now())

    def next_version(self, version: Version, graph: Graph) -> Version:
        """Return the draft of a journey's next version, drawn as `graph`."""
        with acting_for(self.id):
            draft = drafting.new_draft(version.id, actor=self.marketer, at=now())
            return drafting.save_draft(draft.id, graph, seen=draft.changed_at, actor=self.marketer, at=now())


def now() -> datetime:
    """Return the present moment."""
    return datetime.now(UTC)


def furnish(organization: Organization) -> House:
    """Return the house of an organization that has its staff, really committed."""
    with acting_for(organization.id):
        actor = system(organization.id, "test")
        people = office.admit(
            [office.patient(name, f"{name}@lakepost.example.test", now()) for name in PEOPLE], actor
        )
        return House(
            organization=organization,
            versions={"en": office.template(organization)},
            people=dict(zip(PEOPLE, people, strict=True)),
            marketer=office.staff(organization, Role.MARKETER),
            coordinator=office.staff(organization, Role.CARE_COORDINATOR),
            officer=office.staff(organization, Role.PRIVACY_OFFICER),
        )
