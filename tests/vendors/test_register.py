"""Vendors, agreements, services: who may be told what, and why not."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from salus.audit import api as audit
from salus.audit.contracts import Filters
from salus.identity.contracts import Organization
from salus.kernel.acting import Actor, system
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.ids import new_id
from salus.kernel.vocabulary import PhiClass, Special
from salus.platform.tenancy import acting_for
from salus.vendors import api as vendors
from salus.vendors.contracts import Clause, Kind, OutOfScope, Standing, Why

AT = datetime(2026, 11, 24, 18, tzinfo=UTC)
TODAY = AT.date()


@pytest.fixture
def clinic(make_clinic) -> Organization:
    return make_clinic()


@pytest.fixture
def officer(clinic) -> Actor:
    return system(clinic.id, "test")


@pytest.fixture
def inside(clinic):
    with acting_for(clinic.id):
        yield clinic


def vendor_with_service(officer: Actor, *, may_carry=("contact",), **facts) -> tuple[UUID, UUID]:
    """Return a vendor whose agreement is in force unless `facts` say otherwise, and its webhook."""
    vendor_id = vendors.create_vendor("Harbor Print and Post", actor=officer, at=AT)
    given = {"signed_on": TODAY, "report_hours": 24, "clauses": frozenset(Clause), **facts}
    vendors.record_agreement(vendor_id, **given, actor=officer, at=AT)
    service_id = vendors.create_service(
        vendor_id,
        kind=Kind.WEBHOOK,
        name="Letters",
        address="https://hooks.harbor.example/salus",
        may_carry=may_carry,
        actor=officer,
        at=AT,
    )
    return vendor_id, service_id


def test_a_service_in_scope_may_carry_its_classes(inside, officer):
    _, service_id = vendor_with_service(officer)
    found = vendors.service_in_scope(service_id, [PhiClass.CONTACT], AT)
    assert found.address == "https://hooks.harbor.example/salus"
    assert found.why_not is None
