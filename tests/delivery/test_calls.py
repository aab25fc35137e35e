"""Calls to a vendor's service: stored once, made while it is in scope, settled exactly once, told onward."""

from __future__ import annotations

import asyncio
import base64
import gc
import hmac
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
import uvloop
from django.db import connection

from salus.audit import api as audit
from salus.audit.contracts import Action, Entry, Filters
from salus.contacts import api as contacts
from salus.delivery import api, call_turns, calls
from salus.delivery.call_turns import Made, Ready
from salus.delivery.calling import Caller, CallPace, Way
from salus.delivery.calls import CallContent, Settling
from salus.delivery.contracts import CallSpec, NewCall, Origin
from salus.delivery.models import CallQueueRow, CallRow
from salus.delivery.transports.dns import FakeDns
from salus.delivery.transports.webhook import Answer, Post, Webhook
from salus.kernel.acting import system
from salus.kernel.errors import BadInput
from salus.kernel.ids import new_id
from salus.kernel.vocabulary import PhiClass, Special
from salus.platform.tenancy import acting_for
from salus.vendors import api as vendors
from salus.vendors.contracts import Clause, Kind, OutOfScope, Waiting, Why
from tests.delivery_wire.peers import AUTHORITY
from tests.delivery_wire.receivers import HOST, OK, Receiver, answers, receiving
from tests.registered import attest

from .conftest import Desk, open_clinic, sender_role


@dataclass
class FakeWay:
    """A way out that answers by a script, the last word for ever, and keeps what it was given."""

    script: list[Answer] = field(default_factory=lambda: [Answer(204)])
    posts: list[Post] = field(default_factory=list)
    while_posting: Callable[[], object] = lambda: None

    async def post(self, post: Post) -> Answer:
        """Answer."""
        self.posts.append(post)
        self.while_posting()
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]


@dataclass
class Bench:
    """A clinic with patients and a vendor's webhook, and a sender to make calls."""

    desk: Desk
    vendor_id: UUID
    service_id: UUID
    way: FakeWay = field(default_factory=FakeWay)
    origin: Origin = field(default_factory=lambda: Origin("journey", new_id()))

    def spec(self, *fields: str, **facts: Any) -> CallSpec:
        """Return what is told."""
        return CallSpec(self.origin, self.service_id, "journey.step", fields, **facts)

    def call(self, *fields: str, **facts: Any) -> dict[UUID, UUID]:
        """Store a call about everybody; inside the organization's context."""
        about = [NewCall(id, {"step": "tell"}) for id in self.desk.people]
        return api.call(self.spec(*fields, **facts), about, actor=self.desk.actor, at=self.now)

    @property
    def now(self) -> datetime:
        """Return the present moment."""
        return self.desk.clock.now()

    def run(self, way: Way | None = None, **pace: Any) -> None:
        """Run a sender until nothing is due."""
        caller = Caller(way or self.way, pace=CallPace(idle_seconds=0.02, **pace), clock=self.desk.clock)
        uvloop.run(caller.run(until_idle=True))
        gc.collect()  # closes the connections of its threads

    def later(self, **span: int) -> None:
        """Let time pass."""
        self.desk.clock.advance(timedelta(**span))

    def bodies(self) -> list[dict[str, Any]]:
        """Return what was posted."""
        return [json.loads(post.body) for post in self.way.posts]


def register(desk: Desk, *, may_carry: tuple[str, ...] = ("contact", "demographic"), **facts: Any) -> Bench:
    """Return a bench whose agreement is in force unless `facts` say otherwise."""
    at = desk.clock.now()
    day = at.date() - timedelta(days=2)
    vendor_id = vendors.create_vendor("Harbor Print and Post", actor=desk.actor, at=at)
    given: dict[str, Any] = {"signed_on": day, "report_hours": 24, "clauses": frozenset(Clause), **facts}
    vendors.record_agreement(vendor_id, **given, actor=desk.actor, at=at)
    service_id = vendors.create_service(
        vendor_id,
        kind=Kind.WEBHOOK,
        name="Letters",
        address="https://hooks.harbor.example/salus",
        may_carry=may_carry,
        actor=desk.actor,
        at=at,
    )
    attest(service_id, actor=desk.actor, at=at)
    return Bench(desk, vendor_id, service_id)


