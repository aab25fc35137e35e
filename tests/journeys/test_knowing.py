"""What is known of the world when a journey is checked, in a real clinic: its templates, segments, vendors, keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings

from salus.audiences import api as audiences
from salus.content.contracts import Classification
from salus.identity import api as identity
from salus.identity.contracts import Organization, Permission, Role
from salus.intake.contracts import EVENT_KINDS
from salus.journeys import drafting, knowing
from salus.journeys.contracts import (
    Again,
    Call,
    Enter,
    EnterKind,
    Exit,
    GoTo,
    Graph,
    Send,
    Status,
    Update,
    VersionStatus,
    Wait,
    WaitFor,
)
from salus.journeys.models import JourneyRow, VersionRow
from salus.kernel.acting import Actor, system
from salus.kernel.ids import new_id
from salus.kernel.vocabulary import Channel, PhiClass, Promotes, Purpose, Remuneration
from salus.platform.tenancy import acting_for
from salus.timeline.contracts import EventKind
from salus.vendors import api as vendors
from salus.vendors.contracts import Clause, Kind
from tests.delivery import office
from tests.registered import attest

from .graphs import DAY, broken, graph, step, tree

MakeClinic = Callable[..., Organization]
AT = datetime.now(UTC) + timedelta(minutes=1)
NEWS = Classification(Purpose.NEWSLETTER, Promotes.NOTHING, Remuneration.NONE, "news")
SURVEY = Classification(Purpose.SURVEY, Promotes.NOTHING, Remuneration.NONE, "visits")


@dataclass(frozen=True)
class Clinic:
    """A clinic with a reminder in two languages that two people agreed on, and a segment."""

    organization: Organization
    versions: dict[str, UUID]
    segment_id: UUID
    actor: Actor

    def segment(self, where: dict[str, Any]) -> UUID:
        """Return a new segment."""
        return audiences.save_segment(f"Some {new_id()}", tree(where), self.actor).id

    def letters(self, classification: Classification = office.REMINDER, **how: Any) -> dict[str, UUID]:
        """Return a message in two languages."""
        first = office.template(self.organization, classification, **how)
        return {"en": first, "es": office.template(self.organization, classification, language="es", **how)}

    def journey(self, versions: dict[str, UUID] | None = None, segment_id: UUID | None = None) -> Graph:
        """Return: whoever comes into the segment is written to, and that is it."""
        drawn = graph(
            step("write", Send(Channel.EMAIL, versions or self.versions), next="end"), step("end", Exit())
        )
        enter = Enter(EnterKind.SEGMENT_ENTERED, segment_id or self.segment_id)
        return replace(drawn, enter=(enter,))


def furnished(organization: Organization) -> Clinic:
    """Return a clinic with its reminder and its segment; inside the organization's context."""
    letters = {language: office.template(organization, language=language) for language in ("en", "es")}
    actor = system(organization.id, "test")
    segment = audiences.save_segment("Adults", tree({"field": "age", "at_least": 18}), actor)
    return Clinic(organization, letters, segment.id, actor)


@pytest.fixture
def clinic(make_clinic: MakeClinic) -> Iterator[Clinic]:
    organization = make_clinic()
    with acting_for(organization.id):
        yield furnished(organization)


def codes(drawn: Graph, journey_id: UUID | None = None) -> dict[str, str]:
    """Return what is found, as code -> step."""
    return {one.code: one.step for one in knowing.proof(drawn, AT, journey_id=journey_id).findings}


def test_a_journey_of_a_clinic_is_verified(clinic: Clinic) -> None:
    proof = knowing.proof(clinic.journey(), AT)
    assert proof.findings == ()
    assert "Every send can be lawful, and what it is for is confirmed." in proof.promises


def test_what_belongs_to_another_clinic_is_not_there(make_clinic: MakeClinic) -> None:
    one, other = make_clinic(), make_clinic("Harbor Clinic")
    with acting_for(one.id):
        drawn = furnished(one).journey()
    with acting_for(other.id):
        assert codes(drawn) == {"no_such_segment": "", "no_such_template": "write"}


def test_what_is_not_there_is_found_and_breaks_nothing(clinic: Clinic) -> None:
    nothing = new_id()
    drawn = clinic.journey({"en": nothing, "es": nothing}, nothing)
    assert codes(drawn) == {"no_such_segment": "", "no_such_template": "write"}


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(broken())
def test_whatever_is_drawn_an_answer_is_given(clinic: Clinic, drawn: Graph) -> None:
    """Its templates and segments are those of another clinic."""
    proof = knowing.proof(drawn, AT)
    assert {one.step for one in proof.findings} <= {"", *drawn.steps}


