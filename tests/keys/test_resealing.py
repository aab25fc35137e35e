"""After a rotation everything is brought to the new key, while the house goes on, and over any death."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, models

from salus.audiences import lists
from salus.audiences import queries as audience_queries
from salus.audit import api as audit
from salus.audit.contracts import Filters
from salus.campaigns import queries as campaign_queries
from salus.contacts import api as contacts
from salus.contacts import queries as contact_queries
from salus.contacts.contracts import Address, ContactPatch, Identifier
from salus.delivery import calls, deposits, planning, sealing
from salus.files import queries as file_queries
from salus.inbox import queries as inbox_queries
from salus.intake import plan, uploads
from salus.journeys import entering
from salus.journeys.models import WayRow
from salus.kernel.acting import Actor, system
from salus.kernel.errors import BadInput, Conflict
from salus.kernel.ids import new_id
from salus.kernel.phi import Phi
from salus.kernel.time import FakeClock, SystemClock
from salus.kernel.vocabulary import AddressSource, Channel
from salus.keys import api as keys
from salus.permissions import queries as permission_queries
from salus.platform import bulk
from salus.platform.tenancy import acting_for
from salus.timeline import api as timeline
from salus.timeline import queries as timeline_queries
from salus.timeline.contracts import EventKind, NewEvent
from salus.vendors import sealing as vendor_sealing
from salus.wiring import sealed

NOT_SEALED = {
    "identity_answer.digest",
    "identity_answer.fingerprint",
    "identity_apikey.secret_hash",
    "identity_guard.key",
    "identity_provider_link.subject",
    "identity_spent_assertion.digest",
    "patients_access.code",
    "journeys_enrolment.occurrence",
    "delivery_receiptbatch.root",
    "delivery_receipt.body",
    "timeline_event.key",
    "contacts_blind.blind",
    "permissions_barred.blind",
    "keys_key.wrapped",
    "domains_report.blind",
    "sealedmail_anchor.certificate",
}
"""Hashes, blind indexes, public receipts and certificates, and keys that another key wraps."""


def officer(organization: UUID) -> Actor:
    return system(organization, "test")


def people(organization: UUID, count: int) -> None:
    """Admit invented people, each with one event on the timeline."""
    actor = officer(organization)
    with acting_for(organization):
        fates = contacts.merge(
            [
                ContactPatch(
                    identifiers=(Identifier("mrn", Phi(f"K{number:06d}")),),
                    addresses=(
                        Address(
                            Channel.EMAIL,
                            Phi(f"rosa{number}@lakepost.example.org"),
                            AddressSource.CLINICAL_ENCOUNTER,
                            "desk",
                            date(2026, 1, 1),
                        ),
                    ),
                    values={"given_name": f"Rosa{number}", "city": "Olathe"},
                )
                for number in range(count)
            ],
            actor=actor,
        )
        timeline.append(
            [
                NewEvent(fate.contact_id, EventKind.OPTED_IN, datetime(2026, 1, 2, tzinfo=UTC), key="one")
                for fate in fates
                if fate.contact_id
            ],
            actor=actor,
        )


def later() -> FakeClock:
    return FakeClock(SystemClock().now() + timedelta(days=2))


def left(organization: UUID) -> dict[str, int]:
    with acting_for(organization):
        from salus.keys.walking import walks

        return {walk.name: count for walk in walks("data") if (count := walk.left())}


def test_every_column_of_ciphertexts_is_in_the_table_that_is_walked() -> None:
    stored = {
        f"{model._meta.db_table}.{field.column}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.BinaryField) and model.__module__.startswith("salus.")
    }
    known = {column.name for column in sealed.COLUMNS}
    hashes = {name for name in stored if name.startswith("audit_")} | NOT_SEALED
    assert stored - hashes == known
    assert not known & hashes


def test_the_bindings_are_those_of_the_packages(tenant: UUID) -> None:
    row, other, short = new_id(), new_id(), b"0123456789abcdef"
    way = WayRow(journey_id=row, key=other)
    usual = {
        "contacts_contact.sealed": ((1, row), contact_queries.associated(tenant, row)),
        "timeline_event.sealed": ((1, row, short), timeline_queries.binding(tenant, row, short)),
        "permissions_standing.sealed": ((row, 7), permission_queries.binding(row, 7)),
        "permissions_entry.sealed": ((row,), keys.binding(tenant, permission_queries.ENTRY, row)),
        "audiences_segment.sealed": ((row,), keys.binding(tenant, audience_queries.SEGMENT_TABLE, row)),
        "audiences_frozen.sealed": ((row,), keys.binding(tenant, audience_queries.FROZEN_TABLE, row)),
        "audiences_frozen.sealed_members": (
            (row,),
            keys.binding(tenant, audience_queries.MEMBERS_TABLE, row),
        ),
        "audiences_listed.sealed": ((row, 3), lists._binding(tenant, row, 3)),
        "intake_import.sealed": ((row,), plan._bound(row)),
        "intake_chunk.sealed": ((row, 2, 5), uploads._associated(tenant, row, 2, 5)),
        "files_piece.sealed": ((row, 3), file_queries.piece_binding(row, 3)),
        "delivery_origin.spec": ((row,), planning._binding(row)),
        "delivery_message.sealed": ((row,), sealing.message_binding(tenant, row)),
        "delivery_deposit.sealed": ((row,), deposits.binding(row)),
        "delivery_call.sealed": ((row,), calls._binding(row)),
        "campaigns_campaign.sealed": ((row,), campaign_queries.binding(row)),
        "inbox_task.sealed": ((row,), inbox_queries.binding(row)),
        "inbox_task.sealed_note": ((row,), inbox_queries.binding(row)),
        "journeys_way.sealed_members": ((row, other), entering._binding(way)),
        "journeys_way.sealed_coming": ((row, other), entering._binding(way)),
        "vendors_vendor.sealed": ((row,), vendor_sealing._binding("vendors_vendor", row)),
    }
    for column in sealed.COLUMNS:
        if column.name in usual:
            values, binding = usual[column.name]
            assert column.bound(tenant, values) == binding, column.name
        else:
            assert column.bound(tenant, (row,)) == keys.binding(tenant, column.table, row), column.name


def test_a_rotation_brings_everything_to_the_new_key_and_then_the_old_one_can_go(organization: UUID) -> None:
    people(organization, 30)
    actor = officer(organization)
    with acting_for(organization):
        keys.rotate("data", actor=actor)
    assert left(organization) == {"contacts_contact.sealed": 30, "timeline_event.sealed": 30}
    told: list[Any] = []
    keys.reseal(organization, actor=actor, tell=told.append)
    assert left(organization) == {}
    with acting_for(organization):
        progress = {each.name: each for each in keys.progress()}
        assert progress["contacts_contact.sealed"].done == 30
        assert all(each.finished_at for each in progress.values())
        assert keys.destroy_retired("data", actor=actor) == 0  # not a day yet
        assert keys.destroy_retired("data", actor=actor, clock=later()) == 1
    keys.forget_cached()
    with acting_for(organization):
        (opened,) = contacts.open_fields(numbers=[7], fields=["city"], purpose="treatment", actor=actor)
        assert opened.values["city"].reveal() == "Olathe"
        assert len(timeline.of_contact(opened.id, limit=5)) == 1
        (entry,) = audit.entries(Filters(action="keys:reseal:finish"))
        assert entry.details == {"kind": "data", "version": 2, "rows": 60}
    assert told


def test_what_is_written_under_the_old_key_meanwhile_is_counted_and_brought_along(organization: UUID) -> None:
    people(organization, 3)
    actor = officer(organization)
    with acting_for(organization):
        stale = keys.sealer()
        keys.rotate("data", actor=actor)
    keys.reseal(organization, actor=actor)
    with acting_for(organization), connection.cursor() as cursor:  # a process that did not know it yet
        (row,) = contact_queries.rows_by_number([2])
        bound = contact_queries.associated(organization, row.id)
        cursor.execute(
            "UPDATE contacts_contact SET sealed = %s WHERE id = %s",
            [stale.seal(keys.sealer().open(row.sealed, bound), bound), row.id],
        )
    assert left(organization) == {"contacts_contact.sealed": 1}
    with acting_for(organization), pytest.raises(Conflict, match="yet: 1"):
        keys.destroy_retired("data", actor=actor, clock=later())
    keys.reseal(organization, actor=actor)
    assert left(organization) == {}
    with acting_for(organization):
        assert keys.destroy_retired("data", actor=actor, clock=later()) == 1
        (opened,) = contacts.open_fields(numbers=[2], fields=["city"], purpose="treatment", actor=actor)
        assert opened.values["city"].reveal() == "Olathe"


def test_a_row_that_was_changed_while_it_was_opened_keeps_the_change(
    organization: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    people(organization, 2)
    actor = officer(organization)
    with acting_for(organization):
        keys.rotate("data", actor=actor)
    load = bulk.copy_rows

    def change_first(*given: Any) -> Any:
        monkeypatch.setattr(bulk, "copy_rows", load)
        number = contact_queries.rows_by_number([1])[0]
        contacts.change_attributes([(number.number, {"city": "Derby"})], actor=actor)
        return load(*given)

    monkeypatch.setattr(bulk, "copy_rows", change_first)
    keys.reseal(organization, actor=actor)
    assert left(organization) == {}
    with acting_for(organization):
        (opened,) = contacts.open_fields(numbers=[1], fields=["city"], purpose="treatment", actor=actor)
        assert opened.values["city"].reveal() == "Derby"


_DIES = """
import os, signal, sys
from uuid import UUID
from salus.wiring.cli import setup
setup()
from salus.contacts import queries
from salus.kernel.acting import system
from salus.keys import api as keys, walking
from salus.wiring import sealed
import dataclasses
organization = UUID(sys.argv[1])
keys.use_sealed([dataclasses.replace(each, batch=10) for each in sealed.COLUMNS], [], ())
def die(progress):
    if any(each.name == "contacts_contact.sealed" and each.done >= 20 for each in progress):
        os.kill(os.getpid(), signal.SIGKILL)