@pytest.fixture
def bench(desk: Desk) -> Bench:
    """A clinic in a transaction that is rolled back: for what needs no sender."""
    desk.admit("ana", "bo")
    return register(desk)


@pytest.fixture
def open_bench(committed: Desk, world: Any) -> Iterator[Bench]:
    """A clinic that a sender sees; calls of other tests are out of the way."""
    with psycopg.connect(world.superuser_dsn, autocommit=True) as superuser:
        superuser.execute("DELETE FROM delivery_callqueue")
    with acting_for(committed.id):
        committed.admit("ana", "bo")
        bench = register(committed)
    with sender_role(world):
        connection.close()  # the test's own thread is the sender's role too
        yield bench


def recorded(**filters: Any) -> list[Entry]:
    """Return what the log says of calls, newest first."""
    return audit.entries(Filters(action=Action.CALL_RECORD, **filters))


def settled(bench: Bench) -> list[tuple[UUID, bool, str, int]]:
    """Return how calls of the clinic ended, in order."""
    with acting_for(bench.desk.id):
        found = api.calls_settled(0, 100)
    numbers = [each.number for each in found]
    assert numbers == sorted(set(numbers))
    return [(each.contact_id, each.done, each.reason, each.attempts) for each in found]


def test_a_call_is_made_once_and_settled_as_done(open_bench: Bench) -> None:
    with acting_for(open_bench.desk.id):
        made = open_bench.call("given_name", "email")
    open_bench.run()
    ana, bo = open_bench.desk.people
    assert sorted(settled(open_bench)) == sorted([(ana, True, "", 1), (bo, True, "", 1)])
    assert {post.id for post in open_bench.way.posts} == {f"msg_{id.hex}" for id in made.values()}
    body = next(each for each in open_bench.bodies() if each["data"]["contact_id"] == str(ana))
    assert body["type"] == "journey.step"
    assert body["data"]["step"] == "tell"
    assert body["data"]["fields"] == {"given_name": "Ana", "email": "ana@lakepost.example.test"}
    with acting_for(open_bench.desk.id):
        assert not CallQueueRow.objects.exists()
        assert [bytes(row.sealed) for row in CallRow.objects.all()] == [b"", b""]


def test_the_log_tells_of_each_person_what_was_told_to_whom(open_bench: Bench) -> None:
    with acting_for(open_bench.desk.id):
        open_bench.call("given_name")
    open_bench.run()
    with acting_for(open_bench.desk.id):
        queued = recorded(object_kind="journey")
        made = recorded(object_kind="call")
    assert [(each.outcome, each.details["calls"], each.fields) for each in queued] == [
        ("queued", 2, ("given_name",))
    ]
    assert {each.patient_id for each in made} == set(open_bench.desk.people)
    for each in made:
        assert (each.outcome, each.fields) == ("ok", ("given_name",))
        assert each.details["service"] == str(open_bench.service_id)


def test_the_same_call_is_stored_once_and_keeps_its_id(bench: Bench) -> None:
    first = bench.call("given_name")
    again = bench.call("given_name")
    bench.desk.admit("cy")
    more = bench.call("given_name")
    assert again == first
    assert {id: more[id] for id in first} == first
    assert len(more) == 3
    assert CallRow.objects.count() == CallQueueRow.objects.count() == 3


def test_a_call_holds_nothing_in_clear_about_the_person(bench: Bench) -> None:
    bench.call("given_name", "email")
    for row in CallRow.objects.all():
        assert b"Ana" not in bytes(row.sealed)
        assert b"lakepost" not in bytes(row.sealed)


