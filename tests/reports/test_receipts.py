"""Receipts: what they prove, that every change to them shows, and what staff may do with a message in the portal."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from cryptography.exceptions import InvalidSignature

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.delivery import api as delivery
from salus.delivery import outcomes
from salus.delivery.contracts import Receipt, State
from salus.delivery.models import Deposit, MessageRow, QueueRow
from salus.delivery.rules import LEGAL_MOVES, may_have_become
from salus.identity import api as identity
from salus.identity.contracts import Role
from salus.kernel.acting import system
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.ids import new_id
from salus.kernel.time import SystemClock
from salus.platform.tenancy import acting_for
from salus.timeline.contracts import EventKind
from tests.browser import Console
from tests.reports.conftest import client_of
from tests.reports.world import World, accepted, fetch_picture, make_plan, make_version, staff, take_on
from tools import verify_receipt

Change = Callable[[dict[str, Any]], None]


def receipt_of(world: World, kind: str) -> Receipt:
    with acting_for(world.organization.id):
        return delivery.receipt(world.message(kind))


def test_a_receipt_is_proven_by_the_log(shared: World) -> None:
    receipt = receipt_of(shared, "accepted")
    assert receipt.is_proven
    assert (receipt.faults, receipt.pending) == ((), 0)
    assert receipt.state is State.ACCEPTED
    assert (receipt.floor, receipt.reached) == ("verified", "verified")
    assert receipt.tls["version"] == "TLSv1.3"
    assert receipt.rule_ids[0] == "D08"
    assert "diagnosis" in receipt.disclosed
    assert receipt.handed_over_at == shared.at
    assert len(receipt.body_hash) == 64


def test_a_stranger_proves_it_without_our_code(shared: World) -> None:
    receipt = receipt_of(shared, "accepted")
    with acting_for(shared.organization.id):
        key = audit.verifier_key()
    assert receipt.proof
    verify_receipt.check(json.loads(json.dumps(receipt.proof)), key)


def _entry(step: dict[str, Any], **changes: Any) -> None:
    step["entry"] = json.dumps({**json.loads(step["entry"]), **changes}, sort_keys=True)


CHANGES: dict[str, Change] = {
    "another state": lambda step: step.update(receipt=step["receipt"].replace("accepted", "bounced")),
    "another place": lambda step: step.update(place=step["place"] + 1),
    "another count": lambda step: step.update(count=step["count"] + 1),
    "a shorter path": lambda step: step.update(path=step["path"][1:]),
    "another root": lambda step: step.update(batch_root="00" * 32),
    "another act": lambda step: _entry(step, action="contacts:record:read"),
    "another batch": lambda step: _entry(step, details={"root": "00" * 32, "count": step["count"]}),
    "another time": lambda step: _entry(step, at="2020-01-01T00:00:00.000000Z"),
    "another position": lambda step: step.update(position=step["position"] + 1),
    "a shorter entry path": lambda step: step.update(entry_path=step["entry_path"][1:]),
    "another log root": lambda step: step.update(root="00" * 32),
    "another signature": lambda step: step.update(checkpoint=step["checkpoint"][:-9] + "AAAAAAA=\n"),
    "another size": lambda step: step.update(
        checkpoint=step["checkpoint"].replace(f"\n{step['size']}\n", "\n9\n")
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_to_a_proof_shows_to_us_and_to_a_stranger(shared: World, name: str) -> None:
    proof = copy.deepcopy(receipt_of(shared, "accepted").proof)
    assert isinstance(proof, dict)
    CHANGES[name](proof["steps"][-1])
    with acting_for(shared.organization.id):
        assert delivery.faults_of_proof(proof)
        key = audit.verifier_key()
    with pytest.raises((AssertionError, ValueError, InvalidSignature)):
        verify_receipt.check(proof, key)


def test_a_proof_of_one_message_is_none_of_another(shared: World) -> None:
    proof = copy.deepcopy(receipt_of(shared, "accepted").proof)
    assert isinstance(proof, dict)
    proof["message"] = str(shared.message("bounced"))
    with acting_for(shared.organization.id):
        assert delivery.faults_of_proof(proof) == ("step 1: the receipt is of another message",)


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"format": "salus/receipt-proof/1"},
        {"format": "salus/receipt-proof/1", "steps": [{}]},
        {"steps": 3},
    ],
)
def test_what_is_no_proof_is_refused_with_its_place(shared: World, broken: dict[str, Any]) -> None:
    given = {"organization": str(shared.organization.id), **broken}
    with acting_for(shared.organization.id), pytest.raises(BadInput) as refusal:
        delivery.faults_of_proof(given)
    assert refusal.value.place


def test_another_organizations_proof_is_refused(shared: World, outsider: Console) -> None:
    proof = receipt_of(shared, "accepted").proof
    assert proof
    with acting_for(outsider.organization.id):
        with pytest.raises(BadInput, match="another organization"):
            delivery.faults_of_proof(proof)
        with pytest.raises(NotFound):
            delivery.receipt(shared.message("accepted"))


@pytest.fixture
def thief(database: Any) -> Iterator[psycopg.Connection]:
    """Somebody who owns the database."""
    with psycopg.connect(database.superuser_dsn, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        yield connection


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE delivery_receipt SET body = convert_to(replace(convert_from(body, 'UTF8'), "
         "'\"floor\":\"verified\"', '\"floor\":\"named\"'), 'UTF8') WHERE message_id = %s", "not the one that was put"),
        ("UPDATE delivery_receiptbatch SET root = decode(repeat('00', 32), 'hex') WHERE id = "
         "(SELECT batch_id FROM delivery_receipt WHERE message_id = %s)", "does not hold this batch"),
        ("DELETE FROM delivery_receipt WHERE batch_id = (SELECT batch_id FROM delivery_receipt WHERE message_id = %s) "
         "AND place = 0", "not the one that was put"),
        ("UPDATE delivery_message SET state = 'refused' WHERE id = %s", "the row says refused"),
        ("UPDATE audit_entry SET details = details || '{\"count\": 9}' WHERE id = (SELECT audit_entry_id FROM "
         "delivery_receiptbatch WHERE id = (SELECT batch_id FROM delivery_receipt WHERE message_id = %s))", "batch"),
    ],
)  # fmt: skip
def test_no_seal_is_shown_over_what_somebody_changed(
    own: World, thief: psycopg.Connection, statement: str, says: str
) -> None:
    message_id = own.message("accepted", 3)
    address = f"/messages/{message_id}/receipt/"
    assert "In the log, unchanged" in client_of(own, "auditor").get(address).content.decode()
    assert thief.execute(statement, [message_id]).rowcount == 1
    seen = client_of(own, "auditor").get(address).content.decode()
    assert "In the log, unchanged" not in seen
    assert "It does not match the log" in seen
    assert says.lower() in seen.lower()


def test_a_receipt_is_signed_when_it_is_looked_at_and_has_no_seal_when_it_cannot_be(
    own: World, thief: psycopg.Connection
) -> None:
    now = SystemClock().now()
    with acting_for(own.organization.id):
        actor = system(own.organization.id, "test")
        origin, _ = make_plan(own.organization, own.people, make_version(own.organization), now)
        fresh = delivery.recipients(origin, states=[State.CLEARED])[0].message_id
        assert (delivery.receipt(fresh).proof, delivery.receipt(fresh).is_proven) == (None, False)
        delivery.release(origin, not_before=now, actor=actor)
        first, second = take_on(origin, 2, actor, now)
        outcomes.record([accepted(first, now)], [], actor=actor, at=now)
    seen = client_of(own, "auditor").get(f"/messages/{first.lease.message_id}/receipt/").content.decode()
    assert "In the log, unchanged" in seen
    with acting_for(own.organization.id):
        outcomes.record([accepted(second, now)], [], actor=actor, at=now)
    signed = "UPDATE audit_checkpoint SET root = sha256(root) WHERE organization_id = %s"
    assert thief.execute(signed, [own.organization.id]).rowcount
    with acting_for(own.organization.id):
        found = delivery.receipt(second.lease.message_id)
        assert (found.pending, found.is_proven, found.faults) == (1, False, ())
    seen = client_of(own, "auditor").get(f"/messages/{second.lease.message_id}/receipt/").content.decode()
    assert "Not under a checkpoint yet" in seen
    assert "Download proof" not in seen


def test_the_page_tells_why_what_and_how(shared: World) -> None:
    seen = (
        client_of(shared, "privacy_officer")
        .get(f"/messages/{shared.message('accepted')}/receipt/")
        .content.decode()
    )
    for words in (
        "Education about a condition",
        "45 CFR 164.501",
        "confirmed by Theo Lindqvist",
        "Diagnosis",
        "mx1.lakepost.example.org",
        "TLS_AES_256_GCM_SHA384",
        "The certificate is the one that was agreed on with this partner",
        "One-click unsubscribe".lower(),
        "Handed over, protected",
        "250 2.0.0",
    ):
        assert words in seen, words
    assert "Givenname" not in seen
    assert "lakepost.example.test" not in seen


def test_what_was_refused_says_by_which_rule(shared: World) -> None:
    with acting_for(shared.organization.id):
        message_id = delivery.recipients(shared.origin, reason="opted_out")[0].message_id
    seen = client_of(shared, "auditor").get(f"/messages/{message_id}/receipt/").content.decode()
    assert "Why it was not allowed" in seen
    assert "The person opted out of this." in seen
    assert "An opt-out" in seen
    assert "Nothing was sent" in seen


def test_a_message_is_made_again_and_has_the_same_bytes(own: World) -> None:
    address = f"/messages/{own.message('accepted', 4)}/receipt/"
    assert "the same bytes" in client_of(own, "auditor").get(address).content.decode()
    with acting_for(own.organization.id):
        identity.change_organization(
            actor=staff(own.organization, Role.ADMINISTRATOR), name="Cedar Row Family Clinic"
        )
        told = delivery.told_receipt(own.message("accepted", 4), actor=system(own.organization.id, "test"))
    assert told.same_bytes is False  # the sender's name is part of the bytes
    assert told.receipt.is_proven  # the hash stands all the same
    seen = client_of(own, "auditor").get(address).content.decode()
    assert "What is kept makes other bytes today" in seen
    with acting_for(own.organization.id):
        waits = delivery.told_receipt(own.message("portal"), actor=system(own.organization.id, "test"))
    assert waits.same_bytes is None


@pytest.mark.parametrize(
    ("role", "status"), [("marketer", 200), ("security_officer", 200), ("analyst", 404), ("author", 404)]
)
def test_receipts_by_role(shared: World, role: str, status: int) -> None:
    assert (
        client_of(shared, role).get(f"/messages/{shared.message('accepted')}/receipt/").status_code == status
    )


def test_reading_a_receipt_is_recorded_with_its_patient(own: World) -> None:
    message_id = own.message("accepted")
    client_of(own, "marketer").get(f"/messages/{message_id}/receipt/")
    with acting_for(own.organization.id):
        entry = audit.entries(Filters(action=Action.RECEIPT_READ, object_id=message_id))[0]
        assert entry.patient_id == delivery.receipt(message_id).contact_id
    assert entry.role == "marketer"


def test_a_notice_and_its_message_name_each_other(shared: World) -> None:
    message = receipt_of(shared, "portal")
    assert message.deposit
    assert message.deposit.notice_id
    with acting_for(shared.organization.id):
        notice = delivery.receipt(message.deposit.notice_id)
    assert notice.announces == message.message_id
    assert notice.disclosed == ("contact",)


def test_recall_takes_a_message_back_and_stops_its_notice(own: World) -> None:
    message_id = own.message("portal")
    client = client_of(own, "privacy_officer")
    asked = client.get(f"/messages/{message_id}/recall/").content.decode()
    assert "Recall 1 message" in asked
    assert "It was not read yet." in asked
    assert client.post(f"/messages/{message_id}/recall/").status_code == 422, "it wants a reason"
    answer = client.post(f"/messages/{message_id}/recall/", {"reason": "wrong_person"}, follow=True)
    assert "The message is recalled." in answer.content.decode()
    assert "It went to the wrong person" in answer.content.decode()
    with acting_for(own.organization.id):
        found = delivery.receipt(message_id)
        assert found.state is State.RECALLED
        assert found.deposit
        notice = delivery.receipt(found.deposit.notice_id) if found.deposit.notice_id else None
        assert notice
        assert (notice.state, notice.reason) == (State.CANCELLED, "message_recalled")
        assert not QueueRow.objects.filter(message_id=notice.message_id).exists()
        assert delivery.portal_message(message_id).html.reveal() == ""
        entry = audit.entries(Filters(action=Action.MESSAGE_RECALL, object_id=message_id))[0]
        assert entry.patient_id == found.contact_id
        assert found.faults == ()
    assert "it was recalled before" in client.get(f"/messages/{message_id}/recall/").content.decode()
    assert (
        client.post(f"/messages/{message_id}/recall/", {"reason": "other"}).status_code == 302
    )  # again changes nothing


def test_only_what_is_in_the_portal_can_be_recalled(own: World) -> None:
    client = client_of(own, "care_coordinator")
    mailed = own.message("accepted")
    assert "It cannot be recalled" in client.get(f"/messages/{mailed}/recall/").content.decode()
    assert client.post(f"/messages/{mailed}/recall/", {"reason": "other"}).status_code == 404
    assert client_of(own, "marketer").get(f"/messages/{own.message('portal')}/recall/").status_code == 404
    with acting_for(own.organization.id), pytest.raises(NotFound):
        delivery.recall(new_id(), actor=system(own.organization.id, "test"), at=own.at)


def test_what_has_expired_is_closed_once_and_for_good(own: World) -> None:
    message_id = own.message("portal")
    actor = system(own.organization.id, "test")
    with acting_for(own.organization.id):
        delivery.recall(own.message("portal", 1), actor=actor, at=own.at)
        late = Deposit.objects.get(message_id=message_id).expires_at + timedelta(seconds=1)
        assert delivery.expire_deposits(actor=actor, at=late) == 2
        assert delivery.expire_deposits(actor=actor, at=late) == 0
        with pytest.raises(Conflict):
            delivery.recall(message_id, actor=actor, at=late)
        delivery.portal_opened(message_id, late)  # nobody can read it, so nothing is recorded
        found = delivery.receipt(message_id)
    assert found.state is State.EXPIRED
    assert found.deposit
    assert found.deposit.opened_at is None
    assert receipt_of(own, "portal").faults == ()


def test_reading_in_the_portal_is_an_event_and_counts_once(own: World) -> None:
    message_id = own.message("portal")
    with acting_for(own.organization.id):
        delivery.portal_opened(message_id, own.at + timedelta(hours=1))
        delivery.portal_opened(message_id, own.at + timedelta(hours=2))
        found = delivery.receipt(message_id)
        assert delivery.engagement(own.origin).read == 1
    assert found.state is State.OPENED
    assert [event.kind for event in found.events] == [EventKind.MESSAGE_PORTAL, EventKind.MESSAGE_READ]


def test_opens_stand_in_what_happened_with_who_fetched(own: World) -> None:
    message_id = own.message("accepted", 2)
    fetch_picture(own, message_id, "proxy")
    fetch_picture(own, message_id, "person", after=timedelta(minutes=20))
    seen = client_of(own, "auditor").get(f"/messages/{message_id}/receipt/").content.decode()
    course = seen[seen.index('id="course"') :]
    assert course.index("Handed over") < course.index("mail provider") < course.index("By a person")


def test_every_state_leads_only_where_the_moves_lead() -> None:
    for state in State:
        assert may_have_become(state, state)
        assert all(may_have_become(state, after) for after in LEGAL_MOVES[state])
    assert may_have_become(State.PORTAL, State.EXPIRED)
    assert not may_have_become(State.ACCEPTED, State.PORTAL)
    assert not may_have_become(State.BOUNCED, State.ACCEPTED)


def test_a_message_has_one_row_however_often_it_is_planned(own: World) -> None:
    with acting_for(own.organization.id):
        before = MessageRow.objects.filter(origin_id=own.plan_id).count()
        numbers = [each.contact_number for each in delivery.recipients(own.origin)]
        delivery.plan_chunk(
            own.origin, numbers, actor=system(own.organization.id, "test"), at=SystemClock().now()
        )
        assert MessageRow.objects.filter(origin_id=own.plan_id).count() == before == len(numbers)


def test_the_staff_member_of_a_receipt_is_found(inside: World) -> None:
    told = delivery.told_receipt(inside.message("accepted"), actor=staff(inside.organization, Role.AUDITOR))
    assert told.confirmed_by == "Theo Lindqvist"
    assert told.origin
    assert told.origin.name.reveal() == "A1c check, time to book"
    assert isinstance(told.receipt.contact_id, UUID)
