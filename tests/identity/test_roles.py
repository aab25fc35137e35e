"""Roles: a closed vocabulary, duties that are kept apart, and what a key may never do."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salus.identity.contracts import Permission, Role
from salus.identity.rules import (
    APART,
    NOT_FOR_KEYS,
    ROLES,
    SEES_PATIENTS,
    checked_scopes,
    givable,
    permissions_of,
)
from salus.kernel.errors import BadInput

roles = st.lists(st.sampled_from(Role), min_size=1, unique=True)


def test_every_role_has_a_line_in_the_table_and_every_permission_has_a_holder() -> None:
    assert set(ROLES) == set(Role)
    assert permissions_of(Role) == set(Permission)


@pytest.mark.parametrize("permission", Permission)
def test_a_permission_is_area_object_verb_and_named_after_it(permission: Permission) -> None:
    assert re.fullmatch(r"[a-z]+:[a-z]+:[a-z]+", permission)
    assert permission.name == permission.value.replace(":", "_").upper()


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("one", "other"), APART)
def test_no_role_holds_both_sides_of_a_separated_duty(role: Role, one: Permission, other: Permission) -> None:
    assert not {one, other} <= ROLES[role]


def test_a_privacy_officer_may_approve_and_nobody_who_edits_campaigns_may() -> None:
    approvers = {role for role in Role if Permission.CAMPAIGNS_CAMPAIGN_APPROVE in ROLES[role]}
    editors = {role for role in Role if Permission.CAMPAIGNS_CAMPAIGN_EDIT in ROLES[role]}
    assert Role.PRIVACY_OFFICER in approvers
    assert {Role.MARKETER, Role.CARE_COORDINATOR} <= editors
    assert not approvers & editors


def test_only_the_privacy_office_and_care_may_see_patients_in_clear() -> None:
    seeing = {role for role in Role if Permission.CONTACTS_PHI_REVEAL in ROLES[role]}
    assert seeing == {Role.PRIVACY_OFFICER, Role.CARE_COORDINATOR}


def test_an_auditor_changes_nothing() -> None:
    assert {word.rpartition(":")[2] for word in ROLES[Role.AUDITOR]} <= {"read", "verify", "run"}


@given(roles, roles)
def test_more_roles_never_open_less(some: list[Role], others: list[Role]) -> None:
    assert permissions_of(some) <= permissions_of([*some, *others])


@given(roles)
def test_nobody_gives_a_key_what_is_for_people(held: list[Role]) -> None:
    may = givable(permissions_of(held))
    assert not may & NOT_FOR_KEYS
    if Permission.IDENTITY_STAFF_MANAGE not in permissions_of(held):
        assert may <= permissions_of(held)


def test_who_manages_staff_cannot_make_a_key_that_sees_patients() -> None:
    assert not SEES_PATIENTS & givable(permissions_of([Role.ADMINISTRATOR]))


@pytest.mark.parametrize(
    ("scopes", "said"),
    [
        ([], "at least one"),
        (["contacts:record:steal"], "no permission"),
        (["campaigns:campaign:approve"], "for people"),
        (["contacts:import:run"], "may not give"),
    ],
)
def test_scopes_that_will_not_do_are_refused_with_the_place(scopes: list[str], said: str) -> None:
    with pytest.raises(BadInput, match=said) as refused:
        checked_scopes(scopes, givable(permissions_of([Role.DEVELOPER])))
    assert refused.value.place == "scopes"
