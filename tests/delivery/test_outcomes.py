"""What became of messages: states, queue, receipts, events, suppressions, deposits, each in one transaction."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from salus.audit import api as audit
from salus.contacts import api as contacts
from salus.delivery import api, deposits, judging, outcomes, receipts
from salus.delivery.codes import CODE
from salus.delivery.contracts import Origin, State
from salus.delivery.leasing import LEASE
from salus.delivery.models import Deposit, MessageRow, ReceiptBatch
from salus.delivery.preparing import Prepared
from salus.delivery.rules import GIVE_UP_AFTER
from salus.delivery.status import Kind, Verdict
from salus.delivery.transports.handover import Fate, Phase
from salus.delivery.transports.handover import Outcome as WireOutcome
from salus.gate.contracts import Reason
from salus.kernel.errors import Conflict, NotFound
from salus.kernel.ids import new_id
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import Channel, Protection
from salus.permissions import api as permissions
from salus.timeline import api as timeline
from salus.timeline.contracts import EventKind

from . import office
from .conftest import Desk

UNPROTECTED = WireOutcome(Fate.UNPROTECTED, Phase.STARTTLS, "no_starttls")


def notice_of(message_id: UUID) -> MessageRow:
    notice_id = Deposit.objects.get(message_id=message_id).notice_id
    assert notice_id is not None
    return MessageRow.objects.get(id=notice_id)


def send_one(desk: Desk, **people: Any) -> tuple[Origin, Prepared]:
    desk.admit("ada", **people)
    origin = desk.release()
    [prepared] = desk.take().prepared
    return origin, prepared


def to_portal(desk: Desk) -> tuple[Origin, Prepared]:
    """Send one message whose way could not be protected."""
    origin, prepared = send_one(desk)
    desk.settle(desk.outcome(prepared, State.PORTAL, reason="no_starttls"))
    return origin, prepared


def test_what_was_taken_is_out_of_the_queue_with_its_receipt_and_its_event(desk: Desk) -> None:
    origin, prepared = send_one(desk)
    id = prepared.lease.message_id
    assert desk.settle(desk.outcome(prepared)) == {id}
    row = desk.row(id)
    assert (row.state, row.reached, row.attempts) == (State.ACCEPTED, Protection.NAMED, 1)
    assert row.first_attempt_at == desk.clock.now()
    assert desk.queue(origin) == []
    [(_, facts)] = receipts.steps(id)
    assert facts["state"] == "accepted"
    assert facts["tls"]["version"] == "TLSv1.3"
    assert facts["results"]
    assert facts["disclosed"] == ["contact"]
    assert [event.kind for event in timeline.of_message(row.contact_id, id)] == [EventKind.MESSAGE_ACCEPTED]


def test_a_lost_lease_changes_nothing_at_all(desk: Desk) -> None:
    origin, old = send_one(desk)
    desk.clock.advance(LEASE + timedelta(seconds=1))
    [new] = desk.take().prepared
    batches = ReceiptBatch.objects.count()
    bounced = desk.outcome(old, State.BOUNCED, reason="no_such_mailbox", kind=Kind.HARD)
    assert desk.settle(bounced) == set()
    row = desk.row(old.lease.message_id)
    assert (row.state, row.attempts) == (State.LEASED, 0)
    assert ReceiptBatch.objects.count() == batches
    assert not permissions.standing(row.contact_id, desk.clock.now()).suppressions
    assert len(desk.queue(origin)) == 1
    assert desk.settle(desk.outcome(new)) == {row.id}


def test_an_outcome_counts_once(desk: Desk) -> None:
    _, prepared = send_one(desk)
    assert len(desk.settle(desk.outcome(prepared))) == 1
    assert desk.settle(desk.outcome(prepared)) == set()
    assert len(receipts.steps(prepared.lease.message_id)) == 1


def test_a_temporary_failure_is_tried_again_later_and_then_given_up(desk: Desk) -> None:
    origin, prepared = send_one(desk)
    made = outcomes.deferred(prepared, at=desk.clock.now(), jitter=0.5, reply="451 4.3.2", reason="busy")
    assert made.again_at == desk.clock.now() + timedelta(minutes=5)
    desk.settle(made)
    assert desk.states(origin) == {State.DEFERRED: 1}
    assert desk.take().prepared == []
    desk.clock.advance(timedelta(minutes=5))
    [again] = desk.take().prepared
    assert (again.attempts, again.uncertain) == (1, False)
    desk.clock.advance(GIVE_UP_AFTER)
    last = outcomes.deferred(again, at=desk.clock.now(), jitter=0.5, reason="busy")
    assert last.state is State.GAVE_UP
    desk.settle(last)
    assert desk.states(origin) == {State.GAVE_UP: 1}
    assert [facts["attempt"] for _, facts in receipts.steps(again.lease.message_id)] == [1, 2]


def test_an_address_that_does_not_exist_is_suppressed_and_the_next_plan_refuses_it(desk: Desk) -> None:
    origin, prepared = send_one(desk)
    desk.settle(
        desk.outcome(prepared, State.BOUNCED, reply="550 5.1.1", reason="no_such_mailbox", kind=Kind.HARD)
    )
    assert desk.states(origin) == {State.BOUNCED: 1}
    desk.clock.advance(timedelta(seconds=1))
    _, counts = desk.plan()
    assert counts.refused == {Reason.SUPPRESSED: 1}


def test_a_refusal_of_the_message_suppresses_nobody(desk: Desk) -> None:
    _, prepared = send_one(desk)
    desk.settle(desk.outcome(prepared, State.BOUNCED, reply="550 5.7.1", reason="content"))
    desk.clock.advance(timedelta(seconds=1))
    assert desk.plan()[1].refused == {}


def test_what_cannot_be_protected_waits_in_the_portal_and_a_neutral_notice_goes_first(desk: Desk) -> None:
    origin, prepared = to_portal(desk)
    id = prepared.lease.message_id
    assert desk.states(origin) == {State.PORTAL: 1}
    message = api.portal_message(id)
    assert message.html.reveal() == prepared.parts.html
    assert message.subject.reveal() == prepared.parts.subject
    assert message.path_failed
    assert not api.may_send_code(id)
    deposit = Deposit.objects.get(message_id=id)
    assert b"Ada" not in bytes(deposit.sealed)
    notice = notice_of(id)
    assert (notice.state, notice.floor) == (State.CLEARED, Protection.NAMED)
    [ready] = desk.take().prepared
    assert ready.lease.message_id == notice.id
    assert ready.lease.priority == 1, "before all campaigns, and behind what somebody waits for"
    assert not ready.is_letter
    for word in ("Ada", "visit", "check"):
        assert word not in ready.parts.text + ready.parts.subject
    assert ready.links.values["portal"] in ready.parts.text
    desk.settle(desk.outcome(ready))
    assert desk.row(notice.id).state == State.ACCEPTED
    assert desk.states(origin) == {State.PORTAL: 1}
    assert [event.kind for event in timeline.of_message(prepared.contact_id, notice.id)] == []


def test_a_deposit_is_made_once(desk: Desk) -> None:
    _, prepared = to_portal(desk)
    deposits.make(
        [desk.outcome(prepared, State.PORTAL, reason="no_starttls")], actor=desk.actor, at=desk.clock.now()
    )
    assert Deposit.objects.filter(message_id=prepared.lease.message_id).count() == 1


@pytest.mark.parametrize("how", ["unprotected", "bounced", "stopped"])
def test_when_no_notice_can_reach_them_staff_must_tell_them(desk: Desk, how: str) -> None:
    origin, prepared = to_portal(desk)
    if how == "stopped":
        permissions.opt_out(
            prepared.contact_id, office.TOPIC, Channel.EMAIL, evidence="by phone", actor=desk.actor
        )
        batch = desk.take()
        assert len(batch.stopped) == 1
        desk.settle(batch=batch)
    else:
        [notice] = desk.take().prepared
        if how == "unprotected":
            verdict = judging.judge(notice, UNPROTECTED, "", desk.clock.now(), 0.5)
            assert verdict is not None
            assert verdict.state is State.GAVE_UP
        else:
            verdict = desk.outcome(notice, State.BOUNCED, reason="mailbox_full")
        desk.settle(verdict)
    assert desk.states(origin) == {State.PORTAL_UNNOTIFIED: 1}
    assert api.count_unnotified() == 1
    assert [each.contact_id for each in api.unnotified()] == [prepared.contact_id]
    assert api.portal_message(prepared.lease.message_id).html.reveal(), "it can be read all the same"


def test_a_notice_goes_where_the_person_is_now(desk: Desk) -> None:
    _, prepared = to_portal(desk)
    contacts.merge([office.patient("ada", "ada.new@harbor.example.test", desk.clock.now())], actor=desk.actor)
    [notice] = desk.take().prepared
    assert notice.content.to == "ada.new@harbor.example.test"
    assert notice.notice_for == prepared.lease.message_id


def test_a_sign_in_code_travels_verified_or_not_at_all_and_never_into_the_portal(desk: Desk) -> None:
    about = office.template(desk.organization, office.EDUCATION)
    desk.admit("ada")
    desk.release(desk.spec(about, reads=office.ASKS_FOR_DIABETES))
    [prepared] = desk.take().prepared
    desk.settle(desk.outcome(prepared, State.PORTAL, reason="floor_is_portal"))
    id = prepared.lease.message_id
    assert api.may_send_code(id)
    address = api.send_code(id, Phi("482913"), language="es", at=desk.clock.now())
    assert address is not None
    code, notice = sorted(desk.take().prepared, key=lambda each: each.origin.kind != CODE)
    assert notice.origin.kind == "notice"
    assert (code.floor, code.origin.kind) == (Protection.VERIFIED, CODE)
    assert "482913" in code.parts.text
    verdict = judging.judge(code, UNPROTECTED, "", desk.clock.now(), 0.5)
    assert verdict is not None
    assert verdict.state is State.GAVE_UP
    desk.settle(verdict)
    assert not Deposit.objects.filter(message_id=code.lease.message_id).exists()
    assert desk.row(id).state == State.PORTAL, "the letter itself still waits there"


def test_no_code_by_e_mail_where_the_path_has_just_failed(desk: Desk) -> None:
    _, prepared = to_portal(desk)
    assert api.send_code(prepared.lease.message_id, Phi("482913"), language="en", at=desk.clock.now()) is None


FATES = {
    Fate.ACCEPTED: State.ACCEPTED,
    Fate.TEMPORARY: State.DEFERRED,
    Fate.BROKEN: State.DEFERRED,
    Fate.UNCERTAIN: State.DEFERRED,
    Fate.PERMANENT: State.BOUNCED,
    Fate.UNPROTECTED: State.PORTAL,
    Fate.WITHDRAWN: None,
}


@pytest.mark.parametrize("fate", list(Fate))
def test_each_fate_of_the_wire_means_one_thing_for_the_message(desk: Desk, fate: Fate) -> None:
    _, prepared = send_one(desk)
    found = judging.judge(prepared, WireOutcome(fate, Phase.DOT, "x"), "ab", desk.clock.now(), 0.5)
    assert (found.state if found else None) == FATES[fate]
    if found:
        assert found.uncertain == (fate is Fate.UNCERTAIN)
        assert (found.again_at is not None) == (found.state is State.DEFERRED)


@pytest.mark.parametrize("kind", list(Kind))
def test_what_a_refusal_says_of_the_address_is_kept(desk: Desk, kind: Kind) -> None:
    _, prepared = send_one(desk)
    wire = WireOutcome(Fate.PERMANENT, Phase.RCPT, "x", verdict=Verdict(kind, "x"))
    found = judging.judge(prepared, wire, "", desk.clock.now(), 0.5)
    assert found is not None
    assert found.kind is kind


def test_in_doubt_it_is_flagged_on_row_and_receipt(desk: Desk) -> None:
    origin, prepared = send_one(desk)
    doubt = WireOutcome(Fate.UNCERTAIN, Phase.DOT, "closed")
    verdict = judging.judge(prepared, doubt, "ab" * 32, desk.clock.now(), 0.5)
    assert verdict is not None
    desk.settle(verdict)
    assert api.progress(origin).uncertain == 1
    desk.clock.advance(timedelta(hours=1))
    [again] = desk.take().prepared
    assert again.uncertain
    desk.settle(desk.outcome(again))
    assert [facts["uncertain"] for _, facts in receipts.steps(again.lease.message_id)] == [True, True]
    assert api.progress(origin).uncertain == 1


def test_receipts_of_a_batch_are_proven_by_one_entry_of_the_log(desk: Desk) -> None:
    desk.admit("ada", "bert", "cora")
    desk.release()
    prepared = desk.take().prepared
    desk.settle(*(desk.outcome(each) for each in prepared))
    for each in prepared:
        found = api.receipt(each.lease.message_id)
        assert found.is_proven, found.faults
        assert found.body_hash == "ab" * 32
        assert found.reached == "named"
    batch = ReceiptBatch.objects.latest("id")
    assert batch.count == 3
    assert found.proof is not None
    step = found.proof["steps"][0]
    leaf = audit.leaf_hash(step["receipt"].encode())
    path = [bytes.fromhex(each) for each in step["path"]]
    assert audit.verify_path(leaf, step["place"], 3, path, bytes(batch.root))
    forged = {**found.proof, "steps": [{**step, "receipt": step["receipt"].replace("named", "verified")}]}
    assert api.faults_of_proof(forged)


def test_an_empty_batch_writes_nothing(desk: Desk) -> None:
    batches = ReceiptBatch.objects.count()
    assert desk.settle() == set()
    assert receipts.record([], actor=desk.actor, at=desk.clock.now()) is None
    assert ReceiptBatch.objects.count() == batches


def test_a_recalled_message_can_be_read_no_more_and_its_notice_is_stopped(desk: Desk) -> None:
    origin, prepared = to_portal(desk)
    id = prepared.lease.message_id
    api.recall(id, actor=desk.actor, at=desk.clock.now())
    api.recall(id, actor=desk.actor, at=desk.clock.now())
    assert desk.states(origin) == {State.RECALLED: 1}
    assert api.portal_message(id).html.reveal() == ""
    assert notice_of(id).state == State.CANCELLED
    assert desk.take().prepared == []
    api.portal_opened(id, desk.clock.now())
    assert desk.states(origin) == {State.RECALLED: 1}
    with pytest.raises(NotFound):
        api.recall(new_id(), actor=desk.actor, at=desk.clock.now())


def test_a_deposit_expires_after_its_time_and_then_cannot_be_recalled(desk: Desk) -> None:
    origin, prepared = to_portal(desk)
    id = prepared.lease.message_id
    assert api.expire_deposits(actor=desk.actor, at=desk.clock.now() + timedelta(days=59)) == 0
    api.portal_opened(id, desk.clock.now())
    assert desk.states(origin) == {State.OPENED: 1}
    later = desk.clock.now() + timedelta(days=61)
    assert api.expire_deposits(actor=desk.actor, at=later) == 1
    assert api.expire_deposits(actor=desk.actor, at=later) == 0
    assert desk.states(origin) == {State.EXPIRED: 1}
    assert api.portal_message(id).html.reveal() == ""
    with pytest.raises(Conflict, match="expired"):
        api.recall(id, actor=desk.actor, at=later)


def test_whatever_happens_the_summary_adds_up(desk: Desk) -> None:
    [*_, fay] = desk.admit("ada", "bert", "cora", "dan", "eve", "fay")
    origin = desk.release()
    permissions.opt_out(fay, office.TOPIC, Channel.EMAIL, evidence="by phone", actor=desk.actor)
    batch = desk.take()
    states = (State.ACCEPTED, State.PORTAL, State.BOUNCED, State.GAVE_UP, State.DEFERRED)
    made = [
        desk.outcome(
            each,
            state,
            reason="" if state is State.ACCEPTED else "x",
            again_at=desk.clock.now() if state is State.DEFERRED else None,
        )
        for each, state in zip(batch.prepared, states, strict=True)
    ]
    desk.settle(*made, batch=batch)
    progress = api.progress(origin)
    summed = api.accounted(dict(progress.states))
    assert summed == {
        "accepted": 1,
        "portal": 1,
        "portal_unnotified": 0,
        "bounced": 1,
        "gave_up": 1,
        "cancelled": 1,
        "queued": 1,
    }
    assert progress.reasons[State.CANCELLED] == {Reason.OPTED_OUT: 1}
    assert api.is_waiting(origin)
