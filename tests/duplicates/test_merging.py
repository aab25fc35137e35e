"""A merge takes over what belongs to the person in every package, and loses nothing that protects them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from salus.audiences import api as audiences
from salus.audiences import operations
from salus.audiences.joining import lists_of
from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.contacts import api as contacts
from salus.delivery import api as delivery
from salus.delivery.contracts import State
from salus.delivery.models import MessageRow, ReceiptRow
from salus.duplicates import api
from salus.identity.contracts import Permission, Role
from salus.inbox import api as inbox
from salus.inbox.contracts import NewTask
from salus.inbox.models import TaskRow
from salus.kernel.acting import Actor, ActorKind
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.ids import new_id
from salus.kernel.joining import GivenBy
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import Channel, PhiClass
from salus.patients.models import AccessRow, SessionRow
from salus.permissions import api as permissions
from salus.permissions.contracts import EntryKind, NewEntry
from salus.platform.tenancy import acting_for
from salus.privacy import api as privacy
from salus.privacy.contracts import Disclosure, Ground, Kind
from salus.timeline import api as timeline
from salus.timeline.contracts import EventKind, NewEvent
from tests.delivery.conftest import Desk
from tests.delivery.conftest import committed as committed

from .conftest import clerk, merge, record

WHY = "The front desk met her"


def say(desk: Desk, contact_id: UUID, kind: EntryKind, **more: object) -> UUID:
    """Append one entry to a ledger now."""
    entry = NewEntry(contact_id, kind, desk.clock.now(), "paper", **more)  # type: ignore[arg-type]
    return permissions.append([entry], actor=desk.actor, clock=desk.clock)[0]


def addresses(contact_id: UUID, desk: Desk) -> list[str]:
    one = contacts.open_one(contact_id, fields=["email", "phone"], purpose="test", actor=desk.actor)
    return [each.value.reveal() for each in one.addresses]


def test_both_record_numbers_and_addresses_lead_to_the_one_that_goes_on(
    desk: Desk, two: tuple[UUID, UUID]
) -> None:
    kept, gone = two
    before, number = contacts.count(), contacts.numbers_of([gone])[gone]
    merge(desk, kept, gone)

    assert contacts.count() == before - 1
    assert contacts.find_by_identifier("mrn", "2002") == kept
    assert contacts.find_by_address(Channel.EMAIL, "ada.l@lakepost.example.test") == [kept]
    assert addresses(kept, desk) == ["ada@lakepost.example.test"], "the kept record's, as nothing was chosen"
    assert record(desk, "2002", "ada") == kept, "an importer that knows the old number reaches the person"
    assert contacts.versions([gone]) == {}
    assert contacts.whole(gone) == (kept, gone)
    changed = [each for each in contacts.changes(0, 1000) if each.number == number]
    assert [each.erased for each in changed] == [True], "the engine forgets the other number"


@pytest.mark.parametrize(
    ("side", "left"),
    [
        ("gone", ["ada.l@lakepost.example.test"]),
        ("both", ["ada@lakepost.example.test", "ada.l@lakepost.example.test"]),
    ],
)
def test_staff_choose_what_is_kept(desk: Desk, side: str, left: list[str]) -> None:
    kept = record(desk, "1001", "ada", "ada@lakepost.example.test", state="WA")
    gone = record(desk, "2002", "Ada", "ada.l@lakepost.example.test", state="OR")
    found = api.compare(kept, gone, actor=clerk(desk))
    assert found.differing == ("given_name", "state", "email")
    assert found.reasons == ("same name and birth date",)

    merge(desk, kept, gone, email=side, state="gone")
    one = contacts.open_one(kept, fields=["state", "given_name"], purpose="test", actor=desk.actor)
    assert one.values["state"].reveal() == "OR"
    assert one.values["given_name"].reveal() == "ada"
    assert addresses(kept, desk) == left


def test_the_stricter_standing_holds_and_consent_reaches_no_other_address(
    desk: Desk, two: tuple[UUID, UUID]
) -> None:
    kept, gone = two
    permissions.opt_in(kept, "news", Channel.EMAIL, evidence="form", actor=desk.actor, clock=desk.clock)
    permissions.opt_in(kept, "classes", Channel.EMAIL, evidence="form", actor=desk.actor, clock=desk.clock)
    permissions.opt_out(gone, "news", Channel.EMAIL, evidence="call", actor=desk.actor, clock=desk.clock)
    restriction = say(desk, gone, EntryKind.RESTRICTION, details={"channels": ["sms"]})
    suppressed = permissions.suppress(
        gone, Channel.EMAIL, "complaint", evidence="peer", actor=desk.actor,
        address="ada.l@lakepost.example.test", clock=desk.clock,
    )  # fmt: skip
    only = say(
        desk,
        gone,
        EntryKind.CONFIDENTIAL_ADDRESS,
        channel=Channel.EMAIL,
        details={"value": "safe@lakepost.example.test"},
    )
    before = permissions.versions([kept])[kept]
    merge(desk, kept, gone)

    stands = permissions.standing(kept, desk.clock.now())
    assert stands.version > before, "what was cleared for the kept record is judged anew"
    assert stands.opted_in("news", Channel.EMAIL) is None
    assert stands.opted_out("news", Channel.EMAIL)
    assert [each.evidence_id for each in stands.restrictions] == [restriction]
    assert [each.evidence_id for each in stands.suppressions] == [suppressed]
    assert stands.confidential_address is not None
    assert stands.confidential_address.evidence_id == only
    own = stands.at_address(Channel.EMAIL, Phi("ada@lakepost.example.test"))
    assert own.opted_in("classes", Channel.EMAIL)
    other = stands.at_address(Channel.EMAIL, Phi("ada.l@lakepost.example.test"))
    assert other.opted_in("classes", Channel.EMAIL) is None
    assert permissions.rebuild_standings([kept]) == 0
    assert len(permissions.entries_of(kept, actor=desk.actor)) == 6


def test_what_the_other_record_still_says_counts_for_the_person(desk: Desk, two: tuple[UUID, UUID]) -> None:
    kept, gone = two
    permissions.opt_in(kept, "news", Channel.EMAIL, evidence="form", actor=desk.actor, clock=desk.clock)
    merge(desk, kept, gone)
    permissions.opt_out(gone, "news", Channel.EMAIL, evidence="old link", actor=desk.actor, clock=desk.clock)
    assert permissions.standing(kept, desk.clock.now()).opted_out("news", Channel.EMAIL)
    assert (
        timeline.append([NewEvent(gone, EventKind.VISIT, desk.clock.now(), key="v9")], clock=desk.clock) == 1
    )
    assert {each.contact_id for each in timeline.of_contact(kept)} == {kept}


def test_what_waits_for_the_merged_record_is_stopped_and_receipts_stay(
    desk: Desk, two: tuple[UUID, UUID]
) -> None:
    kept, gone = two
    desk.people[:] = [gone]
    origin = desk.release()
    batch = desk.take()
    (sent,) = batch.prepared
    desk.settle(desk.outcome(sent))
    bodies = list(ReceiptRow.objects.filter(message_id=sent.lease.message_id).values_list("body", flat=True))
    waiting = desk.release(desk.spec())
    merge(desk, kept, gone)

    assert desk.states(waiting) == {"cancelled": 1}
    assert MessageRow.objects.get(origin_id=waiting.id).reason == "merged"
    assert desk.queue(waiting) == []
    assert desk.states(origin) == {"accepted": 1}
    assert MessageRow.objects.get(id=sent.lease.message_id).contact_id == gone, (
        "nothing that was proven is rewritten"
    )
    assert (
        list(ReceiptRow.objects.filter(message_id=sent.lease.message_id).values_list("body", flat=True))
        == bodies
    )
    assert [each.message_id for each in delivery.messages_of_contact(kept)] == [sent.lease.message_id]
    assert delivery.sent_message(sent.lease.message_id).contact_id == kept, "the portal knows whose it is now"


def test_nothing_is_merged_while_a_message_is_being_handed_over(desk: Desk, two: tuple[UUID, UUID]) -> None:
    kept, gone = two
    desk.people[:] = [gone]
    origin = desk.release()
    assert desk.take().prepared
    with pytest.raises(Conflict, match="handed over"):
        merge(desk, kept, gone)
    assert contacts.versions([kept, gone]).keys() == {kept, gone}
    assert desk.states(origin) != {"cancelled": 1}


def test_a_message_that_was_cleared_for_the_kept_record_is_judged_anew(
    desk: Desk, two: tuple[UUID, UUID]
) -> None:
    kept, gone = two
    desk.people[:] = [kept]
    origin = desk.release()
    say(desk, gone, EntryKind.RESTRICTION, details={})
    merge(desk, kept, gone)
    assert not desk.take().prepared, "the other record's restriction holds for the person"
    assert State.ACCEPTED not in desk.states(origin)


def test_lists_tasks_and_sessions_follow_the_person(desk: Desk, two: tuple[UUID, UUID]) -> None:
    kept, gone = two
    numbers = contacts.numbers_of(two)
    now = desk.clock.now()
    first, second = (
        audiences.create_static(name, desk.actor, tells=[PhiClass.CONTACT], clock=desk.clock).id
        for name in ("Called back", "Asked again")
    )
    operations.change_members(first, [numbers[gone]], wanted=True, actor=desk.actor)
    operations.change_members(second, list(numbers.values()), wanted=True, actor=desk.actor)
    inbox.create_tasks(
        [NewTask("t1", gone, Role.PRIVACY_OFFICER, "Call her", now + timedelta(days=1), "")],
        actor=desk.actor, at=now,
    )  # fmt: skip
    for one in two:
        SessionRow(contact_id=one, message_id=new_id(), proof="code", started_at=now, seen_at=now).save()
    hour = now + timedelta(hours=1)
    AccessRow(contact_id=gone, failures=3, locked_until=hour, code=b"x", challenge=b"y").save()
    merge(desk, kept, gone)

    assert lists_of(numbers[kept]) == sorted([first, second])
    assert lists_of(numbers[gone]) == []
    assert [row.contact_id for row in TaskRow.objects.filter(key="t1")] == [kept]
    assert not SessionRow.objects.filter(ended_at=None).exists(), "both sign in anew"
    lock = AccessRow.objects.get(contact_id=kept)
    assert (lock.failures, lock.code) == (3, None)
    assert lock.locked_until is not None
    assert AccessRow.objects.get(contact_id=gone).challenge is None, "a begun passkey ends too"


def test_events_of_both_are_the_persons_and_are_stored_once(desk: Desk, two: tuple[UUID, UUID]) -> None:
    kept, gone = two
    now = desk.clock.now()
    timeline.append([NewEvent(gone, EventKind.VISIT, now, key="visit:7")], clock=desk.clock)
    timeline.append([NewEvent(kept, EventKind.DISCHARGE, now, key="stay:1")], clock=desk.clock)
    merge(desk, kept, gone)
    assert {each.kind for each in timeline.of_contact(kept)} == {EventKind.VISIT, EventKind.DISCHARGE}
    assert {each.contact_id for each in timeline.events_since(0, 1000) if each.contact_id in two} == {kept}
    again = [NewEvent(kept, EventKind.VISIT, now, key="visit:7")]
    assert timeline.append(again, clock=desk.clock) == 0, "an importer tells it of the person: it is known"


def test_an_accounting_counts_both_and_an_erasure_takes_both(desk: Desk, two: tuple[UUID, UUID]) -> None:
    kept, gone = two
    now = desk.clock.now()
    for one in two:
        told = {name: Phi(name) for name in ("recipient", "address", "what", "purpose")}
        privacy.record_disclosure(one, Disclosure(now, ground=Ground.COURT, **told), actor=desk.actor, at=now)
    merge(desk, kept, gone)
    at = desk.clock.now()
    found = privacy.accounting(kept, since=at - timedelta(days=9), actor=desk.actor, at=at)
    assert len(found.told) == 2


def test_nothing_is_merged_while_one_of_them_asked_to_be_erased(desk: Desk, two: tuple[UUID, UUID]) -> None:
    kept, gone = two
    now = desk.clock.now()
    privacy.receive(gone, Kind.ERASURE, note="", received_at=now, actor=desk.actor, at=now)
    with pytest.raises(Conflict, match="erasure"):
        merge(desk, kept, gone)
    assert len(contacts.versions(two)) == 2


def test_a_merge_is_recorded_with_who_and_when_and_without_phi(desk: Desk, two: tuple[UUID, UUID]) -> None:
    kept, gone = two
    who = clerk(desk)
    id = api.merge(kept, gone, {"email": "both"}, WHY, actor=who, at=desk.clock.now())
    for one, other in (two, two[::-1]):
        (entry,) = audit.entries(Filters(action=Action.CONTACT_JOIN, patient_id=one))
        assert entry.actor_id == who.id
        assert entry.details["other"] == str(other)
        assert entry.fields == ("email",)
        assert "Lindqvist" not in str(entry)
        assert WHY not in str(entry)
    assert api.one_merge(id, actor=who).why.reveal() == WHY
    assert [each.id for each in api.merges(actor=who, contact_id=gone)] == [id]


@pytest.mark.parametrize("why", ["", "  ", "x" * 501, "a\x00b"])
def test_a_merge_without_a_reason_is_none(desk: Desk, two: tuple[UUID, UUID], why: str) -> None:
    with pytest.raises(BadInput, match="Say why"):
        api.merge(*two, {}, why, actor=clerk(desk), at=desk.clock.now())


@pytest.mark.parametrize(
    "choice", [{"email": "neither"}, {"state": "both"}, {"secret": "kept"}, {"conditions": "gone"}]
)
def test_a_choice_that_is_none_changes_nothing(
    desk: Desk, two: tuple[UUID, UUID], choice: dict[str, Any]
) -> None:
    with pytest.raises(BadInput, match="no choice"):
        merge(desk, *two, **choice)
    assert len(contacts.versions(two)) == 2


def test_who_may_not_merge_finds_nobody(desk: Desk, two: tuple[UUID, UUID]) -> None:
    kept, gone = two
    stranger, now = clerk(desk, Permission.CONTACTS_RECORD_READ), desk.clock.now()
    for act in (
        lambda: api.propose("", actor=stranger),
        lambda: api.compare(kept, gone, actor=stranger),
        lambda: api.tell_apart(kept, gone, actor=stranger, at=now),
        lambda: api.merge(kept, gone, {}, WHY, actor=stranger, at=now),
        lambda: api.merges(actor=stranger),
        lambda: api.merge(kept, kept, {}, WHY, actor=clerk(desk), at=now),
        lambda: api.merge(kept, new_id(), {}, WHY, actor=clerk(desk), at=now),
        lambda: api.compare(kept, kept, actor=clerk(desk)),
        lambda: api.tell_apart(kept, new_id(), actor=clerk(desk), at=now),
    ):
        with pytest.raises(NotFound):
            act()


def test_another_organization_sees_and_merges_nothing(
    committed: Desk, make_organization: Callable[[], UUID]
) -> None:
    with acting_for(committed.id):
        two = (record(committed, "1001", "ada"), record(committed, "2002", "ada"))
        merged = merge(committed, *two)
        three = record(committed, "3003", "ada")
    other = make_organization()
    who = Actor(
        ActorKind.STAFF, other, new_id(), permissions=frozenset({Permission.CONTACTS_RECORD_MERGE.value})
    )
    with acting_for(other):
        now = committed.clock.now()
        assert contacts.alike(b"", 100) == []
        assert contacts.survivors(two) == {}
        assert api.merges(actor=who) == []
        for act in (
            lambda: api.merge(two[0], three, {}, WHY, actor=who, at=now),
            lambda: api.compare(two[0], three, actor=who),
            lambda: api.tell_apart(two[0], three, actor=who, at=now),
            lambda: api.split(merged, GivenBy.KEPT, WHY, actor=who, at=now),
            lambda: api.one_merge(merged, actor=who),
        ):
            with pytest.raises(NotFound):
                act()
    with acting_for(committed.id):
        assert contacts.whole(two[1]) == two
