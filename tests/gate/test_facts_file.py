"""A file of facts: whatever the schema allows is read, every fault names its place, no value is repeated."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salus.gate import api, facts_file, facts_schema
from salus.gate.contracts import MessageFacts, PersonFacts, Reason
from salus.kernel.errors import BadInput
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import AddressSource, Purpose

from .strategies import messages, people
from .world import AT, decide, message, person

NOW = datetime(2026, 12, 1, tzinfo=UTC)


def plain(value: object) -> Any:
    """Write facts as a file would hold them."""
    if isinstance(value, Phi):
        return value.reveal()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (UUID, date)):
        return value.isoformat() if isinstance(value, date) else str(value)
    if isinstance(value, (tuple, frozenset)):
        return [plain(one) for one in value]
    if is_dataclass(value):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    return value


MINIMAL = {
    "purpose": "appointment_confirm_remind_reschedule", "promotes": "nothing", "remuneration": "none",
    "payer_is_promoted_party": False, "topic": "reminders", "channel": "email", "sender_role": "provider", "reads": [],
    "classification_confirmed": True, "service_in_scope": True,
}  # fmt: skip
CARA: dict[str, Any] = {
    "relation": "patient", "birth_date": "1980-03-01", "states": ["OH"],
    "address": {"channel": "email", "value": "cara@example.org", "source": "clinical_encounter"},
}  # fmt: skip


def case(message: Any = None, person: Any = None, **more: Any) -> dict[str, Any]:
    return {"message": {**MINIMAL, **(message or {})}, "persons": [{**CARA, **(person or {})}], **more}


@settings(max_examples=80, deadline=None)
@given(messages(), people())
def test_facts_come_back_as_they_were_written(facts: MessageFacts, who: PersonFacts) -> None:
    document = json.loads(
        json.dumps({"at": AT.isoformat(), "message": plain(facts), "persons": [plain(who)]})
    )
    (read,) = facts_file.read([document], NOW)
    assert read.at == AT
    assert read.message == facts
    assert read.persons == (who,)


def test_a_short_file_is_enough_and_what_is_left_out_is_not_known() -> None:
    (read,) = facts_file.read(case(), NOW)
    assert read.at == NOW
    (decision,) = api.decide(read.message, read.persons, NOW)
    assert decision.allowed
    assert read.persons[0].address_source is AddressSource.CLINICAL_ENCOUNTER
    assert read.persons[0].standing.contact_id == read.persons[0].contact_id
    bare = facts_file.read({"message": MINIMAL, "persons": [{}]}, NOW)[0]
    assert decide(bare.message, bare.persons[0], NOW).reason is Reason.UNKNOWN_FACT


def test_people_and_evidence_without_an_id_get_a_stable_one() -> None:
    document = case(person={"standing": {"opt_ins": [{"topic": "news", "channel": "email"}]}})
    first, second = facts_file.read(document, NOW), facts_file.read(document, NOW)
    assert first == second
    assert first[0].persons[0].standing.opt_ins[0].evidence_id.version == 5


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (3, "$"),
        ([case(), "x"], "$[1]"),
        ({"message": MINIMAL}, "$.persons"),
        ({"persons": []}, "$.message"),
        ({"message": MINIMAL, "persons": {}}, "$.persons"),
        (case(extra=1), "$.extra"),
        (case(at="yesterday"), "$.at"),
        (case(at="2026-11-24T17:00:00"), "$.at"),
        (case({"purpose": "marketing"}), "$.message.purpose"),
        (case({"purpose": ["x"]}), "$.message.purpose"),
        (case({"reads": [{"field": "conditions"}]}), "$.message.reads[0].phi_class"),
        (case({"reads": "conditions"}), "$.message.reads"),
        (case({"individual": "yes"}), "$.message.individual"),
        (case({"waiver_id": "7"}), "$.message.waiver_id"),
        (case({"colour": "red"}), "$.message.colour"),
        (case(person={"birth_date": "1980-02-30"}), "$.persons[0].birth_date"),
        (case(person={"version": True}), "$.persons[0].version"),
        (case(person={"address": {"channel": "email"}}), "$.persons[0].address.value"),
        (case(person={"address_blind": "xyz"}), "$.persons[0].address_blind"),
        (case(person={"standing": {"opt_ins": [{}]}}), "$.persons[0].standing.opt_ins[0].topic"),
        (case(person={"standing": []}), "$.persons[0].standing"),
        (case(person={"treatments": [{"code": "E11"}]}), "$.persons[0].treatments[0].last_care"),
        (case(person={"states": ["OH", "Ohio"]}), "$.persons[0].states"),
        (case(person={"time_zone": "Mars/North"}), "$.persons[0].time_zone"),
        (case(person={"birth_date": "0001-01-01"}), "$.persons[0].birth_date"),
        (case({"conditions": ["E11", "vs:nonsense"]}), "$.message.conditions[1]"),
        (
            case({"reads": [{"field": "conditions", "phi_class": "diagnosis", "code": "vs:x"}]}),
            "$.message.reads[0].code",
        ),
        (case(at="0001-01-01T00:00:00+14:00"), "$.at"),
    ],
)
def test_a_fault_names_its_place(document: object, place: str) -> None:
    with pytest.raises(BadInput) as fault:
        facts_file.read(document, NOW)
    assert fault.value.place == place


@pytest.mark.parametrize("name", sorted(set(MINIMAL)))
def test_what_a_rule_reads_of_the_message_cannot_be_left_out(name: str) -> None:
    short = {key: value for key, value in MINIMAL.items() if key != name}
    with pytest.raises(BadInput, match="is missing") as fault:
        facts_file.read({"message": short, "persons": []}, NOW)
    assert fault.value.place == f"$.message.{name}"


def test_a_fault_does_not_repeat_what_may_be_phi() -> None:
    with pytest.raises(BadInput) as fault:
        facts_file.read(case(person={"birth_date": "canary-1980"}), NOW)
    assert "canary" not in str(fault.value)


def test_the_schema_describes_what_is_read() -> None:
    schema = facts_schema.schema()
    shapes = schema["$defs"]
    assert set(shapes["MessageFacts"]["required"]) == set(MINIMAL)
    assert shapes["PersonFacts"]["required"] == []
    assert set(shapes["PersonFacts"]["properties"]) == {one.name for one in fields(PersonFacts)}
    assert "unclassified" in shapes["Purpose"]["enum"]
    assert json.loads(json.dumps(schema)) == schema
    references = set(_references(schema))
    assert references == {f"#/$defs/{name}" for name in shapes}


def _references(value: object) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if "$ref" in value else []
        return own + [found for one in value.values() for found in _references(one)]
    return [found for one in value for found in _references(one)] if isinstance(value, list) else []


def test_a_decision_is_written_with_its_explanation() -> None:
    refused = api.write_decision(decide(message(Purpose.OWN_SERVICE), person()))
    assert refused["reason"] == "no_authorization"
    assert refused["explanation"]["next_step"] == "Ask the person to sign."
    assert refused["floor"] == "named"
    assert {"gate", "rule", "citation", "satisfied", "evidence_id", "detail"} == set(refused["gates"][0])
    assert api.write_decision(decide(message(Purpose.APPOINTMENT), person()))["explanation"] is None
    assert json.loads(json.dumps(refused)) == refused


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["9999-12-31", "2026-11-24T17:00:00Z", "email"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(messages(), people(), json_values, st.data())
def test_no_file_breaks_it(facts: MessageFacts, who: PersonFacts, junk: object, data: st.DataObject) -> None:
    document = {"at": AT.isoformat(), "message": plain(facts), "persons": [plain(who)]}
    node: Any = document
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key = data.draw(st.sampled_from(keys))
        if not node[key] or not isinstance(node[key], (dict, list)) or data.draw(st.booleans()):
            node[key] = junk
            break
        node = node[key]
    try:
        for one in facts_file.read(document, NOW):
            for decision in api.decide(one.message, one.persons, one.at):
                json.dumps(api.write_decision(decision))
    except BadInput as fault:
        assert fault.place.startswith("$")  # noqa: PT017


def test_a_record_without_an_end_breaks_nothing() -> None:
    forever = [{"code": "860975", "last_care": "2199-12-31"}]
    document = case({"purpose": "refill_or_adherence"}, {"prescriptions": forever})
    ((decision,),) = [api.decide(one.message, one.persons, one.at) for one in facts_file.read(document, NOW)]
    assert decision.allowed
