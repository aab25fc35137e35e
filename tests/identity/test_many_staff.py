"""A thousand people work here: the list is read page by page, and no page grows with them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from salus.identity import api as identity
from salus.identity.contracts import Organization, Role
from salus.identity.models import Staff
from salus.identity.rules import INVITATION
from salus.inbox import queries
from salus.kernel.acting import system
from salus.kernel.ids import new_id
from salus.platform.tenancy import acting_for
from tests.browser import Console

MANY = 1_000


@pytest.fixture
def big(make_clinic: Callable[..., Organization]) -> Organization:
    """A clinic with a thousand nurses more, one in ten of whom left."""
    clinic = make_clinic()
    user, at = get_user_model(), datetime.now(UTC)
    with acting_for(clinic.id):
        users = [
            user(
                id=new_id(),
                organization_id=clinic.id,
                email=f"nurse{count:04}.{clinic.id.hex[-8:]}@big.example.org",
                is_active=bool(count % 10),
            )
            for count in range(MANY)
        ]
        user.objects.bulk_create(users)
        Staff.objects.bulk_create(
            Staff(
                user=each,
                name=("ada" if count % 2 else "Ada") + f" Nurse {count:04}",
                roles=[Role.CARE_COORDINATOR.value],
                created_at=at,
            )
            for count, each in enumerate(users)
        )
    return clinic


def test_every_page_together_is_everybody_once_in_order(big: Organization) -> None:
    with acting_for(big.id):
        everybody = [each.id for each in identity.staff_members()]
        found: list[Any] = []
        while some := identity.staff_page(after=found[-1].id if found else None, limit=97):
            found += some
        assert [each.id for each in found] == everybody
        assert len(everybody) >= MANY
        active = [each.active for each in found]
        assert active == sorted(active, reverse=True)


def test_somebody_is_found_by_name_or_address(big: Organization) -> None:
    with acting_for(big.id):
        (one,) = identity.staff_page(like="nurse 0421")
        assert one.name == "ada Nurse 0421"
        assert identity.staff_page(like=one.email.upper()) == (one,)
        assert identity.staff_page(like="%") == ()
        assert identity.staff_page(like="nobody of that name") == ()


def test_the_page_shows_fifty_and_asks_as_little_as_for_five(
    big: Organization, make_clinic: Callable[..., Organization]
) -> None:
    small = make_clinic()
    client, other = (Console("", each).client(Role.ADMINISTRATOR) for each in (big, small))
    client.get("/staff")
    other.get("/staff")
    with CaptureQueriesContext(connection) as many:
        page = client.get("/staff")
    with CaptureQueriesContext(connection) as few:
        other.get("/staff")
    assert len(many) == len(few)
    text = page.content.decode()
    assert text.count('<tr><th scope="row">') == 50
    assert len(text) < 60_000
    assert client.get("/staff?after=nothing&like=0421").content.decode().count('<tr><th scope="row">') == 1
    assert "Nobody by that name" in client.get("/staff?like=qqqq").content.decode()
    assert "Ada Nurse" not in other.get("/staff?like=Nurse").content.decode()


def test_which_roles_have_somebody_is_one_question(big: Organization) -> None:
    with acting_for(big.id):
        queries.absent_roles()
        with CaptureQueriesContext(connection) as asked:
            absent = queries.absent_roles()
        assert len(asked) == 1
        present = {role for each in identity.staff_members() if each.active for role in each.roles}
        assert absent == frozenset(Role) - present


def test_the_posture_counts_people_in_the_database_however_many_there_are(big: Organization) -> None:
    at = datetime.now(UTC)
    with acting_for(big.id):
        with CaptureQueriesContext(connection) as asked:
            ready = identity.readiness(Role.CARE_COORDINATOR, at)
            stranded = identity.stranded(at)
        assert len(asked) == 3
        assert all("COUNT(*)" in each["sql"] for each in asked)
        everybody = [each for each in identity.staff_members() if each.active]
        assert ready == (
            sum(each.second_factor for each in everybody if Role.CARE_COORDINATOR in each.roles),
            0,
        )
        assert stranded == sum(not each.second_factor for each in everybody) >= 900
        nurse = next(each for each in everybody if not each.second_factor)
        identity.invite_staff(nurse.id, actor=system(big.id, "test"))
        assert identity.readiness(Role.CARE_COORDINATOR, at)[1] == 1
        assert identity.stranded(at) == stranded - 1
        late = at + INVITATION + timedelta(minutes=1)
        assert identity.readiness(Role.CARE_COORDINATOR, late)[1] == 0, (
            "an invitation that is over waits for nobody"
        )
        assert identity.stranded(late) == stranded
