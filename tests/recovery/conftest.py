"""A clinic in the installation of the tests, and a directory for its backups."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from salus.audit import api as audit
from salus.contacts import api as contacts
from salus.contacts.contracts import ContactPatch, Identifier
from salus.identity import api as identity
from salus.kernel.acting import system
from salus.kernel.ids import new_id
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import SenderRole
from salus.platform.tenancy import acting_for
from salus.recovery.contracts import Site
from salus.wiring.recovering import site as site_of
from tests.conftest import World


@pytest.fixture
def site(database: World) -> Site:
    """The installation of the tests; it runs."""
    if database.url:
        pytest.skip("the embedded database is restored here; test_dumps.py has the other one")
    return site_of(database.home, None)


@pytest.fixture
def vault(tmp_path: Path, database: World) -> Iterator[Path]:
    """Where backups go; what PostgreSQL keeps for it is let go at the end."""
    yield tmp_path / "vault"
    with psycopg.connect(database.superuser_dsn, autocommit=True) as connection:
        connection.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")


@pytest.fixture
def clinic(database: World) -> UUID:
    """An organization with some people and a signed log."""
    name = new_id().hex
    found = identity.create_organization(
        name="Larch Lane Clinic",
        slug=f"larch-{name[-12:]}",
        sender_role=SenderRole.PROVIDER,
        postal_address="1 Larch Lane, Albany, NY 12207",
        phone="518-555-0109",
        sending_domain=f"{name[-12:]}.example.test",
    )
    admit(found.id, 5)
    return found.id


def admit(organization_id: UUID, people: int) -> None:
    """Have new people in the clinic, in its log, and the log signed."""
    with acting_for(organization_id):
        contacts.merge(
            [
                ContactPatch(
                    identifiers=(Identifier("mrn", Phi(new_id().hex)),),
                    values={"given_name": "Ana", "family_name": "Lark"},
                )
                for _ in range(people)
            ],
            actor=system(organization_id, "test"),
        )
    sign(organization_id)


def sign(organization_id: UUID) -> None:
    """Give every entry its place and sign the log."""
    with acting_for(organization_id):
        while audit.integrate():
            pass
        audit.checkpoint()


def now(site: Site) -> datetime:
    """Return the moment on the database's clock."""
    with psycopg.connect(site.admin_dsn) as connection:
        row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row
    found: datetime = row[0]
    return found.astimezone(UTC)


Change = Callable[[Path], None]


def flip(path: Path) -> None:
    """Change one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    """Take the end of a file away."""
    path.write_bytes(path.read_bytes()[:-100])
