"""A few invented people as FHIR NDJSON and CSV, for tests of whole imports."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from salus.intake.contracts import Declaration
from salus.kernel.vocabulary import AddressSource

DESK = Declaration(AddressSource.CLINICAL_ENCOUNTER, "registration desk, form R-2", date(2026, 1, 2))
WEB = Declaration(AddressSource.WEBSITE_SIGNUP, "newsletter form", date(2026, 1, 2))

SUBJECT = {"reference": "Patient/p1"}


def patient(number: int, **more: Any) -> dict[str, Any]:
    """Return patient `number`."""
    return {
        "resourceType": "Patient",
        "id": f"p{number}",
        "identifier": [{"type": {"coding": [{"code": "MR"}]}, "value": f"C-{number}"}],
        "name": [{"family": "Quandreth", "given": [f"Amalthea{number}"]}],
        "birthDate": "1980-02-28",
        **more,
    }


RESOURCES: list[dict[str, Any]] = [
    patient(1),
    patient(2, deceasedDateTime="2025-05-06"),
    patient(3),
    {
        "resourceType": "Condition",
        "id": "c1",
        "code": {
            "coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "E11.9"}],
            "text": "Diabetes",
        },
        "subject": SUBJECT,
        "onsetDateTime": "2020-01-02",
    },
    {
        "resourceType": "Encounter",
        "id": "e1",
        "status": "finished",
        "class": {"code": "AMB"},
        "type": [{"text": "Office visit"}],
        "subject": SUBJECT,
        "period": {"start": "2026-10-04T10:00:00Z", "end": "2026-10-04T11:00:00Z"},
    },
    {"resourceType": "Organization", "id": "o1", "name": "Cedar Row Clinic"},
]


def write_fhir(directory: Path, resources: list[dict[str, Any]], tail: bytes = b"") -> Path:
    """Write one NDJSON file for each type; `tail` is added to the last one."""
    by_type: dict[str, list[dict[str, Any]]] = {}
    for resource in resources:
        by_type.setdefault(resource["resourceType"], []).append(resource)
    path = directory
    for kind, found in by_type.items():
        path = directory / f"{kind}.ndjson"
        path.write_bytes("".join(json.dumps(one) + "\n" for one in found).encode())
    with path.open("ab") as file:
        file.write(tail)
    return directory
