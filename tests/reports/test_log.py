"""The log as staff see it: verified by a button and regularly, found, and each entry proved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.test import RequestFactory

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.identity.contracts import Permission, Role
from salus.kernel.errors import NotFound
from salus.kernel.ids import new_id
from salus.kernel.time import FakeClock
from salus.platform.tenancy import acting_for
from salus.platform.web.shell import Who
from salus.reports import api, rules
from salus.wiring.navigation import pulse
from tests.browser import Console
from tests.reports.conftest import client_of
from tests.reports.world import World, seal_log, staff

NOW = datetime.now(UTC)


@pytest.fixture
def thief(database: Any) -> Iterator[psycopg.Connection]:
    """Somebody who owns the database."""
    with psycopg.connect(database.superuser_dsn, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        yield connection


def change_an_entry(thief: psycopg.Connection, world: World) -> int:
    """Change what an entry says, behind the program's back; return its position."""
    row = thief.execute(
        "UPDATE audit_entry SET purpose = 'changed' WHERE organization_id = %s AND action = 'delivery:receipts:record' "
        "RETURNING id",
        [world.organization.id],
    ).fetchone()
    assert row
    place = thief.execute("SELECT position FROM audit_index WHERE entry_id = %s", [row[0]]).fetchone()
    assert place
    return int(place[0])


def test_the_button_verifies_and_says_what_it_found(own: World) -> None:
    seen = client_of(own, "security_officer").post("/log/verify/").content.decode()
    assert "Verified, none changed" in seen
    with acting_for(own.organization.id):
        health = api.log_health()
        entry = audit.entries(Filters(action=Action.AUDIT_LOG_VERIFY))[0]
    assert health.verified
    assert health.entries > 10
    assert (entry.outcome, entry.actor_kind) == ("ok", "staff")


def test_only_those_who_may_verify_have_the_button(own: World) -> None:
    client = client_of(own, "administrator")
    assert "Verify the log now" not in client.get("/log/").content.decode()
    assert client.post("/log/verify/").status_code == 404
    assert client_of(own, "marketer").get("/log/").status_code == 404
    with acting_for(own.organization.id), pytest.raises(NotFound):
        api.verify_log(actor=staff(own.organization, Role.ADMINISTRATOR))


def test_a_change_behind_our_back_is_found_and_named(own: World, thief: psycopg.Connection) -> None:
    position = change_an_entry(thief, own)
    seen = client_of(own, "security_officer").post("/log/verify/").content.decode()
    assert f"The log does not match at entry {position}" in seen.replace("\n", " ")
    assert "Tell your security officer now" in seen
    with acting_for(own.organization.id):
        assert audit.entries(Filters(action=Action.AUDIT_LOG_VERIFY))[0].outcome == "failed"
        assert api.log_health().first_fault == position
        home = api.home_page(actor=staff(own.organization, Role.AUDITOR))
    assert home.todos[0].kind == "log_broken"
    assert "The log does not match" in client_of(own, "auditor").get("/").content.decode()


def test_the_regular_verification_is_written_down_only_when_something_turned(
    own: World, thief: psycopg.Connection
) -> None:
    def recorded() -> list[str]:
        with acting_for(own.organization.id):
            return [each.outcome for each in audit.entries(Filters(action=Action.AUDIT_LOG_VERIFY))]

    api.verify_regularly(own.organization.id)
    assert recorded() == ["ok"]
    api.verify_regularly(own.organization.id)
    assert recorded() == ["ok"]
    change_an_entry(thief, own)
    api.verify_regularly(own.organization.id)
    api.verify_regularly(own.organization.id)
    assert recorded() == ["failed", "ok"]


def test_the_regular_verification_is_queued_when_it_is_due(own: World) -> None:
    from procrastinate.contrib.django.models import ProcrastinateJob

    def queued() -> int:
        return ProcrastinateJob.objects.filter(
            task_name="salus.reports.tasks.verify_log", args__organization_id=str(own.organization.id)
        ).count()

    clock = FakeClock(datetime.now(UTC))
    with acting_for(own.organization.id):
        api.look_after_log(clock)
        api.look_after_log(clock)
    assert queued() == 1  # one waits at a time
    api.verify_regularly(own.organization.id, clock)
    ProcrastinateJob.objects.filter(task_name="salus.reports.tasks.verify_log").update(queueing_lock=None)
    with acting_for(own.organization.id):
        clock.advance(timedelta(minutes=4))
        api.look_after_log(clock)
        assert queued() == 1
        clock.advance(timedelta(minutes=2))
        api.look_after_log(clock)
        assert queued() == 2


@pytest.mark.parametrize(
    ("age", "seconds", "due"),
    [(timedelta(minutes=4), 0.1, False), (timedelta(minutes=6), 0.1, True), (timedelta(minutes=6), 20.0, False),
     (timedelta(minutes=21), 20.0, True)],
)  # fmt: skip
def test_a_long_verification_is_made_more_seldom(age: timedelta, seconds: float, due: bool) -> None:
    assert rules.verification_due(NOW, NOW - age, seconds) is due
    assert rules.verification_due(NOW, None, seconds)


def test_a_verification_that_would_keep_the_page_waiting_is_left_to_the_workers(own: World) -> None:
    from salus.reports.models import LastVerification

    with acting_for(own.organization.id):
        officer = staff(own.organization, Role.SECURITY_OFFICER)
        assert api.verify_log_soon(actor=officer) is None
        api.verify_log(actor=officer)
        LastVerification.objects.update(seconds=42.0)
        assert api.verify_log_soon(actor=officer) == 42.0
        entry = audit.entries(Filters(action=Action.AUDIT_LOG_VERIFY))[0]
    assert (entry.outcome, entry.actor_id) == ("queued", officer.id)
    answer = client_of(own, "security_officer").post("/log/verify/", follow=True)
    assert "It took 42 seconds the last time." in answer.content.decode()


