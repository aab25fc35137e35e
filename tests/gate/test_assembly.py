"""With real contacts and a real ledger: the right fields are opened, the right standing is taken, once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from salus.audit import api as audit
from salus.contacts import api as contacts
from salus.contacts.contracts import Address, ContactPatch, Identifier, Read
from salus.content.contracts import Classification
from salus.gate import api
from salus.gate.contracts import Clearance, MessageFacts, Reason
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput
from salus.kernel.phi import Phi
from salus.kernel.time import FakeClock
from salus.kernel.vocabulary import (
    AddressSource,
    Channel,
    PhiClass,
    Profile,
    Promotes,
    Protection,
    Purpose,
    Remuneration,
    SenderRole,
    Special,
)
from salus.permissions import api as permissions
from salus.permissions.contracts import EntryKind, NewEntry

AT = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)
BEFORE = FakeClock(AT - timedelta(days=10))


@dataclass(frozen=True)
class Clinic:
    sender_role: SenderRole = SenderRole.PROVIDER
    profile: Profile = Profile.STRICT


def patient(name: str, **values: Any) -> ContactPatch:
    records = {key: tuple(value) for key, value in values.items() if isinstance(value, list)}
    plain = {key: value for key, value in values.items() if key not in records}
    address = Address(
        Channel.EMAIL, Phi(f"{name}@lakepost.example.org"), AddressSource.CLINICAL_ENCOUNTER, "registration", date(2025, 1, 2)
    )  # fmt: skip
    known = {"given_name": name.title(), "family_name": "Example", "birth_date": "1961-04-17", "state": "OH", "relation": "patient"}  # fmt: skip
    return ContactPatch((Identifier("mrn", Phi(name)),), (address,), known | plain, records, "line 1")


def condition(code: str, day: str = "2026-06-01") -> dict[str, str]:
    return {"id": f"c-{code}", "code": code, "system": "icd10", "date": day, "status": "active"}


def about(purpose: Purpose, **changes: Any) -> MessageFacts:
    reads = changes.pop("reads", ())
    classification = Classification(
        purpose, changes.pop("promotes", Promotes.NOTHING), Remuneration.NONE, "care-news",
        conditions=changes.pop("conditions", ()), authored_by=UUID(int=1), confirmed_by=UUID(int=2),
    )  # fmt: skip
    return api.message_facts(
        classification, reads=reads, organization=Clinic(), channel=Channel.EMAIL, **changes
    )


DIABETES = (Read("conditions", PhiClass.DIAGNOSIS, None, "segment", "$", "vs:diabetes"),)


def arrive(actor: Actor, *patches: ContactPatch) -> dict[str, tuple[int, UUID]]:
    merged = contacts.merge(patches, actor=actor)
    found = {}
    for patch, one in zip(patches, merged, strict=True):
        assert one.number is not None, one.reason
        assert one.contact_id is not None
        found[str(patch.values["given_name"]).lower()] = one.number, one.contact_id
    return found


def clear(facts: MessageFacts, numbers: list[int], actor: Actor, fields: tuple[str, ...] = ("given_name",)) -> list[Clearance]:  # fmt: skip
    return [clearance for clearance, _ in api.assemble_and_clear(facts, numbers, fields, AT, actor)]


@pytest.fixture
def people(tenant: UUID, actor: Actor) -> dict[str, tuple[int, UUID]]:
    return arrive(
        actor,
        patient("rosa", conditions=[condition("E11.9", "2015-05-05")], encounters=[{"id": "v", "date": "2026-10-01", "status": "finished"}]),
        patient("theo", conditions=[condition("E11.9", "2015-05-05")], encounters=[]),
        patient("mina", conditions=[condition("I10")], encounters=[]),
    )  # fmt: skip


def test_each_person_is_decided_on_their_own_record(
    people: dict[str, tuple[int, UUID]], actor: Actor
) -> None:
    facts = about(Purpose.CONDITION_EDUCATION, reads=DIABETES, conditions=("vs:diabetes",))
    rosa, theo, mina = clear(facts, [people[name][0] for name in ("rosa", "theo", "mina")], actor)
    assert rosa.decision.allowed
    assert rosa.decision.floor is Protection.VERIFIED
    assert rosa.decision.valid_until == datetime(2027, 10, 2, tzinfo=UTC)
    assert theo.decision.reason is mina.decision.reason is Reason.NO_AUTHORIZATION


def test_a_clearance_is_bound_to_what_it_was_made_on(
    people: dict[str, tuple[int, UUID]], actor: Actor
) -> None:
    number, contact_id = people["rosa"]
    (before,) = clear(about(Purpose.APPOINTMENT), [number], actor)
    permissions.opt_out(contact_id, "care-news", Channel.EMAIL, evidence="portal", actor=actor, clock=BEFORE)
    (after,) = clear(about(Purpose.APPOINTMENT), [number], actor)
    assert (before.contact_id, before.contact_number, before.contact_version) == (contact_id, number, contacts.versions([contact_id])[contact_id])  # fmt: skip
    assert after.standing_version > before.standing_version
    assert before.address is not None
    assert before.address.value == Phi("rosa@lakepost.example.org")
    assert after.decision.reason is Reason.OPTED_OUT


def test_merge_values_come_from_the_very_version_that_was_cleared(people: dict[str, tuple[int, UUID]], actor: Actor) -> None:  # fmt: skip
    ((clearance, opened),) = api.assemble_and_clear(about(Purpose.APPOINTMENT), [people["mina"][0]], ("given_name",), AT, actor)  # fmt: skip
    assert opened.version == clearance.contact_version
    assert opened.values["given_name"] == Phi("Mina")
    assert "conditions" not in opened.values


FORM = {
    "information": "My e-mail address", "discloser": "Cedar Row Clinic", "recipient": "Cedar Row Clinic",
    "purpose_text": "To tell me of new services", "signed_at": "2026-01-10", "signature": "written", "signer": "self",
    "states_right_to_revoke": True, "states_how_to_revoke": True, "states_revocation_exceptions": True,
    "states_no_conditioning": True, "states_redisclosure": True, "purposes": [Purpose.OWN_SERVICE.value],
    "classes": [PhiClass.CONTACT.value],
}  # fmt: skip


def test_a_signed_authorization_opens_and_a_revocation_closes(people: dict[str, tuple[int, UUID]], actor: Actor) -> None:  # fmt: skip
    number, contact_id = people["rosa"]
    facts = about(Purpose.OWN_SERVICE, promotes=Promotes.OWN_HEALTH)
    assert clear(facts, [number], actor)[0].decision.reason is Reason.NO_AUTHORIZATION
    end = AT + timedelta(days=50)
    signed = NewEntry(
        contact_id, EntryKind.AUTHORIZATION, BEFORE.now(), "paper", valid_until=end, details=FORM
    )
    (form,) = permissions.append([signed], actor=actor, clock=BEFORE)
    (allowed,) = clear(facts, [number], actor)
    assert allowed.decision.allowed
    assert allowed.decision.valid_until == end
    assert form in {result.evidence_id for result in allowed.decision.results}
    revoked = NewEntry(
        contact_id, EntryKind.AUTHORIZATION_REVOKED, BEFORE.now() + timedelta(days=1), "letter", ends=form
    )
    permissions.append([revoked], actor=actor, clock=FakeClock(AT))
    assert clear(facts, [number], actor)[0].decision.reason is Reason.NO_AUTHORIZATION


def test_a_batch_takes_two_queries_for_people_and_leaves_one_entry(people: dict[str, tuple[int, UUID]], actor: Actor) -> None:  # fmt: skip
    numbers = [number for number, _ in people.values()]
    clear(about(Purpose.APPOINTMENT), numbers, actor)
    with CaptureQueriesContext(connection) as few:
        clear(about(Purpose.APPOINTMENT), numbers[:1], actor)
    with CaptureQueriesContext(connection) as many:
        clear(about(Purpose.APPOINTMENT), numbers, actor)
    assert len(many) == len(few)
    newest = audit.entries(limit=1)[0]
    assert (newest.action, newest.purpose) == ("contacts:record:read", "message_clearance")
    assert newest.details["contacts"] == len(numbers)
    assert "conditions" not in newest.fields


def test_a_bounced_address_is_found_by_its_index(people: dict[str, tuple[int, UUID]], actor: Actor) -> None:
    number, contact_id = people["rosa"]
    details = {"reason": "hard_bounce", "address": "Rosa@lakepost.example.org"}
    permissions.append([NewEntry(contact_id, EntryKind.SUPPRESSION, BEFORE.now(), "dsn", channel=Channel.EMAIL, details=details)], actor=actor, clock=BEFORE)  # fmt: skip
    (decided,) = clear(about(Purpose.APPOINTMENT), [number], actor)
    assert decided.decision.reason is Reason.SUPPRESSED


def test_another_address_that_bounced_does_not_matter(
    people: dict[str, tuple[int, UUID]], actor: Actor
) -> None:
    number, contact_id = people["rosa"]
    details = {"reason": "hard_bounce", "address": "old@lakepost.example.org"}
    permissions.append([NewEntry(contact_id, EntryKind.SUPPRESSION, BEFORE.now(), "dsn", channel=Channel.EMAIL, details=details)], actor=actor, clock=BEFORE)  # fmt: skip
    (decided,) = clear(about(Purpose.APPOINTMENT), [number], actor)
    assert decided.decision.allowed


def test_listing_all_diagnoses_reveals_each_persons_own(tenant: UUID, actor: Actor) -> None:
    them = arrive(
        actor,
        patient("ida", conditions=[condition("I10")]),
        patient("sol", conditions=[condition("I10"), condition("B20")]),
    )
    listed = (Read("conditions", PhiClass.DIAGNOSIS, None, "merge", "line 3"),)
    facts = about(Purpose.CARE_INSTRUCTIONS, reads=listed)
    ida, sol = clear(facts, [them["ida"][0], them["sol"][0]], actor, ("given_name", "conditions"))
    assert ida.decision.floor is Protection.VERIFIED
    assert sol.decision.floor is Protection.PORTAL
    assert "hiv" in sol.decision.disclosed
    assert "hiv" not in ida.decision.disclosed


def test_an_erased_person_is_left_out(people: dict[str, tuple[int, UUID]], actor: Actor) -> None:
    number, contact_id = people["theo"]
    contacts.erase_person(contact_id, actor=actor)
    assert clear(about(Purpose.APPOINTMENT), [number, 999_999], actor) == []


def test_a_question_for_a_value_set_reveals_what_is_in_it() -> None:
    asked = (Read("conditions", PhiClass.DIAGNOSIS, None, "segment", "$", "vs:hiv"),)
    facts = about(Purpose.CARE_INSTRUCTIONS, reads=asked)
    from salus.gate.catalogue import CODES
    from salus.gate.rules.message import message_of

    assert Special.HIV in message_of(facts, CODES).specials


def test_a_message_that_names_an_unknown_value_set_is_refused() -> None:
    with pytest.raises(BadInput, match="vs:nonsense"):
        about(Purpose.CONDITION_EDUCATION, conditions=("vs:nonsense",))
    with pytest.raises(BadInput, match="magic"):
        about(Purpose.APPOINTMENT, sign_offs={"magic": UUID(int=1)})


def test_every_field_that_the_gate_may_read_is_in_the_dictionary() -> None:
    for facts in (None, about(Purpose.REFILL), about(Purpose.CONDITION_EDUCATION, conditions=("E11",))):
        for name in api.person_fields(facts):
            assert name in contacts.dictionary() or name in {"email", "phone"}
