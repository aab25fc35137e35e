"""The ledger on a real database: what is stored, what is refused, who is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from uuid import UUID

import psycopg
import pytest
from django.db import DatabaseError, connection, connections, transaction

from salus.kernel.acting import Actor, system
from salus.kernel.errors import BadInput, NotFound
from salus.kernel.ids import new_id
from salus.kernel.time import FAR, FakeClock
from salus.kernel.vocabulary import Channel
from salus.permissions import api
from salus.permissions.contracts import Appended, AuthorizationState, EntryKind, NewEntry
from salus.permissions.models import LedgerEntry, StandingRow
from salus.platform.tenancy import NoTenant, acting_for

from ..conftest import World
from .cast import DAY, GOOD_FORM, NOW
from .conftest import make_people

K = EntryKind
EMAIL = Channel.EMAIL
People = Callable[[int], list[UUID]]


def opt_in(contact_id: UUID, key: str = "", topic: str = "diabetes care") -> NewEntry:
    return NewEntry(contact_id, K.OPT_IN, NOW - DAY, "web form", topic=topic, channel=EMAIL, key=key)


def test_a_contact_without_entries_has_version_0_and_an_open_ended_standing(rosa: UUID) -> None:
    found = api.standings([rosa], NOW)[rosa]
    assert (found.version, found.valid_until, found.opt_ins) == (0, FAR, ())
    assert api.versions([rosa]) == {rosa: 0}


def test_entries_are_stored_and_change_standing_and_version(rosa: UUID, actor: Actor) -> None:
    [entry_id] = api.append([opt_in(rosa)], actor=actor)
    found = api.standing(rosa, NOW)
    assert found.version == 1
    assert found.opt_ins[0].evidence_id == entry_id
    api.opt_out(rosa, "diabetes care", None, evidence="phone call", actor=actor, clock=FakeClock(NOW))
    after = api.standing(rosa, NOW)
    assert after.version == 2
    assert after.opted_out("diabetes care", EMAIL) is not None


def test_every_detail_comes_back_from_the_ledger(rosa: UUID, actor: Actor) -> None:
    details = GOOD_FORM | {"record": {"ip": "::1"}, "note": "came with her daughter"}
    api.append(
        [
            NewEntry(
                rosa, K.AUTHORIZATION, NOW - DAY, "paper", valid_until=NOW + DAY, key="doc-1", details=details
            )
        ],
        actor=actor,
        clock=FakeClock(NOW),
    )
    [entry] = api.entries_of(rosa, actor=actor)
    assert (entry.details, entry.evidence, entry.key) == (details, "paper", "doc-1")
    assert (entry.at, entry.recorded_at, entry.valid_until) == (NOW - DAY, NOW, NOW + DAY)


def test_the_same_key_is_stored_once_also_within_one_batch(rosa: UUID, actor: Actor) -> None:
    first = api.append([opt_in(rosa, "row-1"), opt_in(rosa, "row-1")], actor=actor)
    again = api.append([opt_in(rosa, "row-1")], actor=actor)
    assert len({*first, *again}) == 1
    assert len(api.entries_of(rosa, actor=actor)) == 1
    assert api.versions([rosa]) == {rosa: 1}


def test_the_same_key_of_another_person_is_another_entry(people: People, actor: Actor) -> None:
    rosa, bob = people(2)
    assert len(set(api.append([opt_in(rosa, "row-1"), opt_in(bob, "row-1")], actor=actor))) == 2


def test_one_bad_entry_stores_nothing_and_is_named(people: People, actor: Actor) -> None:
    rosa, bob = people(2)
    with pytest.raises(BadInput) as caught:
        api.append([opt_in(rosa), replace(opt_in(bob), topic="")], actor=actor)
    assert caught.value.place == "entry 2: topic"
    assert api.versions([rosa, bob]) == {rosa: 0, bob: 0}


def test_an_unknown_person_is_refused(rosa: UUID, actor: Actor) -> None:
    with pytest.raises(NotFound):
        api.append([opt_in(rosa), opt_in(new_id())], actor=actor)


def test_entries_of_absent_people_can_be_left_out(rosa: UUID, actor: Actor) -> None:
    ids = api.append([opt_in(new_id()), opt_in(rosa)], actor=actor, skip_absent=True)
    assert [entry.id for entry in api.entries_of(rosa, actor=actor)] == ids
    assert api.append([opt_in(new_id())], actor=actor, skip_absent=True) == []


def test_only_an_entry_of_the_same_person_and_right_kind_can_be_ended(people: People, actor: Actor) -> None:
    rosa, bob = people(2)
    [of_bob] = api.append(
        [NewEntry(bob, K.AUTHORIZATION, NOW - DAY, "paper", valid_until=NOW + DAY, details=GOOD_FORM)],
        actor=actor,
    )
    [opted_in] = api.append([opt_in(rosa)], actor=actor)
    for wrong in (of_bob, opted_in, new_id()):
        with pytest.raises(BadInput) as caught:
            api.revoke_authorization(rosa, wrong, evidence="letter", actor=actor)
        assert caught.value.place == "entry 1: ends"


def test_a_revocation_shows_in_the_file_and_ends_the_authorization(rosa: UUID, actor: Actor) -> None:
    signed = NewEntry(rosa, K.AUTHORIZATION, NOW - DAY, "paper", valid_until=NOW + DAY, details=GOOD_FORM)
    [signed_id] = api.append([signed], actor=actor)
    assert api.standing(rosa, NOW).valid_until == NOW + DAY
    revoked_id = api.revoke_authorization(
        rosa, signed_id, evidence="letter", actor=actor, clock=FakeClock(NOW)
    )
    assert api.standing(rosa, NOW).authorizations == ()
    [form] = api.filed_forms(rosa, NOW, actor=actor)
    assert (form.state, form.revoked_by) == (AuthorizationState.REVOKED, revoked_id)


def test_check_authorization_names_the_paragraphs() -> None:
    assert api.check_authorization(GOOD_FORM, NOW, valid_until=NOW + DAY) == ()
    assert api.check_authorization(GOOD_FORM, NOW, valid_until=NOW) == ("164.508(b)(2)(i) expired",)
    assert api.check_authorization({**GOOD_FORM, "recipient": ""}, NOW) == (
        "164.508(c)(1)(iii) nobody named who may receive",
        "164.508(c)(1)(v) no expiration",
    )
    with pytest.raises(BadInput, match="does not fit"):
        api.check_authorization({"signed_at": "yesterday"}, NOW)
    with pytest.raises(BadInput, match="no such detail"):
        api.check_authorization({"singed_at": "2026-01-10"}, NOW)


def test_a_suppressed_address_carries_the_blind_index_of_the_contacts(rosa: UUID, actor: Actor) -> None:
    from salus.contacts import api as contacts

    api.suppress(
        rosa, EMAIL, "hard_bounce", evidence="5.1.1", address="rosa@lakepost.example.org", actor=actor
    )
    [held] = api.standing(rosa, NOW + 10_000 * DAY).suppressions
    assert held.address_blind == contacts.blind_address(EMAIL, "rosa@lakepost.example.org")


def test_addresses_are_kept_in_normal_form_and_bad_ones_are_refused(rosa: UUID, actor: Actor) -> None:
    api.suppress(rosa, EMAIL, "complaint", evidence="loop", address=" Rosa@LAKEPOST.example.org", actor=actor)
    lifted = NewEntry(
        rosa,
        K.SUPPRESSION_LIFTED,
        NOW,
        "call",
        channel=EMAIL,
        details={"address": "rosa@lakepost.example.org"},
    )
    api.append([replace(lifted, at=NOW + 9_000 * DAY)], actor=actor)
    assert api.standing(rosa, NOW + 9_001 * DAY).suppressions == ()
    with pytest.raises(BadInput) as caught:
        api.suppress(rosa, EMAIL, "complaint", evidence="loop", address="rosa at lakepost", actor=actor)
    assert caught.value.place == "entry 1: details.address"


def test_changes_come_in_order_and_each_contact_once(people: People, actor: Actor) -> None:
    rosa, bob = people(2)
    for contact_id in (rosa, bob, rosa):
        api.append([opt_in(contact_id)], actor=actor)
    changes = api.changes(0, 10)
    assert [change.contact_id for change in changes] == [bob, rosa]
    assert changes[-1].change == api.head_change()
    assert api.changes(api.head_change(), 10) == []
    assert [change.contact_id for change in api.changes(0, 1)] == [bob]


def test_listeners_learn_ids_and_kinds_in_the_same_transaction(rosa: UUID, actor: Actor) -> None:
    heard: list[Appended] = []
    stop = api.on_change(heard.extend)
    try:
        [entry_id] = api.append([opt_in(rosa, "row-1")], actor=actor)
        api.append([opt_in(rosa, "row-1")], actor=actor)
    finally:
        stop()
    api.append([opt_in(rosa)], actor=actor)
    assert heard == [Appended(rosa, entry_id, K.OPT_IN)]


def test_each_entry_and_each_look_is_in_the_audit_log(rosa: UUID, actor: Actor) -> None:
    [entry_id] = api.append([opt_in(rosa)], actor=actor)
    api.entries_of(rosa, actor=actor, purpose="support")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT action, object_id FROM audit_entry WHERE organization_id = %s AND patient_id = %s "
            "AND action LIKE 'permissions:%%' ORDER BY id",
            [actor.organization_id, rosa],
        )
        assert cursor.fetchall() == [("permissions:entry:append", entry_id), ("permissions:entry:read", None)]


def test_nothing_of_an_entry_is_stored_in_clear(rosa: UUID, actor: Actor) -> None:
    api.append([opt_in(rosa, key="canary-key", topic="canary topic")], actor=actor)
    with connection.cursor() as cursor:
        for table in ("permissions_entry", "permissions_standing"):
            cursor.execute(f"SELECT string_agg(t::text || encode(t.sealed, 'escape'), '') FROM {table} AS t")
            dump = cursor.fetchone()[0]
            assert not any(word in dump for word in ("canary", "opt_in", "web form", "newsletter"))


@pytest.mark.parametrize(
    "statement", ["UPDATE permissions_entry SET contact_id = id", "DELETE FROM permissions_entry"]
)
def test_the_database_refuses_to_change_or_delete_an_entry(rosa: UUID, actor: Actor, statement: str) -> None:
    api.append([opt_in(rosa)], actor=actor)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_standing_is_rebuilt_from_the_ledger(people: People, actor: Actor) -> None:
    rosa, bob = people(2)
    api.append([opt_in(rosa), opt_in(bob), opt_in(rosa, topic="events")], actor=actor)
    before = api.standings([rosa, bob], NOW)
    assert api.rebuild_standings([rosa, bob]) == 0
    StandingRow.objects.filter(contact_id=rosa).update(sealed=b"spoiled")
    with pytest.raises(BadInput):
        api.standings([rosa], NOW)
    assert api.rebuild_standings([rosa, bob]) == 1
    after = api.standings([rosa, bob], NOW)
    assert after[rosa] == replace(before[rosa], version=2)
    assert after[bob] == before[bob]


def test_a_standing_written_by_other_rules_is_folded_from_the_ledger(
    rosa: UUID, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.append([opt_in(rosa)], actor=actor)
    before = api.standing(rosa, NOW)
    monkeypatch.setattr("salus.permissions.summary.RULES_VERSION", 0)
    assert api.standing(rosa, NOW) == before
    assert api.rebuild_standings([rosa]) == 1


def test_a_standing_that_somebody_removed_hides_no_restriction_from_the_gate(
    rosa: UUID, actor: Actor
) -> None:
    api.append([NewEntry(rosa, K.RESTRICTION, NOW - DAY, "letter")], actor=actor)
    StandingRow.objects.filter(contact_id=rosa).delete()
    standing = api.standing(rosa, NOW)
    assert len(standing.restrictions) == 1
    assert standing.version == api.versions([rosa])[rosa] == 0


def test_a_standing_that_somebody_removed_hides_no_restriction_from_the_next_entry(
    rosa: UUID, actor: Actor
) -> None:
    api.append([NewEntry(rosa, K.RESTRICTION, NOW - DAY, "letter")], actor=actor)
    before = api.versions([rosa])[rosa]
    StandingRow.objects.filter(contact_id=rosa).delete()
    api.append([opt_in(rosa)], actor=actor)
    assert len(api.standing(rosa, NOW).restrictions) == 1
    assert api.versions([rosa])[rosa] > before


def test_an_older_standing_put_back_does_not_open(rosa: UUID, actor: Actor) -> None:
    api.append([opt_in(rosa)], actor=actor)
    older = StandingRow.objects.get(contact_id=rosa).sealed
    api.opt_out(rosa, "*", None, evidence="phone", actor=actor)
    StandingRow.objects.filter(contact_id=rosa).update(sealed=older)
    with pytest.raises(BadInput):
        api.standing(rosa, NOW)


def test_outside_an_organization_there_is_nothing(rosa: UUID) -> None:
    from salus.platform import tenancy

    token = tenancy._current.set(None)
    try:
        with pytest.raises(NoTenant):
            api.standings([rosa], NOW)
        with pytest.raises(NoTenant):
            LedgerEntry.objects.count()
    finally:
        tenancy._current.reset(token)


def test_another_organization_sees_and_changes_nothing(organization: UUID, other_organization: UUID) -> None:
    with acting_for(organization):
        staff = system(organization, "test")
        [rosa] = make_people(1, staff)
        api.append([opt_in(rosa)], actor=staff)
    with acting_for(other_organization):
        outsider = system(other_organization, "test")
        assert api.standing(rosa, NOW).version == 0
        assert api.changes(0, 10) == []
        assert api.entries_of(rosa, actor=outsider) == []
        with pytest.raises(NotFound):
            api.opt_out(rosa, "*", None, evidence="guess", actor=outsider)
        with connection.cursor() as cursor:  # past the manager: row-level security alone
            cursor.execute("SELECT count(*) FROM permissions_entry WHERE contact_id = %s", [rosa])
            assert cursor.fetchone() == (0,)


def test_two_writers_of_one_person_wait_for_each_other(organization: UUID) -> None:
    staff = system(organization, "test")
    with acting_for(organization):
        rosa, bob = make_people(2, staff)

    def write(order: Sequence[UUID]) -> None:
        try:
            for _ in range(5):
                with acting_for(organization):
                    api.append([opt_in(contact_id) for contact_id in order], actor=staff)
        finally:
            connections.close_all()

    writers = [threading.Thread(target=write, args=(order,)) for order in ([rosa, bob], [bob, rosa])]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    with acting_for(organization):
        assert api.versions([rosa, bob]) == {rosa: 10, bob: 10}
        assert len(api.entries_of(rosa, actor=staff)) == 10
        assert api.rebuild_standings([rosa, bob]) == 0


def test_a_thousand_standings_cost_one_query(people: People, actor: Actor) -> None:
    crowd = people(1000)
    entries = [opt_in(contact_id, topic=topic) for contact_id in crowd for topic in ("newsletter", "events")]
    signed = [
        NewEntry(contact_id, K.AUTHORIZATION, NOW - DAY, "paper", valid_until=NOW + DAY, details=GOOD_FORM)
        for contact_id in crowd[::4]
    ]
    api.append(entries + signed, actor=actor)
    api.standings(crowd, NOW)  # warm: keys are unwrapped once
    connection.force_debug_cursor = True
    connection.queries_log.clear()
    try:
        found = api.standings(crowd, NOW)
        asked = [query["sql"] for query in connection.queries_log if "keys" not in query["sql"]]
        assert len(asked) == 1
    finally:
        connection.force_debug_cursor = False
    assert all(len(standing.opt_ins) == 2 for standing in found.values())


def test_a_stolen_database_does_not_tell_the_kind_of_an_entry(organization: UUID, database: World) -> None:
    staff = system(organization, "test")
    with acting_for(organization):
        [rosa] = make_people(1, staff)
        api.append([NewEntry(rosa, K.DECEASED, NOW, "family called")], actor=staff)
    with psycopg.connect(database.superuser_dsn) as stolen:
        rows = stolen.execute("SELECT * FROM permissions_entry WHERE contact_id = %s", [rosa]).fetchall()
    assert len(rows) == 1
    assert b"deceased" not in bytes(rows[0][-1])
