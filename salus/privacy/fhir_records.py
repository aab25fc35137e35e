"""A person's dated records as FHIR R4 resources: the way back from what `intake.fhir` reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import Any
from uuid import UUID, uuid5

from salus.contacts import api as contacts

Resource = dict[str, Any]
Record = Mapping[str, Any]

TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
HCPCS = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
_URI_OF = {system: uri for uri, system in reversed([*contacts.SYSTEM_OF_URI.items()])}
_RESOLVED = frozenset({"inactive", "remission", "resolved"})
_CONDITION = _RESOLVED | {"active", "recurrence", "relapse"}
_ALLERGY = frozenset({"active", "inactive", "resolved"})
_MEDICATION = frozenset({"active", "completed", "stopped", "on-hold", "unknown"})
_PROCEDURE = frozenset({"preparation", "in-progress", "on-hold", "stopped", "completed", "unknown"})
_OBSERVATION = frozenset(
    {"registered", "preliminary", "final", "amended", "corrected", "cancelled", "unknown"}
)
_ENCOUNTER = frozenset(
    {"planned", "arrived", "triaged", "in-progress", "onleave", "finished", "cancelled", "unknown"}
)
_APPOINTMENT = frozenset({"pending", "booked", "arrived", "fulfilled", "cancelled", "noshow", "checked-in"})
_COVERAGE = frozenset({"active", "cancelled", "draft"})


def without_empty(**parts: Any) -> Resource:
    """Return what is known of `parts`; FHIR allows no empty element."""
    return {name.rstrip("_"): value for name, value in parts.items() if value not in (None, "", [], {})}


def concept(code: str, system: str, text: str = "") -> Resource:
    """Return a CodeableConcept of one coding."""
    return without_empty(coding=[{"system": system, "code": code}], text=text)


def coded(record: Record) -> Resource:
    """Return a record's code as a CodeableConcept; a code of no known system is its text."""
    code, system = str(record.get("code", "")), record.get("system", "")
    uri = HCPCS if system == "cpt" and code[:1].isalpha() else _URI_OF.get(system)
    text = str(record.get("text", ""))
    if code and uri:
        return concept(code, uri, text)
    return {"text": text or code or "not told"}


def id_within(person: UUID, kind: str, key: str) -> str:
    """Return the id of a resource: the same at each export, and nobody reads the source's own id from it."""
    return str(uuid5(person, f"{kind}:{key}"))


