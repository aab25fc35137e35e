"""The report of a campaign: every person in exactly one figure, and why."""

from __future__ import annotations

from datetime import timedelta

import pytest

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.campaigns.contracts import Status
from salus.delivery import api as delivery
from salus.delivery import leasing, outcomes, preparing
from salus.delivery.contracts import By, Engaged, State
from salus.identity.contracts import Role
from salus.kernel.acting import system
from salus.kernel.errors import NotFound
from salus.kernel.ids import new_id
from salus.kernel.time import SystemClock
from salus.kernel.vocabulary import Channel
from salus.permissions import api as permissions
from salus.platform.tenancy import acting_for
from salus.reports import api
from salus.reports.contracts import OUTCOMES, Figure
from tests.browser import Console
from tests.reports.conftest import client_of
from tests.reports.world import (
    TOPIC,
    World,
    accepted,
    fetch_picture,
    make_campaign,
    make_plan,
    make_version,
    staff,
    take_on,
)


def test_everybody_is_in_exactly_one_figure(inside: World) -> None:
    report = api.campaign_report(inside.campaign_id)
    assert report.planned == len(inside.people) == report.cleared + report.refused
    assert report.cleared == sum(report.outcomes[figure] for figure in OUTCOMES)
    assert report.unaccounted == 0
    assert report.outcomes[Figure.PORTAL] == 3
    assert report.outcomes[Figure.BOUNCED] == 2
    assert report.sent == report.cleared - 2


def test_what_does_not_add_up_is_told(inside: World) -> None:
    from dataclasses import replace

    report = api.campaign_report(inside.campaign_id)
    assert replace(report, planned=report.planned + 1).unaccounted == 1
    assert replace(report, outcomes={**report.outcomes, Figure.QUEUED: 4}).unaccounted == 4


def test_every_refusal_is_explained_to_its_citation(inside: World) -> None:
    report = api.campaign_report(inside.campaign_id)
    assert {each.code for each in report.refusals} == {"no_authorization", "no_address", "opted_out"}
    assert sum(each.count for each in report.refusals) == report.refused
    assert [each.count for each in report.refusals] == sorted(
        (e.count for e in report.refusals), reverse=True
    )
    for each in (*report.refusals, *report.allowances):
        assert each.told is not None
        assert each.told.sentence
        assert each.told.citations


def test_why_the_way_was_not_protected_and_why_mail_came_back(inside: World) -> None:
    report = api.campaign_report(inside.campaign_id)
    assert [(each.code, each.count) for each in report.detours] == [("no_starttls", 3)]
    assert [(each.code, each.count) for each in report.failures] == [("no_such_mailbox", 2)]
    assert report.protection == {"verified": report.outcomes[Figure.ACCEPTED], "portal": 3}
    assert sum(report.protection.values()) == report.sent


def test_a_message_counts_once_under_the_most_telling_fetcher(own: World) -> None:
    first, second, third, fourth = own.messages["accepted"][:4]
    for message_id, fetchers in {
        first: ("scanner", "proxy", "person", "person"),
        second: ("proxy", "scanner"),
        third: ("scanner",),
        fourth: ("person",),
    }.items():
        for by in fetchers:
            fetch_picture(own, message_id, by)
    fetch_picture(
        own, own.message("accepted", 5), "person", after=timedelta(seconds=1)
    )  # too quick for a reader
    with acting_for(own.organization.id):
        delivery.portal_opened(own.message("portal"), own.at + timedelta(hours=1))
        found = api.campaign_report(own.campaign_id).engagement
        people = delivery.recipients(own.origin, engaged=(Engaged.OPENED, By.PROXY))
    assert found.opened == {By.PERSON: 2, By.PROXY: 1, By.SCANNER: 2}
    assert (found.read, found.readers) == (1, 3)
    assert [each.message_id for each in people] == [second]


def test_the_same_report_by_the_id_of_the_plan(inside: World) -> None:
    assert api.campaign_report(inside.plan_id) == api.campaign_report(inside.campaign_id)


def test_looking_is_recorded(own: World) -> None:
    with acting_for(own.organization.id):
        analyst = staff(own.organization, Role.ANALYST)
        api.campaign_report(own.campaign_id, actor=analyst)
        entry = audit.entries(Filters(action=Action.REPORT_READ, object_id=own.campaign_id))[0]
    assert entry.actor_id == analyst.id
    assert entry.details == {"planned": len(own.people)}


def test_a_campaign_without_a_plan_has_no_report(own: World) -> None:
    with acting_for(own.organization.id):
        version_id = make_version(own.organization)
        draft = make_campaign(
            own.organization, None, None, version_id, status=Status.DRAFT, at=SystemClock().now()
        )
        for unknown in (draft, new_id()):
            with pytest.raises(NotFound):
                api.campaign_report(unknown)


