"""Events as others tell them: read part by part, whose they are, stored once, and appointments kept up to date."""

from __future__ import annotations

import itertools
import json
import re
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import jsonschema
import orjson
import pytest
from django.db import connection, connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.contacts import api as contacts
from salus.contacts.contracts import Address, ContactPatch, Identifier
from salus.kernel.acting import Actor, system
from salus.kernel.errors import BadInput
from salus.kernel.ids import new_id
from salus.kernel.phi import Phi
from salus.kernel.time import FakeClock
from salus.kernel.vocabulary import AddressSource, Channel
from salus.keys import api as keys
from salus.platform.tenancy import acting_for
from salus.timeline import api, appointments, hearing, shapes
from salus.timeline.contracts import Event, EventKind, NewEvent, Outcome

STORED, KNOWN, REFUSED = Outcome.STORED, Outcome.KNOWN, Outcome.REFUSED
NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
CLOCK = FakeClock(NOW)
AT = "2026-11-01T09:30:00-08:00"
STARTS = "2026-11-20T14:30:00-08:00"
SCHEMA = api.schema()

GOOD: dict[str, dict[str, Any]] = {
    "visit": {"code": "99213", "system": "cpt", "department": "Cardiology"},
    "procedure_done": {"code": "45378", "system": "cpt", "text": "Colonoscopy"},
    "discharge": {"department": "Surgery", "place": "East wing"},
    "appointment_booked": {"id": "a1", "starts_at": STARTS, "text": "Follow-up visit", "place": "Room 4"},
    "appointment_moved": {"id": "a1", "starts_at": STARTS, "ends_at": "2026-11-20T15:00:00-08:00"},
    "appointment_cancelled": {"id": "a1"},
    "appointment_attended": {"id": "a1"},
    "appointment_missed": {"id": "a1"},
    "lab_available": {"code": "4548-4", "system": "loinc", "text": "Hemoglobin A1c"},
    "prescription_ready": {"text": "Metformin 500 mg", "place": "Main pharmacy"},
    "purchase": {"product": "Knee brace", "quantity": 1, "amount": 39.5},
    "order_placed": {"number": "O-77", "product": "Knee brace"},
    "order_shipped": {"number": "O-77", "carrier": "Post", "tracking": "1Z"},
    "signed_up": {"list": "newsletter"},
    "downloaded": {"resource": "guide-to-sleep.pdf"},
    "page_visited": {"path": "/services/cardiology"},
    "form_completed": {"form": "intake", "fields": {"pain": 3, "smokes": False, "note": "", "since": None}},
}
"""The details of one good event of each kind that others may tell."""


def person(mrn: str, email: str = "") -> ContactPatch:
    source, evidence = AddressSource.CLINICAL_ENCOUNTER, "front desk"
    return ContactPatch(
        identifiers=(Identifier("mrn", Phi(mrn)),),
        addresses=(Address(Channel.EMAIL, Phi(email), source, evidence, None),) if email else (),
        values={"given_name": mrn, "family_name": "Example", "birth_date": "1961-04-17"},
    )


@pytest.fixture
def rosa(actor: Actor) -> UUID:
    """A patient with the record number R7 and an address of her own; two others share another address."""
    made = contacts.merge(
        [
            person("R7", "rosa@lakepost.test"),
            person("B8", "home@lakepost.test"),
            person("C9", "home@lakepost.test"),
        ],
        actor=actor,
    )
    assert made[0].contact_id is not None
    return made[0].contact_id


def event(kind: str = "visit", /, key: str | None = "k1", **more: Any) -> dict[str, Any]:
    """Return a good event of Rosa's; None takes a part away."""
    whole = {
        "kind": kind,
        "identifier": {"system": "mrn", "value": "R7"},
        "at": AT,
        "key": key,
        "details": GOOD.get(kind, {}),
        **more,
    }
    return {name: value for name, value in whole.items() if value is not None}


def tell(actor: Actor, *events: Any, call: str = "") -> list[Outcome]:
    return [one.outcome for one in api.tell(events, call=call, actor=actor, clock=CLOCK)]


def document(contact_id: UUID) -> dict[str, Any]:
    return next(orjson.loads(raw) for *_, raw in contacts.open_documents(ids=[contact_id]))


# What may be told


