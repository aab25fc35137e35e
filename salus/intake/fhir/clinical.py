"""FHIR R4 Condition, AllergyIntolerance, MedicationRequest, Immunization, Procedure, CarePlan."""

from __future__ import annotations

import re
from collections.abc import Mapping

from salus.intake.fhir.facts import (
    ENTERED_IN_ERROR,
    Context,
    EventDraft,
    Facts,
    Resource,
    code_of,
    coded_record,
    codes_of,
    event_details,
    first_day,
    moment,
    one_record,
    patient_of,
    text_of,
    without_empty,
)
from salus.timeline.contracts import EventKind

SOCIAL: Mapping[str, tuple[str, str]] = {
    "160903007": ("employment_status", "full_time"),
    "160904001": ("employment_status", "part_time"),
    "73438004": ("employment_status", "unemployed"),
    "741062008": ("employment_status", "not_in_labor_force"),
    "105493001": ("employment_status", "retired"),
    "224299000": ("education_level", "bachelor"),
    "473461003": ("education_level", "high_school"),
    "5251000175109": ("education_level", "high_school"),
    "224295006": ("education_level", "primary"),
}
"""SNOMED CT findings that are no illness but tell an attribute, while they are active."""

LIFESTYLE: Mapping[str, str] = {
    "77176002": "smoker",
    "449868002": "smoker",
    "8517006": "former_smoker",
    "10939881000119105": "unhealthy_alcohol_use",
    "160968000": "risk_activity",
    "423315002": "limited_social_contact",
    "422650009": "social_isolation",
    "73595000": "stress",
    "162864005": "obesity",
    "414916001": "obesity",
}
"""SNOMED CT findings that are lifestyle risks."""

_ENDED = {"inactive", "remission", "resolved"}
_REFUTED = {ENTERED_IN_ERROR, "refuted"}
_TAG = re.compile(r" \((?:finding|disorder|situation|procedure|regime/therapy)\)$")


def slug(text: str) -> str:
    """Return words as a code of small letters ("Type 2 care plan" -> "type_2_care_plan")."""
    return re.sub(r"[^a-z0-9]+", "_", _TAG.sub("", text).lower()).strip("_")[:60]


def _removed(resource: Resource, key: str) -> Facts:
    """Return facts that take the record away: its source says that it never was."""
    patient = patient_of(resource.get("subject") or resource.get("patient"))
    return one_record(patient, key, {"id": str(resource["id"]), "status": ENTERED_IN_ERROR})


def _categories(resource: Resource) -> set[str]:
    return {code_of(one) for one in resource.get("category", ()) if isinstance(one, Mapping)}


def condition(resource: Resource, context: Context) -> Facts | None:
    """Read a Condition: a diagnosis, or a social finding that tells an attribute instead."""
    if code_of(resource.get("verificationStatus")) in _REFUTED:
        return _removed(resource, "conditions")
    patient = patient_of(resource.get("subject"))
    code = resource.get("code")
    status = code_of(resource.get("clinicalStatus"))
    ended = first_day(resource.get("abatementDateTime"), (resource.get("abatementPeriod") or {}).get("end"))
    active = status not in _ENDED and ended is None
    snomed = codes_of(code).get("snomed", "")
    if snomed in SOCIAL:
        key, value = SOCIAL[snomed]
        return Facts(patient, values={key: value}) if active else None
    record = without_empty(
        coded_record(resource, code, ("icd10", "snomed")),
        date=first_day(
            resource.get("onsetDateTime"),
            (resource.get("onsetPeriod") or {}).get("start"),
            resource.get("recordedDate"),
        ),
        end=ended,
        status=status,
    )
    facts = one_record(patient, "conditions", record)
    if snomed in LIFESTYLE and active:
        facts.adds["lifestyle_risks"] = (LIFESTYLE[snomed],)
    if "health-concern" in _categories(resource) and active and slug(text_of(code)):
        facts.adds["risk_factors"] = (slug(text_of(code)),)
    return facts


