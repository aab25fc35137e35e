"""Passkeys: what lets somebody in, and everything that is nearly right and does not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from salus.audit import api as audit
from salus.audit.contracts import Filters
from salus.identity import passkeys, second_factor, staff
from salus.identity.contracts import Organization, Role
from salus.identity.demo import _email
from salus.identity.models import User
from salus.identity.sign_in import HalfSignedIn
from salus.kernel.acting import Actor, ActorKind
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.ids import new_id
from salus.platform.tenancy import acting_for
from tests.identity.authenticator import PRESENT, SoftPasskey

NOW = datetime(2026, 11, 24, 16, tzinfo=UTC)


@dataclass
class Person:
    """Somebody of the clinic with a passkey."""

    organization: Organization
    id: UUID
    actor: Actor
    passkey: SoftPasskey
    ip: str = field(
        default_factory=lambda: f"10.{new_id().int % 250}.{new_id().int % 251}.{new_id().int % 252}"
    )
    """A network address of their own, so that counts of other tests do not matter."""

    def sign_in(self, passkey: SoftPasskey | None = None, *, half: bool = False, **wrong: Any) -> User | None:
        step = HalfSignedIn(self.id, self.organization.id, must_enroll=False) if half else None
        options, state = passkeys.ask(step)
        answer = json.loads(json.dumps((passkey or self.passkey).show(options, **wrong)))
        return passkeys.sign_in_step(step, json.loads(json.dumps(state)), answer, ip=self.ip, now=NOW)

    def refusals(self) -> list[str]:
        with acting_for(self.organization.id):
            found = audit.entries(Filters(action="identity:staff:sign_in", outcome="refused"))
            return [entry.reason for entry in found]


def add(organization: Organization, role: Role, **options: Any) -> Person:
    with acting_for(organization.id):
        user = User.objects.get(email=_email(organization, role))
        actor = Actor(ActorKind.STAFF, organization.id, user.pk)
        passkey = SoftPasskey(settings.SALUS_PUBLIC_URL, user.pk.bytes, **options)
        asked, state = passkeys.ask_to_register(user.pk)
        passkeys.register(user.pk, state, passkey.make(asked), made_in="Firefox on Linux", actor=actor)
    return Person(organization, user.pk, actor, passkey)


@pytest.fixture
def clinic(make_clinic: Callable[..., Organization]) -> Organization:
    return make_clinic()


@pytest.fixture
def nurse(clinic: Organization) -> Person:
    return add(clinic, Role.CARE_COORDINATOR)


def test_a_passkey_signs_in_alone_and_after_the_password(nurse: Person) -> None:
    for half in (False, True):
        user = nurse.sign_in(half=half)
        assert user is not None
        assert user.pk == nurse.id


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "http://localhost.example.org"},
        {"origin": "http://localhost:1"},
        {"site": "example.org"},
        {"challenge": "A" * 43},
        {"flags": 0},
        {"steps": 0},
        {"steps": -1},
    ],
)
@pytest.mark.parametrize("half", [False, True])
def test_what_is_nearly_right_lets_nobody_in(nurse: Person, wrong: dict[str, Any], half: bool) -> None:
    assert nurse.sign_in(half=half, **wrong) is None
    assert nurse.refusals() == ["passkey"]


def test_a_passkey_that_did_not_check_its_holder_is_no_two_factors(nurse: Person) -> None:
    assert nurse.sign_in(flags=PRESENT) is None
    assert nurse.sign_in(flags=PRESENT, half=True) is not None, "after the password it is the second one"


def test_nobody_comes_in_as_somebody_else(nurse: Person, clinic: Organization) -> None:
    officer = add(clinic, Role.PRIVACY_OFFICER)
    assert nurse.sign_in(officer.passkey, half=True) is None
    assert nurse.sign_in(handle=officer.id.bytes) is None
    assert nurse.sign_in(handle=b"nobody") is None
    assert nurse.sign_in(handle=UUID(int=7).bytes) is None


def test_an_answer_is_for_whom_it_was_asked(nurse: Person) -> None:
    options, state = passkeys.ask(None)
    half = HalfSignedIn(nurse.id, nurse.organization.id, must_enroll=False)
    assert passkeys.sign_in_step(half, state, nurse.passkey.show(options), ip=nurse.ip, now=NOW) is None
    assert passkeys.sign_in_step(None, {}, nurse.passkey.show(options), ip=nurse.ip, now=NOW) is None


@pytest.mark.parametrize("answer", [None, 7, [], {}, {"id": "x"}, {"id": "a", "rawId": "a", "response": {}}])
def test_what_is_no_answer_is_refused(nurse: Person, answer: object) -> None:
    _, state = passkeys.ask(None)
    assert passkeys.sign_in_step(None, state, answer, ip=nurse.ip, now=NOW) is None
    with acting_for(nurse.organization.id):
        _, state = passkeys.ask_to_register(nurse.id)
        with pytest.raises(BadInput):
            passkeys.register(nurse.id, state, answer, made_in="", actor=nurse.actor)


def test_who_lost_their_access_does_not_come_in(nurse: Person) -> None:
    with acting_for(nurse.organization.id):
        User.objects.filter(pk=nurse.id).update(is_active=False)
    assert nurse.sign_in() is None
    assert nurse.sign_in(half=True) is None
    assert nurse.refusals() == ["inactive", "inactive"]


def test_without_a_password_of_ones_own_a_passkey_is_no_way_in(nurse: Person) -> None:
    with acting_for(nurse.organization.id):
        user = User.objects.get(pk=nurse.id)
        user.set_unusable_password()
        user.save()
    assert nurse.sign_in() is None
    assert nurse.refusals() == ["sign_on_only"]
    assert nurse.sign_in(half=True) is not None


def test_five_failures_pause_the_account_for_the_right_passkey_too(nurse: Person) -> None:
    for _ in range(5):
        assert nurse.sign_in(challenge="A" * 43) is None
    assert nurse.sign_in() is None
    assert nurse.refusals()[0] == "paused"


def test_an_invitation_ends_passkeys(nurse: Person) -> None:
    with acting_for(nurse.organization.id):
        staff.invite(nurse.id, actor=nurse.actor)
        assert passkeys.of(nurse.id) == ()
    assert nurse.sign_in() is None


def test_a_passkey_is_made_once_and_not_without_a_check_of_its_holder(nurse: Person) -> None:
    with acting_for(nurse.organization.id):
        asked, state = passkeys.ask_to_register(nurse.id)
        with pytest.raises(BadInput):
            passkeys.register(nurse.id, state, nurse.passkey.make(asked), made_in="", actor=nurse.actor)
        other = SoftPasskey(settings.SALUS_PUBLIC_URL, nurse.id.bytes)
        unchecked = other.make(asked, flags=PRESENT | 0x40)
        with pytest.raises(BadInput):
            passkeys.register(nurse.id, state, unchecked, made_in="", actor=nurse.actor)
        with pytest.raises(BadInput):
            passkeys.register(nurse.id, {}, other.make(asked), made_in="", actor=nurse.actor)


def test_nobody_has_more_than_ten(nurse: Person) -> None:
    with acting_for(nurse.organization.id):
        first = Authenticator.objects.get(user_id=nurse.id, type="webauthn")
        for _ in range(passkeys.MOST - 1):
            Authenticator.objects.create(user_id=nurse.id, type="webauthn", data=first.data)
        with pytest.raises(Conflict, match="10 passkeys"):
            passkeys.register(nurse.id, {}, {}, made_in="", actor=nurse.actor)


def test_the_last_second_factor_stays(nurse: Person) -> None:
    with acting_for(nurse.organization.id):
        user, (passkey,) = User.objects.get(pk=nurse.id), passkeys.of(nurse.id)
        Authenticator.objects.filter(user_id=nurse.id, type="totp").delete()
        with pytest.raises(Conflict, match="only second factor"):
            passkeys.remove(nurse.id, passkey.id, actor=nurse.actor)
        second_factor.set_up(user, second_factor.new_secret())
        assert passkeys.of(nurse.id) == (), "a second factor that is set up anew replaces all"


def test_nobody_removes_what_is_not_theirs(nurse: Person, clinic: Organization) -> None:
    officer = add(clinic, Role.PRIVACY_OFFICER)
    with acting_for(clinic.id):
        (passkey,) = passkeys.of(nurse.id)
        with pytest.raises(NotFound):
            passkeys.remove(officer.id, passkey.id, actor=officer.actor)
        passkeys.remove(nurse.id, passkey.id, actor=nurse.actor)
    assert nurse.sign_in() is None


def test_a_device_that_never_counts_is_fine(clinic: Organization) -> None:
    nurse = add(clinic, Role.CARE_COORDINATOR, counts=False)
    assert nurse.sign_in() is not None
    assert nurse.sign_in() is not None


@given(st.integers(0, 9), st.integers(0, 9))
def test_a_counter_goes_on_only_forward(kept: int, said: int) -> None:
    assert passkeys.counter_goes_on(kept, said) == (said > kept or (said == 0 and kept == 0))
