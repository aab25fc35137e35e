"""FHIR R4 Observation: laboratory results and vital signs, and the few that tell an attribute."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from salus.contacts import api as contacts
from salus.intake.fhir.clinical import LIFESTYLE
from salus.intake.fhir.facts import (
    ENTERED_IN_ERROR,
    Context,
    EventDraft,
    Facts,
    Record,
    Resource,
    code_of,
    coded_record,
    codes_of,
    event_details,
    first_day,
    id_of,
    moment,
    patient_of,
    text_of,
    without_empty,
)
from salus.timeline.contracts import EventKind

SMOKING_STATUS = "72166-2"
PREGNANCY_STATUS = "82810-3"
DUE_DATE = "11778-8"
PREGNANT = {"77386006": True, "60001007": False}

KEPT = frozenset({"laboratory", "vital-signs"})
"""Categories whose values are kept; social history, surveys and imaging are not."""
_NOT_YET = {"registered", "cancelled", "unknown"}


def read(resource: Resource, context: Context) -> Facts | None:
    """Read an Observation: the records of its values, and the event that a result is available."""
    patient = patient_of(resource.get("subject"))
    status = str(resource.get("status", ""))
    if status == ENTERED_IN_ERROR:
        return _removed(resource, patient)
    if status in _NOT_YET:
        return None
    told = _attribute(resource, patient)
    if told is not None:
        return told
    categories = {code_of(one) for one in resource.get("category", ())}
    if not categories & KEPT:
        return None
    records = tuple(contacts.check_record("labs", one) for one in _records(resource, status))
    if not records:
        return None
    facts = Facts(patient, records={"labs": records})
    issued = moment(resource.get("issued") or resource.get("effectiveDateTime"))
    if "laboratory" in categories and status in {"final", "amended", "corrected"} and issued is not None:
        key = f"fhir:Observation/{id_of(resource)}:available"
        facts.events = (EventDraft(EventKind.LAB_AVAILABLE, issued, key, event_details(records[0])),)
    return facts


def _removed(resource: Resource, patient: str) -> Facts:
    ids = [id_of(resource)] + [_component_id(resource, one) for one in resource.get("component", ())]
    gone: tuple[Record, ...] = tuple({"id": one, "status": ENTERED_IN_ERROR} for one in ids)
    return Facts(patient, records={"labs": gone})


def _attribute(resource: Resource, patient: str) -> Facts | None:
    """Return the facts of an observation that tells an attribute rather than a value."""
    loinc = codes_of(resource.get("code")).get("loinc", "")
    answer = codes_of(resource.get("valueCodeableConcept")).get("snomed", "")
    if loinc == SMOKING_STATUS:
        risk = LIFESTYLE.get(answer)
        return Facts(patient, adds={"lifestyle_risks": (risk,)} if risk else {})
    if loinc == PREGNANCY_STATUS:
        pregnant = PREGNANT.get(answer)
        return Facts(patient, values={} if pregnant is None else {"pregnant": pregnant})
    if loinc == DUE_DATE:
        due = first_day(resource.get("valueDateTime"))
        return Facts(patient, values={"due_date": due} if due else {})
    return None


def _records(resource: Resource, status: str) -> Iterable[Record]:
    """Yield a record for the observation's own value and one for each component (blood pressure)."""
    date = first_day(
        resource.get("effectiveDateTime"),
        (resource.get("effectivePeriod") or {}).get("start"),
        resource.get("issued"),
    )
    components = resource.get("component", ())
    if _value(resource) or not components:
        record = coded_record(resource, resource.get("code"), ("loinc", "snomed", "cpt"))
        yield without_empty(record, date=date, status=status, **_value(resource))
    for one in components:
        record = coded_record({"id": _component_id(resource, one)}, one.get("code"), ("loinc", "snomed"))
        yield without_empty(record, date=date, status=status, **_value(one))


def _component_id(resource: Resource, component: Mapping[str, Any]) -> str:
    codes = codes_of(component.get("code"))
    return f"{id_of(resource)}:{codes.get('loinc') or code_of(component.get('code'))}"


def _value(source: Mapping[str, Any]) -> dict[str, Any]:
    """Return value and unit of a quantity, or the words of another answer as the unit-less text."""
    quantity = source.get("valueQuantity")
    if quantity is not None and isinstance(quantity.get("value"), int | float):
        return {"value": quantity["value"], "unit": str(quantity.get("unit") or quantity.get("code") or "")}
    number = source.get("valueInteger")
    if isinstance(number, int):
        return {"value": number}
    words = text_of(source.get("valueCodeableConcept")) or source.get("valueString")
    return {"unit": str(words)[:200]} if words else {}