def test_nobody_who_is_not_here_is_told_about(bench: Bench) -> None:
    made = api.call(bench.spec(), [NewCall(new_id())], actor=bench.desk.actor, at=bench.now)
    assert made == {}


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"signed_on": None}, Why.NOT_SIGNED),
        ({"clauses": frozenset(Clause) - {Clause.SAFEGUARDS}}, Why.INCOMPLETE),
        ({"may_carry": ("contact",)}, Why.CLASS),
    ],
)
def test_what_the_service_may_not_carry_is_refused_before_anything_is_stored(
    desk: Desk, facts: dict[str, Any], why: Why
) -> None:
    desk.admit("ana")
    bench = register(desk, **facts)
    with pytest.raises(OutOfScope) as refused:
        bench.call("given_name", "birth_date")
    assert refused.value.why is why
    assert not CallRow.objects.exists()


def test_what_the_caller_says_of_the_call_counts_as_well_as_its_fields(bench: Bench) -> None:
    with pytest.raises(OutOfScope) as refused:
        bench.call(labels=frozenset({PhiClass.DIAGNOSIS}))
    assert refused.value.why is Why.CLASS


def test_somebody_whose_values_tell_a_special_category_is_not_told_about_and_the_others_are(
    desk: Desk,
) -> None:
    bench = register(desk, may_carry=("contact", "diagnosis"))
    desk.admit("ana")
    hiv = {"id": "c-1", "code": "B20", "system": "icd10", "date": "2026-01-02", "status": "active"}
    desk.admit("bo", conditions=(hiv,))
    made = bench.call("conditions")
    ana, bo = desk.people
    assert [(each.contact_id, each.done, each.reason) for each in api.calls_settled(0, 9)] == [
        (bo, False, "class_out_of_scope")
    ]
    assert [row.call_id for row in CallQueueRow.objects.all()] == [made[ana]]


def test_a_part_2_record_needs_its_own_clause(desk: Desk) -> None:
    facts = {"may_carry": ("contact", "diagnosis", "part2_sud")}
    bench = register(desk, clauses=frozenset(Clause) - {Clause.PART2}, **facts)
    sud = {"id": "c-1", "code": "F11.20", "system": "icd10", "date": "2026-01-02", "status": "active"}
    desk.admit("bo", conditions=(sud,))
    with pytest.raises(OutOfScope) as refused:
        bench.call(labels=frozenset({Special.PART2_SUD}))
    assert refused.value.why is Why.PART2
    bench.call("conditions")
    assert [each.reason for each in api.calls_settled(0, 9)] == ["part2_not_agreed"]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"topic": "Journey Step"}, "topic"),
        ({"topic": "a" * 81}, "topic"),
        ({"at_most": timedelta(0)}, "at_most"),
        ({"at_most": timedelta(days=31)}, "at_most"),
        ({"fields": ("shoe_size",)}, "fields"),
        ({"fields": ("identifiers",)}, "fields"),
    ],
)
def test_a_call_that_will_not_do_is_refused_with_its_place(
    bench: Bench, change: dict[str, Any], place: str
) -> None:
    spec = replace(bench.spec(), **change)
    with pytest.raises(BadInput) as refused:
        api.call(spec, [NewCall(id) for id in bench.desk.people], actor=bench.desk.actor, at=bench.now)
    assert refused.value.place == place


@pytest.mark.parametrize("about", [{"note": "call Ana"}, {"Step": "x"}, {"step": ""}, {"step": "é"}])
def test_what_a_call_is_about_is_ids_and_codes_only(bench: Bench, about: dict[str, str]) -> None:
    calls = [NewCall(bench.desk.people[0], about)]
    with pytest.raises(BadInput) as refused:
        api.call(bench.spec(), calls, actor=bench.desk.actor, at=bench.now)
    assert refused.value.place == "about"


def test_a_service_of_another_kind_takes_no_calls(bench: Bench) -> None:
    relay = vendors.create_service(
        bench.vendor_id,
        kind=Kind.SMTP_ROUTE,
        name="Relay",
        address="smtp://relay.harbor.example",
        may_carry=("contact",),
        actor=bench.desk.actor,
        at=bench.now,
    )
    attest(relay, actor=bench.desk.actor, at=bench.now)
    with pytest.raises(BadInput):
        api.call(replace(bench.spec(), service_id=relay), [], actor=bench.desk.actor, at=bench.now)


