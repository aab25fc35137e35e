"""A clinic with a segment that the real engine counts, a template, and the people who make a campaign of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connections

from salus.audiences import api as audiences
from salus.audiences import client, wire
from salus.audiences.engine.server import Server
from salus.campaigns import api
from salus.campaigns.contracts import Campaign
from salus.content.contracts import Classification
from salus.identity import api as identity
from salus.identity.contracts import Organization, Role
from salus.kernel.acting import Actor, system
from salus.kernel.ids import new_id
from salus.kernel.time import SystemClock
from salus.kernel.vocabulary import Channel, SenderRole
from salus.keys import api as keys
from salus.permissions import api as permissions
from salus.platform.tenancy import acting_for
from tests.delivery import office

CLOCK = SystemClock()
EVERYBODY = {"version": 1, "where": {"all": []}}
NAME = "Visits, time to book"


class Engines:
    """The audience engine in a thread, for the organizations that a test adds."""

    def __init__(self) -> None:
        self.organizations: list[UUID] = []

    def serve(self, organization_id: UUID) -> None:
        """Serve an organization too, and return when its people are read."""
        self.organizations.append(organization_id)
        pause, until = threading.Event(), datetime.now(UTC) + timedelta(seconds=20)
        while True:
            with acting_for(organization_id):
                if audiences.engine_status().state == "ready":
                    return
            assert datetime.now(UTC) < until, "the engine did not get there"
            pause.wait(0.05)

    @contextmanager
    def running(self, directory: Path) -> Iterator[None]:
        """Serve while the block runs."""
        path = wire.socket_path(client.directory(), 0)
        server = Server(path, directory, keys.local_secret(client.TOKEN), lambda: list(self.organizations))
        thread = threading.Thread(target=self._run, args=(server,))
        thread.start()
        try:
            yield
        finally:
            server.stop()
            thread.join(20)
            assert not thread.is_alive()

    def _run(self, server: Server) -> None:
        try:
            server.run()
        finally:
            connections.close_all()


@pytest.fixture(scope="module")
def engines(
    world: Any, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engines]:
    """The engine, for the tests of a file: no other file finds it running."""
    engines = Engines()
    with django_db_blocker.unblock(), engines.running(tmp_path_factory.mktemp("audience")):
        yield engines


@dataclass
class Clinic:
    """An organization with six patients: four may receive, one opted out, one has no address."""

    organization: Organization
    segment_id: UUID
    versions: dict[str, UUID]
    people: list[UUID]
    marketer: Actor
    officer: Actor
    coordinator: Actor
    names: dict[str, Actor] = field(default_factory=dict)

    @property
    def id(self) -> UUID:
        """Return the organization's id."""
        return self.organization.id

    def draft(self, name: str = NAME) -> Campaign:
        """Return a fresh draft of the marketer's."""
        with acting_for(self.id):
            return api.create(
                name=name,
                segment_id=self.segment_id,
                versions=self.versions,
                actor=self.marketer,
                at=datetime.now(UTC),
            )

    def planned(self, name: str = NAME) -> Campaign:
        """Return a campaign whose plan is made to its end."""
        draft = self.draft(name)
        with acting_for(self.id):
            api.plan(draft.id, actor=self.marketer, clock=CLOCK)
        api.make_plan(self.id, draft.id)
        return self.campaign(draft.id)

    def approved(self, name: str = NAME) -> Campaign:
        """Return a campaign that the privacy officer approved."""
        planned = self.planned(name)
        with acting_for(self.id):
            return api.approve(planned.id, actor=self.officer, at=CLOCK.now())

    def sending(self, name: str = NAME) -> Campaign:
        """Return a campaign that was launched, with its messages in the queue."""
        approved = self.approved(name)
        with acting_for(self.id):
            return api.launch(approved.id, actor=self.marketer, at=CLOCK.now())

    def campaign(self, campaign_id: UUID) -> Campaign:
        """Return a campaign as it stands now."""
        with acting_for(self.id):
            return api.campaign(campaign_id)


def furnish(
    organization: Organization, *, classification: Classification = office.REMINDER, languages: str = "en"
) -> Clinic:
    """Return the clinic, really committed."""
    at = datetime.now(UTC)
    with acting_for(organization.id):
        actor = system(organization.id, "test")
        names = ("ada", "bert", "cora", "dan", "eve")
        patches = [office.patient(name, f"{name}@lakepost.example.test", at) for name in names]
        patches.append(office.patient("finn", None, at))
        people = office.admit(patches, actor)
        permissions.opt_out(people[4], classification.topic, Channel.EMAIL, evidence="by phone", actor=actor)
        versions = {
            language: office.template(organization, classification, language=language)
            for language in languages.split()
        }
        marketer, officer = (
            office.staff(organization, Role.MARKETER),
            office.staff(organization, Role.PRIVACY_OFFICER),
        )
        segment = audiences.save_segment("Everybody", EVERYBODY, marketer)
        coordinator = office.staff(organization, Role.CARE_COORDINATOR)
    return Clinic(organization, segment.id, versions, people, marketer, officer, coordinator)


@pytest.fixture(scope="module")
def shared(engines: Engines, fast_passwords: None) -> Iterator[Clinic]:
    """A furnished clinic that the engine serves; each test makes campaigns of its own in it."""
    organization = identity.create_organization(
        name="Cedar Row Clinic",
        slug=f"clinic-{new_id().hex[-12:]}",
        sender_role=SenderRole.PROVIDER,
        postal_address="40 Cedar Row, Ellery, WA 98100",
        phone="206-555-0142",
        sending_domain="mail.cedar-row.example.org",
        time_zone="America/Los_Angeles",
        demo=True,
    )
    identity.create_demo_staff(organization)
    furnished = furnish(organization)
    engines.serve(furnished.id)
    yield furnished
    engines.organizations.remove(furnished.id)


@pytest.fixture
def clinic(shared: Clinic, database: object) -> Clinic:
    """The shared clinic, for a test that leaves its people alone."""
    return shared


@pytest.fixture
def own_clinic(engines: Engines, make_clinic: Callable[..., Organization]) -> Iterator[Clinic]:
    """A furnished clinic for one test."""
    furnished = furnish(make_clinic())
    engines.serve(furnished.id)
    yield furnished
    engines.organizations.remove(furnished.id)