# Messages


def test_a_message_that_nobody_confirmed_is_found_once(clinic: Clinic) -> None:
    assert codes(clinic.journey(clinic.letters(confirmed=False))) == {"not_confirmed": "write"}


def test_text_messages_are_not_set_up(clinic: Clinic) -> None:
    drawn = graph(step("write", Send(Channel.SMS, clinic.versions), next="end"), step("end", Exit()))
    assert "channel_missing" in codes(drawn)
    portal = graph(step("write", Send(Channel.PORTAL, clinic.versions), next="end"), step("end", Exit()))
    assert codes(portal) == {}


def test_a_send_that_the_gate_would_refuse_for_everyone_is_found_with_its_law(clinic: Clinic) -> None:
    """Nobody may be chosen by income for a newsletter without a sign-off, which a journey's messages have not."""
    rich = clinic.segment({"field": "income", "above": 200_000})
    letters = clinic.letters(NEWS)
    assert codes(clinic.journey(letters)) == {}
    (finding,) = knowing.proof(clinic.journey(letters, rich), AT).findings
    assert (finding.code, finding.step) == ("no_compliance_approval", "write")
    assert finding.what.startswith("The gate would refuse it for everyone.")
    assert finding.mend


def test_what_a_way_to_a_send_asks_counts_as_told(clinic: Clinic) -> None:
    wait = step(
        "wait",
        WaitFor(DAY, condition=tree({"field": "income", "above": 200_000})),
        happened="write",
        timeout="end",
    )
    drawn = graph(
        wait, step("write", Send(Channel.EMAIL, clinic.letters(NEWS)), next="end"), step("end", Exit())
    )
    assert codes(drawn) == {"no_compliance_approval": "write"}


def test_a_name_that_may_not_travel_in_the_open_is_found(make_clinic: MakeClinic) -> None:
    organization = make_clinic("HIV Care Clinic")
    with acting_for(organization.id):
        letters = {"en": office.template(organization), "es": office.template(organization, language="es")}
        drawn = graph(step("write", Send(Channel.EMAIL, letters), next="end"), step("end", Exit()))
        assert codes(drawn) == {"sender_name": "write"}


# What is asked and changed


def test_conditions_are_read_by_the_language_itself(clinic: Clinic) -> None:
    nobody = tree({"segment": str(new_id())})
    drawn = graph(
        step("wait", WaitFor(DAY, condition=nobody), happened="end", timeout="end"), step("end", Exit())
    )
    (finding,) = knowing.proof(drawn, AT).findings
    assert finding.code == "bad_condition"
    assert "no such segment" in finding.what


def test_a_segment_of_people_put_in_by_hand_can_be_changed_and_one_with_rules_cannot(clinic: Clinic) -> None:
    by_hand = audiences.create_static("Asked for a call", clinic.actor, tells=[PhiClass.ENGAGEMENT]).id

    def put_into(segment_id: UUID) -> Graph:
        return graph(step("note", Update(add_to=(segment_id,)), next="end"), step("end", Exit()))

    assert codes(put_into(by_hand)) == {}
    assert codes(put_into(clinic.segment_id)) == {"not_static": "note"}


def test_values_are_judged_by_the_dictionary(clinic: Clinic) -> None:
    drawn = graph(step("note", Update({"gender": "often"}), next="end"), step("end", Exit()))
    assert codes(drawn) == {"bad_value": "note"}
    drawn = graph(step("note", Update({"gender": "female"}), next="end"), step("end", Exit()))
    assert codes(drawn) == {}


# Events


def waiting_for(kind: EventKind) -> Graph:
    return graph(
        step("wait", WaitFor(DAY, event={"did": kind.value}), happened="end", timeout="end"),
        step("end", Exit()),
    )


def test_what_a_program_tells_is_produced_while_its_key_is_good(clinic: Clinic) -> None:
    drawn = waiting_for(EventKind.PAGE_VISITED)
    assert codes(drawn) == {"nobody_produces": "wait"}
    developer = office.staff(clinic.organization, Role.DEVELOPER)
    identity.create_api_key("Website", [Permission.TIMELINE_EVENT_WRITE], actor=developer)
    assert codes(drawn) == {}
    (key,) = identity.api_keys_of_organization()
    identity.revoke_api_key(key.id, actor=developer)
    assert codes(drawn) == {"nobody_produces": "wait"}
    identity.create_api_key(
        "Website", [Permission.TIMELINE_EVENT_WRITE], actor=developer, expires_at=AT + DAY
    )
    assert codes(drawn) == {}
    assert not knowing.proof(drawn, AT + 2 * DAY).holds


