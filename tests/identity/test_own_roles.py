"""Roles of an organization's own: granted by holders only, duties kept apart, in force from the next page."""

from __future__ import annotations

import threading
from collections.abc import Callable
from uuid import UUID

import pytest
from django.db import connections

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.identity import break_glass, plainly, roles, staff
from salus.identity.contracts import Organization, Permission, Role
from salus.identity.models import Staff
from salus.identity.rules import APART, FOR_PROGRAMS, ROLES, both_sides
from salus.kernel.acting import system
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.ids import new_id
from salus.platform.tenancy import acting_for
from tests.browser import Console
from tests.identity.people import acting, person

P = Permission


def test_every_permission_has_words_and_somebody_who_can_grant_it() -> None:
    assert set(plainly.WORDS) == set(Permission)
    givers = [held for held in ROLES.values() if P.IDENTITY_ROLE_GRANT in held]
    assert set(roles.OFFERED) | FOR_PROGRAMS == set(Permission)
    assert set(roles.OFFERED) <= frozenset().union(*givers)


def test_a_role_opens_what_its_maker_holds_and_the_rest_waits_for_a_holder(console: Console) -> None:
    organization = console.organization
    with acting_for(organization.id):
        wanted = [P.CONTACTS_RECORD_READ, P.CONTACTS_PHI_REVEAL, P.ORGANIZATION_SETTINGS_READ]
        made = roles.create("Front desk", wanted, actor=acting(organization, Role.ADMINISTRATOR))
        assert made.granted == (P.ORGANIZATION_SETTINGS_READ,)
        made = roles.grant(made.id, actor=acting(organization, Role.MARKETER))
        assert made.waiting == (P.CONTACTS_PHI_REVEAL,)
        with pytest.raises(Conflict):
            roles.grant(made.id, actor=acting(organization, Role.MARKETER))
        with pytest.raises(Conflict):
            roles.grant(made.id, actor=system(organization.id, "worker"))
        assert not roles.grant(made.id, actor=acting(organization, Role.PRIVACY_OFFICER)).waiting
        entry = audit.entries(Filters(action=Action.ROLE_CHANGE))[0]
    assert (entry.reason, entry.fields) == ("granted", ("contacts:phi:reveal",))


def test_what_is_lent_in_an_emergency_is_not_theirs_to_grant(console: Console) -> None:
    organization = console.organization
    with acting_for(organization.id):
        marketer = acting(organization, Role.MARKETER)
        break_glass.open_glass(P.CONTACTS_PHI_REVEAL, "Dana is ill, a patient calls now", 15, actor=marketer)
        lent = acting(organization, Role.MARKETER)
        assert P.CONTACTS_PHI_REVEAL in lent.permissions
        made = roles.create("Sight", [P.CONTACTS_PHI_REVEAL], actor=lent)
    assert made.granted == ()


def test_a_role_holds_from_the_next_page_on_and_what_is_taken_out_ends(console: Console) -> None:
    organization, client = console.organization, console.client("author")
    assert client.get("/keys").status_code == 404
    with acting_for(organization.id):
        boss, author = acting(organization, Role.ADMINISTRATOR), person(organization, Role.AUTHOR)
        made = roles.create("Key keeper", [P.IDENTITY_APIKEY_MANAGE, P.VENDORS_VENDOR_READ], actor=boss)
        staff.change(author.pk, actor=boss, own_roles=[made.id])
    assert client.get("/keys").status_code == 200
    assert "Author and Key keeper" in client.get("/account").content.decode()
    with acting_for(organization.id):
        with pytest.raises(Conflict):
            roles.remove(made.id, actor=boss)
        roles.change(made.id, "Key keeper", [P.VENDORS_VENDOR_READ], actor=boss)
    assert client.get("/keys").status_code == 404
    with acting_for(organization.id):
        staff.change(author.pk, actor=boss, own_roles=[])
        roles.remove(made.id, actor=boss)
        with pytest.raises(NotFound):
            roles.get(made.id)


@pytest.mark.parametrize(("one", "other"), APART)
def test_no_own_role_holds_both_sides_of_a_duty(one: Permission, other: Permission) -> None:
    """45 CFR 164.308(a)(3), (a)(4)."""
    with pytest.raises(BadInput, match="two people"):
        roles.checked([one, other, P.CONTENT_TEMPLATE_READ])


def test_an_own_role_completes_no_pair_for_who_has_it(console: Console) -> None:
    organization = console.organization
    with acting_for(organization.id):
        boss, officer = acting(organization, Role.ADMINISTRATOR), acting(organization, Role.PRIVACY_OFFICER)
        marketer = person(organization, Role.MARKETER)
        made = roles.create("Second look", [P.CAMPAIGNS_CAMPAIGN_APPROVE], actor=officer)
        with pytest.raises(BadInput, match="two people"):
            staff.change(marketer.pk, actor=boss, own_roles=[made.id])
        harmless = roles.create("Reader", [P.CONTACTS_RECORD_READ], actor=officer)
        staff.change(marketer.pk, actor=boss, own_roles=[harmless.id])
        more = [P.CONTACTS_RECORD_READ, P.CAMPAIGNS_CAMPAIGN_APPROVE]
        with pytest.raises(Conflict, match="both sides"):
            roles.change(harmless.id, "Reader", more, actor=officer)
    with acting_for(organization.id):
        roles.change(harmless.id, "Reader", more, actor=boss)
        with pytest.raises(Conflict, match="both sides"):
            roles.grant(harmless.id, actor=officer)
    with acting_for(organization.id):
        held = roles.lasting(marketer.pk)
    assert not both_sides(held)