keys.reseal(organization, actor=system(organization, "test"), tell=die)
"""


def test_a_reseal_that_was_killed_goes_on_where_it_was(organization: UUID, database: Any) -> None:
    people(organization, 45)
    actor = officer(organization)
    with acting_for(organization):
        keys.rotate("data", actor=actor)
    died = subprocess.run([sys.executable, "-c", _DIES, str(organization)], env=database.environment)
    assert died.returncode == -signal.SIGKILL
    assert left(organization)["contacts_contact.sealed"] <= 25
    with acting_for(organization):
        (one,) = [each for each in keys.progress() if each.name == "contacts_contact.sealed"]
        assert (20 <= one.done < 45, one.total, one.finished_at) == (True, 45, None)
    keys.reseal(organization, actor=actor)
    assert left(organization) == {}
    with acting_for(organization):
        (one,) = [each for each in keys.progress() if each.name == "contacts_contact.sealed"]
        assert one.done == 45


def test_whoever_interrupts_it_waits_for_the_batches_at_hand_only(organization: UUID) -> None:
    people(organization, 3)
    actor = officer(organization)
    with acting_for(organization):
        keys.rotate("data", actor=actor)

    def interrupt(progress: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        keys.reseal(organization, actor=actor, tell=interrupt)
    keys.reseal(organization, actor=actor)
    assert left(organization) == {}


def test_a_row_that_does_not_open_stops_the_work_and_the_old_key_stays(organization: UUID) -> None:
    people(organization, 3)
    actor = officer(organization)
    with acting_for(organization):
        keys.rotate("data", actor=actor)
    with acting_for(organization), connection.cursor() as cursor:  # two people's documents exchanged
        cursor.execute(
            "UPDATE contacts_contact SET sealed = (SELECT sealed FROM contacts_contact WHERE number = 1) "
            "WHERE number = 2"
        )
    with pytest.raises(BadInput):
        keys.reseal(organization, actor=actor)
    with acting_for(organization), pytest.raises(Conflict):
        keys.destroy_retired("data", actor=actor, clock=later())


def test_blind_indexes_are_made_anew_and_the_old_key_goes_only_when_nothing_needs_it(
    make_organization: Callable[[], UUID],
) -> None:
    organization = make_organization()
    actor = officer(organization)
    people(organization, 3)
    with acting_for(organization):
        keys.rotate("blind", actor=actor)
        assert len(contacts.find_by_address(Channel.EMAIL, "rosa1@lakepost.example.org")) == 1
        assert contacts.stale_indexes() == 6
        with pytest.raises(Conflict):
            keys.destroy_retired("blind", actor=actor, clock=later())
    keys.reseal(organization, actor=actor)
    with acting_for(organization):
        assert contacts.stale_indexes() == 0
        # An event's own key is kept nowhere: the same event is known by the old index only.
        with pytest.raises(Conflict, match="timeline_event"):
            keys.destroy_retired("blind", actor=actor, clock=later())
        assert contacts.find_by_identifier("mrn", "K000002") is not None


def test_an_append_only_row_takes_a_reseal_and_nothing_else(organization: UUID) -> None:
    people(organization, 1)

    def change(statement: str) -> None:
        with acting_for(organization), connection.cursor() as cursor:
            cursor.execute(statement)

    for statement in (
        "UPDATE timeline_event SET recorded_at = recorded_at + interval '1 day'",
        "UPDATE timeline_event SET sealed = substring(sealed FROM 1 FOR 5) || 'x' || substring(sealed FROM 7)",
        "UPDATE timeline_event SET sealed = '\\x01020304' || sealed",
        "DELETE FROM timeline_event",
    ):
        with pytest.raises(DatabaseError, match="append-only"):
            change(statement)