def test_a_refused_call_is_tried_again_with_the_same_id_and_body(open_bench: Bench) -> None:
    open_bench.desk.people.pop()
    with acting_for(open_bench.desk.id):
        open_bench.call("given_name")
    open_bench.way.script = [Answer(500), Answer(None, "timeout"), Answer(200)]
    for seconds in (0, 7, 40):  # 5 and 30 seconds, and a quarter more at most
        open_bench.later(seconds=seconds)
        open_bench.run()
    posts = open_bench.way.posts
    assert len(posts) == 3
    assert len({(post.id, post.body, post.secrets) for post in posts}) == 1
    assert len({post.at for post in posts}) == 3
    assert settled(open_bench) == [(open_bench.desk.people[0], True, "", 3)]


def test_nothing_is_tried_before_its_time(open_bench: Bench) -> None:
    with acting_for(open_bench.desk.id):
        open_bench.call()
    open_bench.way.script = [Answer(503)]
    open_bench.run()
    open_bench.later(seconds=2)
    open_bench.run()
    assert len(open_bench.way.posts) == 2
    assert settled(open_bench) == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(404), "status_404"),
        (Answer(302), "redirected"),
        (Answer(None, "certificate_untrusted"), "certificate_untrusted"),
    ],
)
def test_a_call_is_given_up_with_its_last_reason_when_its_time_would_be_over(
    open_bench: Bench, answer: Answer, reason: str
) -> None:
    with acting_for(open_bench.desk.id):
        open_bench.call(at_most=timedelta(seconds=8))
    open_bench.way.script = [answer]
    open_bench.run()
    assert settled(open_bench) == []
    open_bench.later(seconds=7)
    open_bench.run()
    assert {(done, why, tries) for _, done, why, tries in settled(open_bench)} == {(False, reason, 2)}


def test_a_receiver_that_is_gone_for_good_is_not_called_again(open_bench: Bench) -> None:
    with acting_for(open_bench.desk.id):
        open_bench.call()
    open_bench.way.script = [Answer(410)]
    open_bench.run()
    assert {(done, why, tries) for _, done, why, tries in settled(open_bench)} == {(False, "gone", 1)}


def test_an_agreement_that_expired_pauses_the_queue_and_says_so_and_a_new_one_lets_it_go_on(
    open_bench: Bench,
) -> None:
    desk = open_bench.desk
    with acting_for(desk.id):
        open_bench.call(at_most=timedelta(days=9))
        agreement = vendors.vendor(open_bench.vendor_id, open_bench.now).in_force
        assert agreement is not None
        vendors.end_agreement(agreement.id, actor=desk.actor, at=open_bench.now)
    open_bench.run()
    assert open_bench.way.posts == []
    with acting_for(desk.id):
        assert api.waiting_for([open_bench.service_id]) == {
            open_bench.service_id: Waiting(2, "agreement_ended")
        }
        assert [(each.outcome, each.reason) for each in recorded(object_kind="service")] == [
            ("paused", "agreement_ended")
        ]
        vendors.record_agreement(
            open_bench.vendor_id,
            signed_on=open_bench.now.date() - timedelta(days=1),
            report_hours=24,
            clauses=frozenset(Clause),
            actor=desk.actor,
            at=open_bench.now,
        )
    open_bench.run()
    assert {done for _, done, _, _ in settled(open_bench)} == {True}
    with acting_for(desk.id):
        assert api.waiting_for([open_bench.service_id]) == {}
        assert [each.outcome for each in recorded(object_kind="service")] == ["resumed", "paused"]