@pytest.mark.parametrize(
    ("name", "wanted", "place"),
    [
        ("Front desk", [], "wanted"),
        ("Front desk", ["contacts:record:steal"], "wanted"),
        ("Front desk", [P.IDENTITY_SCIM_PROVISION], "wanted"),
        ("", [P.AUDIT_LOG_READ], "name"),
        ("Room 4711", [P.AUDIT_LOG_READ], "name"),
        ("x" * 61, [P.AUDIT_LOG_READ], "name"),
        ("privacy Officer", [P.AUDIT_LOG_READ], "name"),
    ],
)
def test_a_role_that_will_not_do_is_refused_with_its_place(
    console: Console, name: str, wanted: list[str], place: str
) -> None:
    with acting_for(console.organization.id), pytest.raises(BadInput) as refused:
        roles.create(name, wanted, actor=acting(console.organization, Role.SECURITY_OFFICER))
    assert refused.value.place == place


def test_a_name_means_one_role(console: Console) -> None:
    with acting_for(console.organization.id):
        actor = acting(console.organization, Role.SECURITY_OFFICER)
        roles.create("Front desk", [P.AUDIT_LOG_READ], actor=actor)
        with pytest.raises(Conflict):
            roles.create(" Front  desk", [P.AUDIT_LOG_READ], actor=actor)


def test_a_role_of_another_organization_is_not_there(
    console: Console, make_clinic: Callable[..., Organization]
) -> None:
    other = make_clinic("Elsewhere")
    with acting_for(other.id):
        theirs = roles.create("Front desk", [P.AUDIT_LOG_READ], actor=acting(other, Role.SECURITY_OFFICER))
    client = console.client("security_officer")
    assert client.get(f"/roles/{theirs.id}").status_code == 404
    with acting_for(console.organization.id):
        author = person(console.organization, Role.AUTHOR)
        for unknown in (theirs.id, new_id()):
            with pytest.raises(BadInput):
                staff.change(author.pk, actor=system(console.organization.id, "test"), own_roles=[unknown])


def test_of_two_administrators_who_remove_each_other_one_stays(console: Console) -> None:
    organization = console.organization
    actor = system(organization.id, "test")
    with acting_for(organization.id):
        one, other = person(organization, Role.ADMINISTRATOR), person(organization, Role.AUTHOR)
        with pytest.raises(Conflict, match="last administrator"):
            staff.change(one.pk, actor=actor, roles=[Role.AUDITOR])
        staff.change(other.pk, actor=actor, roles=[Role.ADMINISTRATOR])
    both, refused = threading.Barrier(2), []

    def remove(id: UUID) -> None:
        try:
            with acting_for(organization.id):
                both.wait(10)
                staff.change(id, actor=actor, active=False)
        except Conflict:
            refused.append(id)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=remove, args=[each.pk]) for each in (one, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    with acting_for(organization.id):
        assert Staff.objects.filter(roles=[Role.ADMINISTRATOR], user__is_active=True).count() == 1


def test_the_pages_open_for_who_may_grant_and_keep_what_was_typed(console: Console) -> None:
    assert console.client("auditor").get("/roles").status_code == 404
    client = console.client("administrator")
    bad = client.post("/roles/new", {"name": "Desk 9", "wanted": [P.CONTACTS_RECORD_READ]})
    assert "letters, spaces" in bad.content.decode()
    assert "Desk 9" in bad.content.decode()
    assert client.post("/roles/new", {"name": "Desk", "wanted": ["x:y:z"]}).status_code == 200
    assert (
        client.post("/roles/new", {"name": "Front desk", "wanted": [P.CONTACTS_RECORD_READ]}).status_code
        == 302
    )
    with acting_for(console.organization.id):
        made = roles.every()[0]
        author = person(console.organization, Role.AUTHOR)
    assert client.post(f"/roles/{made.id}/grant").status_code == 409
    assert console.client("marketer").post(f"/roles/{made.id}/grant").status_code == 302
    given = {"name": author.name, "own_roles": [str(made.id)], "active": "on"}
    assert client.post(f"/staff/{author.pk}", given).status_code == 302
    assert "Front desk" in client.get("/staff").content.decode()
    none = client.post(f"/staff/{author.pk}", {"name": author.name, "active": "on"})
    assert "at least one role" in none.content.decode()
    assert client.post(f"/roles/{made.id}/remove").status_code == 409