def test_the_pulse_tells_what_the_last_real_verification_found(own: World, thief: psycopg.Connection) -> None:
    request: Any = RequestFactory().get("/")
    request.who = Who(
        "Cedar Row Clinic", "Ruth Abara", "Auditor", frozenset({Permission.AUDIT_LOG_READ.value})
    )
    with acting_for(own.organization.id):
        assert pulse(request) is None  # nothing was verified: nothing is said
    api.verify_regularly(own.organization.id)
    with acting_for(own.organization.id):
        said = pulse(request)
        assert said
        assert (said.headline, said.sound) == ("Log verified", True)
        assert "none changed" in said.detail
    change_an_entry(thief, own)
    api.verify_regularly(own.organization.id)
    with acting_for(own.organization.id):
        said = pulse(request)
        assert said
        assert (said.headline, said.sound) == ("The log does not match", False)
        request.who = replace(request.who, permissions=frozenset())
        assert pulse(request) is None


def test_entries_are_found_by_what_who_and_whom(inside: World) -> None:
    auditor = staff(inside.organization, Role.AUDITOR)
    patient = inside.people[0]

    def found(**narrowed: Any) -> set[str]:
        return {each.action for each in api.log_page(Filters(**narrowed), actor=auditor).entries}

    assert found(action="content:") == {
        "content:template:create",
        "content:version:create",
        "content:version:classify",
        "content:version:confirm",
    }
    of_patient = api.log_page(Filters(patient_id=patient), actor=auditor).entries
    assert {each.patient_id for each in of_patient} == {patient}
    assert "permissions:entry:append" in {each.action for each in of_patient}
    assert found(actor_id=staff(inside.organization, Role.AUTHOR).id) >= {"content:version:create"}
    assert found(object_id=inside.plan_id) == {"delivery:message:plan", "delivery:message:release"}
    assert found(until=inside.at - timedelta(days=1)) == set()
    assert auditor.id
    assert api.log_page(Filters(), actor=auditor).names[auditor.id]


def test_filters_of_the_page_narrow_and_faulty_ones_say_so(shared: World) -> None:
    client = client_of(shared, "auditor")
    seen = client.get(f"/log/?patient={shared.people[0]}").content.decode()
    assert "Permissions, entry, append" in seen
    assert "Content, version, create" not in seen
    assert "Entries that fit" in seen
    assert "That is not an id." in client.get("/log/?object=rosa").content.decode()
    assert client.get("/log/?action=nonsense&after=nonsense&since=nonsense").status_code == 200


def test_pages_of_the_log_follow_one_another(own: World) -> None:
    from salus.kernel.acting import system

    with acting_for(own.organization.id):
        actor = system(own.organization.id, "test")
        ids = [audit.record(Action.TIMELINE_READ, actor=actor, object_kind="contact") for _ in range(60)]
    client = client_of(own, "auditor")
    first = client.get("/log/?action=timeline:event:read").content.decode()
    assert str(ids[-1]) in first
    assert str(ids[9]) not in first
    following = first[first.index('href="/log/?action=') :].split('"')[1].replace("&amp;", "&")
    second = client.get(following).content.decode()
    assert str(ids[9]) in second
    assert str(ids[0]) in second
    assert str(ids[-1]) not in second


def test_an_entry_shows_its_seal_only_when_it_was_found_unchanged(
    own: World, thief: psycopg.Connection
) -> None:
    client = client_of(own, "auditor")
    with acting_for(own.organization.id):
        entry_id = audit.entries(Filters(action=Action.RECEIPTS_RECORD))[0].id
    assert "In the log, unchanged" in client.get(f"/log/entries/{entry_id}/").content.decode()
    assert client.get(f"/log/entries/{entry_id}/proof.json").json()["faults"] == []
    with acting_for(own.organization.id):
        fresh = audit.entries(Filters(action=Action.AUDIT_LOG_READ))[0].id
    assert (
        "In the log, unchanged" in client.get(f"/log/entries/{fresh}/").content.decode()
    )  # signed for the look
    change_an_entry(thief, own)
    seen = client.get(f"/log/entries/{entry_id}/").content.decode()
    assert "In the log, unchanged" not in seen
    assert "does not have the hash" in seen


def test_an_outsider_finds_no_entry(shared: World, outsider: Console) -> None:
    with acting_for(shared.organization.id):
        entry_id: UUID = audit.entries(Filters(action=Action.RECEIPTS_RECORD))[0].id
    client = outsider.client("auditor")
    assert client.get(f"/log/entries/{entry_id}/").status_code == 404
    assert client.get(f"/log/entries/{entry_id}/proof.json").status_code == 404
    assert client.get(f"/log/entries/{new_id()}/").status_code == 404
    assert (
        "delivery"
        not in client.get("/log/").content.decode().partition("<tbody>")[2].partition("</tbody>")[0]
    )


def test_looking_at_the_log_is_in_the_log(own: World) -> None:
    client_of(own, "auditor").get(f"/log/?patient={own.people[0]}")
    with acting_for(own.organization.id):
        seal_log()
        entry = audit.entries(Filters(action=Action.AUDIT_LOG_READ))[0]
    assert (entry.patient_id, entry.role) == (own.people[0], "auditor")