@pytest.mark.parametrize("kind", [EventKind.MESSAGE_CLICKED, EventKind.OPTED_OUT, EventKind.VISIT])
def test_what_salus_and_imports_tell_is_produced(clinic: Clinic, kind: EventKind) -> None:
    assert codes(waiting_for(kind)) == {}


def test_imports_tell_what_they_are_said_to_tell() -> None:
    from salus.intake import api as intake

    folder = Path(intake.__file__).parent / "fhir"
    told = {
        kind for file in folder.glob("*.py") for kind in re.findall(r"EventKind\.([A-Z_]+)", file.read_text())
    }
    assert told == {kind.name for kind in EVENT_KINDS}


# Vendors


def service(clinic: Clinic, *may_carry: str, kind: Kind = Kind.WEBHOOK, signed: bool = True) -> UUID:
    """Return a vendor's service whose agreement is in force."""
    vendor_id = vendors.create_vendor("Harbor Print and Post", actor=clinic.actor, at=AT)
    vendors.record_agreement(
        vendor_id,
        signed_on=AT.date() - timedelta(days=1) if signed else None,
        report_hours=24,
        clauses=frozenset(Clause),
        actor=clinic.actor,
        at=AT,
    )
    address = "https://hooks.harbor.example/salus"
    service_id = vendors.create_service(
        vendor_id, kind=kind, name="Letters", address=address, may_carry=may_carry, actor=clinic.actor, at=AT
    )
    attest(service_id, actor=clinic.actor, at=AT)
    return service_id


def calling(clinic: Clinic, service_id: UUID, *fields: str) -> Graph:
    drawn = graph(step("tell", Call(service_id, fields), done="end"), step("end", Exit()))
    return replace(drawn, enter=(Enter(EnterKind.SEGMENT_ENTERED, clinic.segment_id),))


def test_a_call_tells_its_service_no_more_than_it_may_carry(clinic: Clinic) -> None:
    told = service(clinic, "contact", "demographic")
    assert codes(calling(clinic, told, "given_name", "email")) == {}
    assert codes(calling(clinic, told, "physician")) == {"class_out_of_scope": "tell"}


def test_who_is_called_about_tells_something_too(clinic: Clinic) -> None:
    """Whoever comes in is chosen by age."""
    assert codes(calling(clinic, service(clinic, "contact"), "email")) == {"class_out_of_scope": "tell"}


def test_a_service_that_is_not_there_or_has_no_agreement_is_found(clinic: Clinic) -> None:
    assert codes(calling(clinic, new_id())) == {"unknown_service": "tell"}
    unsigned = service(clinic, "contact", "demographic", signed=False)
    assert codes(calling(clinic, unsigned)) == {"agreement_not_signed": "tell"}
    backup = service(clinic, "contact", "demographic", kind=Kind.BACKUP)
    assert codes(calling(clinic, backup)) == {"no_webhook": "tell"}


# Other journeys


def live(drawn: Graph, clinic: Clinic) -> UUID:
    """Return a journey that is live, as if it had been approved and started."""
    version = drafting.create(drawn, actor=clinic.actor, at=AT)
    VersionRow.objects.filter(id=version.id).update(status=VersionStatus.LIVE)
    JourneyRow.objects.filter(id=version.journey_id).update(status=Status.LIVE)
    return version.journey_id


def leading_to(journey_id: UUID, **rules: Any) -> Graph:
    return graph(step("wait", Wait(span=DAY), next="away"), step("away", GoTo(journey_id)), **rules)


def test_a_journey_that_takes_nobody_yet_is_a_warning(clinic: Clinic) -> None:
    other = drafting.create(clinic.journey(), actor=clinic.actor, at=AT).journey_id
    assert codes(leading_to(other)) == {"journey_not_live": "away"}
    assert codes(leading_to(live(clinic.journey(), clinic))) == {}
    assert codes(leading_to(new_id())) == {"no_such_journey": "away"}


def test_journeys_that_lead_to_one_another_without_end_are_found(clinic: Clinic) -> None:
    here = drafting.create(clinic.journey(), actor=clinic.actor, at=AT).journey_id
    second = live(leading_to(here, again=Again.ALWAYS), clinic)
    first = live(leading_to(second, again=Again.ALWAYS), clinic)
    assert codes(leading_to(first, again=Again.ALWAYS), here) == {"endless": "away"}
    assert codes(leading_to(first), here) == {}
    once = live(leading_to(second), clinic)
    assert codes(leading_to(once, again=Again.ALWAYS), here) == {}
