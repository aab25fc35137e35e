"""An authority and GnuPG, made once for all tests of sealed mail."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from salus.identity import api as identity
from salus.kernel.acting import Actor, system
from salus.kernel.ids import new_id
from salus.kernel.vocabulary import SenderRole
from salus.platform.tenancy import acting_for
from tests.sealedmail.holders import Gpg, MailAuthority
from tests.sealedmail.people import ANA, admit


@pytest.fixture(scope="session")
def authority() -> MailAuthority:
    """An authority for mail."""
    return MailAuthority()


@pytest.fixture(scope="session")
def gpg() -> Iterator[Gpg]:
    """GnuPG; sockets of its agent want a short path."""
    with tempfile.TemporaryDirectory(prefix="gpg") as folder:
        made = Gpg(Path(folder))
        yield made
        made.end()


@pytest.fixture
def actor(database: object) -> Iterator[Actor]:
    """Somebody of a fresh clinic, in a transaction that is rolled back."""
    from django.db import transaction

    with transaction.atomic():
        clinic = identity.create_organization(
            name="Cedar Row Clinic",
            slug=f"clinic-{new_id().hex[-12:]}",
            sender_role=SenderRole.PROVIDER,
            postal_address="40 Cedar Row, Ellery, WA 98100",
            phone="206-555-0142",
            sending_domain="mail.cedar-row.example.org",
            time_zone="America/Los_Angeles",
            demo=True,
        )
        with acting_for(clinic.id):
            yield system(clinic.id, "test")
        transaction.set_rollback(True)


@pytest.fixture
def ana(actor: Actor) -> UUID:
    """Ana, who has two addresses."""
    return admit(actor, ANA, "ana.work@mill.example.test")