def test_what_the_second_check_stopped_is_told_with_the_gates_reason(own: World) -> None:
    now = SystemClock().now()
    with acting_for(own.organization.id):
        actor = system(own.organization.id, "test")
        version_id = make_version(own.organization)
        origin, counts = make_plan(own.organization, own.people, version_id, now)
        campaign_id = make_campaign(
            own.organization, origin, counts, version_id, status=Status.SENDING, at=now, launch_at=now
        )
        cleared = delivery.recipients(origin, states=[State.CLEARED])
        permissions.opt_out(cleared[0].contact_id, TOPIC, Channel.EMAIL, evidence="by phone", actor=actor)
        delivery.release(origin, not_before=now, actor=actor)
        batch = preparing.prepare(leasing.lease(100, now), actor=actor, at=SystemClock().now())
        # The notices of the clinic's other campaign are in the queue too.
        prepared = [each for each in batch.prepared if each.origin == origin]
        outcomes.record([accepted(each, now) for each in prepared[:3]], batch.stopped, actor=actor, at=now)
        report = api.campaign_report(campaign_id)
    assert [(each.code, each.count) for each in report.stopped] == [("opted_out", 1)]
    assert report.stopped[0].told
    assert report.outcomes[Figure.CANCELLED] == 1
    assert report.outcomes[Figure.ACCEPTED] == 3
    assert report.outcomes[Figure.QUEUED] == report.cleared - 4
    assert report.unaccounted == 0


def test_what_may_have_arrived_twice_is_told(own: World) -> None:
    now = SystemClock().now()
    with acting_for(own.organization.id):
        actor = system(own.organization.id, "test")
        version_id = make_version(own.organization)
        origin, counts = make_plan(own.organization, own.people, version_id, now)
        campaign_id = make_campaign(
            own.organization, origin, counts, version_id, status=Status.SENDING, at=now, launch_at=now
        )
        delivery.release(origin, not_before=now, actor=actor)
        dead = take_on(origin, 4, actor, now)  # a sender that dies after its batch mark
        later = now + leasing.LEASE + timedelta(minutes=1)
        begun = {each.lease.message_id for each in dead}
        taken = [each for each in take_on(origin, 100, actor, later) if each.lease.message_id in begun]
        assert len(taken) == 4
        outcomes.record([accepted(each, later) for each in taken], [], actor=actor, at=later)
        report = api.campaign_report(campaign_id)
        doubtful = delivery.recipients(origin, uncertain=True)
    assert report.uncertain == 4
    assert {each.message_id for each in doubtful} == {each.lease.message_id for each in taken}


def test_pages_of_the_report_by_role(shared: World) -> None:
    address = f"/reports/campaigns/{shared.campaign_id}/"
    for role, status in (
        ("marketer", 200),
        ("analyst", 200),
        ("auditor", 200),
        ("author", 404),
        ("developer", 404),
    ):
        assert client_of(shared, role).get(address).status_code == status, role
    seen = client_of(shared, "marketer").get(address).content.decode()
    assert "all accounted for" in seen
    assert "no_authorization" not in seen  # in words, not in codes
    assert "No authorization" in seen
    assert "45 CFR 164.508" in seen
    assert "/who/" not in seen  # a marketer sees how many, not who
    assert (
        "/who/?figure=refused&amp;reason=opted_out"
        in client_of(shared, "privacy_officer").get(address).content.decode()
    )


def test_the_list_and_the_way_from_a_plan(shared: World) -> None:
    client = client_of(shared, "marketer")
    assert f"/reports/campaigns/{shared.campaign_id}/" in client.get("/reports/").content.decode()
    answer = client.get(f"/reports/sendings/{shared.plan_id}/")
    assert (answer.status_code, answer["Location"]) == (302, f"/reports/campaigns/{shared.campaign_id}/")


def test_an_outsider_sees_nothing(shared: World, outsider: Console) -> None:
    client = outsider.client("privacy_officer")
    for address in (
        f"/reports/campaigns/{shared.campaign_id}/",
        f"/reports/campaigns/{shared.campaign_id}/who/",
        f"/reports/sendings/{shared.plan_id}/",
        f"/messages/{shared.message('accepted')}/receipt/",
        f"/messages/{shared.message('accepted')}/receipt/proof.json",
        f"/messages/{shared.message('portal')}/recall/",
    ):
        assert client.get(address).status_code == 404, address
    assert client.post(f"/messages/{shared.message('portal')}/recall/").status_code == 404
    assert (
        client.post(f"/reports/campaigns/{shared.campaign_id}/export/", {"figure": "all"}).status_code == 404
    )
    assert str(shared.campaign_id) not in client.get("/reports/").content.decode()
    with acting_for(outsider.organization.id), pytest.raises(NotFound):
        api.campaign_report(shared.campaign_id)


def test_titles_and_addresses_never_tell_a_campaigns_name(shared: World) -> None:
    seen = (
        client_of(shared, "privacy_officer").get(f"/reports/campaigns/{shared.campaign_id}/").content.decode()
    )
    title = seen[seen.index("<title>") : seen.index("</title>")]
    assert "A1c" not in title
