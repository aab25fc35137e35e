"""A person's export as a FHIR R4 Bundle, which another clinic's system and a patient's app can read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from typing import Any, Final
from uuid import UUID

from salus.contacts import api as contacts
from salus.contacts.contracts import AttributeType
from salus.privacy.fhir_records import TERMINOLOGY, Records, Resource, concept, id_within, without_empty

Export = Mapping[str, Any]

_US_CORE: Final = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
_RELIGION: Final = "http://hl7.org/fhir/StructureDefinition/patient-religion"
_OMB: Final = "urn:oid:2.16.840.1.113883.6.238"
_NULL: Final = f"{TERMINOLOGY}/v3-NullFlavor"
_RECORD_NUMBER: Final = "mrn"
_MARITAL: Mapping[str, str] = {
    "single": "S", "married": "M", "partner": "T", "separated": "L", "divorced": "D", "widowed": "W",
    "unknown": "UNK",
}  # fmt: skip
IN_PATIENT: Final = frozenset(
    {
        "given_name",
        "family_name",
        "birth_date",
        "gender",
        "postal_code",
        "city",
        "state",
        "country",
        "language",
        "spoken_languages",
        "race",
        "ethnicity",
        "religion",
        "marital_status",
        "deceased",
        "deceased_date",
        "physician",
    }
)
"""Attributes that are elements of the Patient; the others are Observations in words."""

_PERMITS: Mapping[str, str] = {
    "opt_in": "permit",
    "opt_in_confirmed": "permit",
    "opt_out": "deny",
    "authorization": "permit",
    "restriction": "deny",
    "confidential_address": "permit",
    "unencrypted_preference": "permit",
    "fundraising_opt_out": "deny",
    "suppression": "deny",
    "part2_consent": "permit",
    "e_notice": "permit",
}
"""Entries that are a Consent. What ends one shows in its status; a death and a representative are no consents."""

_COMMUNICATION: Mapping[str, str] = {
    "cleared": "preparation", "leased": "in-progress", "deferred": "in-progress", "accepted": "completed",
    "bounced": "not-done", "gave_up": "not-done", "portal": "completed", "portal_unnotified": "completed",
    "opened": "completed", "expired": "not-done", "recalled": "entered-in-error", "refused": "not-done",
    "cancelled": "not-done",
}  # fmt: skip
_MEDIUM: Mapping[str, str] = {"email": "EMAILWRIT", "sms": "SMSWRIT"}


def bundle(export: Export, zone: tzinfo) -> Resource:
    """Return the FHIR R4 Bundle (type collection) of an export; `zone` is the organization's.

    It holds what FHIR has a resource for. Tasks of staff, journeys, lists, sessions, purchases and events are
    in the JSON copy only.
    """
    person, document = UUID(export["person"]), export["contacts"]
    found = [
        _patient(person, document),
        *Records(person, zone, _times(export)).all_of(document),
        *_attributes(person, document),
        *_consents(person, export["permissions"]["permissions"]),
        *_communications(person, export["delivery"]["messages"]),
    ]
    return {
        "resourceType": "Bundle",
        "id": id_within(person, "bundle", export["made_at"]),
        "type": "collection",
        "timestamp": export["made_at"],
        "entry": [{"fullUrl": f"urn:uuid:{one['id']}", "resource": one} for one in found],
    }


def _patient(person: UUID, document: Mapping[str, Any]) -> Resource:
    get = document.get
    died = get("deceased_date")
    return without_empty(
        resourceType="Patient",
        id=str(person),
        identifier=[_identifier(one) for one in get("identifiers", ())],
        name=[
            without_empty(family=get("family_name"), given=[get("given_name")] if get("given_name") else None)
        ]
        if get("given_name") or get("family_name")
        else None,
        telecom=[_telecom(one) for one in get("addresses", ())],
        gender=get("gender"),
        birthDate=get("birth_date"),
        deceasedDateTime=died,
        deceasedBoolean=True if get("deceased") and not died else None,
        address=[
            without_empty(
                city=get("city"), state=get("state"), postalCode=get("postal_code"), country=get("country")
            )
        ]
        if any(get(key) for key in ("city", "state", "postal_code", "country"))
        else None,
        maritalStatus=_marital(get("marital_status")),
        communication=_languages(document),
        generalPractitioner=[{"display": get("physician")}] if get("physician") else None,
        extension=[*_extensions(document)],
    )


def _identifier(one: Mapping[str, str]) -> Resource:
    kind = (
        concept("MR", f"{TERMINOLOGY}/v2-0203")
        if one["system"] == _RECORD_NUMBER
        else {"text": one["system"]}
    )
    return {"type": kind, "value": one["value"]}


def _telecom(one: Mapping[str, str]) -> Resource:
    return {"system": {"email": "email", "sms": "phone"}[one["channel"]], "value": one["value"]}


def _marital(code: str | None) -> Resource | None:
    if code is None:
        return None
    return concept(_MARITAL[code], _NULL if code == "unknown" else f"{TERMINOLOGY}/v3-MaritalStatus")


def _languages(document: Mapping[str, Any]) -> list[Resource]:
    preferred = document.get("language")
    codes = dict.fromkeys([*([preferred] if preferred else []), *document.get("spoken_languages", ())])
    return [
        without_empty(
            language=concept(code, "urn:ietf:bcp:47"), preferred=True if code == preferred else None
        )
        for code in codes
    ]


def _extensions(document: Mapping[str, Any]) -> Iterable[Resource]:
    for key in ("race", "ethnicity"):
        codes = document.get(key, ())
        codes = [codes] if isinstance(codes, str) else codes
        if codes:
            words = ", ".join(contacts.CODE_LISTS[key].labels[code][0] for code in codes)
            yield {
                "url": f"{_US_CORE}{key}",
                "extension": [*_omb(key, codes), {"url": "text", "valueString": words}],
            }
    if document.get("religion"):
        yield {"url": _RELIGION, "valueCodeableConcept": {"text": document["religion"]}}


def _omb(key: str, codes: Iterable[str]) -> Iterable[Resource]:
    also = contacts.CODE_LISTS[key].also
    for code in codes:
        official = next((word for word, means in also.items() if means == code and word[:1].isdigit()), None)
        if official:
            yield {"url": "ombCategory", "valueCoding": {"system": _OMB, "code": official}}
        elif code == "unknown":
            yield {"url": "ombCategory", "valueCoding": {"system": _NULL, "code": "UNK"}}


def _attributes(person: UUID, document: Mapping[str, Any]) -> Iterable[Resource]:
    """Yield an Observation in words for each attribute that FHIR has no place for."""
    for key, value in document.items():
        attribute = contacts.dictionary().get(key)
        if attribute is None or key in IN_PATIENT or attribute.type is AttributeType.RECORDS:
            continue
        yield {
            "resourceType": "Observation",
            "id": id_within(person, "attribute", key),
            "status": "unknown",  # who said it, and whether it was reviewed, is not recorded
            "code": {"text": attribute.label},
            "subject": _subject(person),
            **_value(attribute.type, value, key),
        }


def _value(kind: AttributeType, value: Any, key: str) -> Resource:
    match kind:
        case AttributeType.BOOL:
            return {"valueBoolean": value}
        case AttributeType.DATE:
            return {"valueDateTime": value}
        case AttributeType.NUMBER:
            return {"valueQuantity": {"value": value}}
    codes = [value] if isinstance(value, str) else value
    labels = contacts.CODE_LISTS[key].labels if key in contacts.CODE_LISTS else {}
    return {"valueString": ", ".join(labels[code][0] if code in labels else code for code in codes)}


def _consents(person: UUID, entries: Iterable[Mapping[str, Any]]) -> Iterable[Resource]:
    for entry in entries:
        permits = _PERMITS.get(entry["kind"])
        if permits is None:
            continue
        details = entry["details"]
        about = [entry["topic"], entry["channel"], *details.get("purposes", ()), *details.get("classes", ())]
        yield without_empty(
            resourceType="Consent",
            id=id_within(person, "consent", entry["id"]),
            status="active" if entry["stands"] else "inactive",
            scope=concept("patient-privacy", f"{TERMINOLOGY}/consentscope"),
            category=[concept("59284-0", "http://loinc.org", entry["kind"].replace("_", " "))],
            patient=_subject(person),
            dateTime=entry["at"],
            policyRule={"text": entry["evidence"] or "not told"},
            provision=without_empty(
                type=permits,
                period=without_empty(start=entry["at"], end=entry["valid_until"]),
                # What it is about, for a permission must not read as one for everything.
                code=[{"text": each} for each in about if each],
            ),
        )


def _communications(person: UUID, messages: Iterable[Mapping[str, Any]]) -> Iterable[Resource]:
    for one in messages:
        status = _COMMUNICATION[one["state"]]
        medium = _MEDIUM.get(one["channel"])
        words = [text for text in (one["subject"], one["text"]) if text]
        yield without_empty(
            resourceType="Communication",
            id=one["id"],
            status=status,
            statusReason={"text": one["state"]},
            category=[{"text": one["purpose"]}],
            medium=[concept(medium, f"{TERMINOLOGY}/v3-ParticipationMode")] if medium else None,
            subject=_subject(person),
            recipient=[_subject(person)],
            sent=one["at"] if status == "completed" else None,
            sender={"display": one["from"]} if one["from"] else None,
            payload=[{"contentString": text} for text in words],
        )


def _subject(person: UUID) -> Resource:
    return {"reference": f"urn:uuid:{person}"}


def _times(export: Export) -> dict[str, tuple[str, str]]:
    """Return when each appointment starts and ends, by its id, as its events told it last."""
    found: dict[str, tuple[str, str]] = {}
    for event in export["timeline"]["events"]:
        details = event["details"]
        if event["kind"].startswith("appointment_") and "starts_at" in details:
            ends = details.get("ends_at", "")
            found[str(details["id"])] = (_instant(details["starts_at"]), _instant(ends) if ends else "")
    return {id: times for id, times in found.items() if times[0]}


def _instant(text: str) -> str:
    """Return a moment as a FHIR instant; one without its offset is none, and empty."""
    moment = datetime.fromisoformat(text)
    return moment.isoformat(timespec="seconds") if moment.utcoffset() is not None else ""
