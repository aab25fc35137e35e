"""Calls to a vendor that are not wanted any more: nobody is told of who left, of a pause, or of a stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from salus.delivery import api as delivery
from salus.delivery.models import CallQueueRow
from salus.identity.contracts import Role
from salus.journeys import launching, leaving
from salus.journeys.contracts import Call, Ending, EndsOn, Exit, Graph, Step, StepKind
from salus.kernel.acting import Actor
from salus.kernel.time import FAR
from salus.platform.tenancy import acting_for
from salus.timeline.contracts import EventKind
from salus.vendors import api as vendors
from salus.vendors.contracts import Clause, Kind
from tests.delivery import office
from tests.journeys.drawn import graph, step
from tests.journeys.running import HOUR, START, Running, admit, put_live
from tests.registered import attest


@pytest.fixture
def staff(make_clinic: Callable[..., Any]) -> Actor:
    """Somebody who may start and stop journeys."""
    organization = make_clinic()
    with acting_for(organization.id):
        return office.staff(organization, Role.MARKETER)


@pytest.fixture
def told(staff: Actor) -> tuple[Running, UUID]:
    """Return a journey that runs, with Ana of whom a vendor is to be told."""
    drawn = telling(register(staff))
    [ana] = admit(staff.organization_id, {})
    running = put_live(staff.organization_id, drawn)
    running.enter(ana)
    running.run()
    assert running.enrolment(ana).waits == "call"
    return running, ana


def register(actor: Actor) -> UUID:
    with acting_for(actor.organization_id):
        vendor_id = vendors.create_vendor("Harbor Print and Post", actor=actor, at=START)
        signed = START.date() - timedelta(days=2)
        vendors.record_agreement(
            vendor_id, signed_on=signed, report_hours=24, clauses=frozenset(Clause), actor=actor, at=START
        )
        service_id = vendors.create_service(
            vendor_id,
            kind=Kind.WEBHOOK,
            name="Letters",
            address="https://hooks.harbor.example/salus",
            may_carry=("contact", "demographic"),
            actor=actor,
            at=START,
        )
        attest(service_id, actor=actor, at=START)
        return service_id


def telling(service_id: UUID) -> Graph:
    tell = Step("tell", StepKind.CALL, "Tell", Call(service_id, ("given_name",)), {"done": "end"})
    drawn = graph(tell, step("end", Exit()))
    leaves = Ending(EndsOn.EVENT, event={"did": "visit"})
    return replace(drawn, rules=replace(drawn.rules, endings=(leaves,)))


def queue(running: Running) -> list[str]:
    """Return of each call that waits whether it is held."""
    with acting_for(running.organization_id):
        times = CallQueueRow.objects.values_list("not_before", flat=True)
        return ["held" if each == FAR else "due" for each in times]


def ends(running: Running) -> list[str]:
    with acting_for(running.organization_id):
        return [each.reason for each in delivery.calls_settled(0, 10)]


def test_calls_wait_with_the_journey_and_are_taken_back_with_it(
    told: tuple[Running, UUID], staff: Actor
) -> None:
    running, ana = told
    at = running.clock.now()
    assert queue(running) == ["due"]
    for act, found in ((launching.pause, "held"), (launching.resume, "due"), (launching.stop, "held")):
        with acting_for(running.organization_id):
            act(running.journey_id, actor=staff, at=at)
        assert queue(running) == [found]
    running.run()
    assert running.way(ana)[-1][1:] == ("ended", "ended", "stopped")
    assert (queue(running), ends(running)) == ([], ["cancelled"])


def test_nobody_is_told_of_who_left_early(told: tuple[Running, UUID]) -> None:
    running, ana = told
    running.clock.advance(HOUR)
    running.happens(ana, EventKind.VISIT)
    running.follow()
    running.run()
    assert running.way(ana)[-1][1:] == ("ended", "ended", "event")
    assert (queue(running), ends(running)) == ([], ["cancelled"])


def test_nobody_is_told_of_who_is_erased(told: tuple[Running, UUID]) -> None:
    running, ana = told
    with acting_for(running.organization_id):
        leaving.erase_person(ana, actor=running.actor, clock=running.clock)
    assert (queue(running), ends(running)) == ([], ["cancelled"])
