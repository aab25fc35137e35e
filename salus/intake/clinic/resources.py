"""The FHIR R4 resources of one invented person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta, timezone
from random import Random
from typing import Any

from salus.intake.clinic import catalog as c
from salus.intake.clinic.catalog import Coding, Diagnosis
from salus.intake.clinic.people import Person

Resource = dict[str, Any]
_PACIFIC = timezone(timedelta(hours=-8))
_V3 = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
_OMB = "urn:oid:2.16.840.1.113883.6.238"
_NAMES = {"2106-3": "White", "2054-5": "Black or African American", "2028-9": "Asian"}


def concept(*codings: Coding, text: str = "") -> Resource:
    """Return a CodeableConcept."""
    return {
        "coding": [{"system": system, "code": code, "display": display} for system, code, display in codings],
        "text": text or codings[0][2],
    }


def at(day: date, hour: int) -> str:
    """Return a FHIR dateTime."""
    return datetime.combine(day, time(hour, 10), _PACIFIC).isoformat()


class Chart:
    """Writes down one person's record, drawing from their own randomness."""

    def __init__(self, person: Person, random: Random, today: date) -> None:
        self.person, self.random, self.today = person, random, today
        self._count = 0
        self.subject = {"reference": f"Patient/{person.id}"}
        self.last = person.deceased or today
        self.regular = random.random() < 0.72
        """Whether the person comes at least once a year."""

    def _id(self, kind: str) -> str:
        self._count += 1
        return f"{self.person.id}-{kind}{self._count}"

    def _ago(self, least: int, most: int) -> date:
        """Return a day between `most` and `least` days before today (or the day of death)."""
        return self.last - timedelta(days=self.random.randrange(least, most))

    def resources(self) -> Iterator[Resource]:
        """Yield the whole record, the Patient first."""
        yield self.patient()
        yield from self.coverages()
        for diagnosis in self.person.diagnoses:
            yield from self.diagnosed(diagnosis)
        yield from self.visits()
        yield from self.measured()
        yield from self.procedures()
        yield from self.vaccinations()
        yield from self.appointments()
        yield from self.allergies()
        if self.random.random() < 0.3:
            yield self.medicine(c.ANTIBIOTIC, self._ago(5, 900), "stopped")
        if self.person.female and 18 <= self.person.age <= 45 and self.random.random() < 0.12:
            yield self.medicine(c.PILL, self._ago(10, 400), "active")

    def patient(self) -> Resource:
        """Return the Patient."""
        p = self.person
        resource: Resource = {
            "resourceType": "Patient",
            "id": p.id,
            "active": self.random.random() > 0.06,
            "identifier": [
                {
                    "type": {
                        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]
                    },
                    "system": "urn:cedar-row:records",
                    "value": p.record_number,
                }
            ],
            "name": [{"use": "official", "family": p.family, "given": [p.given]}],
            "telecom": [{"system": "phone", "value": p.phone, "use": "mobile"}],
            "gender": "female" if p.female else "male",
            "birthDate": p.born.isoformat(),
            "address": [
                {
                    "use": "home",
                    "city": p.city,
                    "state": p.state,
                    "postalCode": p.postal_code,
                    "country": "US",
                }
            ],
            "maritalStatus": {"coding": [{"code": self._marital()}]},
            "communication": [
                {
                    "language": {"coding": [{"system": "urn:ietf:bcp:47", "code": f"{p.language}-US"}]},
                    "preferred": True,
                }
            ],
            "generalPractitioner": [{"display": self.random.choice(c.PHYSICIANS)}],
            "extension": [
                _omb("race", p.race, _NAMES.get(p.race, "Other")),
                _omb(
                    "ethnicity",
                    "2135-2" if p.hispanic else "2186-5",
                    "Hispanic" if p.hispanic else "Not Hispanic",
                ),
            ],
        }
        if p.deceased:
            resource["deceasedDateTime"] = p.deceased.isoformat()
        return resource

    def _marital(self) -> str:
        if self.person.age < 20:
            return "S"
        return self.random.choices("MSDWT", (46, 28, 13, 9 if self.person.age > 60 else 1, 4))[0]

    def coverages(self) -> Iterator[Resource]:
        """Yield who pays."""
        age, draw = self.person.age, self.random.random()
        if age >= 65:
            kind, code, payer = (
                ("Medicare Advantage", "111", "Blue Harbor Plan")
                if draw < 0.4
                else ("Medicare", "1", "Medicare")
            )
        elif draw < 0.18:
            kind, code, payer = "Medicaid", "2", "Medicaid"
        elif draw < 0.26:
            kind, code, payer = "Self-pay", "81", "Self-pay"
        else:
            kind, code, payer = "Commercial", "5", self.random.choice(c.INSURERS)
        yield {
            "resourceType": "Coverage",
            "id": self._id("cov"),
            "status": "active",
            "type": {"coding": [{"system": "https://nahdo.org/sopt", "code": code}], "text": kind},
            "beneficiary": self.subject,
            "payor": [{"display": payer}],
            "period": {"start": self._ago(200, 2000).isoformat()},
        }

    def diagnosed(self, diagnosis: Diagnosis) -> Iterator[Resource]:
        """Yield a condition with its medicines and, for most, a visit in the last year about it."""
        coding = self.random.choice(diagnosis.codes)
        began = self._ago(60, 250) if diagnosis.name == "pregnancy" else self._ago(120, 4000)
        yield {
            "resourceType": "Condition",
            "id": self._id("dx"),
            "clinicalStatus": {"coding": [{"code": "active"}]},
            "verificationStatus": {"coding": [{"code": "confirmed"}]},
            "category": [{"coding": [{"code": "problem-list-item"}]}],
            "code": concept(coding),
            "subject": self.subject,
            "onsetDateTime": began.isoformat(),
        }
        for medicine in diagnosis.medicines:
            if self.random.random() < 0.85:
                yield self.medicine(medicine, self._ago(10, 300), "active")
        if diagnosis.name == "pregnancy":
            yield from self.expecting(began)
        if self.random.random() < 0.86:
            yield self.visit(self._ago(8, 330), diagnosis.department)
        if diagnosis.name == "diabetes":
            yield from self.sugar()

    def sugar(self) -> Iterator[Resource]:
        """Yield A1c results: for most people of the clinic the last one is more than six months old."""
        overdue = self.random.random() < 0.6
        latest = self._ago(190, 600) if overdue else self._ago(5, 170)
        for months in (0, 190, 400):
            value = round(self.random.uniform(5.9, 10.8), 1)
            yield self.lab(c.A1C, latest - timedelta(days=months), value, "%")
        if self.random.random() < 0.5:
            yield {
                "resourceType": "CarePlan",
                "id": self._id("plan"),
                "status": "active",
                "intent": "plan",
                "title": "Diabetes self management",
                "subject": self.subject,
            }

    def expecting(self, began: date) -> Iterator[Resource]:
        """Yield that and until when somebody is pregnant."""
        for coding, value in (
            (c.PREGNANCY, {"valueCodeableConcept": concept((c.SNOMED, "77386006", "Pregnant"))}),
            (c.DUE, {"valueDateTime": (began + timedelta(days=260)).isoformat()}),
        ):
            yield {
                "resourceType": "Observation",
                "id": self._id("ob"),
                "status": "final",
                "code": concept(coding),
                "subject": self.subject,
                "effectiveDateTime": at(began, 10),
                **value,
            }

    def medicine(self, coding: Coding, day: date, status: str) -> Resource:
        """Return a prescription."""
        return {
            "resourceType": "MedicationRequest",
            "id": self._id("rx"),
            "status": status,
            "intent": "order",
            "medicationCodeableConcept": concept(coding),
            "subject": self.subject,
            "authoredOn": at(day, 11),
        }

    def visit(self, day: date, department: str, kind: str = "AMB") -> Resource:
        """Return a finished encounter; a stay (IMP) of some days."""
        coding = {"EMER": c.EMERGENCY, "IMP": c.STAY}.get(kind) or self.random.choice(c.VISITS)
        end = day + timedelta(days=self.random.randrange(1, 6)) if kind == "IMP" else day
        return {
            "resourceType": "Encounter",
            "id": self._id("enc"),
            "status": "finished",
            "class": {"system": _V3, "code": kind},
            "type": [concept(coding)],
            "serviceType": {"text": department},
            "subject": self.subject,
            "period": {"start": at(day, 9), "end": at(min(end, self.last), 15)},
        }

    def visits(self) -> Iterator[Resource]:
        """Yield general visits, a few emergencies and stays."""
        department = "Pediatrics" if self.person.minor else "Primary care"
        if self.regular:
            yield self.visit(self._ago(3, 360), department)
        for _ in range(self.random.randrange(0, 4)):
            yield self.visit(self._ago(370, 1300), department)
        if self.random.random() < 0.07:
            yield self.visit(self._ago(5, 900), "Emergency", "EMER")
        if self.random.random() < 0.05:
            yield self.visit(self._ago(8, 900), "Hospital medicine", "IMP")

    def lab(
        self, coding: Coding, day: date, value: float, unit: str, category: str = "laboratory"
    ) -> Resource:
        """Return a result."""
        return {
            "resourceType": "Observation",
            "id": self._id("ob"),
            "status": "final",
            "category": [{"coding": [{"code": category}]}],
            "code": concept(coding),
            "subject": self.subject,
            "effectiveDateTime": at(day, 8),
            "issued": at(day, 16),
            "valueQuantity": {"value": value, "unit": unit},
        }

    def measured(self) -> Iterator[Resource]:
        """Yield blood pressure, LDL and smoking status."""
        if self.person.minor:
            return
        pressure = self.lab(c.PRESSURE, self._ago(3, 500), 0, "", "vital-signs")
        del pressure["valueQuantity"]
        high = 18 if self.person.has("hypertension") else 0
        pressure["component"] = [
            {
                "code": concept(coding),
                "valueQuantity": {"value": base + high + self.random.randrange(30), "unit": "mm[Hg]"},
            }
            for coding, base in ((c.SYSTOLIC, 108), (c.DIASTOLIC, 66))
        ]
        yield pressure
        if self.random.random() < 0.5:
            yield self.lab(c.LDL, self._ago(10, 900), float(self.random.randrange(60, 210)), "mg/dL")
        if self.random.random() < 0.6:
            smokes = self.random.random() < 0.14
            answer = (
                (c.SNOMED, "449868002", "Smokes tobacco daily")
                if smokes
                else (c.SNOMED, "266919005", "Never smoked tobacco")
            )
            yield {
                "resourceType": "Observation",
                "id": self._id("ob"),
                "status": "final",
                "category": [{"coding": [{"code": "social-history"}]}],
                "code": concept(c.SMOKING),
                "subject": self.subject,
                "effectiveDateTime": at(self._ago(20, 700), 9),
                "valueCodeableConcept": concept(answer),
            }

    def procedures(self) -> Iterator[Resource]:
        """Yield screenings and operations."""
        age = self.person.age
        chances: Sequence[tuple[Coding, float, tuple[int, int]]] = (
            (c.MAMMOGRAPHY, 0.55 if self.person.female and age >= 42 else 0, (10, 1100)),
            (c.COLONOSCOPY, 0.4 if age >= 46 else 0, (20, 3300)),
            (c.KNEE, 0.2 if self.person.has("arthritis") else 0, (5, 900)),
            (c.CATARACT, 0.12 if age >= 68 else 0, (5, 1200)),
        )
        for coding, chance, (least, most) in chances:
            if self.random.random() < chance:
                yield {
                    "resourceType": "Procedure",
                    "id": self._id("pr"),
                    "status": "completed",
                    "code": concept(coding),
                    "subject": self.subject,
                    "performedDateTime": at(self._ago(least, most), 12),
                }

    def vaccinations(self) -> Iterator[Resource]:
        """Yield vaccinations by age."""
        age = self.person.age
        for coding, chance, most in (
            (c.FLU, 0.5, 700),
            (c.COVID, 0.35, 600),
            (c.SHINGLES, 0.45 if age >= 50 else 0, 2000),
            (c.PNEUMONIA, 0.5 if age >= 65 else 0, 1500),
            (c.HPV, 0.6 if 11 <= age <= 26 else 0, 1500),
        ):
            if self.random.random() < chance:
                yield {
                    "resourceType": "Immunization",
                    "id": self._id("im"),
                    "status": "completed",
                    "vaccineCode": concept(coding),
                    "patient": self.subject,
                    "occurrenceDateTime": at(self._ago(12, most), 14),
                }

    def appointments(self) -> Iterator[Resource]:
        """Yield past appointments (kept, missed, cancelled) and those to come."""
        for _ in range(self.random.randrange(0, 4)):
            status = self.random.choices(("fulfilled", "noshow", "cancelled"), (78, 13, 9))[0]
            yield self.appointment(self._ago(6, 800), status)
        if self.person.deceased is None and self.random.random() < 0.35:
            yield self.appointment(self.today + timedelta(days=self.random.randrange(1, 60)), "booked")

    def appointment(self, day: date, status: str) -> Resource:
        """Return an appointment."""
        return {
            "resourceType": "Appointment",
            "id": self._id("ap"),
            "status": status,
            "serviceType": [{"text": "Office visit"}],
            "created": at(day - timedelta(days=self.random.randrange(7, 40)), 10),
            "start": at(day, 10),
            "end": at(day, 11),
            "participant": [{"actor": self.subject, "status": "accepted"}],
        }

    def allergies(self) -> Iterator[Resource]:
        """Yield allergies of a few."""
        for coding, chance in ((c.PENICILLIN, 0.08), (c.LATEX, 0.02)):
            if self.random.random() < chance:
                yield {
                    "resourceType": "AllergyIntolerance",
                    "id": self._id("al"),
                    "clinicalStatus": {"coding": [{"code": "active"}]},
                    "verificationStatus": {"coding": [{"code": "confirmed"}]},
                    "code": concept(coding),
                    "patient": self.subject,
                    "recordedDate": self._ago(100, 3000).isoformat(),
                }


def _omb(name: str, code: str, display: str) -> Resource:
    coding = {"system": _OMB, "code": code, "display": display}
    return {
        "url": f"{_CORE}{name}",
        "extension": [{"url": "ombCategory", "valueCoding": coding}, {"url": "text", "valueString": display}],
    }