class Records:
    """Makes the resources of one person's records; `zone` is that of the place where appointments are."""

    def __init__(self, person: UUID, zone: tzinfo, times: Mapping[str, tuple[str, str]]) -> None:
        self._person, self._zone, self._times = person, zone, times
        self._subject = {"reference": f"urn:uuid:{person}"}
        self._makers: Mapping[str, Callable[[Record], Resource]] = {
            "conditions": self._condition,
            "allergies": self._allergy,
            "medications": self._medication,
            "procedures": self._procedure,
            "labs": self._observation,
            "hospitalizations": lambda one: self._encounter(one, "IMP"),
            "encounters": lambda one: self._encounter(one, "AMB"),
            "vaccinations": self._immunization,
            "appointments": self._appointment,
            "coverages": self._coverage,
        }

    def all_of(self, document: Mapping[str, Any]) -> list[Resource]:
        """Return one resource for each record of a kind that FHIR has a resource for."""
        return [
            self._with_id(make(record), key, str(record["id"]))
            for key, make in self._makers.items()
            for record in document.get(key, ())
        ]

    def _with_id(self, resource: Resource, key: str, id: str) -> Resource:
        return {**resource, "id": id_within(self._person, key, id)}

    def _condition(self, one: Record) -> Resource:
        status = _among(one, _CONDITION, "resolved" if one.get("end") else "active")
        if one.get("end") and status not in _RESOLVED:
            status = "resolved"  # FHIR con-4: what has abated is not active
        return without_empty(
            resourceType="Condition",
            clinicalStatus=concept(status, f"{TERMINOLOGY}/condition-clinical"),
            code=coded(one),
            subject=self._subject,
            onsetDateTime=one.get("date"),
            abatementDateTime=one.get("end"),
        )

    def _allergy(self, one: Record) -> Resource:
        status = _among(one, _ALLERGY, "active")
        return without_empty(
            resourceType="AllergyIntolerance",
            clinicalStatus=concept(status, f"{TERMINOLOGY}/allergyintolerance-clinical"),
            code=coded(one),
            patient=self._subject,
            onsetDateTime=one.get("date"),
        )

    def _medication(self, one: Record) -> Resource:
        return without_empty(
            resourceType="MedicationStatement",
            status=_among(one, _MEDICATION, "unknown"),
            medicationCodeableConcept=coded(one),
            subject=self._subject,
            effectivePeriod=_period(one),
        )

    def _procedure(self, one: Record) -> Resource:
        return without_empty(
            resourceType="Procedure",
            status=_among(one, _PROCEDURE, "unknown"),
            code=coded(one),
            subject=self._subject,
            performedPeriod=_period(one),
        )

    def _observation(self, one: Record) -> Resource:
        value = one.get("value")
        quantity = without_empty(value=value, unit=one.get("unit")) if value is not None else None
        return without_empty(
            resourceType="Observation",
            status=_among(one, _OBSERVATION, "unknown"),
            category=[concept("laboratory", f"{TERMINOLOGY}/observation-category")],
            code=coded(one),
            subject=self._subject,
            effectiveDateTime=one.get("date"),
            valueQuantity=quantity,
            valueString=one.get("unit") if value is None else None,
        )

    def _encounter(self, one: Record, usual: str) -> Resource:
        kind = str(one.get("unit") or usual)
        return without_empty(
            resourceType="Encounter",
            status=_among(one, _ENCOUNTER, "unknown"),
            class_={"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": kind},
            type=[coded(one)],
            subject=self._subject,
            period=_period(one),
        )

    def _immunization(self, one: Record) -> Resource:
        return without_empty(
            resourceType="Immunization",
            status="completed",  # no other kind is kept
            vaccineCode=coded(one),
            patient=self._subject,
            occurrenceDateTime=one.get("date"),
            occurrenceString=None if one.get("date") else "not told",
        )

    def _appointment(self, one: Record) -> Resource:
        """Return an Appointment; FHIR app-3 wants start and end, so what is not known is said in words."""
        start, end, comment = self._span(one)
        status = _among(one, _APPOINTMENT, "booked")
        if start is None and status != "cancelled":
            # Without a day it can be no Appointment that is booked, kept or missed (app-3).
            status, comment = "proposed", f"Recorded as {status}, without a day."
        return without_empty(
            resourceType="Appointment",
            status=status,
            serviceType=[coded(one)],
            start=start,
            end=end,
            comment=comment,
            participant=[{"actor": self._subject, "status": "accepted"}],
        )

    def _span(self, one: Record) -> tuple[str | None, str | None, str | None]:
        start, end = self._times.get(str(one["id"]), ("", ""))
        if not start and one.get("date") and one.get("time"):
            start = self._moment(one["date"], one["time"])
        if start:
            known = end >= start if end else False
            return start, end if known else start, None if known else "When it ends is not recorded."
        if one.get("date"):
            day = one["date"]
            return (
                self._moment(day, "00:00"),
                self._moment(day, "23:59"),
                "The time of day is not recorded.",
            )
        return None, None, None

    def _moment(self, day: str, clock: str) -> str:
        return datetime.fromisoformat(f"{day}T{clock}:00").replace(tzinfo=self._zone).isoformat()

    def _coverage(self, one: Record) -> Resource:
        return without_empty(
            resourceType="Coverage",
            status=_among(one, _COVERAGE, "active"),
            beneficiary=self._subject,
            payor=[{"display": one.get("text") or one.get("code") or "not told"}],
            period=_period(one),
        )


def _among(record: Record, known: frozenset[str], otherwise: str) -> str:
    status = record.get("status", "")
    return status if status in known else otherwise


def _period(record: Record) -> Resource:
    return without_empty(start=record.get("date"), end=record.get("end"))
