"""What an erasure has to keep goes when its last day is over, not before, and the log has it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.delivery.contracts import State
from salus.identity.contracts import Organization
from salus.kernel.acting import system
from salus.kernel.leaving import six_years_after
from salus.kernel.time import FakeClock
from salus.permissions import api as permissions
from salus.platform.tenancy import acting_for
from salus.privacy import api
from salus.privacy.contracts import Ground, Kind
from salus.privacy.models import DisclosureRow
from salus.wiring.person import PACKAGES
from tests.delivery.conftest import Desk, furnish

from .test_person import CANARY, asked, furnished, made, officer


@pytest.fixture
def desk(make_clinic: Callable[..., Organization]) -> Desk:
    api.use_packages(PACKAGES)
    return furnish(make_clinic())


def test_what_is_kept_by_law_is_erased_after_its_last_day_and_not_before(desk: Desk) -> None:
    person, worker = furnished(desk), system(desk.id, "worker")
    with acting_for(desk.id):
        now = desk.clock.now()
        api.record_disclosure(
            person, made(now, Ground.COURT, what=f"notes of {CANARY}"), actor=officer(desk), at=now
        )
        desk.settle(*(desk.outcome(each, State.PORTAL) for each in desk.take().prepared))
    copy, id = asked(desk, person, Kind.ACCESS), asked(desk, person, Kind.ERASURE)
    with acting_for(desk.id):
        api.make_copy(copy, actor=desk.actor, at=desk.clock.now())
    api.erase(desk.id, id, actor=desk.actor, clock=desk.clock)
    with acting_for(desk.id):
        kept = [each for step in api.steps(id) for each in step.left.kept if each.until]
        assert {each.citation.partition(";")[0][:10] for each in kept} == {"45 CFR 164"}
        last = max(each.until for each in kept if each.until)
        assert (
            six_years_after(desk.clock.now()) <= last <= six_years_after(timezone.now() + timedelta(days=1))
        )
        first = min(each.until for each in kept if each.until)
        early = FakeClock(first - timedelta(seconds=1))
        assert api.erase_kept(actor=worker, clock=early) == 0, "six years are never shortened"
        assert permissions.entries_of(person, actor=desk.actor)

        late = FakeClock(last + timedelta(seconds=1))
        assert api.erase_kept(actor=worker, clock=late) == len(
            {step.package for step in api.steps(id) if any(each.until for each in kept)}
            & {"permissions", "privacy", "delivery"}
        )
        assert permissions.entries_of(person, actor=desk.actor) == []
        assert not DisclosureRow.objects.filter(contact_id=person).exists()
        (left,) = api.requests(actor=officer(desk), contact_id=person)
        assert (left.id, left.note.reveal()) == (id, ""), "the completion record stays, without words"
        assert not [each for step in api.steps(id) for each in step.left.kept if each.until]
        assert api.erase_kept(actor=worker, clock=late) == 0
        again = audit.entries(Filters(action=Action.PRIVACY_ERASE, patient_id=person))
        over = {each.details["package"] for each in again if each.reason == "kept_time_over"}
        assert over == {"permissions", "privacy", "delivery"}
