"""FHIR R4 resources become facts about a patient: what is kept, what is left out, what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salus.intake import fhir
from salus.intake.contracts import Declaration
from salus.intake.fhir.facts import Context, Facts
from salus.kernel.errors import BadInput
from salus.kernel.vocabulary import AddressSource, Channel
from salus.timeline.contracts import EventKind

CONTEXT = Context(
    Declaration(AddressSource.CLINICAL_ENCOUNTER, "export", date(2026, 1, 2)), today=date(2026, 11, 24)
)
SUBJECT = {"reference": "Patient/p1"}
ICD10, SNOMED = "http://hl7.org/fhir/sid/icd-10-cm", "http://snomed.info/sct"
LOINC, RXNORM = "http://loinc.org", "http://www.nlm.nih.gov/research/umls/rxnorm"


def concept(system: str, code: str, text: str = "") -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": text}], "text": text}


def read(**resource: Any) -> Facts | None:
    return fhir.read(resource, CONTEXT)


def facts(**resource: Any) -> Facts:
    found = read(**resource)
    assert found is not None
    return found


def patient(**more: Any) -> Facts:
    return facts(**{"resourceType": "Patient", "id": "p1", **more})


def test_a_patient_is_known_by_the_fhir_id_and_the_medical_record_number_only() -> None:
    found = patient(
        identifier=[
            {"system": "http://hl7.org/fhir/sid/us-ssn", "value": "999-94-5397"},
            {"type": {"coding": [{"code": "MR"}]}, "value": "C-7"},
            {"type": {"coding": [{"code": "DL"}]}, "value": "S99940903"},
        ]
    )

    assert [(one.system, one.value.reveal()) for one in found.identifiers] == [("fhir", "p1"), ("mrn", "C-7")]


def test_a_patient_tells_name_place_language_and_more() -> None:
    found = patient(
        name=[
            {"use": "maiden", "family": "Old", "given": ["X"]},
            {"use": "official", "family": "Quandreth", "given": ["Amalthea", "Rosk"]},
        ],
        gender="female",
        birthDate="1980-02-29",
        address=[
            {"use": "old", "state": "TX"},
            {"use": "home", "city": "Emporia", "state": "Kansas", "postalCode": "66801", "country": "US"},
        ],
        maritalStatus=concept("x", "M"),
        communication=[
            {"language": concept("y", "en-US")},
            {"language": concept("y", "es"), "preferred": True},
        ],
        generalPractitioner=[{"display": "Dr. Orvin Pelth"}],
        extension=[
            {
                "url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race",
                "extension": [
                    {"url": "ombCategory", "valueCoding": {"code": "2106-3"}},
                    {"url": "ombCategory", "valueCoding": {"code": "2028-9"}},
                ],
            },
            {
                "url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity",
                "extension": [{"url": "ombCategory", "valueCoding": {"code": "2135-2"}}],
            },
        ],
    )

    assert found.values == {
        "given_name": "Amalthea",
        "family_name": "Quandreth",
        "gender": "female",
        "birth_date": "1980-02-29",
        "city": "Emporia",
        "state": "KS",
        "postal_code": "66801",
        "country": "US",
        "marital_status": "married",
        "language": "es",
        "spoken_languages": ["en", "es"],
        "physician": "Dr. Orvin Pelth",
        "race": ["white", "asian"],
        "ethnicity": "hispanic",
    }
    assert found.defaults == {"relation": "patient"}
    assert found.notes == []


def test_addresses_come_in_the_patients_order_without_old_ones() -> None:
    found = patient(
        telecom=[
            {"system": "phone", "value": "415-555-0132", "use": "home"},
            {"system": "phone", "value": "415-555-0177", "use": "mobile"},
            {"system": "email", "value": "Old@lakepost.test", "use": "old"},
            {"system": "email", "value": "past@lakepost.test", "period": {"end": "2020-01-01"}},
            {"system": "email", "value": "Now@lakepost.test"},
            {"system": "fax", "value": "415-555-0000"},
        ]
    )

    assert [(one.channel, one.value.reveal()) for one in found.addresses] == [
        (Channel.SMS, "+14155550177"),
        (Channel.SMS, "+14155550132"),
        (Channel.EMAIL, "now@lakepost.test"),
    ]


@pytest.mark.parametrize(
    ("element", "note"),
    [
        ({"birthDate": "1980"}, ("birth_date", "is not a full date")),
        ({"telecom": [{"system": "email", "value": "nonsense"}]}, ("email", "is not an e-mail address")),
        ({"address": [{"state": "Atlantis"}]}, ("state", "is not a state of the USA")),
        ({"gender": "frog"}, ("gender", "is none of: female, male, other, unknown")),
        (
            {"communication": [{"language": {"text": "?"}}]},
            ("language", "is not a language code like en or es"),
        ),
    ],
)
def test_what_does_not_fit_is_left_out_and_noted(element: Any, note: tuple[str, str]) -> None:
    found = patient(**element)

    assert found.notes == [note]
    assert not found.values
    assert not found.addresses


def test_a_patient_without_name_email_or_birth_date_is_still_a_patient() -> None:
    found = patient()

    assert (found.values, found.addresses, found.declares) == ({}, (), True)


def test_a_dead_patient_is_marked_with_or_without_a_date() -> None:
    dated = patient(deceasedDateTime="1989-05-09T20:35:22-04:00")

    assert dated.values == {"deceased_date": "1989-05-09", "deceased": True}
    assert dated.died
    assert patient(deceasedBoolean=True).values == {"deceased": True}
    assert not patient(deceasedBoolean=False).died


def test_an_inactive_patient_is_a_former_one() -> None:
    assert patient(active=False).defaults == {"relation": "former"}


def test_a_record_that_was_replaced_is_refused() -> None:
    with pytest.raises(BadInput, match="replaced by another"):
        patient(link=[{"type": "replaced-by", "other": {"reference": "Patient/p2"}}])


def test_a_condition_is_a_diagnosis_in_icd10_when_it_has_it() -> None:
    found = facts(
        resourceType="Condition",
        id="c1",
        clinicalStatus=concept("x", "active"),
        code={
            "coding": [{"system": SNOMED, "code": "44054006"}, {"system": ICD10, "code": "E11.9"}],
            "text": "Diabetes",
        },
        subject=SUBJECT,
        onsetDateTime="2020-06-22T23:31:08-04:00",
    )

    assert found.patient == "p1"
    assert found.records == {
        "conditions": (
            {
                "id": "c1",
                "code": "E11.9",
                "system": "icd10",
                "text": "Diabetes",
                "date": "2020-06-22",
                "status": "active",
            },
        )
    }


def test_a_social_finding_tells_an_attribute_while_it_is_active() -> None:
    resource = {
        "resourceType": "Condition",
        "id": "c1",
        "code": concept(SNOMED, "160903007"),
        "subject": SUBJECT,
    }

    assert facts(**resource).values == {"employment_status": "full_time"}
    assert read(**resource, abatementDateTime="2020-01-01") is None


def test_a_condition_that_was_an_error_takes_its_record_away() -> None:
    found = facts(
        resourceType="Condition",
        id="c1",
        verificationStatus=concept("x", "entered-in-error"),
        subject=SUBJECT,
    )

    assert found.records == {"conditions": ({"id": "c1", "status": "entered-in-error"},)}


def test_a_code_of_an_unknown_system_leaves_the_words() -> None:
    found = facts(
        resourceType="Condition", id="c1", code=concept("urn:local", "X1", "Sprain"), subject=SUBJECT
    )

    assert found.records["conditions"] == ({"id": "c1", "text": "Sprain"},)


def test_a_medicine_is_read_from_wherever_it_stands() -> None:
    base = {
        "resourceType": "MedicationRequest",
        "id": "m1",
        "status": "active",
        "intent": "order",
        "subject": SUBJECT,
    }
    metformin = concept(RXNORM, "860975", "Metformin")

    plain = facts(**base, medicationCodeableConcept=metformin, authoredOn="2026-01-02")
    contained = facts(
        **base,
        contained=[{"id": "x", "code": metformin}],
        medicationReference={"reference": "#x"},
        authoredOn="2026-01-02",
    )
    named = facts(**base, medicationReference={"reference": "Medication/9", "display": "Metformin"})

    assert plain.records == contained.records
    assert plain.records["medications"][0]["code"] == "860975"
    assert named.records["medications"][0] == {"id": "m1", "text": "Metformin", "status": "active"}
    assert read(**{**base, "intent": "plan"}, medicationCodeableConcept=metformin) is None


def encounter(**more: Any) -> Facts:
    return facts(
        **{
            "resourceType": "Encounter",
            "id": "e1",
            "status": "finished",
            "class": {"code": "AMB"},
            "type": [concept(SNOMED, "185347001", "Encounter for problem")],
            "serviceType": {"text": "Endocrinology"},
            "subject": SUBJECT,
            "period": {"start": "2026-10-04T23:25:16-04:00", "end": "2026-10-05T06:20:16-04:00"},
            **more,
        }
    )


def test_a_finished_visit_is_a_record_and_an_event() -> None:
    found = encounter()

    (record,) = found.records["encounters"]
    assert (record["date"], record["unit"], record["code"]) == ("2026-10-04", "AMB", "185347001")
    assert found.values == {"department": "Endocrinology"}
    (event,) = found.events
    assert (event.kind, event.key) == (EventKind.VISIT, "fhir:Encounter/e1:visit")
    assert event.at == datetime(2026, 10, 5, 10, 20, 16, tzinfo=UTC)


@pytest.mark.parametrize("kind", ["IMP", "ACUTE", "NONAC"])
def test_a_stay_is_a_hospitalization_and_ends_with_a_discharge(kind: str) -> None:
    found = encounter(**{"class": {"code": kind}})

    assert list(found.records) == ["hospitalizations"]
    assert [one.kind for one in found.events] == [EventKind.DISCHARGE]


def test_an_emergency_is_a_visit_and_a_stay_that_goes_on_has_no_event() -> None:
    assert list(encounter(**{"class": {"code": "EMER"}}).records) == ["encounters"]
    assert encounter(**{"class": {"code": "IMP"}}, status="in-progress").events == ()


def test_a_planned_encounter_is_not_kept() -> None:
    assert read(resourceType="Encounter", id="e1", status="planned", subject=SUBJECT) is None


@pytest.mark.parametrize(
    ("status", "kind", "at"),
    [
        ("booked", EventKind.APPOINTMENT_BOOKED, datetime(2026, 11, 1, 18, 10, tzinfo=UTC)),
        ("cancelled", EventKind.APPOINTMENT_CANCELLED, None),
        ("fulfilled", EventKind.APPOINTMENT_ATTENDED, datetime(2026, 12, 1, 18, 10, tzinfo=UTC)),
        ("noshow", EventKind.APPOINTMENT_MISSED, datetime(2026, 12, 1, 18, 10, tzinfo=UTC)),
    ],
)
def test_an_appointment_is_a_record_and_the_event_of_its_state(
    status: str, kind: EventKind, at: datetime | None
) -> None:
    found = facts(
        resourceType="Appointment",
        id="a1",
        status=status,
        serviceType=[{"text": "Office visit"}],
        created="2026-11-01T10:10:00-08:00",
        start="2026-12-01T10:10:00-08:00",
        participant=[{"actor": {"reference": "Practitioner/9"}}, {"actor": SUBJECT}],
    )

    record = found.records["appointments"][0]
    assert (record["date"], record["time"]) == ("2026-12-01", "10:10")
    event, *moved = found.events
    assert (event.kind, event.at) == (kind, at)
    assert event.details["starts_at"] == "2026-12-01T10:10:00-08:00"
    assert [one.kind for one in moved] == [EventKind.APPOINTMENT_MOVED] * (status == "booked")


@pytest.mark.parametrize(
    ("start", "day", "clock"),
    [
        ("2026-12-02T02:30:00Z", "2026-12-01", "18:30"),
        ("2026-12-01T18:30:00+01:00", "2026-12-01", "18:30"),
        ("2026-12-01T18:30:00", "2026-12-01", None),
        ("2026-12-01", "2026-12-01", None),
        ("2026", None, None),
        (None, None, None),
    ],
)
def test_an_appointment_has_the_time_of_day_of_its_place(
    start: str | None, day: str | None, clock: str | None
) -> None:
    resource = {
        "resourceType": "Appointment", "id": "a1", "status": "booked", "start": start,
        "participant": [{"actor": SUBJECT}],
    }  # fmt: skip
    found = fhir.read(resource, replace(CONTEXT, zone=ZoneInfo("America/Los_Angeles")))
    assert found is not None
    (record,) = found.records["appointments"]
    assert (record.get("date"), record.get("time")) == (day, clock)
    assert [one.details.get("starts_at") for one in found.events] == [start if clock else None] * (
        2 if clock else 1
    )


def test_a_cancelled_appointment_was_cancelled_when_its_source_says_so() -> None:
    found = facts(
        resourceType="Appointment",
        id="a1",
        status="cancelled",
        meta={"lastUpdated": "2026-11-20T09:00:00Z"},
        start="2026-12-01T10:10:00-08:00",
        participant=[{"actor": SUBJECT}],
    )
    assert [one.at for one in found.events] == [datetime(2026, 11, 20, 9, tzinfo=UTC)]


def observation(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": "o1",
        "status": "final",
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": concept(LOINC, "4548-4", "Hemoglobin A1c"),
        "subject": SUBJECT,
        "effectiveDateTime": "2026-10-04",
        "issued": "2026-10-05T10:00:00Z",
        "valueQuantity": {"value": 9.1, "unit": "%"},
        **more,
    }


def test_a_lab_result_is_a_record_and_news() -> None:
    found = facts(**observation())

    (lab,) = found.records["labs"]
    assert (lab["code"], lab["value"], lab["unit"], lab["date"]) == ("4548-4", 9.1, "%", "2026-10-04")
    assert [(one.kind, one.at) for one in found.events] == [
        (EventKind.LAB_AVAILABLE, datetime(2026, 10, 5, 10, tzinfo=UTC))
    ]


def test_a_blood_pressure_is_two_records_and_no_news() -> None:
    pressure = observation(
        category=[{"coding": [{"code": "vital-signs"}]}],
        code=concept(LOINC, "85354-9", "Blood pressure"),
        component=[
            {"code": concept(LOINC, "8480-6", "Systolic"), "valueQuantity": {"value": 141, "unit": "mm[Hg]"}},
            {"code": concept(LOINC, "8462-4", "Diastolic"), "valueQuantity": {"value": 88, "unit": "mm[Hg]"}},
        ],
    )
    del pressure["valueQuantity"]

    found = facts(**pressure)

    assert [(one["id"], one["value"]) for one in found.records["labs"]] == [
        ("o1:8480-6", 141),
        ("o1:8462-4", 88),
    ]
    assert found.events == ()


def test_observations_that_tell_an_attribute_do() -> None:
    smokes = observation(code=concept(LOINC, "72166-2"), valueCodeableConcept=concept(SNOMED, "449868002"))
    pregnant = observation(code=concept(LOINC, "82810-3"), valueCodeableConcept=concept(SNOMED, "77386006"))
    due = observation(code=concept(LOINC, "11778-8"), valueDateTime="2027-03-04")

    assert facts(**smokes).adds == {"lifestyle_risks": ("smoker",)}
    assert facts(**pregnant).values == {"pregnant": True}
    assert facts(**due).values == {"due_date": "2027-03-04"}
    assert read(**observation(category=[{"coding": [{"code": "survey"}]}])) is None
    assert read(**observation(status="cancelled")) is None


@pytest.mark.parametrize(
    ("code", "payer", "kind"),
    [("1", "Medicare", "medicare"), ("111", "X", "medicare_advantage"), ("2", "X", "medicaid"),
     ("512", "X", "commercial"), ("HMO", "X", "commercial"), ("", "NO_INSURANCE", "none"), ("", "Humana", "commercial")],
)  # fmt: skip
def test_a_coverage_tells_the_kind_of_insurance(code: str, payer: str, kind: str) -> None:
    found = facts(
        resourceType="Coverage",
        id="v1",
        status="active",
        type={"coding": [{"code": code}]} if code else {},
        beneficiary=SUBJECT,
        payor=[{"display": payer}],
        period={"start": "2025-01-01"},
    )

    assert found.values == {"insurance_type": kind, "insurance_payer": payer}


def test_a_coverage_that_ended_is_history() -> None:
    found = facts(
        resourceType="Coverage",
        id="v1",
        status="active",
        beneficiary=SUBJECT,
        payor=[{"display": "Humana"}],
        period={"start": "2020-01-01", "end": "2021-01-01"},
    )

    assert found.values == {}
    assert found.records["coverages"][0]["end"] == "2021-01-01"


def test_procedures_vaccinations_allergies_and_plans() -> None:
    procedure = facts(
        resourceType="Procedure",
        id="r1",
        status="completed",
        code=concept(SNOMED, "73761001", "Colonoscopy"),
        subject=SUBJECT,
        performedPeriod={"start": "2026-06-22T12:31:08-04:00", "end": "2026-06-22T12:46:08-04:00"},
    )
    vaccination = facts(
        resourceType="Immunization",
        id="i1",
        status="completed",
        vaccineCode=concept("http://hl7.org/fhir/sid/cvx", "140", "Influenza"),
        patient=SUBJECT,
        occurrenceDateTime="2026-01-02",
    )
    allergy = facts(
        resourceType="AllergyIntolerance", id="g1", code=concept(RXNORM, "1191", "Aspirin"), patient=SUBJECT
    )
    plan = facts(
        resourceType="CarePlan", id="k1", status="active", title="Diabetes self management", subject=SUBJECT
    )

    assert [one.kind for one in procedure.events] == [EventKind.PROCEDURE_DONE]
    assert vaccination.records["vaccinations"][0]["system"] == "cvx"
    assert allergy.records["allergies"][0]["code"] == "1191"
    assert plan.adds == {"treatment_plans": ("diabetes_self_management",)}


@pytest.mark.parametrize(
    "reference", ["Patient/p1", "https://ehr.example/fhir/Patient/p1", "Patient/p1/_history/2", "urn:uuid:p1"]
)
def test_a_reference_to_a_patient_is_understood_in_its_forms(reference: str) -> None:
    found = facts(
        resourceType="Condition", id="c1", code={"text": "Sprain"}, subject={"reference": reference}
    )

    assert found.patient == "p1"


@pytest.mark.parametrize(
    ("resource", "place"),
    [
        ({"resourceType": "Condition", "id": "c1", "code": {"text": "x"}}, "subject"),
        (
            {
                "resourceType": "Condition",
                "id": "c1",
                "code": {"text": "x"},
                "subject": {"reference": "Group/1"},
            },
            "subject",
        ),
        ({"resourceType": "Condition", "code": {"text": "x"}, "subject": SUBJECT}, "id"),
        ({"resourceType": "Condition", "id": "c1", "subject": SUBJECT}, "code"),
        ({"resourceType": "Appointment", "id": "a1", "status": "booked"}, "participant"),
        ({"resourceType": "Patient"}, "id"),
        ({"id": "x"}, "resourceType"),
        ({"resourceType": "Patient", "id": "p1", "name": "Zoldina"}, "Patient"),
    ],
)
def test_a_resource_that_cannot_be_used_is_refused_with_the_element(resource: Any, place: str) -> None:
    with pytest.raises(BadInput) as refused:
        fhir.read(resource, CONTEXT)

    assert refused.value.place == place
    assert "Zoldina" not in str(refused.value)


def test_resources_of_other_kinds_are_passed_over() -> None:
    assert read(resourceType="Organization", id="o1") is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(
        ["coding", "code", "system", "text", "display", "reference", "value", "period", "start", "end", "language"]
    ), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
ELEMENTS = (  # noqa: SIM905 - a list would be a page long
    "id status name telecom gender birthDate address communication extension identifier code subject patient class type "
    "period participant category valueQuantity component payor beneficiary vaccineCode performedPeriod link maritalStatus "
    "medicationCodeableConcept onsetDateTime effectiveDateTime issued start created serviceType"
).split()


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(fhir.READERS)), st.dictionaries(st.sampled_from(ELEMENTS), JSON, max_size=8))
def test_whatever_json_comes_it_is_read_passed_over_or_refused(kind: str, elements: dict[str, Any]) -> None:
    try:
        found = fhir.read({"resourceType": kind, **elements}, CONTEXT)
    except BadInput:
        return
    assert found is None or found.patient