def allergy(resource: Resource, context: Context) -> Facts | None:
    """Read an AllergyIntolerance."""
    if code_of(resource.get("verificationStatus")) in _REFUTED:
        return _removed(resource, "allergies")
    record = without_empty(
        coded_record(resource, resource.get("code"), ("rxnorm", "snomed")),
        date=first_day(resource.get("onsetDateTime"), resource.get("recordedDate")),
        status=code_of(resource.get("clinicalStatus")),
    )
    return one_record(patient_of(resource.get("patient")), "allergies", record)


def medication(resource: Resource, context: Context) -> Facts | None:
    """Read a MedicationRequest; plans and proposals are no prescriptions and are left."""
    if resource.get("status") == ENTERED_IN_ERROR:
        return _removed(resource, "medications")
    if resource.get("intent") in {"proposal", "plan", "option"} or resource.get("doNotPerform"):
        return None
    validity = (resource.get("dispenseRequest") or {}).get("validityPeriod") or {}
    record = without_empty(
        coded_record(resource, _medication_concept(resource), ("rxnorm", "snomed")),
        date=first_day(resource.get("authoredOn"), validity.get("start")),
        end=first_day(validity.get("end")),
        status=resource.get("status"),
    )
    return one_record(patient_of(resource.get("subject")), "medications", record)


def _medication_concept(resource: Resource) -> Resource | None:
    """Return the medicine as a concept: in place, contained, or by the words of the reference."""
    concept: Resource | None = resource.get("medicationCodeableConcept")
    if concept is not None:
        return concept
    reference = resource.get("medicationReference") or {}
    inner = str(reference.get("reference", "")).removeprefix("#")
    for contained in resource.get("contained", ()):
        if contained.get("id") == inner:
            found: Resource | None = contained.get("code")
            return found
    return {"text": reference["display"]} if reference.get("display") else None


def immunization(resource: Resource, context: Context) -> Facts | None:
    """Read an Immunization that was given."""
    if resource.get("status") == ENTERED_IN_ERROR:
        return _removed(resource, "vaccinations")
    if resource.get("status") != "completed":
        return None
    record = without_empty(
        coded_record(resource, resource.get("vaccineCode"), ("cvx", "snomed")),
        date=first_day(resource.get("occurrenceDateTime"), resource.get("recorded")),
        status="completed",
    )
    return one_record(patient_of(resource.get("patient")), "vaccinations", record)


def procedure(resource: Resource, context: Context) -> Facts | None:
    """Read a Procedure, and the event that it was done."""
    status = resource.get("status")
    if status == ENTERED_IN_ERROR:
        return _removed(resource, "procedures")
    if status == "not-done":
        return None
    period = resource.get("performedPeriod") or {}
    when = resource.get("performedDateTime") or period.get("start")
    record = without_empty(
        coded_record(resource, resource.get("code"), ("cpt", "snomed")),
        date=first_day(when),
        end=first_day(period.get("end")),
        status=status,
    )
    facts = one_record(patient_of(resource.get("subject")), "procedures", record)
    at = moment(period.get("end") or when)
    if status == "completed" and at is not None:
        key = f"fhir:Procedure/{record['id']}:done"
        facts.events = (EventDraft(EventKind.PROCEDURE_DONE, at, key, event_details(record)),)
    return facts


def care_plan(resource: Resource, context: Context) -> Facts | None:
    """Read an active CarePlan as a treatment plan."""
    if resource.get("status") != "active":
        return None
    words = resource.get("title") or next(
        (
            text_of(one)
            for one in resource.get("category", ())
            if code_of(one) != "assess-plan" and text_of(one)
        ),
        "",
    )
    code = slug(str(words))
    return Facts(patient_of(resource.get("subject")), adds={"treatment_plans": (code,)}) if code else None
