"""Each kind is emptied when its time is over: its words are gone, its proof stays, and whoever is held is spared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.contacts import api as contacts
from salus.delivery import api as delivery
from salus.delivery.contracts import State
from salus.delivery.models import Deposit, MessageRow, ReceiptRow
from salus.delivery.sealing import message_binding, open_content
from salus.domains.models import ReportRow
from salus.files import api as files
from salus.files.models import FileRow, PieceRow
from salus.identity.contracts import Organization, Role
from salus.inbox import api as inbox
from salus.inbox.contracts import NewTask
from salus.inbox.models import ConversationRow, EntryRow, TaskRow
from salus.intake.contracts import ImportKind, ImportStatus, Severity
from salus.intake.models import Import, RejectRow
from salus.kernel.errors import NotFound
from salus.kernel.ids import new_id
from salus.kernel.time import FakeClock
from salus.kernel.vocabulary import AddressSource
from salus.keys import api as keys
from salus.permissions import api as permissions
from salus.platform.tenancy import acting_for
from salus.privacy import api as privacy
from salus.privacy.contracts import Ground
from salus.privacy.contracts import Kind as Asked
from salus.privacy.models import CopyRow, DisclosureRow, RequestRow
from salus.retention import api, emptying
from salus.retention.contracts import Kind
from salus.timeline import api as timeline
from salus.timeline.contracts import EventKind, NewEvent
from salus.wiring.aged import STEPS
from salus.wiring.rounds import ROUNDS
from tests.delivery.conftest import Desk, furnish
from tests.files.samples import PNG
from tests.privacy.test_person import asked, made, officer

LATER = timedelta(days=2500)
"""Beyond every usual time."""
PEOPLE = ("ada", "bert")
ALL = {
    Kind.MESSAGES: 2,
    Kind.CONVERSATIONS: 2,
    Kind.TASKS: 4,
    Kind.REJECTS: 3,
    Kind.COPIES: 2,
    Kind.MAIL_REPORTS: 1,
    Kind.DOCUMENTS: 4,
}
"""How much of each kind `old` leaves; the tasks to answer a patient among them."""
OF_ADA = {
    Kind.MESSAGES: 1,
    Kind.CONVERSATIONS: 1,
    Kind.TASKS: 2,
    Kind.REJECTS: 1,
    Kind.COPIES: 1,
    Kind.MAIL_REPORTS: 0,
    Kind.DOCUMENTS: 2,
}


@dataclass
class Old:
    """A clinic in which something of every kind was left of two people, and how to let time go by."""

    desk: Desk
    ada: UUID
    bert: UUID

    @property
    def later(self) -> datetime:
        """Return a moment when all of it is due."""
        return self.desk.clock.now() + LATER

    def empty(self, at: datetime | None = None) -> dict[Kind, int]:
        """Empty what is due then."""
        return dict(api.empty_due(self.desk.id, actor=self.desk.actor, clock=FakeClock(at or self.later)))

    def hold(self, person: UUID | None) -> UUID:
        """Put a hold."""
        return api.put(
            person, reason="A case", reference="", actor=officer(self.desk), at=self.desk.clock.now()
        )


@pytest.fixture
def old(desk: Desk) -> Old:
    """Leave one of each kind of two people, and one report of mail."""
    api.use_steps(STEPS)
    with acting_for(desk.id):
        ada, bert = desk.admit(*PEOPLE)
        now = desk.clock.now()
        desk.release()
        batch = desk.take()
        desk.settle(*map(desk.outcome, batch.prepared), batch=batch)
        for name, person in zip(PEOPLE, (ada, bert), strict=True):
            write(desk, person, now)
            inbox.create_tasks(
                [NewTask(name, person, Role.PRIVACY_OFFICER, f"Call {name}", now + timedelta(days=1), "x")],
                actor=desk.actor, at=now,
            )  # fmt: skip
            privacy.record_disclosure(person, made(now, Ground.COURT), actor=officer(desk), at=now)
            timeline.append([NewEvent(person, EventKind.VISIT, now, key="visit")], clock=desk.clock)
        inbox.withdraw(list(PEOPLE), actor=desk.actor, at=now)
        reject(desk, now)
        ReportRow.objects.create(
            kind="dmarc", blind=new_id().bytes, began_at=now, came_at=now, messages=1, failed=0, sealed=b"x"
        )
    for person in (ada, bert):
        id = asked(desk, person, Asked.ACCESS)
        with acting_for(desk.id):
            privacy.make_copy(id, actor=desk.actor, at=desk.clock.now())
    with acting_for(desk.id):
        audit.integrate()
    return Old(desk, ada, bert)


def write(desk: Desk, person: UUID, at: datetime) -> None:
    """Let a patient write with a picture, and staff settle it."""
    draft = new_id()
    taken = files.take(person, "rash.png", [PNG], draft_id=draft, actor=desk.actor, at=at)
    inbox.hear(
        person, new_id(), "Is this normal?", file_ids=[taken.id], draft_id=draft, actor=desk.actor, at=at
    )
    talk = ConversationRow.objects.get(contact_id=person)
    inbox.settle(talk.id, actor=desk.actor, at=at)


def reject(desk: Desk, at: datetime) -> None:
    """Leave a refused row of each person, and one of nobody."""
    row = Import.objects.create(
        id=new_id(), kind=ImportKind.CONTACTS_CSV, status=ImportStatus.DONE, source=AddressSource.UNKNOWN,
        obtained=at.date(), sealed=b"x", created_at=at, finished_at=at,
    )  # fmt: skip
    for number, line in enumerate((*(f"{name}@lakepost.example.test" for name in PEOPLE), "nobody")):
        id = new_id()
        sealed = keys.sealer().seal(line.encode(), keys.binding(desk.id, "intake_reject", id))
        RejectRow.objects.create(
            id=id,
            import_id=row.id,
            part="csv",
            line=number,
            field="",
            reason="",
            severity=Severity.ROW,
            sealed=sealed,
        )


def left() -> dict[Kind, int]:
    """Return how much of each kind the current organization still has in words."""
    return {
        Kind.MESSAGES: MessageRow.objects.filter(emptied_at=None).count(),
        Kind.CONVERSATIONS: ConversationRow.objects.count(),
        Kind.TASKS: TaskRow.objects.exclude(sealed=b"").count(),
        Kind.REJECTS: RejectRow.objects.count(),
        Kind.COPIES: CopyRow.objects.count(),
        Kind.MAIL_REPORTS: ReportRow.objects.count(),
        Kind.DOCUMENTS: RequestRow.objects.count() + DisclosureRow.objects.count(),
    }


def test_every_kind_has_one_step_and_its_bounds() -> None:
    assert [step.kind for step in STEPS] == list(Kind)
    assert list(api.BOUNDS) == list(Kind)


def test_everything_that_is_due_loses_its_words_and_its_proof_still_verifies(old: Old) -> None:
    desk = old.desk
    with acting_for(desk.id):
        receipts, tasks = ReceiptRow.objects.count(), TaskRow.objects.count()
    assert old.empty() == ALL
    with acting_for(desk.id):
        assert left() == dict.fromkeys(Kind, 0)
        for row in MessageRow.objects.all():
            content = open_content(keys.sealer(), message_binding(desk.id, row.id), row.sealed)
            assert (content.to, content.values, content.tokens) == ("", {}, {})
            assert content.decision, "why it was allowed stays"
            assert not delivery.receipt(row.id).faults
        assert (FileRow.objects.count(), PieceRow.objects.count(), EntryRow.objects.count()) == (0, 0, 0)
        assert TaskRow.objects.filter(sealed=b"", sealed_note=None).count() == tasks
        (first, *_) = inbox.export_person(old.ada, purpose="access_request", actor=desk.actor)["tasks"]
        assert (first["title"], first["instructions"]) == ("No longer kept", "")
        assert ReceiptRow.objects.count() == receipts
        assert timeline.of_contact(old.ada, 10), "events stay with their person"
        assert contacts.versions([old.ada, old.bert]).keys() == {old.ada, old.bert}
        audit.integrate()
        assert not audit.verify().faults
    assert old.empty() == dict.fromkeys(Kind, 0), "once is enough"


def test_the_log_says_what_and_how_many_and_nothing_of_anybody(old: Old) -> None:
    old.empty()
    with acting_for(old.desk.id):
        entries = audit.entries(Filters(action=Action.RETENTION_EMPTY))
        found = {str(each.details["kind"]): each for each in entries}
        for kind, count in ALL.items():
            assert found[kind].patient_id is None
            if kind is not Kind.DOCUMENTS:  # two batches
                assert found[kind].details == {
                    "kind": kind.value, "count": count, "days": api.BOUNDS[kind].usual,
                }  # fmt: skip
        assert {each.kind: (each.emptied, each.left) for each in api.all_rules()} == {
            kind: (count, 0) for kind, count in ALL.items()
        }


def test_nothing_goes_before_its_last_moment(old: Old) -> None:
    ages = sorted({bounds.usual for bounds in api.BOUNDS.values() if bounds.usual})
    for days in ages:
        last = old.desk.clock.now() + timedelta(days=days)
        due = {kind for kind in Kind if api.BOUNDS[kind].usual == days}
        assert old.empty(last) == dict.fromkeys(Kind, 0)
        gone = old.empty(last + timedelta(milliseconds=1))
        assert {kind for kind, count in gone.items() if count} == due


def test_nothing_of_a_held_person_goes_until_the_hold_is_lifted(old: Old) -> None:
    desk = old.desk
    with acting_for(desk.id):
        hold = old.hold(old.ada)
    assert old.empty() == {kind: ALL[kind] - OF_ADA[kind] for kind in Kind}
    with acting_for(desk.id):
        assert left() == OF_ADA
        (talk,) = ConversationRow.objects.all()
        assert talk.contact_id == old.ada
        assert privacy.copy_made_at(CopyRow.objects.get().request_id)
        assert inbox.conversation(talk.id, actor=desk.actor).said[0].text.reveal() == "Is this normal?"
        api.lift(hold, reason="over", actor=desk.actor, at=desk.clock.now())
    assert old.empty() == OF_ADA


def test_a_hold_on_everybody_stops_all_of_it(old: Old) -> None:
    with acting_for(old.desk.id):
        old.hold(None)
    assert old.empty() == dict.fromkeys(Kind, 0)
    with acting_for(old.desk.id):
        assert left() == ALL


def test_another_clinic_is_untouched(old: Old, make_clinic: Callable[..., Organization]) -> None:
    stranger = furnish(make_clinic())
    api.empty_due(stranger.id, actor=stranger.actor, clock=FakeClock(old.later))
    with acting_for(old.desk.id):
        assert left() == ALL


def test_one_that_was_killed_goes_on_where_it_was(old: Old, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emptying, "BATCH", 1)
    heard: list[tuple[Kind, int, int]] = []

    def die(kind: Kind, done: int, left: int) -> None:
        heard.append((kind, done, left))
        if (kind, done) == (Kind.TASKS, 2):
            raise RuntimeError

    actor, clock = old.desk.actor, FakeClock(old.later)
    with pytest.raises(RuntimeError):
        api.empty_due(old.desk.id, tell=die, actor=actor, clock=clock)
    assert heard[0] == (Kind.MESSAGES, 1, 1)
    with acting_for(old.desk.id):
        assert left()[Kind.TASKS] == 2
        assert next(each.left for each in api.all_rules() if each.kind is Kind.TASKS) == 2
    assert api.empty_due(old.desk.id, actor=actor, clock=clock)[Kind.TASKS] == 2
    with acting_for(old.desk.id):
        assert left() == dict.fromkeys(Kind, 0)


def test_a_hold_that_comes_between_two_batches_holds_from_there(
    old: Old, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(emptying, "BATCH", 1)

    def hold(kind: Kind, done: int, left: int) -> None:
        if (kind, done) == (Kind.MESSAGES, 1):
            with acting_for(old.desk.id):
                old.hold(None)

    gone = api.empty_due(old.desk.id, actor=old.desk.actor, clock=FakeClock(old.later), tell=hold)
    assert gone == {**dict.fromkeys(Kind, 0), Kind.MESSAGES: 1}


def test_words_that_wait_in_the_portal_have_the_portals_rule_and_spare_the_held_too(desk: Desk) -> None:
    api.use_steps(STEPS)
    with acting_for(desk.id):
        ada, _ = desk.admit(*PEOPLE)
        desk.release()
        desk.settle(*(desk.outcome(each, State.PORTAL) for each in desk.take().prepared))
        api.put(ada, reason="A case", reference="", actor=desk.actor, at=desk.clock.now())
        later = desk.clock.now() + LATER
        assert emptying.would_empty(Kind.MESSAGES, 30, actor=desk.actor, at=later) == 0
        delivery.expire_deposits(actor=desk.actor, at=later)
        far = later + timedelta(days=40)
        assert delivery.erase_ended(spared=api.spared().people, actor=desk.actor, at=far) == 1
        assert Deposit.objects.get(erased_at=None).contact_id == ada


def test_the_round_queues_one_job_for_each_clinic(old: Old) -> None:
    (empty,) = [each for each in ROUNDS if each.name == "retention-empty"]
    with acting_for(old.desk.id):
        empty.act(old.desk.id)
        empty.act(old.desk.id)
    jobs = ProcrastinateJob.objects.filter(
        task_name="salus.retention.tasks.empty", args__organization_id=str(old.desk.id)
    )
    assert jobs.count() == 1


def test_a_copy_that_is_gone_is_absent_and_authorizations_stay(old: Old) -> None:
    with acting_for(old.desk.id):
        request_id = CopyRow.objects.filter(contact_id=old.ada).get().request_id
        before = permissions.entries_of(old.ada, actor=old.desk.actor)
    old.empty(old.desk.clock.now() + timedelta(days=31))
    with acting_for(old.desk.id):
        with pytest.raises(NotFound):
            privacy.open_copy(request_id, actor=officer(old.desk))
        assert permissions.entries_of(old.ada, actor=old.desk.actor) == before
