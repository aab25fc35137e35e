"""Sign-on by a real identity provider: who comes in, with which roles, and who does not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from salus.identity import api as identity
from salus.identity import oidc, providers, sign_on, staff
from salus.identity.contracts import Organization, Role, StaffMember
from salus.identity.models import ProviderLink, Session, User
from salus.identity.providers import Protocol
from salus.kernel.acting import system
from salus.kernel.time import FakeClock
from salus.platform.tenancy import acting_for
from salus.vendors import api as vendors
from tests.identity.clinic_sign_on import Clinic, open_clinic
from tests.identity.idp import NURSE, Idp

MakeClinic = Callable[..., Organization]


@pytest.fixture(params=list(Protocol))
def clinic(request: pytest.FixtureRequest, make_clinic: MakeClinic, idp: Idp) -> Clinic:
    """A clinic with a provider that speaks one protocol, then the other."""
    return open_clinic(make_clinic(demo=False), idp, request.param)


@pytest.fixture
def oidc_clinic(make_clinic: MakeClinic, idp: Idp) -> Clinic:
    return open_clinic(make_clinic(demo=False), idp, Protocol.OIDC)


def nurse(clinic: Clinic, **changes: Any) -> dict[str, Any]:
    """Return a person of this test's own, in the words of the clinic's provider."""
    strong = {"acr": "https://refeds.org/profile/mfa"} if clinic.protocol is Protocol.SAML else {}
    name = clinic.organization.slug
    own = {"sub": f"u-{name}", "email": f"{name}@cedar-row.example"}
    return {**NURSE, **own, **strong, **changes}


def members(clinic: Clinic) -> dict[str, StaffMember]:
    with acting_for(clinic.organization.id):
        return {each.email: each for each in identity.staff_members()}


def came_in(clinic: Clinic, client: Client) -> bool:
    return bool(client.get("/account").status_code == 200)


def test_somebody_new_comes_in_with_the_role_of_their_group_and_no_other(clinic: Clinic) -> None:
    client, person = clinic.client(), nurse(clinic)
    answer = clinic.sign_on(client, **person)
    assert (answer.status_code, answer["Location"]) == (302, "/account")
    page = client.get("/account").content.decode()
    assert "Nadia Brandt" in page
    assert "Care coordinator" in page
    (member,) = members(clinic).values()
    assert member.roles == (Role.CARE_COORDINATOR,)
    assert client.get("/staff").status_code == 404
    assert clinic.refusals() == []


def test_somebody_is_the_same_person_next_time_and_roles_follow_the_groups(clinic: Clinic) -> None:
    clinic.sign_on(**nurse(clinic))
    clinic.sign_on(**nurse(clinic, groups=["clinic-privacy", "unheard-of"], email="other@elsewhere.example"))
    (member,) = members(clinic).values()
    assert member.roles == (Role.PRIVACY_OFFICER,)
    assert member.email == nurse(clinic)["email"]


def test_without_a_known_group_nobody_comes_in_and_open_sessions_end(clinic: Clinic) -> None:
    assert clinic.sign_on(**nurse(clinic, groups=["administrator", "parking"])).status_code == 403
    assert members(clinic) == {}
    client = clinic.client()
    clinic.sign_on(client, **nurse(clinic))
    assert came_in(clinic, client)
    assert clinic.sign_on(**nurse(clinic, groups=[])).status_code == 403
    assert not came_in(clinic, client)
    assert clinic.refusals() == ["no_role", "no_role"]


def test_who_has_no_second_factor_of_ours_gets_recovery_codes_with_the_first(clinic: Clinic) -> None:
    client = clinic.client()
    clinic.sign_on(client, **nurse(clinic))
    page = client.get("/account").content.decode()
    assert "recovery codes" not in page
    assert "Present password" not in page
    assert client.post("/account/recovery-codes").status_code == 409
    with acting_for(clinic.organization.id):
        assert sign_on.people() == {each.id for each in identity.staff_members()}


def test_without_a_word_for_a_second_factor_ours_is_asked(clinic: Clinic) -> None:
    client = clinic.client()
    weak = nurse(clinic, amr=["pwd"], acr="urn:oasis:names:tc:SAML:2.0:ac:classes:Password")
    answer = clinic.sign_on(client, **weak)
    assert answer["Location"] == "/sign-in/set-up"
    assert not came_in(clinic, client)


def test_only_addresses_of_its_domains_are_taken_from_a_provider(clinic: Clinic) -> None:
    for email in ("eve@elsewhere.example", "eve@sub.cedar-row.example", "cedar-row.example"):
        assert clinic.sign_on(**nurse(clinic, email=email)).status_code == 403
    assert members(clinic) == {}
    assert set(clinic.refusals()) <= {"email_domain", "email"}


def test_an_address_that_is_somebody_elses_in_another_clinic_is_refused(
    clinic: Clinic, make_clinic: MakeClinic
) -> None:
    other, person = make_clinic(demo=False), nurse(clinic)
    with acting_for(other.id):
        actor = system(other.id, "test")
        staff.create(name="Else", email=str(person["email"]), roles=[Role.ANALYST], actor=actor)
    assert clinic.sign_on(**person).status_code == 403
    assert clinic.refusals() == ["email_taken"]


def test_nobody_new_comes_in_where_that_is_not_wanted(clinic: Clinic) -> None:
    clinic.change(just_in_time=False)
    assert clinic.sign_on(**nurse(clinic)).status_code == 403
    assert clinic.refusals() == ["unknown_person"]


def test_who_was_here_before_keeps_the_roles_that_an_administrator_gave(clinic: Clinic) -> None:
    person = nurse(clinic, groups=["clinic-privacy"])
    with acting_for(clinic.organization.id):
        actor = system(clinic.organization.id, "test")
        before = staff.create(name="Nadia", email=str(person["email"]), roles=[Role.ANALYST], actor=actor)
    client = clinic.client()
    clinic.sign_on(client, **person)
    assert came_in(clinic, client)
    (member,) = members(clinic).values()
    assert (member.id, member.roles) == (before.id, (Role.ANALYST,))
    with acting_for(clinic.organization.id):
        staff.change(member.id, actor=actor, active=False)
    assert not came_in(clinic, client)
    assert clinic.sign_on(**person).status_code == 403
    assert clinic.refusals() == ["inactive"]


def test_a_provider_that_is_switched_off_lets_nobody_in_and_ends_sessions(clinic: Clinic) -> None:
    client = clinic.client()
    clinic.sign_on(client, **nurse(clinic))
    waiting = clinic.client()
    begun = waiting.get(clinic.start)
    with acting_for(clinic.organization.id):
        providers.switch(clinic.provider_id, False, actor=system(clinic.organization.id, "test"))
    assert not came_in(clinic, client)
    assert clinic.client().get(clinic.start).status_code == 404
    if clinic.protocol is Protocol.OIDC:
        back = clinic.idp.walk(begun["Location"], clinic.home).removeprefix(clinic.home)
        assert waiting.get(back).status_code == 403
        assert clinic.refusals() == ["not_asked"]


def test_what_the_register_does_not_allow_is_neither_asked_nor_believed(clinic: Clinic) -> None:
    waiting = clinic.client()
    clinic.idp.say(person=nurse(clinic))
    begun = waiting.get(clinic.start)
    with acting_for(clinic.organization.id):
        vendors.switch_service(
            clinic.service_id, False, actor=system(clinic.organization.id, "test"), at=datetime.now(UTC)
        )
    if clinic.protocol is Protocol.OIDC:
        back = clinic.idp.walk(begun["Location"], clinic.home).removeprefix(clinic.home)
        assert waiting.get(back).status_code == 403
    else:
        posted = {"SAMLResponse": clinic.idp.answer(begun["Location"])}
        assert waiting.post("/sign-on/saml", posted).status_code == 403
    assert clinic.client().get(clinic.start).status_code == 403
    assert clinic.refusals() == ["out_of_scope", "out_of_scope"]
    assert members(clinic) == {}


def test_a_provider_that_nobody_registered_is_closed(make_clinic: MakeClinic, idp: Idp) -> None:
    clinic = open_clinic(make_clinic(demo=False), idp, Protocol.OIDC, registered=False)
    assert clinic.client().get(clinic.start).status_code == 403
    assert clinic.refusals() == ["out_of_scope"]


def test_an_answer_is_good_once_in_the_browser_that_asked_and_soon(clinic: Clinic, clock: FakeClock) -> None:
    clinic.idp.say(person=nurse(clinic))
    client = clinic.client()
    begun = client.get(clinic.start)

    def bring(who: Client) -> Any:
        return who.get(back) if back else who.post("/sign-on/saml", posted)

    back, posted = "", {}
    if clinic.protocol is Protocol.OIDC:
        back = clinic.idp.walk(begun["Location"], clinic.home).removeprefix(clinic.home)
    else:
        posted = {"SAMLResponse": clinic.idp.answer(begun["Location"]), "again": "yes"}
    assert bring(clinic.client()).status_code == 403, "another browser"
    assert bring(client).status_code == 302
    assert bring(client).status_code == 403, "a second time"
    late = clinic.client()
    late.get(clinic.start)
    clock.advance(timedelta(minutes=11))
    assert bring(late).status_code == 403


def test_keys_of_a_provider_may_change_and_old_ones_are_forgotten(
    oidc_clinic: Clinic, clock: FakeClock
) -> None:
    assert oidc_clinic.sign_on(**nurse(oidc_clinic)).status_code == 302
    oidc_clinic.idp.say(rotate=True)
    assert oidc_clinic.sign_on().status_code == 403, "keys are not asked for at every unknown one"
    clock.advance(oidc.ASK_AGAIN)
    assert oidc_clinic.sign_on().status_code == 302
    assert oidc_clinic.refusals() == ["signature"]


def test_a_person_who_says_no_at_the_provider_is_not_signed_in(oidc_clinic: Clinic) -> None:
    oidc_clinic.idp.say(person=None)
    assert oidc_clinic.sign_on().status_code == 403
    assert oidc_clinic.refusals() == ["provider_says_no"]


def test_an_address_that_the_provider_does_not_vouch_for_is_no_address(oidc_clinic: Clinic) -> None:
    person = nurse(oidc_clinic, email_verified=False)
    assert oidc_clinic.sign_on(**person).status_code == 403
    oidc_clinic.change(vouches=True)
    assert oidc_clinic.sign_on(**person).status_code == 302
    assert oidc_clinic.refusals() == ["email"]


def test_a_wrong_client_secret_lets_nobody_in(oidc_clinic: Clinic) -> None:
    oidc_clinic.change(client_secret="another")
    assert oidc_clinic.sign_on(**nurse(oidc_clinic)).status_code == 403
    assert oidc_clinic.refusals() == ["provider_says_no"]


def test_sign_out_ends_our_session_and_knows_the_way_to_end_the_providers(oidc_clinic: Clinic) -> None:
    client = oidc_clinic.client()
    oidc_clinic.sign_on(client, **nurse(oidc_clinic))
    gone = client.post("/sign-out")
    assert not came_in(oidc_clinic, client)
    assert "Sign out there too" in client.get(gone["Location"]).content.decode()
    there = client.get(oidc_clinic.start + "/out")["Location"]
    assert there.startswith(oidc_clinic.idp.origin + "/session/end?client_id=salus&")
    assert (
        client.get(f"/sign-in?organization=%2F%2Fevil.example&provider={oidc_clinic.provider_id}").status_code
        == 200
    )


def test_nobody_who_came_by_a_provider_gets_in_by_a_password(oidc_clinic: Clinic) -> None:
    oidc_clinic.sign_on(**nurse(oidc_clinic))
    with acting_for(oidc_clinic.organization.id):
        user = User.objects.get(email=nurse(oidc_clinic)["email"])
        assert not user.has_usable_password()
        assert ProviderLink.objects.filter(user=user, managed=True).count() == 1
        assert Session.objects.filter(user_id=user.pk).count() == 1
