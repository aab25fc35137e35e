"""Organizations: made with keys, changed with a trace, refused with the place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.identity import api as identity
from salus.identity.contracts import Organization, Permission
from salus.kernel.acting import system
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.ids import new_id
from salus.kernel.vocabulary import Profile
from salus.keys import api as keys
from salus.platform.tenancy import NoTenant, acting_for


def test_an_organization_is_strict_unless_told_otherwise_and_has_keys(
    make_clinic: Callable[..., Organization],
) -> None:
    made = make_clinic(demo=False)
    assert made.profile is Profile.STRICT
    with acting_for(made.id):
        assert identity.organization() == made
        assert keys.sealer().open(keys.sealer().seal(b"x", b"y"), b"y") == b"x"
        assert audit.entries(Filters(action=Action.ORGANIZATION_CREATE))[0].object_id == made.id
    assert made in identity.organizations()
    assert identity.find_organization(made.slug) == made


def test_an_id_that_exists_already_can_be_given(
    organization: Any, make_clinic: Callable[..., Organization]
) -> None:
    with acting_for(organization):
        assert make_clinic(demo=False, organization_id=organization).id == organization


@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        ("name", " "),
        ("name", "Clinic\r\nBcc: eve@evil.example"),
        ("name", "Clinic\u2028x"),
        ("name", "Clinic \ud83d"),
        ("name", "x" * 10_000),
        ("postal_address", ""),
        ("phone", ""),
        ("slug", "Has Spaces"),
        ("slug", "x" * 41),
        ("sending_domain", "nodots"),
        ("sending_domain", "bad_label.example.org"),
        ("time_zone", "Mars/Olympus"),
        ("sender_role", "emperor"),
        ("profile", "lenient"),
    ],
)
def test_a_fact_that_will_not_do_is_refused_with_the_place(
    make_clinic: Callable[..., Organization], place: str, wrong: str
) -> None:
    with pytest.raises(BadInput) as refused:
        make_clinic(**{"demo": False, place: wrong})
    assert place in refused.value.place


def test_two_organizations_cannot_have_the_same_short_name(make_clinic: Callable[..., Organization]) -> None:
    made = make_clinic(demo=False)
    with pytest.raises(Conflict):
        make_clinic(demo=False, slug=made.slug)
    assert sum(each.slug == made.slug for each in identity.organizations()) == 1


def test_a_change_is_recorded_by_field_name_and_needs_the_permission(
    make_clinic: Callable[..., Organization],
) -> None:
    made = make_clinic(demo=False)
    somebody = system(made.id, "test")
    editor = replace(somebody, permissions=frozenset({Permission.ORGANIZATION_SETTINGS_EDIT.value}))
    with acting_for(made.id):
        with pytest.raises(NotFound):
            identity.change_organization(actor=somebody, phone="206-555-0199")
        changed = identity.change_organization(actor=editor, phone="206-555-0199", name=made.name)
        assert changed == replace(made, phone="206-555-0199")
        assert audit.entries(Filters(action=Action.ORGANIZATION_CHANGE))[0].fields == ("phone",)
        with pytest.raises(BadInput):
            identity.change_organization(actor=editor, demo="yes")


def test_without_a_tenant_or_a_record_there_is_no_organization(database: Any) -> None:
    with pytest.raises(NoTenant):
        identity.organization()
    with acting_for(new_id()), pytest.raises(NotFound):
        identity.organization()
    with pytest.raises(NotFound):
        identity.find_organization("nobody")
