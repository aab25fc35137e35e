"""Tasks: who is asked, who sees them, how they end, and that whoever follows hears of each end once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import transaction

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.identity import api as identity
from salus.identity.contracts import Organization, Role
from salus.inbox import api as inbox
from salus.inbox.contracts import NewTask, Status, Task
from salus.inbox.models import TaskRow
from salus.kernel.acting import Actor, ActorKind, system
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.ids import new_id
from salus.platform import feed
from salus.platform.tenancy import acting_for

AT = datetime(2026, 11, 24, 18, tzinfo=UTC)
CALL = "Call Ana about her missed visit"
HOW = "Ask about a lift. Her daughter answers."


@dataclass
class Office:
    """A clinic and its people, and a task about an invented patient."""

    organization: Organization
    contact_id: UUID = field(default_factory=new_id)

    @property
    def worker(self) -> Actor:
        """Return the system at work."""
        return system(self.organization.id, "worker")

    def person(self, role: Role) -> Actor:
        """Return the person with this role, acting."""
        person = next(each for each in identity.staff_members() if role in each.roles)
        return Actor(
            ActorKind.STAFF,
            self.organization.id,
            id=person.id,
            roles=tuple(each.value for each in person.roles),
            permissions=frozenset(word.value for word in identity.permissions_of(person.roles)),
        )

    @property
    def nurse(self) -> Actor:
        """Return the care coordinator."""
        return self.person(Role.CARE_COORDINATOR)

    def new(self, key: str = "step-1", **changes: Any) -> NewTask:
        """Return a task for the care coordinators, due tomorrow."""
        given = NewTask(
            key, self.contact_id, Role.CARE_COORDINATOR, CALL, AT + timedelta(days=1), instructions=HOW
        )
        return replace(given, **changes)

    def create(self, *tasks: NewTask) -> list[UUID]:
        """Store tasks; return their ids."""
        made = inbox.create_tasks(tasks or (self.new(),), actor=self.worker, at=AT)
        return list(made.values())


@pytest.fixture
def office(make_clinic: Callable[..., Organization]) -> Iterator[Office]:
    """A clinic, in a transaction that is rolled back."""
    organization = make_clinic()
    with transaction.atomic():
        with acting_for(organization.id):
            yield Office(organization)
        transaction.set_rollback(True)


def recorded(action: Action) -> list[tuple[str, UUID | None]]:
    """Return (outcome, patient) of what the log says of an action, newest first."""
    return [(each.outcome, each.patient_id) for each in audit.entries(Filters(action=action))]


def test_a_task_is_seen_by_people_of_its_role_and_by_nobody_else(office: Office) -> None:
    (task_id,) = office.create()
    found = inbox.task(task_id, actor=office.nurse)
    assert (found.title.reveal(), found.instructions.reveal()) == (CALL, HOW)
    assert found.is_open
    assert [each.id for each in inbox.tasks(office.nurse)] == [task_id]
    for role in (Role.MARKETER, Role.PRIVACY_OFFICER):
        assert inbox.tasks(office.person(role)) == []
        assert inbox.count_open(office.person(role)) == 0
        with pytest.raises(NotFound):
            inbox.task(task_id, actor=office.person(role))
    assert recorded(Action.TASK_READ) == [("ok", office.contact_id)]


def test_a_key_makes_one_task_and_a_repeat_changes_nothing(office: Office) -> None:
    first = inbox.create_tasks([office.new()], actor=office.worker, at=AT)
    again = inbox.create_tasks(
        [office.new(title="Something else"), office.new("step-2")], actor=office.worker, at=AT
    )
    assert again["step-1"] == first["step-1"]
    assert inbox.task(first["step-1"], actor=office.nurse).title.reveal() == CALL
    assert len(recorded(Action.TASK_CREATE)) == 2


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"key": ""}, "key"),
        ({"key": "call Ana"}, "key"),
        ({"key": "k" * 121}, "key"),
        ({"title": "  "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"instructions": "x" * 4001}, "instructions"),
        ({"role": Role.ANALYST}, "role"),
        ({"deputy": Role.DEVELOPER}, "deputy"),
    ],
)
def test_a_task_that_will_not_do_is_refused_with_its_place_and_none_is_stored(
    office: Office, changes: dict[str, Any], place: str
) -> None:
    with pytest.raises(BadInput) as refused:
        inbox.create_tasks([office.new("good"), office.new(**changes)], actor=office.worker, at=AT)
    assert refused.value.place == place
    assert not TaskRow.objects.exists()


def test_the_deputy_sees_a_task_while_no_active_person_has_the_role(office: Office) -> None:
    (task_id,) = office.create(office.new(deputy=Role.MARKETER))
    deputy, nurse = office.person(Role.MARKETER), office.nurse
    assert inbox.tasks(deputy) == []
    assert nurse.id is not None
    identity.change_staff(nurse.id, actor=office.worker, active=False)
    assert [each.id for each in inbox.tasks(deputy)] == [task_id]
    assert inbox.count_open(deputy) == 1
    assert inbox.take(task_id, actor=deputy, at=AT).taken_by == deputy.id
    identity.change_staff(nurse.id, actor=office.worker, active=True)
    with pytest.raises(NotFound):
        inbox.task(task_id, actor=deputy)


def test_without_a_deputy_nobody_stands_in(office: Office) -> None:
    office.create()
    nurse = office.nurse
    assert nurse.id is not None
    identity.change_staff(nurse.id, actor=office.worker, active=False)
    assert inbox.tasks(office.person(Role.MARKETER)) == []


def test_a_task_is_taken_once_and_can_be_given_back(office: Office) -> None:
    (task_id,) = office.create()
    nurse = office.nurse
    taken = inbox.take(task_id, actor=nurse, at=AT)
    assert (taken.status, taken.taken_by, taken.taken_at) == (Status.TAKEN, nurse.id, AT)
    with pytest.raises(Conflict):
        inbox.take(task_id, actor=nurse, at=AT)
    back = inbox.give_back(task_id, actor=nurse, at=AT)
    assert (back.status, back.taken_by) == (Status.OPEN, None)
    with pytest.raises(Conflict):
        inbox.give_back(task_id, actor=nurse, at=AT)
    assert recorded(Action.TASK_TAKE) == [("given_back", office.contact_id), ("taken", office.contact_id)]


def test_a_task_ends_once_with_its_note_and_is_told_onward(office: Office) -> None:
    (task_id,) = office.create()
    ended = inbox.end(task_id, done=True, note=" She comes on Friday. ", actor=office.nurse, at=AT)
    assert (ended.status, ended.note.reveal(), ended.ended_by) == (
        Status.DONE,
        "She comes on Friday.",
        office.nurse.id,
    )
    with pytest.raises(Conflict):
        inbox.end(task_id, done=False, note="no", actor=office.nurse, at=AT)
    (told,) = inbox.settled(0, 10)
    assert (told.task_id, told.key, told.contact_id, told.status) == (
        task_id,
        "step-1",
        office.contact_id,
        Status.DONE,
    )
    assert inbox.settled(told.number, 10) == ()
    assert recorded(Action.TASK_DONE) == [("done", office.contact_id)]


def test_what_is_not_done_needs_its_reason(office: Office) -> None:
    (task_id,) = office.create()
    with pytest.raises(BadInput) as refused:
        inbox.end(task_id, done=False, note=" ", actor=office.nurse, at=AT)
    assert refused.value.place == "note"
    with pytest.raises(BadInput):
        inbox.end(task_id, done=True, note="x" * 2001, actor=office.nurse, at=AT)
    assert inbox.end(task_id, done=False, note="Moved", actor=office.nurse, at=AT).status is Status.NOT_DONE


def test_tasks_whose_time_is_over_expire_and_the_others_stay(office: Office) -> None:
    taken, late, later = office.create(
        office.new("a", due_at=AT),
        office.new("b", due_at=AT),
        office.new("c", due_at=AT + timedelta(hours=1)),
    )
    inbox.take(taken, actor=office.nurse, at=AT)
    assert inbox.expire(actor=office.worker, at=AT) == 2
    assert inbox.expire(actor=office.worker, at=AT) == 0
    told = inbox.settled(0, 10)
    assert {(each.task_id, each.status) for each in told} == {(taken, Status.EXPIRED), (late, Status.EXPIRED)}
    assert inbox.task(later, actor=office.nurse).is_open
    with pytest.raises(Conflict):
        inbox.end(late, done=True, actor=office.nurse, at=AT)
    assert len(recorded(Action.TASK_EXPIRE)) == 2


def test_a_withdrawn_task_is_gone_from_the_list_and_not_told_onward(office: Office) -> None:
    first, second = office.create(office.new("a"), office.new("b"))
    inbox.end(second, done=True, actor=office.nurse, at=AT)
    assert inbox.withdraw(["a", "b", "unknown"], actor=office.worker, at=AT) == 1
    assert inbox.tasks(office.nurse) == []
    assert inbox.task(first, actor=office.nurse).status is Status.WITHDRAWN
    assert [each.key for each in inbox.settled(0, 10)] == ["b"]
    assert inbox.withdraw([], actor=office.worker, at=AT) == 0


def test_the_feed_can_be_read_in_parts(office: Office) -> None:
    ids = office.create(*(office.new(f"k{number}") for number in range(5)))
    for task_id in ids:
        inbox.end(task_id, done=True, actor=office.nurse, at=AT)
    seen, number = [], 0
    while part := inbox.settled(number, 2):
        seen += [each.task_id for each in part]
        number = part[-1].number
    assert seen == ids
    assert number == feed.head("inbox-tasks")


def test_open_tasks_come_by_when_they_are_due_and_ended_ones_newest_first(office: Office) -> None:
    ids = office.create(
        *(office.new(f"k{place}", due_at=AT + timedelta(hours=9 - place // 2)) for place in range(7))
    )

    def walked(*, ended: bool) -> list[Task]:
        found: list[Task] = []
        while part := inbox.tasks(office.nurse, ended=ended, after=found[-1].id if found else None, limit=3):
            found += part
        return found

    listed = walked(ended=False)
    assert {each.id for each in listed} == set(ids)
    assert [each.due_at for each in listed] == sorted(each.due_at for each in listed)
    for place, task_id in enumerate(ids):
        inbox.end(task_id, done=True, actor=office.nurse, at=AT + timedelta(minutes=place // 2))
    over = walked(ended=True)
    assert {each.id for each in over} == set(ids)
    ends = [each.ended_at for each in over if each.ended_at]
    assert ends == sorted(ends, reverse=True)


def test_a_program_sees_the_tasks_of_every_role(office: Office) -> None:
    (task_id,) = office.create()
    program = Actor(ActorKind.API_KEY, office.organization.id, id=new_id())
    assert [each.id for each in inbox.tasks(program)] == [task_id]
    assert inbox.end(task_id, done=True, actor=program, at=AT).status is Status.DONE


def test_nobody_of_another_organization_sees_or_ends_a_task(
    make_clinic: Callable[..., Organization],
) -> None:
    ours, theirs = Office(make_clinic()), Office(make_clinic())
    with acting_for(ours.organization.id):
        (task_id,) = ours.create()
    with acting_for(theirs.organization.id):
        nurse = theirs.nurse
        assert inbox.tasks(nurse) == []
        with pytest.raises(NotFound):
            inbox.task(task_id, actor=nurse)
        with pytest.raises(NotFound):
            inbox.take(task_id, actor=nurse, at=AT)
        with pytest.raises(NotFound):
            inbox.end(task_id, done=True, actor=nurse, at=AT)
        assert inbox.withdraw(["step-1"], actor=theirs.worker, at=AT) == 0
        assert inbox.expire(actor=theirs.worker, at=AT + timedelta(days=9)) == 0
        assert inbox.settled(0, 10) == ()
        (same_key,) = theirs.create()
        assert same_key != task_id


def test_title_instructions_and_note_are_sealed_in_the_database(
    make_clinic: Callable[..., Organization], world: Any
) -> None:
    office = Office(make_clinic())
    with acting_for(office.organization.id):
        (task_id,) = office.create(office.new(title="kestrel-title", instructions="kestrel-how"))
        inbox.end(task_id, done=True, note="kestrel-note", actor=office.nurse, at=AT)
    with psycopg.connect(world.superuser_dsn) as superuser:
        (row,) = superuser.execute(
            "SELECT t::text || encode(sealed, 'escape') || encode(sealed_note, 'escape') FROM inbox_task t WHERE id = %s",
            [task_id],
        ).fetchone() or ("",)
    assert "kestrel" not in row