@pytest.mark.parametrize("kind", GOOD)
def test_every_kind_that_others_may_tell_is_stored_with_its_details(
    rosa: UUID, actor: Actor, kind: str
) -> None:
    told = event(kind)
    jsonschema.validate(told, SCHEMA)
    assert tell(actor, told) == [STORED]
    (stored,) = api.of_contact(rosa)
    assert (stored.kind.value, stored.at, stored.details) == (kind, datetime.fromisoformat(AT), GOOD[kind])


def test_the_kinds_that_others_may_tell_are_all_but_what_salus_itself_says() -> None:
    own = ("message_", "opted_", "portal_")
    assert {kind.value for kind in api.tellable()} == set(GOOD)
    assert set(EventKind) - api.tellable() == {kind for kind in EventKind if kind.value.startswith(own)}


BAD: list[tuple[Any, str]] = [
    ([], "event"),
    ("visit", "event"),
    (event(color="red"), "event"),
    (event(kind="abducted"), "kind"),
    (event(kind=["visit"]), "kind"),
    ({"identifier": {"system": "mrn", "value": "R7"}, "at": AT, "key": "k"}, "kind"),
    *((event(own, details={}), "kind") for own in ("message_opened", "opted_out", "portal_signed_in")),
    (event(identifier=None), "contact_id"),
    (event(email="rosa@lakepost.test"), "contact_id"),
    (event(identifier=None, contact_id="R7"), "contact_id"),
    (event(identifier=None, contact_id=7), "contact_id"),
    (event(identifier={"system": "mrn"}), "identifier"),
    (event(identifier={"system": "Med Rec", "value": "R7"}), "identifier"),
    (event(identifier={"system": "mrn", "value": "  "}), "identifier"),
    (event(identifier={"system": "mrn", "value": 7}), "identifier"),
    (event(identifier="R7"), "identifier"),
    (event(identifier=None, email="rosa at lakepost"), "email"),
    (event(identifier=None, email=7), "email"),
    (event(at=None), "at"),
    (event(at="yesterday"), "at"),
    (event(at="2026-11-01"), "at"),
    (event(at="2026-11-01T09:30:00"), "at"),
    (event(at=1_700_000_000), "at"),
    (event(at="2026-11-02T14:00:00Z"), "at"),
    (event(at="1066-10-14T09:00:00Z"), "at"),
    (event(key=None), "key"),
    (event(key=""), "key"),
    (event(key="x" * 181), "key"),
    (event(key=7), "key"),  # type: ignore[arg-type]
    (event(details=[1]), "details"),
    (event(details={"weight": 80}), "details"),
    (event(details={"code": "E11", "system": "icd11"}), "details.system"),
    (event(details={"code": "not a code", "system": "loinc"}), "details.code"),
    (event(details={"department": 4}), "details.department"),
    (event(details={"department": "a\x07b"}), "details.department"),
    (event(details={"text": "x" * 201}), "details.text"),
    (event("appointment_booked", details={"id": "a1"}), "details.starts_at"),
    (event("appointment_booked", details={"starts_at": STARTS}), "details.id"),
    (event("appointment_booked", details={"id": "a1", "starts_at": "2026-11-20T14:30"}), "details.starts_at"),
    (event("appointment_missed", details={}), "details.id"),
    (event("purchase", details={"amount": 4}), "details"),
    (event("purchase", details={"product": "Brace", "amount": -4}), "details.amount"),
    (event("purchase", details={"product": "Brace", "quantity": True}), "details.quantity"),
    (event("signed_up", details={}), "details"),
    (event("page_visited", details={"path": "/search?q=hiv"}), "details.path"),
    (event("page_visited", details={"path": "https://example.org/"}), "details.path"),
    (event("form_completed", details={"form": "intake", "fields": [1]}), "details.fields"),
    (event("form_completed", details={"form": "intake", "fields": {"a b": 1}}), "details.fields"),
    (event("form_completed", details={"form": "intake", "fields": {"a": {"b": 1}}}), "details.fields"),
    (event("form_completed", details={"form": "intake", "fields": {f"f{n}": n for n in range(51)}}), "details.fields"),
]  # fmt: skip


@pytest.mark.parametrize(("bad", "place"), BAD)
def test_a_bad_event_is_refused_with_the_part_at_fault_and_the_others_are_stored(
    rosa: UUID, actor: Actor, bad: Any, place: str
) -> None:
    told = api.tell([event(key="one"), bad, event(key="two")], actor=actor, clock=CLOCK)
    assert [one.outcome for one in told] == [STORED, REFUSED, STORED]
    assert told[1].place == place
    assert told[1].reason
    assert len(api.of_contact(rosa)) == 2


