"""The first page: what waits for whom, and sums of the week that add up."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.campaigns.contracts import CAMPAIGN, Status
from salus.contacts import api as contacts
from salus.content import api as content
from salus.content.contracts import Classification
from salus.delivery import api as delivery
from salus.delivery import calls, deposits
from salus.delivery.contracts import CallSpec, NewCall, Origin, Sending, State
from salus.identity import api as identity
from salus.identity.contracts import Role
from salus.inbox import api as inbox
from salus.inbox.contracts import NewTask
from salus.kernel.acting import system
from salus.kernel.ids import new_id
from salus.kernel.time import SystemClock
from salus.kernel.vocabulary import Promotes, Purpose, Remuneration
from salus.platform.tenancy import acting_for
from salus.reports import api, rules
from salus.reports.contracts import Home, TodoKind
from salus.reports.web.charts import chart
from salus.reports.web.words import waiting
from salus.vendors import api as vendors
from salus.vendors.contracts import Clause, Kind, Why
from tests.browser import Console
from tests.registered import attest
from tests.reports.conftest import client_of
from tests.reports.world import MJML, TOPIC, World, make_campaign, make_plan, make_version, staff

NOW = datetime(2026, 3, 10, 15, tzinfo=UTC)
ZONE = ZoneInfo("America/Los_Angeles")


@pytest.fixture
def busy(own: World) -> World:
    """A clinic where something waits for everybody."""
    now = SystemClock().now()
    organization = own.organization
    with acting_for(organization.id):
        version_id = make_version(organization)
        origin, counts = make_plan(organization, own.people, version_id, now)
        made: dict[str, Any] = {"at": now}
        make_campaign(
            organization, origin, counts, version_id, status=Status.PLANNED, name="To approve", **made
        )
        make_campaign(
            organization, origin, counts, version_id, status=Status.APPROVED, name="To send", **made
        )
        make_campaign(
            organization,
            None,
            None,
            version_id,
            status=Status.DRAFT,
            name="Sent back",
            note="Shorter, please",
            **made,
        )
        make_campaign(organization, None, None, version_id, status=Status.DRAFT, name="Just a draft", **made)
        author = staff(organization, Role.AUTHOR)
        template = content.create_template("To confirm", actor=author)
        version = content.save_version(template, language="en", subject="A check-up", mjml=MJML, actor=author)
        content.classify(
            version.id,
            Classification(Purpose.APPOINTMENT, Promotes.NOTHING, Remuneration.NONE, TOPIC),
            actor=author,
        )
        deposits.settle_notices(failed=[own.message("portal")], actor=system(organization.id, "test"), at=now)
    return own


def home_of(world: World, role: Role) -> Home:
    with acting_for(world.organization.id):
        return api.home_page(actor=staff(world.organization, role))


def kinds(home: Home) -> list[TodoKind]:
    return [each.kind for each in home.todos]


def test_what_waits_depends_on_who_asks(busy: World) -> None:
    assert kinds(home_of(busy, Role.PRIVACY_OFFICER)) == [
        TodoKind.APPROVE,
        TodoKind.UNNOTIFIED,
        TodoKind.CONFIRM,
    ]
    assert set(kinds(home_of(busy, Role.MARKETER))) == {TodoKind.LAUNCH, TodoKind.SENT_BACK}
    assert set(kinds(home_of(busy, Role.CARE_COORDINATOR))) == {
        TodoKind.LAUNCH, TodoKind.UNNOTIFIED, TodoKind.CONFIRM
    }  # fmt: skip
    assert kinds(home_of(busy, Role.AUTHOR)) == []
    assert kinds(home_of(busy, Role.AUDITOR)) == []


def test_each_thing_that_waits_says_what_it_is(busy: World) -> None:
    seen = client_of(busy, "marketer").get("/").content.decode()
    assert "Two things are waiting for you" in seen
    assert "Sent back" in seen
    assert "“Shorter, please”" in seen
    seen = client_of(busy, "privacy_officer").get("/").content.decode()
    assert "needs your approval" in seen
    assert "1 person does not know that a message waits" in seen
    assert "waits for a second person to confirm what it is for" in seen


def test_administrators_and_developers_see_no_campaign(busy: World) -> None:
    for role in ("administrator", "security_officer", "developer"):
        seen = client_of(busy, role).get("/").content.decode()
        assert "To approve" not in seen
        assert "Last seven days" not in seen
    home = home_of(busy, Role.ADMINISTRATOR)
    assert (home.week, home.live, home.upcoming) == (None, (), ())
    assert home.staff == (9, 9)
    assert home.log is not None


def test_keys_that_end_soon_wait_for_those_who_manage_them(own: World) -> None:
    now = SystemClock().now()
    with acting_for(own.organization.id):
        admin = staff(own.organization, Role.ADMINISTRATOR)
        for days in (5, 90):
            identity.create_api_key(
                "health record", ["campaigns:report:read"], actor=admin, expires_at=now + timedelta(days=days)
            )
    (todo,) = home_of(own, Role.DEVELOPER).todos
    assert (todo.kind, todo.count) == (TodoKind.KEY_ENDS, 1)


def test_staff_without_a_second_factor_wait_for_the_administrator(own: World) -> None:
    with acting_for(own.organization.id):
        identity.create_staff(
            name="Nell New",
            email="nell@cedar-row.example.org",
            roles=[Role.AUTHOR],
            actor=staff(own.organization, Role.ADMINISTRATOR),
        )
    home = home_of(own, Role.ADMINISTRATOR)
    assert [(each.kind, each.count) for each in home.todos] == [(TodoKind.NO_SECOND_FACTOR, 1)]
    assert home.staff == (10, 9)


def vendor_of(world: World, valid_until: date | None = None) -> tuple[UUID, UUID]:
    """Return a vendor under an agreement, and its webhook."""
    now = SystemClock().now()
    made: dict[str, Any] = {"actor": system(world.organization.id, "test"), "at": now}
    vendor_id = vendors.create_vendor("Harbor Post", **made)
    signed_on = now.date() - timedelta(days=300)
    vendors.record_agreement(
        vendor_id,
        signed_on=signed_on,
        valid_until=valid_until,
        report_hours=24,
        clauses=frozenset(Clause),
        **made,
    )
    service: dict[str, Any] = {"address": "https://hooks.harbor.example/", "may_carry": ["contact"]}
    service_id = vendors.create_service(vendor_id, kind=Kind.WEBHOOK, name="Letters", **service, **made)
    attest(service_id, **made)
    return vendor_id, service_id


def test_tasks_wait_for_whoever_has_their_role(own: World) -> None:
    now = SystemClock().now()
    with acting_for(own.organization.id):
        task = NewTask("t-1", new_id(), Role.CARE_COORDINATOR, "Call Ana", now + timedelta(days=1))
        inbox.create_tasks([task], actor=system(own.organization.id, "test"), at=now)
    assert [(each.kind, each.count) for each in home_of(own, Role.CARE_COORDINATOR).todos] == [
        (TodoKind.TASKS, 1)
    ]
    assert kinds(home_of(own, Role.MARKETER)) == []
    assert (
        "1 task waits for somebody of your role"
        in client_of(own, "care_coordinator").get("/").content.decode()
    )


def test_an_agreement_that_ends_soon_waits_for_who_may_renew_it(own: World) -> None:
    today = SystemClock().now().astimezone(ZONE).date()
    with acting_for(own.organization.id):
        soon, _ = vendor_of(own, today + timedelta(days=30))
        vendor_of(own, today + timedelta(days=31))
        vendor_of(own)
    (todo,) = home_of(own, Role.SECURITY_OFFICER).todos
    assert (todo.kind, todo.object_id) == (TodoKind.AGREEMENT_ENDS, soon)
    assert kinds(home_of(own, Role.DEVELOPER)) == []
    assert "The agreement with" in client_of(own, "security_officer").get("/").content.decode()


def test_calls_that_wait_for_an_agreement_are_said_on_the_first_page(own: World) -> None:
    organization_id, now = own.organization.id, SystemClock().now()
    with acting_for(organization_id):
        vendor_id, service_id = vendor_of(own)
        actor = system(organization_id, "test")
        spec = CallSpec(Origin("journey", new_id()), service_id, "journey.step")
        [(contact_id, _, _)] = contacts.recent(1)
        delivery.call(spec, [NewCall(contact_id)], actor=actor, at=now)
        vendors.switch_service(service_id, active=False, actor=actor, at=now)
        calls.pause(service_id, Why.SWITCHED_OFF, actor=actor, at=now)
    (todo,) = home_of(own, Role.SECURITY_OFFICER).todos
    assert (todo.kind, todo.object_id, todo.count) == (TodoKind.CALLS_PAUSED, vendor_id, 1)
    seen = client_of(own, "security_officer").get("/").content.decode()
    assert "is told nothing; 1 call waits" in seen
    assert "The service is switched off." in seen


def test_the_week_counts_what_was_sent(own: World) -> None:
    week = home_of(own, Role.ANALYST).week
    assert week
    assert week.planned == len(own.people)
    assert week.sent == len(own.messages["accepted"]) + 3
    assert (week.refused, week.bounced, week.waiting, week.rest) == (len(own.messages["refused"]), 2, 0, 0)
    launched = own.at.astimezone(ZoneInfo(own.organization.time_zone)).date()
    assert {each.day: each.planned for each in week.days}[launched] == week.planned


def test_what_is_being_sent_shows_how_far_it_is(busy: World) -> None:
    now = SystemClock().now()
    with acting_for(busy.organization.id):
        version_id = make_version(busy.organization)
        origin, counts = make_plan(busy.organization, busy.people, version_id, now)
        make_campaign(
            busy.organization,
            origin,
            counts,
            version_id,
            status=Status.SENDING,
            name="Right now",
            at=now,
            launch_at=now,
        )
    (live,) = home_of(busy, Role.MARKETER).live
    assert (live.done, sum(live.outcomes.values())) == (0, counts.cleared)
    assert "Right now" in client_of(busy, "marketer").get("/").content.decode()


def test_an_outsider_sees_an_empty_house(shared: World, outsider: Console) -> None:
    seen = outsider.client("privacy_officer").get("/").content.decode()
    assert "Nothing is waiting for you" in seen
    assert "A1c check" not in seen


def test_the_signed_out_are_asked_to_sign_in(shared: World) -> None:
    from django.test import Client

    answer = Client(headers={"host": "localhost"}).get("/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in")


STATES = st.dictionaries(st.sampled_from([str(state) for state in State]), st.integers(1, 5000), max_size=6)
SENDINGS = st.lists(
    st.builds(
        Sending,
        origin=st.just(Origin(CAMPAIGN, new_id())),
        released_at=st.timedeltas(timedelta(days=-9), timedelta(days=2)).map(lambda back: NOW + back),
        states=STATES,
        readers=st.integers(0, 100),
    ),
    max_size=8,
)


@given(SENDINGS)
def test_the_sums_of_the_week_always_add_up(sendings: list[Sending]) -> None:
    week = rules.week(sendings, NOW, ZONE)
    first = rules.begin_of_week(NOW, ZONE)
    mine = [
        each
        for each in sendings
        if first <= each.released_at
        and each.released_at.astimezone(ZONE).date() <= NOW.astimezone(ZONE).date()
    ]
    assert week.planned == sum(sum(each.states.values()) for each in mine)
    assert week.planned == week.sent + week.refused + week.bounced + week.waiting + week.rest
    assert week.rest >= 0
    assert len(week.days) == 7


@given(SENDINGS)
def test_the_chart_never_draws_outside_its_frame(sendings: list[Sending]) -> None:
    drawn = chart(rules.week(sendings, NOW, ZONE))
    for column in drawn.columns:
        bottoms = [float(piece.y) + float(piece.height) for piece in column.pieces]
        assert all(bottom <= 168.01 for bottom in bottoms)
        assert all(float(piece.y) >= 14 for piece in column.pieces)
        assert [float(piece.y) for piece in column.pieces] == sorted(
            (float(piece.y) for piece in column.pieces), reverse=True
        )
    assert drawn.lines[-1].value >= max(column.total for column in drawn.columns)


def test_the_week_begins_at_midnight_where_the_clinic_is_also_when_clocks_change() -> None:
    # In Los Angeles clocks went forward on 8 March 2026; seven days before the 10th is the 4th, at standard time.
    assert rules.begin_of_week(NOW, ZONE).isoformat() == "2026-03-04T00:00:00-08:00"


def test_those_who_must_be_told_are_listed_for_those_who_may_call_them(busy: World) -> None:
    seen = client_of(busy, "care_coordinator").get("/reports/to-tell/").content.decode()
    assert str(busy.message("portal")) in seen
    assert "Givenname" not in seen
    with acting_for(busy.organization.id):
        entry = audit.entries(Filters(action=Action.REPORT_RECIPIENTS))[0]
    assert (entry.reason, entry.details) == ("portal_unnotified", {"people": 1})
    assert client_of(busy, "marketer").get("/reports/to-tell/").status_code == 404


def test_an_outsider_has_nobody_to_tell(busy: World, outsider: Console) -> None:
    seen = outsider.client("care_coordinator").get("/reports/to-tell/").content.decode()
    assert "Everybody knows" in seen


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "Nothing is waiting for you"), (1, "One thing is waiting for you"), (3, "Three things are waiting for you"),
     (14, "14 things are waiting for you")],
)  # fmt: skip
def test_the_headline_counts_in_words(count: int, words: str) -> None:
    assert waiting(count) == words


def test_a_deposit_that_could_not_be_told_of_is_counted(busy: World) -> None:
    with acting_for(busy.organization.id):
        assert delivery.count_unnotified() == 1
        (who,) = delivery.unnotified()
    assert isinstance(who.contact_id, UUID)
    assert who.state is State.PORTAL_UNNOTIFIED
