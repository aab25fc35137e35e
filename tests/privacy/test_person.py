"""A person's record: asked for, exported, erased everywhere with a record of it; disclosures accounted for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection
from pyroaring import BitMap64

from salus.audiences import api as audiences
from salus.audiences import operations
from salus.audiences.models import FrozenRow
from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.contacts import api as contacts
from salus.delivery import api as delivery
from salus.delivery.contracts import State
from salus.delivery.models import Deposit, MessageRow
from salus.identity.contracts import Organization, Permission, Role
from salus.inbox import api as inbox
from salus.inbox.contracts import NewTask
from salus.kernel.acting import Actor, ActorKind
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.ids import new_id
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import Channel, PhiClass
from salus.keys import api as keys
from salus.permissions import api as permissions
from salus.permissions.contracts import EntryKind, NewEntry
from salus.platform.tenancy import acting_for
from salus.privacy import api, request_rules
from salus.privacy.contracts import Disclosed, Disclosure, Ground, Kind, Status, Suspension
from salus.timeline import api as timeline
from salus.timeline.contracts import EventKind, NewEvent
from salus.wiring.person import PACKAGES
from salus.wiring.sealed import COLUMNS
from tests.delivery.conftest import Desk, furnish

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CANARY = "Zephyrine-Quillfeather"


@pytest.fixture
def desk(make_clinic: Callable[..., Organization]) -> Desk:
    """A clinic of its own, really committed: an erasure has a transaction a package."""
    api.use_packages(PACKAGES)
    return furnish(make_clinic())


def officer(desk: Desk) -> Actor:
    """Return a person who answers requests."""
    return Actor(
        ActorKind.STAFF, desk.id, new_id(), permissions=frozenset({Permission.PRIVACY_REQUEST_DO.value})
    )


def furnished(desk: Desk) -> UUID:
    """Return a person of whom every package holds something, beside somebody else."""
    with acting_for(desk.id):
        person, _other = desk.admit("zephyrine", "bert")
        contacts.change_attributes(
            [(contacts.numbers_of([person])[person], {"family_name": CANARY})], desk.actor, clock=desk.clock
        )
        now = desk.clock.now()
        permissions.opt_in(
            person, "news", Channel.EMAIL, evidence="web form", actor=desk.actor, clock=desk.clock
        )
        permissions.append(
            [
                NewEntry(
                    person, EntryKind.RESTRICTION, now, f"letter of {CANARY}", details={"channels": ["sms"]}
                )
            ],
            actor=desk.actor,
            clock=desk.clock,
        )
        timeline.append([NewEvent(person, EventKind.VISIT, now, key="visit:1")], clock=desk.clock)
        inbox.create_tasks(
            [NewTask("t1", person, Role.PRIVACY_OFFICER, f"Call {CANARY}", now + timedelta(days=1), "")],
            actor=desk.actor,
            at=now,
        )
        desk.release()
    return person


def asked(desk: Desk, person: UUID, kind: Kind) -> UUID:
    with acting_for(desk.id):
        now = desk.clock.now()
        id = api.receive(person, kind, note=f"{CANARY} came in", received_at=now, actor=desk.actor, at=now)
        api.approve(id, actor=officer(desk), at=now)
    return id


def test_a_person_gets_everything_that_is_held_of_them(desk: Desk) -> None:
    person = furnished(desk)
    id = asked(desk, person, Kind.ACCESS)
    with acting_for(desk.id):
        found = api.export(id, actor=desk.actor, at=desk.clock.now())
        assert found["contacts"]["family_name"] == CANARY
        assert {each["kind"] for each in found["permissions"]["permissions"]} >= {"opt_in", "restriction"}
        assert found["timeline"]["events"]
        assert found["inbox"]["tasks"][0]["title"] == f"Call {CANARY}"
        assert api.request(id, actor=desk.actor).status is Status.DONE
        assert audit.entries(Filters(action=Action.PRIVACY_EXPORT, patient_id=person))


def test_an_erasure_reaches_every_package_and_says_what_stays_and_why(desk: Desk) -> None:
    person = furnished(desk)
    id = asked(desk, person, Kind.ERASURE)
    steps = api.erase(desk.id, id, actor=desk.actor, clock=desk.clock)
    assert {step.package for step in steps} == {each.name for each in PACKAGES}
    kept = {each.what: each for step in steps for each in step.left.kept}
    assert kept["restriction entries, sealed"].citation == "45 CFR 164.522(a)(3), 164.530(j)(2)"
    with acting_for(desk.id):
        assert not contacts.versions([person])
        assert timeline.of_contact(person) == []
        assert [each.kind for each in permissions.entries_of(person, actor=desk.actor)] == [
            EntryKind.RESTRICTION
        ]
        for row in MessageRow.objects.filter(contact_id=person):
            assert row.state == "cancelled"
        assert delivery.messages_of_contact(person) == []
        assert api.request(id, actor=desk.actor).status is Status.DONE


def test_a_run_that_broke_goes_on_where_it_stopped_and_a_second_one_changes_nothing(desk: Desk) -> None:
    person = furnished(desk)
    id = asked(desk, person, Kind.ERASURE)

    def broken(*_: object) -> None:
        raise RuntimeError("the machine died")

    names = [each.name for each in PACKAGES]
    api.use_packages([*PACKAGES[:4], replace(PACKAGES[4], erase=broken)])  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="died"):
        api.erase(desk.id, id, actor=desk.actor, clock=desk.clock)
    with acting_for(desk.id):
        assert {each.package for each in api.steps(id)} == set(names[:4])
        assert api.request(id, actor=desk.actor).status is Status.APPROVED
    api.use_packages(PACKAGES)
    first = api.erase(desk.id, id, actor=desk.actor, clock=desk.clock)
    assert api.erase(desk.id, id, actor=desk.actor, clock=desk.clock) == first
    with acting_for(desk.id):
        done = audit.entries(Filters(action=Action.PRIVACY_ERASE, patient_id=person))
        assert len(done) == len(PACKAGES)


def test_who_was_erased_is_not_written_to_because_of_an_old_file_but_may_ask_anew(desk: Desk) -> None:
    person = furnished(desk)
    api.erase(desk.id, asked(desk, person, Kind.ERASURE), actor=desk.actor, clock=desk.clock)
    with acting_for(desk.id):
        desk.people.remove(person)
        (again,) = desk.admit("zephyrine")
        assert again != person
        origin, _ = desk.plan()
        row = MessageRow.objects.get(origin_id=origin.id, contact_id=again)
        assert (row.state, row.reason) == ("refused", "address_suppressed")
        desk.clock.advance(timedelta(minutes=1))
        permissions.opt_in(
            again, "care", Channel.EMAIL, evidence="in person", actor=desk.actor, clock=desk.clock
        )
        origin, _ = desk.plan()
        assert MessageRow.objects.get(origin_id=origin.id, contact_id=again).reason != "address_suppressed"


def test_nobody_is_erased_before_it_is_approved_or_for_another_request(desk: Desk) -> None:
    person = furnished(desk)
    with acting_for(desk.id):
        now = desk.clock.now()
        open_one = api.receive(person, Kind.ERASURE, note="", received_at=now, actor=desk.actor, at=now)
    with pytest.raises(Conflict, match="open"):
        api.erase(desk.id, open_one, actor=desk.actor, clock=desk.clock)
    with pytest.raises(Conflict, match="something else"):
        api.erase(desk.id, asked(desk, person, Kind.ACCESS), actor=desk.actor, clock=desk.clock)
    with pytest.raises(NotFound):
        api.erase(desk.id, new_id(), actor=desk.actor, clock=desk.clock)
    with acting_for(desk.id):
        assert contacts.versions([person])


def test_the_ledgers_give_up_rows_of_the_one_person_who_is_erased_only(desk: Desk) -> None:
    person = furnished(desk)
    for setting in ("", str(new_id())):
        with pytest.raises(IntegrityError, match="append-only"):
            tear_out(desk, person, setting)


def tear_out(desk: Desk, person: UUID, setting: str) -> None:
    with acting_for(desk.id), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('salus.erasing', %s, true)", [setting])
        cursor.execute("DELETE FROM permissions_entry WHERE contact_id = %s", [person])


def places_of(desk: Desk, *words: str) -> set[str]:
    """Open everything that is sealed anywhere, and return the columns in which a word is found."""
    found = set()
    with acting_for(desk.id), connection.cursor() as cursor:
        for one in COLUMNS:
            names = [name for name, _ in one.key] + list(one.reads)
            cursor.execute(
                f"SELECT {', '.join([*names, one.column])} FROM {one.table} "
                f"WHERE organization_id = %s AND length({one.column}) > 0",
                [desk.id],
            )
            for *row, sealed in cursor.fetchall():
                opened = keys.sealer().open(bytes(sealed), one.bound(desk.id, row)).decode(errors="replace")
                if any(word.casefold() in opened.casefold() for word in words):
                    found.add(f"{one.table}.{one.column}")
    return found


def test_the_name_and_address_are_nowhere_afterwards_but_where_the_law_keeps_them(desk: Desk) -> None:
    person = furnished(desk)
    with acting_for(desk.id):
        desk.settle(*(desk.outcome(each, State.PORTAL) for each in desk.take().prepared))
    words = CANARY, "zephyrine@lakepost.example.test"
    before = places_of(desk, *words)
    assert before >= {"contacts_contact.sealed", "delivery_message.sealed", "inbox_task.sealed"}
    api.erase(desk.id, asked(desk, person, Kind.ERASURE), actor=desk.actor, clock=desk.clock)
    assert places_of(desk, *words) == {"permissions_entry.sealed", "privacy_request.sealed"}, (
        "the agreed restriction (164.522(a)(3)) and the request itself (164.530(j)) are kept"
    )
    with acting_for(desk.id):
        assert not any(bytes(row.sealed) for row in Deposit.objects.filter(contact_id=person))
        assert find_in_the_open(desk, *words) == set()


def find_in_the_open(desk: Desk, *words: str) -> set[str]:
    """Return the tables that hold one of `words` as plain text, whatever the column."""
    found = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table.startswith("procrastinate"):
                continue
            for word in words:
                cursor.execute(f"SELECT EXISTS (SELECT FROM {table} t WHERE t::text ILIKE %s)", [f"%{word}%"])
                if cursor.fetchone()[0]:
                    found.add(table)
    return found


def test_a_frozen_membership_keeps_a_number_only_and_the_completion_record_says_so(desk: Desk) -> None:
    person = furnished(desk)
    with acting_for(desk.id):
        number = contacts.numbers_of([person])[person]
        listed = audiences.create_static(
            "Called back", desk.actor, tells=[PhiClass.CONTACT], clock=desk.clock
        ).id
        operations.change_members(listed, [number], wanted=True, actor=desk.actor)
        FrozenRow(
            id=(frozen := new_id()),
            segment_id=listed,
            segment_version=1,
            change=1,
            count=1,
            frozen_at=desk.clock.now(),
            sealed=keys.sealer().seal(b"{}", keys.binding(desk.id, "audiences_frozen", frozen)),
            sealed_members=keys.sealer().seal(
                BitMap64([number]).serialize(), keys.binding(desk.id, "audiences_frozen.members", frozen)
            ),
        ).save(force_insert=True)
    steps = api.erase(desk.id, asked(desk, person, Kind.ERASURE), actor=desk.actor, clock=desk.clock)
    (of_lists,) = [step.left for step in steps if step.package == "audiences"]
    assert of_lists.erased == {"lists": 1}
    assert [(each.count, "number" in each.what) for each in of_lists.kept] == [(1, True)]
    with acting_for(desk.id):
        assert contacts.ids_of([number]) == {}, "the number leads to nobody"


def test_a_request_is_extended_once_with_its_reason_and_in_time(desk: Desk) -> None:
    with acting_for(desk.id):
        (person,) = desk.admit("ada")
        start = desk.clock.now()
        id = api.receive(person, Kind.ACCESS, note="", received_at=start, actor=desk.actor, at=start)
        assert api.request(id, actor=desk.actor).due_at == start + timedelta(days=30)
        with pytest.raises(BadInput, match="Say why"):
            api.extend(id, reason=" ", actor=desk.actor, at=start)
        with pytest.raises(Conflict, match="over"):
            api.extend(id, reason="an archive", actor=desk.actor, at=start + timedelta(days=31))
        assert api.overdue(start + timedelta(days=31)) == 1
        api.extend(id, reason="an archive", actor=desk.actor, at=start)
        assert api.request(id, actor=desk.actor).due_at == start + timedelta(days=60)
        with pytest.raises(Conflict, match="one extension"):
            api.extend(id, reason="again", actor=desk.actor, at=start)
        with pytest.raises(BadInput, match="future"):
            api.receive(
                person,
                Kind.ACCESS,
                note="",
                received_at=start + timedelta(days=1),
                actor=desk.actor,
                at=start,
            )
        with pytest.raises(BadInput, match="refused"):
            api.refuse(id, reason="", actor=officer(desk), at=start)
        api.refuse(id, reason="not in our records", actor=officer(desk), at=start)
        with pytest.raises(Conflict, match="refused"):
            api.approve(id, actor=officer(desk), at=start)


def made(at: datetime, ground: Ground, **more: str) -> Disclosure:
    said = {
        "recipient": "County Court",
        "address": "1 Main St",
        "what": "visit notes",
        "purpose": "order",
        **more,
    }
    return Disclosure(at, ground=ground, **{name: Phi(text) for name, text in said.items()})


@pytest.mark.parametrize("ground", list(Ground))
def test_an_accounting_tells_all_but_the_eight_exempt_grounds(ground: Ground) -> None:
    one = Disclosed(new_id(), made(NOW, ground), None)
    found = request_rules.account([one], NOW - timedelta(days=1), NOW)
    assert (len(found.told), sum(found.exempt.values())) == (
        (0, 1) if ground in request_rules.EXEMPT else (1, 0)
    )
    assert len(request_rules.EXEMPT) == 8
    assert all(law.startswith("45 CFR 164.528(a)(1)(") for law in request_rules.EXEMPT.values())


def test_an_accounting_covers_six_years_and_leaves_out_what_an_agency_suspended() -> None:
    old = Disclosed(new_id(), made(NOW - timedelta(days=6 * 366), Ground.COURT), None)
    silent, over = (
        Disclosed(new_id(), made(NOW, Ground.OVERSIGHT), stated(until))
        for until in (NOW + timedelta(days=5), NOW)
    )
    found = request_rules.account([old, silent, over], datetime(2000, 1, 1, tzinfo=UTC), NOW)
    assert found.told == (over,)
    assert found.suspended == (silent,)


def stated(until: datetime, *, in_writing: bool = True, by: str = "Agent Roe, State Police") -> Suspension:
    return Suspension(Phi(by), until, in_writing)


def test_disclosures_are_entered_suspended_and_told(desk: Desk) -> None:
    with acting_for(desk.id):
        (person,) = desk.admit("ada")
        now = desk.clock.now()
        court = api.record_disclosure(person, made(now, Ground.COURT), actor=desk.actor, at=now)
        police = api.record_disclosure(person, made(now, Ground.LAW_ENFORCEMENT), actor=desk.actor, at=now)

        def suspend(id: UUID, days: int, *, later: int = 0, **how: Any) -> None:
            at = now + timedelta(days=later)
            api.suspend(person, id, stated(now + timedelta(days=days), **how), actor=desk.actor, at=at)

        with pytest.raises(Conflict, match="oversight"):
            suspend(court, 9)
        with pytest.raises(NotFound):
            suspend(new_id(), 9)
        for wrong, why in (
            ({"days": 31, "in_writing": False}, "30 days"),
            ({"days": 0}, "to come"),
            ({"days": 9, "by": " "}, "agency"),
        ):
            with pytest.raises(BadInput, match=why):
                suspend(police, **wrong)
        suspend(police, 30, in_writing=False)
        with pytest.raises(BadInput, match="said first"):
            suspend(police, 40, later=20, in_writing=False)
        found = api.accounting(person, since=now - timedelta(days=1), actor=desk.actor, at=now)
        assert [each.id for each in found.told] == [court]
        assert [
            (each.suspension.by.reveal(), each.suspension.in_writing)
            for each in found.suspended
            if each.suspension
        ] == [("Agent Roe, State Police", False)]
        assert "State Police" not in api.letter(found, "en", UTC)
        after = api.accounting(
            person, since=now - timedelta(days=1), actor=desk.actor, at=now + timedelta(days=30)
        )
        assert {each.id for each in after.told} == {court, police}, "it ended by itself"
        suspend(police, 400, later=31)
        later = now + timedelta(days=399)
        assert len(api.accounting(person, since=now, actor=desk.actor, at=later).suspended) == 1
        assert found.told[0].facts.recipient.reveal() == "County Court"
        for fault in ({"recipient": ""}, {"what": "x" * 501}, {"purpose": "a\x00"}):
            with pytest.raises(BadInput):
                api.record_disclosure(person, made(now, Ground.COURT, **fault), actor=desk.actor, at=now)
        with pytest.raises(NotFound):
            api.record_disclosure(new_id(), made(now, Ground.COURT), actor=desk.actor, at=now)
