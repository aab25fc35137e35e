"""FHIR R4 resources as facts about a patient: pure functions, one module for each kind of resource."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import orjson

from salus.intake.fhir import clinical, coverage, encounters, observations, patients
from salus.intake.fhir.facts import Context, Facts
from salus.kernel.errors import BadInput

Read = Callable[[Mapping[str, Any], Context], Facts | None]

READERS: Mapping[str, Read] = MappingProxyType(
    {
        "Patient": patients.read,
        "Coverage": coverage.read,
        "Condition": clinical.condition,
        "AllergyIntolerance": clinical.allergy,
        "MedicationRequest": clinical.medication,
        "Immunization": clinical.immunization,
        "Procedure": clinical.procedure,
        "CarePlan": clinical.care_plan,
        "Observation": observations.read,
        "Encounter": encounters.encounter,
        "Appointment": encounters.appointment,
    }
)
"""The resources that are read, in the order in which files are taken: patients first."""


def kind_of(line: bytes) -> str:
    """Return the resource type that a line of NDJSON names, or an empty text."""
    try:
        resource = orjson.loads(line)
    except orjson.JSONDecodeError:
        return ""
    kind = resource.get("resourceType") if isinstance(resource, dict) else None
    return kind if isinstance(kind, str) else ""


def read(resource: Mapping[str, Any], context: Context) -> Facts | None:
    """Return what `resource` tells of a patient, or None when it is nothing that we keep.

    Raises `BadInput` whose `place` is the element at fault; its text holds nothing of the resource.
    """
    kind = resource.get("resourceType")
    if not isinstance(kind, str):
        raise BadInput("has no resourceType", place="resourceType")
    reader = READERS.get(kind)
    if reader is None:
        return None
    try:
        return reader(resource, context)
    except (KeyError, TypeError, AttributeError, IndexError):
        # A resource that is JSON but not shaped as FHIR says; what exactly must not be shown.
        raise BadInput("is not shaped as FHIR R4 says", place=kind) from None
