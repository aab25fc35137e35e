"""Two clinics on one system, each full of words and numbers that nobody else has, and programs with every key there is."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from salus.audiences import api as audiences
from salus.campaigns import api as campaigns
from salus.contacts import api as contacts
from salus.contacts.contracts import Address, ContactPatch, Identifier
from salus.identity import api as identity
from salus.identity import rules
from salus.identity.contracts import Organization, Permission, Role
from salus.inbox import api as inbox
from salus.inbox.contracts import NewTask
from salus.kernel.acting import Actor, system
from salus.kernel.outbound import ServiceKind
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import AddressSource, Channel
from salus.platform.tenancy import acting_for
from salus.vendors import api as vendors
from tests.journeys import house
from tests.journeys.drawn import short


@dataclass
class Side:
    """One of the two: its house, the words that only it has, the ids of what it has, and a key with every scope."""

    house: house.House
    key: str
    words: set[str] = field(default_factory=set)
    ids: dict[str, list[UUID]] = field(default_factory=dict)

    @property
    def id(self) -> UUID:
        """Return the organization's id."""
        return self.house.id

    @property
    def worker(self) -> Actor:
        """Return the system at work."""
        return system(self.id, "test")

    def word(self) -> str:
        """Return a word that occurs nowhere else, and remember that it is this side's."""
        word = f"Canary{secrets.token_hex(6)}"
        self.words.add(word)
        return word

    def keep(self, kind: str, id: UUID) -> UUID:
        """Remember that this side has something."""
        self.ids.setdefault(kind, []).append(id)
        return id

    def every_id(self) -> set[str]:
        """Return the ids of everything that this side has."""
        return {str(each) for found in self.ids.values() for each in found}

    def seen_in(self, text: str, *, asked: str = "") -> list[str]:
        """Return what of this side stands in `text` and not in what was `asked`."""
        return [each for each in self.words | self.every_id() if each in text and each not in asked]

    def admit(self) -> UUID:
        """Add a person, through the door."""
        name = self.word()
        address = Address(
            Channel.EMAIL,
            Phi(f"{name}@lakepost.example.test"),
            AddressSource.CLINICAL_ENCOUNTER,
            "desk",
            date(2026, 1, 2),
        )
        patch = ContactPatch(
            identifiers=(Identifier("mrn", Phi(name)),),
            addresses=(address,),
            values={
                "given_name": name,
                "family_name": "Example",
                "relation": "patient",
                "birth_date": "1961-04-17",
            },
        )
        with acting_for(self.id):
            (merged,) = contacts.merge([patch], actor=self.worker)
        assert merged.contact_id is not None
        return self.keep("contact", merged.contact_id)

    def draft_campaign(self) -> UUID:
        """Make a draft of a campaign, through the door."""
        with acting_for(self.id):
            made = campaigns.create(
                name=self.word(),
                segment_id=self.ids["segment"][0],
                versions=self.house.versions,
                actor=self.house.marketer,
                at=datetime.now(UTC),
            )
        return self.keep("campaign", made.id)

    def ask_for(self, contact_id: UUID) -> UUID:
        """Make a task about a person, through the door."""
        title = self.word()
        task = NewTask(title, contact_id, Role.CARE_COORDINATOR, title, datetime.now(UTC) + timedelta(days=1))
        with acting_for(self.id):
            (made,) = inbox.create_tasks((task,), actor=self.worker, at=datetime.now(UTC)).values()
        return self.keep("task", made)

    def register_service(self) -> UUID:
        """Put a vendor with a service into the register, through the door."""
        given: dict[str, Any] = {"actor": self.worker, "at": datetime.now(UTC)}
        with acting_for(self.id):
            vendor = self.keep("vendor", vendors.create_vendor(self.word(), **given))
            made = vendors.create_service(
                vendor,
                kind=ServiceKind.WEBHOOK,
                name=self.word(),
                address=f"https://{self.word().lower()}.example.org/salus",
                may_carry=[],
                **given,
            )
        return self.keep("service", made)


def furnish(organization: Organization) -> Side:
    """Return an organization, really committed, that has something of everything that programs can ask for."""
    found = house.furnish(organization)
    worker = system(organization.id, "test")
    with acting_for(organization.id):
        everything = frozenset(Permission) - rules.NOT_FOR_KEYS
        key = identity.create_api_key("everything", sorted(everything), actor=worker, allowed=everything)
    side = Side(found, key)
    for contact_id in found.people.values():
        side.keep("contact", contact_id)
    with acting_for(organization.id):
        where = {"version": 1, "where": {"all": []}}
        side.keep("segment", audiences.save_segment(side.word(), where, found.marketer).id)
    person = side.admit()
    side.draft_campaign()
    side.ask_for(person)
    side.register_service()
    side.keep("journey", found.drafted(short(found.versions, name=side.word())).journey_id)
    side.keep("journey", found.live(short(found.versions, name=side.word())).journey_id)
    for version in found.versions.values():
        side.keep("version", version)
    return side


def tables(connection: psycopg.Connection) -> list[str]:
    """Return the tables whose rows belong to an organization."""
    found = connection.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relkind IN ('r', 'p') "
        "AND a.attname = 'organization_id' AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace ORDER BY 1"
    )
    return [str(name) for (name,) in found]


def prints(connection: psycopg.Connection, side: Side) -> Iterator[tuple[str, int, str]]:
    """Yield each table, how many rows this side has in it, and a digest of them; the connection sees everything."""
    for table in tables(connection):
        statement = sql.SQL("SELECT t::text FROM {} t WHERE organization_id = %s").format(
            sql.Identifier(table)
        )
        rows = sorted(row for (row,) in connection.execute(statement, [side.id]))
        yield table, len(rows), sha256("\n".join(rows).encode()).hexdigest()