def test_a_refusal_never_repeats_what_was_told(rosa: UUID, actor: Actor) -> None:
    canary = "Quillfeather"
    bad = [
        event(canary),
        event() | {canary: 1},
        event(details={canary: 1}),
        event(at=canary),
        event(identifier=None, email=f"{canary} @"),
        event(identifier={"system": "mrn", "value": canary}),
        event("page_visited", details={"path": canary}),
    ]
    told = api.tell(bad, actor=actor, clock=CLOCK)
    assert [one.outcome for one in told] == [REFUSED] * len(bad)
    assert canary not in repr(told)


ANYTHING = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=12), st.just(AT)
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from([*GOOD, "message_read", "nothing"]),
    st.dictionaries(
        st.sampled_from(["kind", "identifier", "email", "contact_id", "at", "key", "details"]), ANYTHING
    ),
    st.dictionaries(st.sampled_from(sorted({name for one in GOOD.values() for name in one})), ANYTHING),
)
def test_whatever_is_told_has_an_answer_and_nothing_breaks(
    rosa: UUID, actor: Actor, kind: str, parts: dict[str, Any], details: dict[str, Any]
) -> None:
    whole = event(kind, details=GOOD.get(kind, {}) | details) | parts
    (told,) = api.tell([whole], actor=actor, clock=CLOCK)
    assert (told.outcome is REFUSED) == bool(told.reason and told.place)


# Whose it is


def test_a_person_is_named_by_id_identifier_or_address(rosa: UUID, actor: Actor) -> None:
    by_id = event(key="1", identifier=None, contact_id=str(rosa))
    by_email = event(key="2", identifier=None, email="Rosa@Lakepost.test")
    assert (
        tell(actor, by_id, by_email, event(key="3", identifier={"system": "mrn", "value": " R7 "}))
        == [STORED] * 3
    )
    assert len(api.of_contact(rosa)) == 3


@pytest.mark.parametrize(
    ("named", "place"),
    [
        ({"contact_id": str(new_id())}, "contact_id"),
        ({"identifier": {"system": "mrn", "value": "X"}}, "identifier"),
        ({"identifier": {"system": "member", "value": "R7"}}, "identifier"),
        ({"email": "nobody@lakepost.test"}, "email"),
        ({"email": "home@lakepost.test"}, "email"),
    ],
)
def test_whoever_is_not_here_or_not_told_apart_is_refused(
    rosa: UUID, actor: Actor, named: dict[str, Any], place: str
) -> None:
    bad = event(key="bad", identifier=None) | named
    told = api.tell([event(), bad], actor=actor, clock=CLOCK)
    assert [(one.outcome, one.place) for one in told] == [(STORED, ""), (REFUSED, place)]
    assert ("more than one" in told[1].reason) == (named == {"email": "home@lakepost.test"})


def test_somebody_who_was_erased_is_nobody(rosa: UUID, actor: Actor) -> None:
    contacts.erase_person(rosa, actor=actor)
    told = api.tell([event(), event(identifier=None, contact_id=str(rosa))], actor=actor, clock=CLOCK)
    assert [(one.outcome, one.reason) for one in told] == [(REFUSED, api.NOBODY)] * 2


# Once


def test_the_same_key_is_known_whatever_else_it_says_then(rosa: UUID, actor: Actor) -> None:
    assert tell(actor, event(), event(), event(key="k2")) == [STORED, KNOWN, STORED]
    assert tell(actor, event("discharge"), event(key="k3")) == [KNOWN, STORED]
    assert [one.kind for one in api.of_contact(rosa)] == [EventKind.VISIT] * 3


def test_the_same_key_of_another_person_is_another_event(rosa: UUID, actor: Actor) -> None:
    other = event(identifier={"system": "mrn", "value": "B8"})
    assert tell(actor, event(), other) == [STORED, STORED]


def test_events_without_a_key_have_that_of_the_call(rosa: UUID, actor: Actor) -> None:
    call = [event(key=None), event(key=None), event(key="own")]
    assert tell(actor, *call, call="monday") == [STORED] * 3
    assert tell(actor, *call, call="monday") == [KNOWN] * 3
    assert tell(actor, *call, call="tuesday") == [STORED, STORED, KNOWN]
    with pytest.raises(BadInput, match="longer"):
        tell(actor, event(), call="x" * 256)


