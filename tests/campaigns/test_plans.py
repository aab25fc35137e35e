"""Plans: what the gate said of everybody, told with its reasons; made to the end, given up, or made anew."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from salus.audiences import api as audiences
from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.campaigns import api, operations, rules
from salus.campaigns.contracts import CAMPAIGN, Behind, Status
from salus.contacts import api as contacts
from salus.content import api as content
from salus.delivery import api as delivery
from salus.delivery.contracts import Origin, State
from salus.identity.contracts import Organization
from salus.kernel.acting import system
from salus.kernel.errors import BadInput, Conflict
from salus.kernel.vocabulary import Protection
from salus.platform.tenancy import acting_for
from tests.delivery import office

from .conftest import CLOCK, NAME, Clinic, Engines, furnish


def test_a_plan_says_for_everybody_whether_and_why(clinic: Clinic) -> None:
    planned = clinic.planned()
    assert planned.status is Status.PLANNED
    assert planned.planned is not None
    assert (planned.planned.planned, planned.planned.cleared) == (6, 4)
    assert planned.planned.refused == {"opted_out": 1, "no_address": 1}
    with acting_for(clinic.id):
        told = api.tell_plan(planned)
        assert told is not None
        assert told.adds_up
        assert told.may_not == planned.may_not == 2
        assert {line.code for line in told.refused} == {"opted_out", "no_address"}
        assert all(line.told.sentence and line.told.citations for line in (*told.allowed, *told.refused))
        assert told.rules_version
        assert api.floors(told.counts.by_floor) == ((Protection.NAMED, 4),)


def test_the_pages_name_what_a_message_discloses_and_from_where(clinic: Clinic) -> None:
    draft = clinic.draft()
    with acting_for(clinic.id):
        told = api.tell(draft.id)
        sick = audiences.save_segment(
            "With diabetes",
            {"version": 1, "where": {"record": "conditions", "code": "vs:diabetes"}},
            clinic.marketer,
        )
        api.change(
            draft.id,
            name=NAME,
            segment_id=sick.id,
            versions=clinic.versions,
            actor=clinic.marketer,
            at=CLOCK.now(),
        )
        implicit = api.tell(draft.id)
    assert [each.word for each in told.discloses] == ["contact"]
    assert ("the text", "Given name") in told.discloses[0].origins
    assert "diagnosis" in [each.word for each in implicit.discloses], "being chosen tells of the diagnosis"
    assert told.letters[0].confirmed_by
    assert told.sender.address == f"care@{clinic.organization.sending_domain}"


def test_planning_again_voids_the_earlier_plan(clinic: Clinic) -> None:
    first = clinic.approved()
    assert first.plan_id is not None
    with acting_for(clinic.id):
        again = api.plan(first.id, actor=clinic.marketer, clock=CLOCK)
        assert again.approved_by is None
        earlier = delivery.progress(Origin(CAMPAIGN, first.plan_id))
        assert earlier.states == {State.REFUSED: 2, State.CANCELLED: 4}
        with pytest.raises(Conflict):
            delivery.release(Origin(CAMPAIGN, first.plan_id), not_before=CLOCK.now(), actor=clinic.marketer)
    api.make_plan(clinic.id, first.id)
    later = clinic.campaign(first.id)
    assert later.plan_id not in {None, first.plan_id}
    assert later.planned == first.planned


def test_a_change_after_the_plan_makes_it_a_draft_again(clinic: Clinic) -> None:
    planned = clinic.planned()
    with acting_for(clinic.id):
        changed = api.change(
            planned.id,
            name="Another name",
            segment_id=clinic.segment_id,
            versions=clinic.versions,
            actor=clinic.marketer,
            at=CLOCK.now(),
        )
        assert changed.status is Status.DRAFT
        with pytest.raises(Conflict, match="is a draft cannot be approved"):
            api.approve(planned.id, actor=clinic.officer, at=CLOCK.now())


def test_a_plan_that_is_being_made_can_be_given_up_and_its_job_then_does_nothing(clinic: Clinic) -> None:
    draft = clinic.draft()
    with acting_for(clinic.id):
        started = api.plan(draft.id, actor=clinic.marketer, clock=CLOCK)
        assert (started.status, started.planned_people) == (Status.PLANNING, 6)
        with pytest.raises(Conflict, match="is being planned cannot be changed"):
            api.change(
                draft.id,
                name=NAME,
                segment_id=clinic.segment_id,
                versions=clinic.versions,
                actor=clinic.marketer,
                at=CLOCK.now(),
            )
        api.stop_planning(draft.id, actor=clinic.marketer, at=CLOCK.now())
    api.make_plan(clinic.id, draft.id)
    assert clinic.campaign(draft.id).status is Status.DRAFT
    assert clinic.campaign(draft.id).plan_id is None


def test_a_late_job_of_an_earlier_plan_does_not_touch_the_present_one(clinic: Clinic) -> None:
    draft, worker = clinic.draft(), system(clinic.id, "worker")
    with acting_for(clinic.id):
        first = api.plan(draft.id, actor=clinic.marketer, clock=CLOCK)
        api.stop_planning(draft.id, actor=clinic.marketer, at=CLOCK.now())
        api.plan(draft.id, actor=clinic.marketer, clock=CLOCK)
        assert first.plan_id is not None
        assert not operations.plan_some(draft.id, first.plan_id, [1], actor=worker, at=CLOCK.now())
        operations.end_plan(draft.id, first.plan_id, actor=worker, at=CLOCK.now())
        progress = api.progress(draft.id)
        assert progress is not None
        assert progress.planned == 0
        assert api.campaign(draft.id).status is Status.PLANNING


def test_a_plan_made_twice_at_once_is_one_plan(clinic: Clinic) -> None:
    draft = clinic.draft()
    with acting_for(clinic.id):
        api.plan(draft.id, actor=clinic.marketer, clock=CLOCK)
    for _ in range(2):
        api.make_plan(clinic.id, draft.id)
    progress = clinic.campaign(draft.id).planned
    assert progress is not None
    assert progress.planned == 6


def test_a_large_plan_is_shared_among_a_few_and_a_small_one_is_not() -> None:
    assert rules.shares(7_999 - 1_000, 1_000) == []
    assert rules.shares(7_001, 1_000) == [(0, 7)]
    assert rules.shares(20_000, 1_000) == [(0, 9), (10, 19)]
    assert rules.shares(1_000_000, 1_000) == [(0, 332), (333, 665), (666, 999)]


def test_who_helps_begins_at_the_end_and_the_plan_is_one_plan(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    deferred: list[tuple[object, ...]] = []
    monkeypatch.setattr(delivery, "CHUNK", 1)
    monkeypatch.setattr(rules, "HELPED", 2)
    monkeypatch.setattr(rules, "FEWEST", 6)
    monkeypatch.setattr(api, "_defer_help", lambda *share: deferred.append(share))
    draft = clinic.draft()
    with acting_for(clinic.id):
        plan_id = api.plan(draft.id, actor=clinic.marketer, clock=CLOCK).plan_id
    assert plan_id is not None
    assert deferred.pop() == (draft.id, plan_id, 0, 5)
    api.help_plan(clinic.id, draft.id, plan_id, 0, 5)
    assert deferred.pop() == (draft.id, plan_id, 0, 3), "after a few others have their turn"
    assert clinic.campaign(draft.id).status is Status.PLANNING, "who helps ends nothing"
    planned_by_hand: list[int] = []
    api.make_plan(clinic.id, draft.id, report=planned_by_hand.append)
    made = clinic.campaign(draft.id)
    assert made.status is Status.PLANNED
    assert made.planned is not None
    assert (made.planned.planned, made.planned.cleared) == (6, 4)
    api.help_plan(clinic.id, draft.id, plan_id, 0, 3)
    assert not deferred, "there is nothing left to help with"


def test_who_helps_meets_who_plans_and_goes_no_further(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    deferred: list[tuple[object, ...]] = []
    monkeypatch.setattr(delivery, "CHUNK", 2)
    monkeypatch.setattr(api, "_defer_help", lambda *share: deferred.append(share))
    draft, worker = clinic.draft(), system(clinic.id, "worker")
    with acting_for(clinic.id):
        started = api.plan(draft.id, actor=clinic.marketer, clock=CLOCK)
        assert started.plan_id is not None
        assert started.frozen_id is not None
        first, second, third = audiences.numbers(audiences.frozen(started.frozen_id), 2)
        operations.plan_some(draft.id, started.plan_id, second, actor=worker, at=CLOCK.now())
    api.help_plan(clinic.id, draft.id, started.plan_id, 0, 2)
    with acting_for(clinic.id):
        plan_some = partial(operations.plan_some, draft.id, started.plan_id, actor=worker, at=CLOCK.now())
        assert [plan_some(each) for each in (first, second, third)] == [2, 0, 0]


def test_who_helps_with_a_plan_that_was_given_up_does_nothing(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "CHUNK", 1)
    draft = clinic.draft()
    with acting_for(clinic.id):
        plan_id = api.plan(draft.id, actor=clinic.marketer, clock=CLOCK).plan_id
        assert plan_id is not None
        api.stop_planning(draft.id, actor=clinic.marketer, at=CLOCK.now())
    api.help_plan(clinic.id, draft.id, plan_id, 0, 5)
    with acting_for(clinic.id):
        assert delivery.progress(Origin(CAMPAIGN, plan_id)).planned == 0
        again = api.plan(draft.id, actor=clinic.marketer, clock=CLOCK)
        assert again.plan_id is not None
    api.help_plan(clinic.id, draft.id, plan_id, 0, 5)
    with acting_for(clinic.id):
        assert delivery.progress(Origin(CAMPAIGN, again.plan_id)).planned == 0


def test_a_plan_that_does_not_cover_everybody_is_never_shown_as_one(clinic: Clinic) -> None:
    draft = clinic.draft()
    with acting_for(clinic.id):
        started = api.plan(draft.id, actor=clinic.marketer, clock=CLOCK)
        assert started.plan_id is not None
        with pytest.raises(Conflict, match="covers 0 of 6"):
            operations.end_plan(draft.id, started.plan_id, actor=system(clinic.id, "worker"), at=CLOCK.now())


def test_a_plan_that_cannot_go_on_says_why_and_is_a_draft_again(own_clinic: Clinic) -> None:
    draft = own_clinic.draft()
    with acting_for(own_clinic.id):
        api.plan(draft.id, actor=own_clinic.marketer, clock=CLOCK)
        contacts.erase_person(own_clinic.people[0], actor=system(own_clinic.id, "test"))
    api.make_plan(own_clinic.id, draft.id)
    stopped = own_clinic.campaign(draft.id)
    assert (stopped.status, stopped.plan_id) == (Status.DRAFT, None)
    assert "1 people of this audience are not there any more" in stopped.fault


def test_what_is_not_classified_is_not_even_planned(clinic: Clinic) -> None:
    with acting_for(clinic.id):
        author = clinic.marketer
        template_id = content.create_template("Plain", actor=author)
        version = content.save_version(
            template_id, language="en", subject="Hello", mjml=office.LETTER, actor=author
        )
        draft = api.create(
            name=NAME,
            segment_id=clinic.segment_id,
            versions={"en": version.id},
            actor=author,
            at=CLOCK.now(),
        )
        with pytest.raises(BadInput, match="not classified"):
            api.plan(draft.id, actor=author, clock=CLOCK)
        assert api.campaign(draft.id).status is Status.DRAFT


def test_an_unconfirmed_classification_lets_nobody_receive_it(clinic: Clinic) -> None:
    with acting_for(clinic.id):
        version_id = office.template(clinic.organization, confirmed=False)
        draft = api.create(
            name=NAME,
            segment_id=clinic.segment_id,
            versions={"en": version_id},
            actor=clinic.marketer,
            at=CLOCK.now(),
        )
        api.plan(draft.id, actor=clinic.marketer, clock=CLOCK)
    api.make_plan(clinic.id, draft.id)
    planned = clinic.campaign(draft.id).planned
    assert planned is not None
    assert planned.cleared == 0
    with acting_for(clinic.id), pytest.raises(Conflict, match="Nobody may receive this"):
        api.approve(draft.id, actor=clinic.officer, at=CLOCK.now())


def test_who_is_behind_a_figure_is_told_and_recorded(clinic: Clinic) -> None:
    planned = clinic.planned()
    with acting_for(clinic.id):
        refused = api.behind(planned.id, Behind(refused=True, code="opted_out"), actor=clinic.officer)
        assert [each.contact_id for each in refused] == [clinic.people[4]]
        assert planned.planned is not None
        [rule] = planned.planned.by_rule
        allowed = api.behind(planned.id, Behind(code=rule), actor=clinic.officer)
        assert {each.contact_id for each in allowed} == set(clinic.people[:4])
        by_floor = api.behind(planned.id, Behind(floor=Protection.NAMED), actor=clinic.officer)
        assert len(by_floor) == 4
        assert len(api.behind(planned.id, Behind(), actor=clinic.officer, limit=3)) == 3
        entries = audit.entries(Filters(action=Action.REPORT_RECIPIENTS, object_id=planned.id))
        assert sorted(entry.details["people"] for entry in entries) == [1, 3, 4, 4]


def test_a_clinics_name_that_tells_a_condition_is_no_sender_and_its_page_still_opens(
    engines: Engines, make_clinic: Callable[..., Organization]
) -> None:
    telling = furnish(make_clinic("Harbor HIV Clinic"))
    engines.serve(telling.id)
    draft = telling.draft()
    with pytest.raises(BadInput) as refused, acting_for(telling.id):
        api.plan(draft.id, actor=telling.marketer, clock=CLOCK)
    assert refused.value.place == "sender name"
    with acting_for(telling.id):
        assert api.tell(draft.id).sender.name == "Harbor HIV Clinic"
        assert api.campaign(draft.id).status is Status.DRAFT
    engines.organizations.remove(telling.id)
