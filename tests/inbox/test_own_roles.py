"""Tasks reach people who have only roles of the organization's own making, by how much of patients those show."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from salus.identity import api as identity
from salus.identity import roles, scim
from salus.identity.contracts import Permission, Role
from salus.identity.models import Staff
from salus.identity.rules import ROLES, SIGHT_OF_TASKS, tasks_of
from salus.inbox import api as inbox
from salus.inbox.contracts import NewTask
from salus.kernel.acting import Actor, ActorKind, system
from salus.kernel.ids import new_id
from salus.platform.tenancy import acting_for
from tests.browser import Console
from tests.identity.people import acting, person

P = Permission
COORDINATES = [*SIGHT_OF_TASKS[Role.CARE_COORDINATOR], P.INBOX_TASK_DO]


def test_who_has_a_built_in_role_gets_its_tasks_and_no_others() -> None:
    for role, held in ROLES.items():
        assert tasks_of(held) == (role if P.INBOX_TASK_DO in held else None), role
    assert {role for role in Role if P.INBOX_TASK_READ in ROLES[role]} == set(SIGHT_OF_TASKS)


@pytest.mark.parametrize("role", SIGHT_OF_TASKS)
def test_without_any_part_of_the_sight_the_tasks_of_a_role_do_not_come(role: Role) -> None:
    sight = SIGHT_OF_TASKS[role]
    assert tasks_of(sight) == role
    for missing in sight:
        narrower = tasks_of(sight - {missing})
        assert narrower is None or SIGHT_OF_TASKS[narrower] < sight
    assert tasks_of(()) is None


class Clinic:
    """A clinic whose directory brings Noor in, with one role that the clinic made."""

    def __init__(self, console: Console, opens: list[Permission]) -> None:
        self.organization = console.organization
        self.directory = system(self.organization.id, "directory")
        with acting_for(self.organization.id):
            officer = acting(self.organization, Role.PRIVACY_OFFICER)
            made = roles.create(f"Nurse {_letters()}", opens, actor=officer)
            assert not made.waiting
            self.role_id = made.id
            told = {
                "userName": f"noor.{new_id().hex}@clinic.example.test",
                "displayName": "Noor Haddad",
                "roles": [{"value": str(made.id)}],
            }
            self.noor_id = scim.create_user(told, actor=self.directory, base="")["id"]

    def noor(self) -> Actor:
        row = Staff.objects.get(pk=self.noor_id)
        assert row.roles == []
        held = frozenset(word.value for word in roles.held(row, timezone.now()).permissions)
        return Actor(ActorKind.STAFF, self.organization.id, row.pk, permissions=held)

    def task(self, role: Role = Role.CARE_COORDINATOR, deputy: Role | None = None) -> str:
        at = timezone.now()
        key = new_id().hex
        task = NewTask(key, None, role, "Call them", at + timedelta(days=1), "Ask about a lift.", deputy)
        inbox.create_tasks([task], actor=self.directory, at=at)
        return key

    def sees(self, actor: Actor) -> set[str]:
        found = {each.key for each in inbox.tasks(actor, limit=1000)}
        assert inbox.count_open(actor) == min(len(found), inbox.MANY)
        return found


def _letters() -> str:
    """Return a word that no other role has; names of roles have no digits."""
    return "".join(chr(ord("a") + int(digit, 16)) for digit in new_id().hex[-8:])


def test_a_task_reaches_whom_the_directory_gave_an_own_role_with_the_sight_for_it(console: Console) -> None:
    clinic = Clinic(console, COORDINATES)
    with acting_for(clinic.organization.id):
        ours, officers, marketers = (
            clinic.task(),
            clinic.task(Role.PRIVACY_OFFICER),
            clinic.task(Role.MARKETER),
        )
        noor = clinic.noor()
        assert clinic.sees(noor) >= {ours}
        assert not clinic.sees(noor) & {officers, marketers}
        (mine,) = (each for each in inbox.tasks(noor, limit=1000) if each.key == ours)
        assert inbox.task(mine.id, actor=noor).instructions.reveal() == "Ask about a lift."
        assert inbox.take(mine.id, actor=noor, at=timezone.now()).taken_by == noor.id

        officer = acting(clinic.organization, Role.PRIVACY_OFFICER)
        roles.change(
            clinic.role_id, f"Desk {_letters()}", [P.INBOX_TASK_READ, P.CONTACTS_RECORD_READ], actor=officer
        )
        assert clinic.sees(clinic.noor()) >= {marketers}, "with less sight of patients, other tasks"
        assert not clinic.sees(clinic.noor()) & {ours, officers}
        roles.change(
            clinic.role_id, f"Desk {_letters()}", [P.INBOX_TASK_READ, P.INBOX_TASK_DO], actor=officer
        )
        assert clinic.sees(clinic.noor()) == set()


def test_while_somebody_does_them_by_an_own_role_a_deputy_is_not_asked(console: Console) -> None:
    clinic = Clinic(console, COORDINATES)
    worker = system(clinic.organization.id, "worker")
    with acting_for(clinic.organization.id):
        key = clinic.task(deputy=Role.MARKETER)
        nurse, marketer = (
            person(clinic.organization, Role.CARE_COORDINATOR),
            acting(clinic.organization, Role.MARKETER),
        )
        identity.change_staff(nurse.pk, actor=worker, active=False)
        try:
            assert key in clinic.sees(clinic.noor())
            assert key not in clinic.sees(marketer)
            identity.change_staff(Staff.objects.get(pk=clinic.noor_id).pk, actor=worker, active=False)
            assert key in clinic.sees(marketer)
        finally:
            identity.change_staff(nurse.pk, actor=worker, active=True)


def test_the_page_of_a_role_says_whose_tasks_come_with_it(console: Console) -> None:
    clinic = Clinic(console, COORDINATES)
    shown = console.client("privacy_officer").get(f"/roles/{clinic.role_id}").content.decode()
    assert "sees the tasks for the role Care coordinator" in shown
    narrow = Clinic(console, [P.INBOX_TASK_READ])
    shown = console.client("privacy_officer").get(f"/roles/{narrow.role_id}").content.decode()
    assert "No tasks reach" in shown