def test_nobody_can_take_the_key_of_an_event_that_salus_itself_will_say(rosa: UUID, actor: Actor) -> None:
    tell(actor, event(key="session 1"))
    own = NewEvent(rosa, EventKind.PORTAL_SIGNED_IN, NOW, "session 1")
    assert api.append([own]) == 1


def test_what_is_known_stays_so_after_the_blind_key_was_rotated(rosa: UUID, actor: Actor) -> None:
    booked = event("appointment_booked")
    assert tell(actor, booked) == [STORED]
    keys.rotate("blind", actor=actor)
    assert tell(actor, booked, event("appointment_cancelled", key="k2")) == [KNOWN, STORED]
    assert tell(actor, booked) == [KNOWN]
    assert document(rosa)["appointments"][0]["status"] == "cancelled"


def test_late_events_are_stored_with_their_own_time(rosa: UUID, actor: Actor) -> None:
    tell(actor, event(), event(key="late", at="2019-01-05T10:00:00-08:00"))
    assert [one.at.year for one in api.of_contact(rosa)] == [2019, 2026]
    assert {one.recorded_at for one in api.of_contact(rosa)} == {NOW}


# Appointments


def appointment(kind: str, key: str, day: int = 0, at: int = 0, **more: Any) -> dict[str, Any]:
    """Return an event of appointment a1 that happened at hour `at` of a day before now."""
    details: dict[str, Any] = {"id": "a1", **more}
    if day:
        details["starts_at"] = f"2026-11-{day:02d}T14:30:00-08:00"
    happened = (NOW - timedelta(days=2) + timedelta(hours=at)).isoformat()
    return event(f"appointment_{kind}", key=key, at=happened, details=details)


def test_an_appointment_becomes_a_record_that_segments_dates_and_messages_see(
    rosa: UUID, actor: Actor
) -> None:
    tell(actor, appointment("booked", "1", 20, text="Follow-up visit", code="99213", system="cpt"))
    assert document(rosa)["appointments"] == [
        {
            "id": "a1", "status": "booked", "code": "99213", "system": "cpt", "text": "Follow-up visit",
            "date": "2026-11-20", "time": "14:30",
        }
    ]  # fmt: skip
    tell(actor, appointment("moved", "2", 23, at=1))
    moved = document(rosa)["appointments"][0]
    assert (moved["date"], moved["status"], moved["text"]) == ("2026-11-23", "booked", "Follow-up visit")
    for kind, status in (("missed", "noshow"), ("attended", "fulfilled"), ("cancelled", "cancelled")):
        tell(actor, appointment(kind, kind, at=len(kind)))
        kept = document(rosa)["appointments"][0]
        assert (kept["date"], kept["status"]) == ("2026-11-23", status)


STORY = [
    appointment("booked", "1", 20, at=1, text="Follow-up visit"),
    appointment("moved", "2", 21, at=2),
    appointment("moved", "3", 22, at=3),
    appointment("cancelled", "4", at=4),
]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_in_whatever_order_its_events_come_the_record_is_the_same(
    rosa: UUID, actor: Actor, order: tuple[int, ...]
) -> None:
    first, *others = order
    assert tell(actor, STORY[first]) == [STORED]
    tell(actor, *(STORY[place] for place in others))
    assert tell(actor, *STORY) == [KNOWN] * 4
    assert document(rosa)["appointments"] == [
        {"id": "a1", "status": "cancelled", "text": "Follow-up visit", "date": "2026-11-22", "time": "14:30"}
    ]


def test_a_repeated_event_does_not_turn_the_record_back(rosa: UUID, actor: Actor) -> None:
    booked = appointment("booked", "1", 20)
    tell(actor, booked)
    tell(actor, appointment("missed", "2", at=5))
    version = contacts.versions([rosa])
    assert tell(actor, booked, booked) == [KNOWN, KNOWN]
    assert document(rosa)["appointments"][0]["status"] == "noshow"
    assert contacts.versions([rosa]) == version