def test_a_paused_queue_is_looked_at_again_once_a_minute(open_bench: Bench) -> None:
    with acting_for(open_bench.desk.id):
        open_bench.call()
        vendors.switch_service(
            open_bench.service_id, active=False, actor=open_bench.desk.actor, at=open_bench.now
        )
    looks = []

    async def look() -> None:
        caller = Caller(open_bench.way, pace=CallPace(idle_seconds=0.01), clock=open_bench.desk.clock)
        running = asyncio.create_task(caller.run())
        await asyncio.sleep(0.3)
        looks.append(await asyncio.to_thread(fences))
        open_bench.later(seconds=61)
        await asyncio.sleep(0.3)
        looks.append(await asyncio.to_thread(fences))
        caller.stop()
        await running

    def fences() -> set[int]:
        with acting_for(open_bench.desk.id):
            return set(CallQueueRow.objects.values_list("fence", flat=True))

    uvloop.run(look())
    gc.collect()
    assert looks == [{1}, {2}]
    assert open_bench.way.posts == []


def test_calls_whose_time_is_over_are_given_up_by_a_round_and_say_why(open_bench: Bench) -> None:
    desk = open_bench.desk
    with acting_for(desk.id):
        open_bench.call(at_most=timedelta(hours=1))
        vendors.switch_service(open_bench.service_id, active=False, actor=desk.actor, at=open_bench.now)
    open_bench.run()
    open_bench.later(hours=2)
    with acting_for(desk.id):
        assert api.expire_calls(actor=desk.actor, at=open_bench.now) == 2
        assert api.expire_calls(actor=desk.actor, at=open_bench.now) == 0
        assert not CallQueueRow.objects.exists()
    assert {(done, why) for _, done, why, _ in settled(open_bench)} == {(False, "service_switched_off")}


def test_calls_that_no_sender_came_to_end_with_their_time(bench: Bench) -> None:
    bench.call(at_most=timedelta(hours=1))
    bench.later(hours=1)
    assert api.expire_calls(actor=bench.desk.actor, at=bench.now) == 2
    assert {each.reason for each in api.calls_settled(0, 9)} == {"time_over"}


def test_a_class_that_was_taken_away_ends_the_call_and_not_the_queue(open_bench: Bench) -> None:
    desk = open_bench.desk
    with acting_for(desk.id):
        open_bench.call("birth_date")
        vendors.change_service(
            open_bench.service_id,
            name="Letters",
            address="https://hooks.harbor.example/salus",
            may_carry=["contact"],
            actor=desk.actor,
            at=open_bench.now,
        )
        open_bench.origin = Origin("journey", new_id())
        open_bench.call("given_name")
    open_bench.run()
    ends = sorted((done, why) for _, done, why, _ in settled(open_bench))
    assert ends == [(False, "class_out_of_scope")] * 2 + [(True, "")] * 2
    assert all("birth_date" not in each["data"]["fields"] for each in open_bench.bodies())


def test_nothing_goes_out_about_somebody_who_was_erased_meanwhile(open_bench: Bench) -> None:
    desk = open_bench.desk
    ana, bo = desk.people
    with acting_for(desk.id):
        open_bench.call("given_name")
        contacts.erase_person(bo, actor=desk.actor, clock=desk.clock)
    open_bench.run()
    assert [each["data"]["contact_id"] for each in open_bench.bodies()] == [str(ana)]
    assert set(settled(open_bench)) == {(ana, True, "", 1), (bo, False, "person_is_gone", 0)}


def test_a_sender_that_died_leaves_its_calls_to_another_one_which_settles_them_once(
    open_bench: Bench,
) -> None:
    with acting_for(open_bench.desk.id):
        open_bench.call()
    turns = call_turns.lease(9, 9, open_bench.now, lambda _: True)
    assert [len(turn.fences) for turn in turns] == [2]
    open_bench.run()
    assert open_bench.way.posts == []
    open_bench.later(seconds=121)
    open_bench.run()
    assert len(open_bench.way.posts) == 2
    (turn,) = turns
    with acting_for(open_bench.desk.id):
        late = [
            Made(Ready(id, CallContent("", (), frozenset()), "", (), 0, open_bench.now), 200)
            for id in turn.fences
        ]
        call_turns.record(turn, late, actor=open_bench.desk.actor, at=open_bench.now)
    assert [done for _, done, _, _ in settled(open_bench)] == [True, True]


