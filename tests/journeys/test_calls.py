"""Calls of a journey: made once for each person, answered by how they ended, taken back when their person leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from salus.delivery import calls
from salus.delivery.calls import Settling
from salus.delivery.models import CallRow
from salus.journeys.contracts import Call, Enter, EnterKind, Exit, Goal, Graph, Status, StepKind
from salus.kernel.acting import system
from salus.platform.tenancy import acting_for
from salus.vendors import api as vendors
from salus.vendors.contracts import Clause, Kind
from tests.journeys.drawn import graph, step
from tests.journeys.running import DAY, HOUR, START, Running, admit, put_live
from tests.journeys.test_engine import other
from tests.registered import attest


@pytest.fixture
def organization(make_clinic: Callable[..., Any]) -> UUID:
    """An organization with a record of its own, whose day it is."""
    found: UUID = make_clinic().id
    return found


@pytest.fixture
def service(organization: UUID) -> UUID:
    """The service of a vendor whose agreement lets it know who somebody is, and nothing of their health."""
    actor = system(organization, "test")
    with acting_for(organization):
        vendor = vendors.create_vendor("Harbor Print and Post", actor=actor, at=START)
        vendors.record_agreement(
            vendor,
            signed_on=START.date() - 2 * DAY,
            report_hours=24,
            clauses=frozenset(Clause),
            actor=actor,
            at=START,
        )
        service_id = vendors.create_service(
            vendor,
            kind=Kind.WEBHOOK,
            name="Letters",
            address="https://hooks.harbor.example/salus",
            may_carry=("contact", "demographic"),
            actor=actor,
            at=START,
        )
        attest(service_id, actor=actor, at=START)
        return service_id


def tells(service: UUID, *ways: Enter) -> Graph:
    """Return a journey that tells the service of people."""
    return graph(
        other("tell", StepKind.CALL, Call(service, ("given_name",), DAY), done="end", failed="out"),
        step("end", Goal()),
        step("out", Exit()),
        enter=ways or (Enter(EnterKind.BY_HAND),),
    )


def settle(running: Running, ends: Mapping[UUID, tuple[bool, str]]) -> None:
    """Let calls end as if a sender had made them."""
    with acting_for(running.organization_id):
        ids = dict(CallRow.objects.values_list("contact_id", "id"))
        ended = [Settling(ids[whom], done, reason, 1) for whom, (done, reason) in ends.items()]
        calls.settle(ended, actor=running.actor, at=running.clock.now())


def test_a_call_is_made_once_and_its_end_leads_on(organization: UUID, service: UUID) -> None:
    ana, ben, cora = admit(organization, {}, {}, {})
    running = put_live(organization, tells(service))
    running.enter(ana, ben, cora)
    running.run()
    running.after(HOUR)
    with acting_for(organization):
        assert CallRow.objects.count() == 3
    settle(running, {ana: (True, ""), ben: (False, "refused_by_receiver")})
    running.after(HOUR)
    assert running.way(ana)[0] == ("tell", "done", "done", "")
    assert running.way(ben)[0] == ("tell", "failed", "failed", "refused_by_receiver")
    running.after(DAY)
    assert running.way(cora)[0] == ("tell", "failed", "failed", "no_answer")


def test_what_the_service_may_not_know_is_not_told(organization: UUID, service: UUID) -> None:
    ill = Enter(EnterKind.EVENT, event={"did": "lab_available"})
    [ana] = admit(organization, {})
    running = put_live(organization, tells(service, ill))
    running.enter(ana)
    running.run()
    with acting_for(organization):
        assert not CallRow.objects.exists()
    assert running.way(ana)[0] == ("tell", "failed", "failed", "class_out_of_scope")


def test_the_call_about_somebody_who_leaves_is_taken_back(organization: UUID, service: UUID) -> None:
    [ana] = admit(organization, {})
    running = put_live(organization, tells(service))
    running.enter(ana)
    running.run()
    running.stand(Status.STOPPED)
    running.run()
    with acting_for(organization):
        assert [each.state for each in CallRow.objects.all()] == ["failed"]


def test_an_older_call_does_not_answer_a_later_one(organization: UUID, service: UUID) -> None:
    drawn: Any = tells(service)
    [ana] = admit(organization, {})
    running = put_live(organization, drawn)
    running.enter(ana)
    running.run()
    running.after(DAY)
    assert running.way(ana)[0] == ("tell", "failed", "failed", "no_answer")
    settle(running, {ana: (True, "")})
    running.clock.advance(timedelta(hours=1))
    running.follow()
    assert running.way(ana)[0] == ("tell", "failed", "failed", "no_answer")