def test_several_appointments_of_several_people_are_kept_apart(rosa: UUID, actor: Actor) -> None:
    bob = {"system": "mrn", "value": "B8"}
    second = appointment("booked", "2", 25) | {"details": {"id": "a2", "starts_at": STARTS}}
    assert (
        tell(actor, appointment("booked", "1", 20), second, appointment("missed", "3") | {"identifier": bob})
        == [STORED] * 3
    )
    assert [(one["id"], one["date"]) for one in document(rosa)["appointments"]] == [
        ("a1", "2026-11-20"), ("a2", "2026-11-20"),
    ]  # fmt: skip
    found = contacts.find_by_identifier("mrn", "B8")
    assert found is not None
    assert document(found)["appointments"] == [{"id": "a1", "status": "noshow"}]
    assert document(rosa)["appointments"][0]["status"] == "booked"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("2026-11-20T14:30:00-08:00", ("2026-11-20", "14:30")),
        ("2026-11-21T02:30:00Z", ("2026-11-20", "20:30")),
        ("2026-11-20T23:59:00+09:00", ("2026-11-20", "23:59")),
    ],
)
def test_the_clock_of_the_place_is_the_one_that_counts(given: str, shown: tuple[str, str]) -> None:
    assert api.at_the_place(datetime.fromisoformat(given), ZoneInfo("America/Chicago")) == shown


def test_of_the_same_moment_what_was_told_later_counts() -> None:
    first = NewEvent(UUID(int=1), EventKind.APPOINTMENT_BOOKED, NOW, "1", details={"id": "a", "text": "One"})
    then = Event(1, UUID(int=1), EventKind.APPOINTMENT_CANCELLED, NOW, NOW, None, {"id": "a", "text": "Two"})
    assert appointments.record_of([first, then], UTC) == {"id": "a", "status": "cancelled", "text": "Two"}
    assert appointments.record_of([then, first], UTC) == {"id": "a", "status": "booked", "text": "One"}


def test_two_who_tell_of_one_appointment_at_the_same_time_lose_nothing(organization: UUID) -> None:
    actor = system(organization, "test")
    with acting_for(organization):
        contacts.merge([person("R7")], actor=actor)
    start = threading.Barrier(2)

    def work(*events: dict[str, Any]) -> None:
        try:
            start.wait(10)
            for one in events:
                with acting_for(organization):
                    assert tell(actor, one) == [STORED]
        finally:
            connections.close_all()

    early = [appointment("moved", f"m{n}", 1 + n, at=n) for n in range(12)]
    late = [appointment("cancelled", f"c{n}", at=20 + n) for n in range(12)]
    threads = [threading.Thread(target=work, args=one) for one in (early, late)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    with acting_for(organization):
        found = contacts.find_by_identifier("mrn", "R7")
        assert found is not None
        assert [(one["status"], one["date"]) for one in document(found)["appointments"]] == [
            ("cancelled", "2026-11-12")
        ]


# What is left behind


def test_one_call_is_one_entry_with_counts(rosa: UUID, actor: Actor) -> None:
    tell(actor, event(), event(), event("nothing"), event(key="2"))
    (entry,) = audit.entries(Filters(action=Action.TIMELINE_APPEND), after=None, limit=5)
    assert entry.details == {"events": 2, "known": 1, "refused": 1}


def test_nothing_that_was_told_is_stored_in_clear(rosa: UUID, actor: Actor) -> None:
    tell(
        actor,
        event(key="Quillfeather-key", details={"department": "Quillfeather"}),
        appointment("booked", "Quillfeather-2", 20, place="Quillfeather", text="Quillfeather"),
    )
    with connection.cursor() as cursor:
        for table in ("timeline_event", "contacts_contact", "audit_entry"):
            cursor.execute(f"SELECT string_agg(t::text, '') FROM {table} AS t")
            assert "uillfeather" not in cursor.fetchone()[0]


# What developers read


def test_the_documentation_names_every_kind_with_its_parts_and_its_examples_are_good() -> None:
    text = (Path(__file__).parents[2] / "docs" / "events.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    for kind, shape in shapes.SHAPES.items():
        (row,) = [one for one in rows if f"`{kind.value}`" in one.split("|")[1]]
        if "the others as above" not in row:
            assert set(re.findall(r"`([a-z_]+)`", row.split("|")[2])) == set(shape.parts), kind
    examples = [json.loads(one) for one in re.findall(r"-d '(.*?)'\n", text, re.DOTALL)]
    told = [one for body in examples for one in body.get("events", [body])]
    assert len(told) == 3
    for one in told:
        jsonschema.validate(one, SCHEMA)
        hearing.hear(one, now=datetime(2027, 1, 1, tzinfo=UTC), call="x", place=0)