def test_a_slow_sender_does_not_put_back_what_another_one_has(open_bench: Bench) -> None:
    with acting_for(open_bench.desk.id):
        open_bench.call()
    (slow,) = call_turns.lease(9, 9, open_bench.now, lambda _: True)
    open_bench.later(seconds=121)
    (other,) = call_turns.lease(9, 9, open_bench.now, lambda _: True)
    with acting_for(open_bench.desk.id):
        made = [
            Made(
                Ready(id, CallContent("", (), frozenset()), "", (), 0, open_bench.now + timedelta(days=1)),
                500,
            )
            for id in slow.fences
        ]
        call_turns.record(slow, made, actor=open_bench.desk.actor, at=open_bench.now)
        assert {row.lease_until for row in CallQueueRow.objects.all()} != {None}
        assert {row.attempts for row in CallRow.objects.all()} == {0}
    assert set(other.fences) == set(slow.fences)


def test_calls_that_are_held_wait_until_they_may_go_also_after_an_attempt(open_bench: Bench) -> None:
    desk, origin_id = open_bench.desk, open_bench.origin.id
    with acting_for(desk.id):
        open_bench.call()
        (turn,) = call_turns.lease(9, 1, open_bench.now, lambda _: True)
        api.hold_calls([origin_id])
        (ready,) = call_turns.prepare(turn, actor=desk.actor, at=open_bench.now) or []
        call_turns.record(turn, [Made(ready, 500)], actor=desk.actor, at=open_bench.now)
    open_bench.later(hours=1)
    open_bench.run()
    assert open_bench.way.posts == []
    with acting_for(desk.id):
        api.release_calls([origin_id], at=open_bench.now)
        api.release_calls([new_id()], at=open_bench.now)
    open_bench.run()
    assert sorted(attempts for *_, attempts in settled(open_bench)) == [1, 2]


def test_a_call_that_is_taken_back_is_not_made_and_one_under_way_is_not_tried_again(
    open_bench: Bench,
) -> None:
    desk, origin_id = open_bench.desk, open_bench.origin.id
    with acting_for(desk.id):
        open_bench.call()
        (turn,) = call_turns.lease(9, 1, open_bench.now, lambda _: True)
        (ready,) = call_turns.prepare(turn, actor=desk.actor, at=open_bench.now) or []
        unwanted = [(origin_id, one) for one in desk.people]
        assert api.cancel_calls(unwanted, actor=desk.actor, at=open_bench.now) == 1
        assert api.cancel_calls(unwanted, actor=desk.actor, at=open_bench.now) == 0
        call_turns.record(turn, [Made(ready, 500)], actor=desk.actor, at=open_bench.now)
    open_bench.later(minutes=1)
    open_bench.run()
    assert open_bench.way.posts == []
    ends = [(done, why, attempts) for _, done, why, attempts in settled(open_bench)]
    assert ends == [(False, "cancelled", 0), (False, "status_500", 1)]


def test_a_call_that_was_taken_while_it_was_taken_back_is_told_as_made(open_bench: Bench) -> None:
    desk = open_bench.desk
    with acting_for(desk.id):
        open_bench.call()
        (turn,) = call_turns.lease(9, 9, open_bench.now, lambda _: True)
        ready = call_turns.prepare(turn, actor=desk.actor, at=open_bench.now) or []
        unwanted = [(open_bench.origin.id, one) for one in desk.people]
        assert api.cancel_calls(unwanted, actor=desk.actor, at=open_bench.now) == 0
        call_turns.record(turn, [Made(each, 204) for each in ready], actor=desk.actor, at=open_bench.now)
    assert [(done, why) for _, done, why, _ in settled(open_bench)] == [(True, ""), (True, "")]


def test_a_service_that_takes_nothing_does_not_hold_up_another_one(open_bench: Bench) -> None:
    desk = open_bench.desk
    with acting_for(desk.id):
        second = register(desk)
        open_bench.call()
        second.call()

    class Half(FakeWay):
        async def post(self, post: Post) -> Answer:
            await FakeWay.post(self, post)
            return Answer(204) if post.url.endswith("/other") else Answer(None, "timeout")

    with acting_for(desk.id):
        vendors.change_service(
            second.service_id,
            name="Other",
            address="https://hooks.harbor.example/other",
            may_carry=["contact"],
            actor=desk.actor,
            at=open_bench.now,
        )
    open_bench.run(Half(), turn=1)
    assert [done for _, done, _, _ in settled(open_bench)] == [True, True]


