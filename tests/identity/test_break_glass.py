"""Emergency access: narrow, short, with a reason, seen by the privacy office, reviewed by somebody else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.identity import break_glass, roles, staff
from salus.identity.contracts import Organization, Permission, Role
from salus.identity.models import GlassRow
from salus.identity.ports import now
from salus.identity.rules import BEHIND_GLASS, behind_glass, both_sides, permissions_of
from salus.inbox import api as inbox
from salus.kernel.acting import system
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.time import FakeClock
from salus.platform.tenancy import acting_for
from tests.browser import Console
from tests.identity.people import acting, person

P = Permission
WHY = "Dana is ill and a patient waits for a call zeugma"


@given(st.lists(st.sampled_from(Role), unique=True))
def test_an_emergency_opens_nothing_without_the_right_to_ask_and_no_other_side(held: list[Role]) -> None:
    own = permissions_of(held)
    offered = behind_glass(own)
    assert set(offered) <= BEHIND_GLASS - own
    if P.IDENTITY_GLASS_BREAK not in own:
        assert offered == ()
    assert all(both_sides(own | {word}) == both_sides(own) for word in offered)


def test_who_manages_staff_gets_no_sight_of_patients_even_then() -> None:
    own = permissions_of([Role.ADMINISTRATOR]) | {P.IDENTITY_GLASS_BREAK}
    assert P.CONTACTS_PHI_REVEAL not in behind_glass(own)
    assert P.CONTACTS_RECORD_READ in behind_glass(own)


def opened(organization: Organization, minutes: int = 15) -> UUID:
    with acting_for(organization.id):
        actor = acting(organization, Role.MARKETER)
        return break_glass.open_glass(P.PATIENTS_CODE_ISSUE, WHY, minutes, actor=actor).id


def test_it_opens_one_thing_and_ends_by_itself(console: Console, clock: FakeClock) -> None:
    client, organization = console.client("marketer"), console.organization
    assert client.get("/patients/code").status_code == 404
    opened(organization)
    with acting_for(organization.id):
        before = permissions_of([Role.MARKETER])
        held = roles.held(person(organization, Role.MARKETER), now())
        assert held.permissions - before == {P.PATIENTS_CODE_ISSUE}
    assert client.get("/patients/code").status_code == 200
    assert "emergency access" in client.get("/account").content.decode()
    clock.advance(timedelta(minutes=14, seconds=59))
    assert client.get("/patients/code").status_code == 200
    clock.advance(timedelta(seconds=1))
    assert client.get("/patients/code").status_code == 404
    with acting_for(organization.id):
        held = roles.held(person(organization, Role.MARKETER), now())
    assert held.permissions == before
    assert "emergency" not in held.words


def test_one_at_a_time_and_given_back_early(console: Console) -> None:
    organization = console.organization
    first = opened(organization, 60)
    with pytest.raises(Conflict):
        opened(organization)
    with acting_for(organization.id):
        analyst, marketer = acting(organization, Role.ANALYST), acting(organization, Role.MARKETER)
        with pytest.raises(NotFound):
            break_glass.give_back(first, actor=analyst)
        break_glass.give_back(first, actor=marketer)
        break_glass.give_back(first, actor=marketer)
        assert P.PATIENTS_CODE_ISSUE not in acting(organization, Role.MARKETER).permissions
        assert len(audit.entries(Filters(action=Action.GLASS_CLOSE))) == 1
    opened(organization)


def test_it_ends_with_all_access(console: Console) -> None:
    organization = console.organization
    opened(organization)
    with acting_for(organization.id):
        actor, row = system(organization.id, "test"), person(organization, Role.MARKETER)
        staff.change(row.pk, actor=actor, active=False)
        staff.change(row.pk, actor=actor, active=True)
        assert P.PATIENTS_CODE_ISSUE not in acting(organization, Role.MARKETER).permissions


@pytest.mark.parametrize(
    ("permission", "reason", "minutes", "place"),
    [
        (P.CONTACTS_PHI_REVEAL, "too short", 15, "reason"),
        (P.CONTACTS_PHI_REVEAL, "x" * 501, 15, "reason"),
        (P.CONTACTS_PHI_REVEAL, WHY, 61, "minutes"),
        (P.CONTACTS_RECORD_READ, WHY, 15, "permission"),
        (P.CAMPAIGNS_CAMPAIGN_APPROVE, WHY, 15, "permission"),
        ("nothing", WHY, 15, "permission"),
    ],
)
def test_what_will_not_do_is_refused_with_its_place(
    console: Console, permission: str, reason: str, minutes: int, place: str
) -> None:
    with acting_for(console.organization.id), pytest.raises(BadInput) as refused:
        break_glass.open_glass(permission, reason, minutes, actor=acting(console.organization, Role.MARKETER))
    assert refused.value.place == place


def test_the_privacy_office_sees_it_on_every_page_until_it_is_reviewed(
    console: Console, clock: FakeClock
) -> None:
    officer = console.client("privacy_officer")
    glass_id = opened(console.organization)
    assert "Emergency reviews" in officer.get("/account").content.decode()
    with acting_for(console.organization.id):
        assert break_glass.waiting_count() == 1
    page = officer.get(f"/emergency/reviews/{glass_id}").content.decode()
    assert "zeugma" in page
    assert "End it now" in page
    clock.advance(timedelta(minutes=15))
    officer = console.client("privacy_officer")
    page = officer.get(f"/emergency/reviews/{glass_id}").content.decode()
    assert "Identity, glass, open" in page, "what was done in it"
    noteless = officer.post(f"/emergency/reviews/{glass_id}", {"finding": "followed_up"})
    assert "Write a sentence" in noteless.content.decode()
    said = {"finding": "followed_up", "note": "Asked Marisol, the patient was called back"}
    assert officer.post(f"/emergency/reviews/{glass_id}", said).status_code == 302
    with acting_for(console.organization.id):
        assert break_glass.waiting_count() == 0
        entry = audit.entries(Filters(action=Action.GLASS_REVIEW))[0]
    assert (entry.outcome, entry.object_id, entry.role) == ("followed_up", glass_id, "privacy_officer")


def test_the_privacy_officer_has_a_task_until_it_is_reviewed(console: Console, clock: FakeClock) -> None:
    glass_id = opened(console.organization)
    with acting_for(console.organization.id):
        officer = acting(console.organization, Role.PRIVACY_OFFICER)
        assert inbox.count_open(officer) == 1
        assert inbox.count_open(acting(console.organization, Role.CARE_COORDINATOR)) == 0
        clock.advance(timedelta(minutes=15))
        break_glass.review(glass_id, "as_expected", "", actor=officer)
        assert inbox.count_open(officer) == 0


def test_nobody_reviews_their_own_nor_twice_nor_while_it_is_open(console: Console, clock: FakeClock) -> None:
    organization, glass_id = console.organization, opened(console.organization)
    with acting_for(organization.id):
        officer, marketer = acting(organization, Role.PRIVACY_OFFICER), acting(organization, Role.MARKETER)
        with pytest.raises(Conflict, match="open"):
            break_glass.review(glass_id, "as_expected", "", actor=officer)
        clock.advance(timedelta(minutes=15))
        with pytest.raises(Conflict, match="Somebody else"):
            break_glass.review(glass_id, "as_expected", "", actor=marketer)
        with pytest.raises(BadInput):
            break_glass.review(glass_id, "fine", "", actor=officer)
        break_glass.review(glass_id, "as_expected", "", actor=officer)
        with pytest.raises(Conflict, match="already"):
            break_glass.review(glass_id, "as_expected", "", actor=officer)


def test_the_reason_is_sealed_and_in_no_entry(console: Console) -> None:
    glass_id = opened(console.organization)
    with acting_for(console.organization.id):
        row, glass = GlassRow.objects.get(pk=glass_id), break_glass.get(glass_id)
        entry = audit.entries(Filters(action=Action.GLASS_OPEN))[0]
    assert b"zeugma" not in bytes(row.sealed)
    assert entry.details == {"permission": "patients:code:issue", "minutes": 15}
    assert "zeugma" not in repr(glass) + repr(entry)


def test_the_pages_are_for_who_may(console: Console, make_clinic: Callable[..., Organization]) -> None:
    assert console.client("developer").get("/emergency").status_code == 404
    assert console.client("marketer").get("/emergency/reviews").status_code == 404
    theirs = opened(make_clinic("Elsewhere"))
    officer = console.client("privacy_officer")
    assert officer.get(f"/emergency/reviews/{theirs}").status_code == 404
    assert officer.post(f"/emergency/{theirs}/give-back").status_code == 404
    marketer = console.client("marketer")
    bad = marketer.post("/emergency", {"permission": "audit:log:read", "reason": WHY, "minutes": "15"})
    assert (bad.status_code, "zeugma" in bad.content.decode()) == (200, True)
    good = marketer.post("/emergency", {"permission": "contacts:phi:reveal", "reason": WHY, "minutes": "15"})
    assert good.status_code == 302
    assert "Give it back now" in marketer.get("/emergency").content.decode()
