"""A clinic, Rosa who is its patient, her mailbox, and a browser's client that carries her cookie."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from salus.contacts import api as contacts
from salus.contacts.contracts import Address, ContactPatch, Identifier
from salus.delivery.contracts import CHOICES_LINK, PORTAL_LINK, PortalMessage, SentMessage, State
from salus.identity.contracts import Organization
from salus.kernel.acting import Actor, system
from salus.kernel.errors import NotFound
from salus.kernel.phi import Phi
from salus.kernel.time import FakeClock
from salus.kernel.vocabulary import AddressSource, Channel
from salus.keys import api as keys
from salus.patients import api as patients
from salus.patients import ports as patients_ports
from salus.platform.tenancy import acting_for
from salus.portal import api
from salus.portal import ports as portal_ports

from ..patients.post import NOW, FakePost

LETTER = "<!doctype html><p>Dear Rosa, your A1c check is due. Ñandú & <b>bold</b></p>\r\n"


@dataclass
class FakeMailbox(FakePost):
    """The post, with letters in it."""

    letters: dict[UUID, PortalMessage] = field(default_factory=dict)
    opened: list[UUID] = field(default_factory=list)

    def deposit(
        self,
        contact_id: UUID,
        *,
        special: bool = False,
        path_failed: bool = False,
        view_only: bool = False,
        html: str = LETTER,
        **changes: Any,
    ) -> UUID:
        """Put a letter for `contact_id` into the portal; return its id."""
        if special:
            changes.setdefault("disclosed", ("contact", "hiv"))
        message_id = self.add(contact_id, **changes)
        sent = self.messages[message_id]
        self.letters[message_id] = PortalMessage(
            message_id=message_id,
            contact_id=contact_id,
            subject=Phi("Your A1c check is due"),
            html=Phi(html),
            text=Phi("Dear Rosa,\nyour A1c check is due."),
            sender_name=sent.sender_name,
            sent_at=sent.at,
            expires_at=NOW + timedelta(days=60),
            state=sent.state,
            language=sent.language,
            special=special,
            path_failed=path_failed,
            view_only=view_only,
            disclosed=sent.disclosed,
        )
        if special or path_failed:
            self.no_email.add(message_id)
        return message_id

    def portal_message(self, message_id: UUID) -> PortalMessage:
        if message_id not in self.letters:
            raise NotFound
        return self.letters[message_id]

    def portal_opened(self, message_id: UUID, at: Any) -> None:
        self.opened.append(message_id)

    def messages_of_contact(self, contact_id: UUID, limit: int = 200) -> list[SentMessage]:
        own = [each for each in self.messages.values() if each.contact_id == contact_id]
        return own[::-1][:limit]


@dataclass
class World:
    """One clinic with Rosa in it, as a page test needs it."""

    organization: Organization
    rosa: UUID
    mailbox: FakeMailbox
    clock: FakeClock

    @property
    def actor(self) -> Actor:
        """The system acting in the clinic."""
        return system(self.organization.id, "test")

    def token(self, purpose: str, message_id: UUID, days: int = 60) -> str:
        """Return the token of a link in a message."""
        with acting_for(self.organization.id):
            return keys.seal_token(purpose, message_id.bytes, lifetime=timedelta(days=days), clock=self.clock)

    def link(self, message_id: UUID) -> str:
        """Return the address of a notice's link."""
        return f"/p/m/{self.token(PORTAL_LINK, message_id)}"

    def stop_link(self, message_id: UUID) -> str:
        """Return the address of the unsubscribe link."""
        return f"/p/u/{self.token(CHOICES_LINK, message_id)}"

    def client(self, **options: Any) -> Client:
        """Return a visitor without cookies."""
        return Client(headers={"host": "localhost"}, **options)

    def signed_in(self, message_id: UUID | None = None) -> Client:
        """Return Rosa's browser after she typed code and birth date."""
        message_id = message_id or self.mailbox.deposit(self.rosa)
        link, client = self.link(message_id), self.client()
        client.post(f"{link}/code")
        code = self.mailbox.codes[-1][1]
        answer = client.post(link, {"code": code, "m": "4", "d": "17", "y": "1961"})
        assert answer.status_code == 303, answer.content
        return client


def code_for(world: World) -> str:
    """Return a code that staff hand to Rosa."""
    with acting_for(world.organization.id):
        return patients.issue_code(world.rosa, actor=world.actor, clock=world.clock).code.reveal()


def person(number: str, **values: Any) -> ContactPatch:
    """Return an invented patient with e-mail and telephone."""
    known = {"given_name": "Rosa", "family_name": "Example", "birth_date": "1961-04-17", **values}
    obtained = (AddressSource.CLINICAL_ENCOUNTER, "registration", date(2025, 1, 2))
    return ContactPatch(
        identifiers=(Identifier("mrn", Phi(number)),),
        addresses=(
            Address(Channel.EMAIL, Phi(f"rosa.{number}@lakepost.example.org"), *obtained),
            Address(Channel.SMS, Phi("+12065550142"), *obtained),
        ),
        values=known,
        place="line 1",
    )


def add(organization_id: UUID, patch: ContactPatch) -> UUID:
    """Put a person into an organization."""
    with acting_for(organization_id):
        [merged] = contacts.merge([patch], actor=system(organization_id, "test"))
    assert merged.contact_id is not None
    return merged.contact_id


@pytest.fixture
def make_world(make_clinic: Callable[..., Organization]) -> Iterator[Callable[..., World]]:
    """Return a maker of clinics with a patient; all share one mailbox and one clock."""
    mailbox, clock = FakeMailbox(), FakeClock(NOW)
    before = patients_ports._post, portal_ports._mailbox, api._clock
    patients_ports.use_post(mailbox)
    api.use_mailbox(mailbox)
    api.use_clock(clock)

    def make(**facts: Any) -> World:
        organization = make_clinic(demo=False, **facts)
        return World(organization, add(organization.id, person("7001")), mailbox, clock)

    yield make
    patients_ports._post, portal_ports._mailbox, api._clock = before


@pytest.fixture
def world_of_rosa(make_world: Callable[..., World]) -> World:
    """Cedar Row Clinic and Rosa."""
    return make_world()


def text_of(answer: Any) -> str:
    """Return what a page says, without its markup."""
    body = re.sub(r"(?s)<(script|style|svg).*?</\1>", "", answer.content.decode())
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


__all__ = ["LETTER", "FakeMailbox", "State", "World", "add", "code_for", "person", "text_of"]