def test_a_service_that_fails_is_not_hammered(open_bench: Bench) -> None:
    desk = open_bench.desk
    with acting_for(desk.id):
        desk.admit(*(f"p{number}" for number in range(20)))
        open_bench.call()
    open_bench.way.script = [Answer(None, "unreachable")]
    open_bench.run(turn=4)
    assert len(open_bench.way.posts) == 4


def test_a_sender_that_is_told_to_stop_finishes_what_has_begun(open_bench: Bench) -> None:
    with acting_for(open_bench.desk.id):
        open_bench.call()
    caller = Caller(open_bench.way, pace=CallPace(idle_seconds=0.02), clock=open_bench.desk.clock)
    open_bench.way.while_posting = caller.stop
    uvloop.run(caller.run())
    gc.collect()
    assert len(settled(open_bench)) == 2


def test_nobody_of_another_organization_sees_or_settles_a_call(open_bench: Bench) -> None:
    with acting_for(open_bench.desk.id):
        made = open_bench.call()
    other = open_clinic("Somebody Else")
    actor = system(other.id, "test")
    with acting_for(other.id):
        assert api.calls_settled(0, 100) == ()
        assert api.waiting_for([open_bench.service_id]) == {}
        assert api.expire_calls(actor=actor, at=open_bench.now + timedelta(days=99)) == 0
        assert (
            calls.settle([Settling(id, done=True) for id in made.values()], actor=actor, at=open_bench.now)
            == 0
        )
        with pytest.raises(OutOfScope) as refused:
            api.call(open_bench.spec(), [], actor=actor, at=open_bench.now)
        assert refused.value.why is Why.UNKNOWN
    open_bench.run()
    assert len(settled(open_bench)) == 2


def test_a_call_reaches_a_real_receiver_over_verified_tls_signed_by_both_secrets(
    open_bench: Bench,
) -> None:
    """The whole way: a receiver that answers 500 first, then takes it."""
    desk = open_bench.desk
    desk.people.pop()

    async def run() -> Receiver:
        async with receiving(answers(b"HTTP/1.1 500 Oh\r\n\r\n", OK)) as receiver:
            await asyncio.to_thread(prepare, receiver)
            webhook = Webhook(
                FakeDns(hosts={HOST: ["127.0.0.1"]}), laboratory=True, authorities=AUTHORITY.pem
            )
            for _ in range(2):
                caller = Caller(webhook, pace=CallPace(idle_seconds=0.02), clock=desk.clock)
                await caller.run(until_idle=True)
                open_bench.later(seconds=10)
            return receiver

    secrets = []

    def prepare(receiver: Receiver) -> None:
        with acting_for(desk.id):
            vendors.change_service(
                open_bench.service_id,
                name="Letters",
                address=f"{receiver.origin}/salus",
                may_carry=["contact"],
                actor=desk.actor,
                at=open_bench.now,
            )
            secrets.append(vendors.show_secret(open_bench.service_id, actor=desk.actor, at=open_bench.now))
            vendors.renew_secret(open_bench.service_id, actor=desk.actor, at=open_bench.now)
            secrets.append(vendors.show_secret(open_bench.service_id, actor=desk.actor, at=open_bench.now))
            open_bench.call("given_name")

    receiver = uvloop.run(run())
    gc.collect()
    assert settled(open_bench) == [(desk.people[0], True, "", 2)]
    first, second = receiver.heard
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    old, new = (base64.b64decode(each.removeprefix("whsec_")) for each in secrets)
    for heard in (first, second):
        signed = f"{heard.headers['webhook-id']}.{heard.headers['webhook-timestamp']}.".encode() + heard.body
        assert heard.headers["webhook-signature"].split() == [
            "v1," + base64.b64encode(hmac.digest(secret, signed, "sha256")).decode() for secret in (new, old)
        ]
