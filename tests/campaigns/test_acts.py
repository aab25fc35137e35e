"""What people do to a campaign, with the real gate, the real engine and the real database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from salus.audiences import api as audiences
from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.campaigns import api
from salus.campaigns.contracts import CAMPAIGN, SignOff, Status
from salus.campaigns.models import CampaignRow
from salus.content import api as content
from salus.delivery import api as delivery
from salus.delivery.contracts import Origin
from salus.identity.contracts import Organization, Role
from salus.kernel.acting import Actor, ActorKind, system
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.ids import new_id
from salus.platform.tenancy import acting_for
from tests.delivery import office

from .conftest import CLOCK, NAME, Clinic


def queued(clinic: Clinic, campaign_id: UUID) -> int:
    plan_id = clinic.campaign(campaign_id).plan_id
    with acting_for(clinic.id), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM delivery_queue WHERE origin_id = %s AND NOT held", [plan_id])
        return int(cursor.fetchone()[0])


def test_who_wrote_it_does_not_approve_it_whatever_roles_they_have(clinic: Clinic) -> None:
    planned = clinic.planned()
    both = replace(clinic.marketer, permissions=clinic.marketer.permissions | clinic.officer.permissions)
    with acting_for(clinic.id), pytest.raises(Conflict, match="You wrote this"):
        api.approve(planned.id, actor=both, at=CLOCK.now())
    assert clinic.campaign(planned.id).status is Status.PLANNED


def test_nobody_who_ever_wrote_in_it_approves_it(clinic: Clinic) -> None:
    draft = clinic.draft()
    with acting_for(clinic.id):
        api.change(
            draft.id,
            name="Another name",
            segment_id=clinic.segment_id,
            versions=clinic.versions,
            actor=clinic.coordinator,
            at=CLOCK.now(),
        )
        api.plan(draft.id, actor=clinic.coordinator, clock=CLOCK)
    api.make_plan(clinic.id, draft.id)
    with acting_for(clinic.id), pytest.raises(Conflict, match="You wrote this"):
        api.approve(draft.id, actor=clinic.marketer, at=CLOCK.now())


@pytest.mark.parametrize("kind", [ActorKind.API_KEY, ActorKind.SYSTEM])
def test_no_program_approves(clinic: Clinic, kind: ActorKind) -> None:
    planned = clinic.planned()
    program = Actor(kind, clinic.id, id=new_id(), permissions=clinic.officer.permissions)
    with acting_for(clinic.id), pytest.raises(Conflict):
        api.approve(planned.id, actor=program, at=CLOCK.now())


def test_an_approval_is_of_the_plan_that_was_seen(clinic: Clinic) -> None:
    planned = clinic.planned()
    with acting_for(clinic.id):
        api.plan(planned.id, actor=clinic.marketer, clock=CLOCK)
    api.make_plan(clinic.id, planned.id)
    with acting_for(clinic.id):
        with pytest.raises(Conflict, match="planned anew"):
            api.approve(planned.id, actor=clinic.officer, at=CLOCK.now(), plan_id=planned.plan_id)
        present = api.campaign(planned.id).plan_id
        approved = api.approve(planned.id, actor=clinic.officer, at=CLOCK.now(), plan_id=present)
        assert (approved.status, approved.approved_by) == (Status.APPROVED, clinic.officer.id)
        assert approved.approved_at is not None
        [entry] = audit.entries(Filters(action=Action.CAMPAIGN_APPROVE, object_id=planned.id))
        assert entry.details["people"] == 4


def test_it_is_sent_back_with_a_note(clinic: Clinic) -> None:
    approved = clinic.approved()
    with acting_for(clinic.id):
        with pytest.raises(BadInput):
            api.send_back(approved.id, "  ", actor=clinic.officer, at=CLOCK.now())
        back = api.send_back(
            approved.id, "Say that booking by phone is fine too.", actor=clinic.officer, at=CLOCK.now()
        )
        assert (back.status, back.approved_by) == (Status.DRAFT, None)
        assert back.note.reveal() == "Say that booking by phone is fine too."
        row = CampaignRow.objects.get(id=approved.id)
        assert b"booking by phone" not in bytes(row.sealed), "notes are free text of staff: sealed"


def test_nothing_is_launched_without_an_approval(clinic: Clinic) -> None:
    planned = clinic.planned()
    with acting_for(clinic.id), pytest.raises(Conflict, match="is planned cannot be launched"):
        api.launch(planned.id, actor=clinic.marketer, at=CLOCK.now())
    assert queued(clinic, planned.id) == 0


def test_launched_now_its_messages_are_in_the_queue(clinic: Clinic) -> None:
    sending = clinic.sending()
    assert sending.status is Status.SENDING
    assert queued(clinic, sending.id) == 4
    with acting_for(clinic.id):
        now = api.running(sending, CLOCK.now())
    assert now is not None
    assert (now.cleared, now.outcomes["queued"], now.ends_at) == (4, 4, None)


def test_launched_at_a_time_it_goes_when_the_time_has_come(clinic: Clinic) -> None:
    approved, now = clinic.approved(), CLOCK.now()
    worker = system(clinic.id, "worker")
    with acting_for(clinic.id):
        scheduled = api.launch(
            approved.id, actor=clinic.marketer, at=now, not_before=now + timedelta(hours=2)
        )
        assert (scheduled.status, scheduled.launch_at) == (Status.SCHEDULED, now + timedelta(hours=2))
        assert api.launch_due(actor=worker, at=now + timedelta(hours=1)) == 0
    assert queued(clinic, approved.id) == 0
    with acting_for(clinic.id):
        assert api.launch_due(actor=worker, at=now + timedelta(hours=3)) == 1
        assert api.launch_due(actor=worker, at=now + timedelta(hours=3)) == 0
    assert queued(clinic, approved.id) == 4
    assert clinic.campaign(approved.id).status is Status.SENDING


def test_a_time_can_be_changed_and_taken_back(clinic: Clinic) -> None:
    approved, now = clinic.approved(), CLOCK.now()
    with acting_for(clinic.id):
        for hours in (2, 5):
            later = now + timedelta(hours=hours)
            found = api.launch(approved.id, actor=clinic.marketer, at=now, not_before=later)
            assert found.launch_at == later
        back = api.send_back(approved.id, "Wait for the new hours.", actor=clinic.officer, at=now)
        assert (back.status, back.launch_at) == (Status.DRAFT, None)
        assert api.launch_due(actor=system(clinic.id, "worker"), at=now + timedelta(days=1)) == 0


def test_pause_holds_back_and_resume_lets_go(clinic: Clinic) -> None:
    sending = clinic.sending()
    with acting_for(clinic.id):
        assert api.pause(sending.id, actor=clinic.marketer, at=CLOCK.now()).status is Status.PAUSED
    assert queued(clinic, sending.id) == 0
    with acting_for(clinic.id):
        with pytest.raises(Conflict, match="is paused cannot be paused"):
            api.pause(sending.id, actor=clinic.marketer, at=CLOCK.now())
        assert api.resume(sending.id, actor=clinic.marketer, at=CLOCK.now()).status is Status.SENDING
    assert queued(clinic, sending.id) == 4


def test_cancelled_it_stays_cancelled_and_everybody_is_accounted_for(clinic: Clinic) -> None:
    sending = clinic.sending()
    with acting_for(clinic.id):
        cancelled = api.cancel(sending.id, actor=clinic.marketer, at=CLOCK.now())
        assert cancelled.status is Status.CANCELLED
        now = api.running(cancelled, CLOCK.now())
        assert now is not None
        assert (now.outcomes["cancelled"], now.outcomes["queued"]) == (4, 0)
        for act in (api.launch, api.pause, api.resume, api.cancel):
            with pytest.raises(Conflict):
                act(sending.id, actor=clinic.marketer, at=CLOCK.now())
    assert queued(clinic, sending.id) == 0


def test_what_has_nothing_left_to_send_is_done(clinic: Clinic) -> None:
    sending, worker = clinic.sending(), system(clinic.id, "worker")
    with acting_for(clinic.id):
        api.launch_due(actor=worker, at=CLOCK.now())
        assert api.campaign(sending.id).status is Status.SENDING
        assert sending.plan_id is not None
        delivery.cancel(Origin(CAMPAIGN, sending.plan_id), actor=worker, at=CLOCK.now())
        api.launch_due(actor=worker, at=CLOCK.now())
        assert api.campaign(sending.id).status is Status.DONE


@pytest.mark.parametrize("fault", ["no name", "no version", "wrong language", "no segment"])
def test_a_draft_that_does_not_fit_together_is_refused(clinic: Clinic, fault: str) -> None:
    given: dict[str, Any] = {"name": NAME, "segment_id": clinic.segment_id, "versions": clinic.versions}
    faults: dict[str, dict[str, Any]] = {
        "no name": {"name": "  "},
        "no version": {"versions": {}},
        "wrong language": {"versions": {"es": clinic.versions["en"]}},
        "no segment": {"segment_id": new_id()},
    }
    given |= faults[fault]
    with acting_for(clinic.id), pytest.raises(NotFound if fault == "no segment" else BadInput):
        api.create(**given, actor=clinic.marketer, at=CLOCK.now())


def test_sign_offs_are_given_by_somebody_else_who_may_and_count_from_the_next_plan(clinic: Clinic) -> None:
    planned = clinic.planned()
    with acting_for(clinic.id):
        with pytest.raises(NotFound):
            api.sign_off(planned.id, SignOff.WAIVER_ID, actor=clinic.marketer, at=CLOCK.now())
        with pytest.raises(NotFound):
            api.sign_off(planned.id, SignOff.COMPLIANCE_APPROVAL, actor=clinic.coordinator, at=CLOCK.now())
        signed = api.sign_off(
            planned.id, SignOff.CLINICIAN_SIGN_OFF, actor=clinic.coordinator, at=CLOCK.now()
        )
        assert signed.status is Status.DRAFT
        again = api.plan(planned.id, actor=clinic.marketer, clock=CLOCK)
        assert again.plan_id is not None
        spec = delivery.spec_of(Origin(CAMPAIGN, again.plan_id))
        assert spec.facts.clinician_sign_off == signed.sign_offs[SignOff.CLINICIAN_SIGN_OFF]
        entry = audit.entry(signed.sign_offs[SignOff.CLINICIAN_SIGN_OFF])
        assert (entry.actor_id, entry.reason) == (clinic.coordinator.id, "clinician_sign_off")


@pytest.mark.parametrize(
    "changed", ["nothing", "name", "text", "segment", "rules", "nested rules", "purpose"]
)
def test_a_sign_off_is_void_when_what_it_was_given_for_is_another(clinic: Clinic, changed: str) -> None:
    """Otherwise an approval for one audience or text would be spent on another."""
    tree = {"version": 1, "where": {"all": []}}
    fewer = {"version": 1, "where": {"field": "religion", "exists": True}}
    with acting_for(clinic.id):
        inner = audiences.save_segment("Inner", tree, clinic.marketer)
        outer_tree = {"version": 1, "where": {"all": [{"segment": str(inner.id)}]}}
        outer = audiences.save_segment("Outer", outer_tree, clinic.marketer)
        versions = {"en": office.template(clinic.organization)}
        draft = api.create(
            name=NAME, segment_id=outer.id, versions=versions, actor=clinic.marketer, at=CLOCK.now()
        )
        what = SignOff.COMPLIANCE_APPROVAL
        signed = api.sign_off(draft.id, what, actor=clinic.officer, at=CLOCK.now())
        given: dict[str, Any] = {"name": NAME, "segment_id": outer.id, "versions": versions}
        match changed:
            case "name":
                given["name"] = "Another name"
            case "text":
                given["versions"] = {"en": office.template(clinic.organization)}
            case "segment":
                given["segment_id"] = clinic.segment_id
            case "rules":
                audiences.save_segment("Outer", fewer, clinic.marketer, segment_id=outer.id)
            case "nested rules":
                audiences.save_segment("Inner", fewer, clinic.marketer, segment_id=inner.id)
            case "purpose":
                author = office.staff(clinic.organization, Role.AUTHOR)
                content.classify(versions["en"], replace(office.REMINDER, topic="gifts"), actor=author)
        api.change(draft.id, **given, actor=clinic.marketer, at=CLOCK.now())
        planned = api.plan(draft.id, actor=clinic.marketer, clock=CLOCK)
        assert planned.plan_id is not None
        spec = delivery.spec_of(Origin(CAMPAIGN, planned.plan_id))
        kept = signed.sign_offs[what] if changed in {"nothing", "name"} else None
        assert spec.facts.compliance_approval == kept
        assert planned.sign_offs == ({what: kept} if kept else {})


def test_an_outsider_finds_no_campaign(clinic: Clinic, make_clinic: Callable[..., Organization]) -> None:
    planned = clinic.planned()
    other = make_clinic("Northfield Clinic")
    with acting_for(other.id):
        with pytest.raises(NotFound):
            api.campaign(planned.id)
        with pytest.raises(NotFound):
            api.cancel(planned.id, actor=system(other.id, "test"), at=CLOCK.now())
        assert api.campaigns() == []
        assert planned.plan_id is not None
        assert api.of_plans([planned.plan_id]) == {}
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM campaigns_campaign")
            assert cursor.fetchone() == (0,), "row-level security alone shows nothing"


def test_the_list_is_read_page_by_page(clinic: Clinic) -> None:
    made = [clinic.draft(f"Campaign {place}").id for place in range(3)]
    with acting_for(clinic.id):
        first = api.campaigns(limit=2)
        rest = api.campaigns(before=first[-1].created_at, limit=1)
        assert [each.id for each in (*first, *rest)] == made[::-1]
        assert {each.id for each in api.in_status([Status.DRAFT])} >= set(made)
