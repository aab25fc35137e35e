"""FHIR R4 Patient: who it is, where they live, how to reach them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from salus.contacts import api as contacts
from salus.contacts.contracts import Address, Identifier
from salus.intake.fhir.facts import Context, Facts, Resource, code_of, day, id_of, text_of
from salus.kernel.errors import BadInput
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import AddressSource, Channel, Relation

FHIR_ID = "fhir"
RECORD_NUMBER = "mrn"

RELATION_OF: Mapping[AddressSource, Relation] = {
    AddressSource.CLINICAL_ENCOUNTER: Relation.PATIENT,
    AddressSource.PLAN_ENROLLMENT: Relation.ENROLLED,
}
"""What somebody is to us when only the source of their address is known; others are prospects."""

_RACE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race"
_ETHNICITY = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity"
_RELIGION = "http://hl7.org/fhir/StructureDefinition/patient-religion"
_NOT_A_NAME = {"maiden", "old", "anonymous"}
_NOT_NOW = {"old", "temp"}


def relation_of(source: AddressSource) -> str:
    """Return the relation that a declared source of addresses implies."""
    return RELATION_OF.get(source, Relation.PROSPECT).value


def read(resource: Resource, context: Context) -> Facts | None:
    """Return what a Patient tells. SSN, licences and street addresses are not kept."""
    patient = id_of(resource)
    for link in resource.get("link", ()):
        if link.get("type") == "replaced-by":
            raise BadInput("this record was replaced by another one in its source", place="link")
    facts = Facts(patient, declares=True)
    facts.identifiers = (Identifier(FHIR_ID, Phi(patient)), *_record_number(resource))
    _name(resource, facts)
    facts.set("gender", resource.get("gender"))
    _dates(resource, facts)
    _place(resource, facts)
    _languages(resource, facts)
    facts.set(
        "marital_status", code_of(resource.get("maritalStatus")) or text_of(resource.get("maritalStatus"))
    )
    _extensions(resource, facts)
    for practitioner in resource.get("generalPractitioner", ())[:1]:
        facts.set("physician", practitioner.get("display"))
    facts.addresses = tuple(_addresses(resource, facts, context))
    active = resource.get("active", True)
    implied = relation_of(context.declaration.source)
    facts.defaults["relation"] = implied if active else Relation.FORMER.value
    return facts


def _record_number(resource: Resource) -> Iterable[Identifier]:
    """Return the first identifier of type MR (medical record number)."""
    for one in resource.get("identifier", ()):
        types = {coding.get("code") for coding in one.get("type", {}).get("coding", ())}
        if "MR" in types and one.get("value"):
            return (Identifier(RECORD_NUMBER, Phi(str(one["value"]))),)
    return ()


def _name(resource: Resource, facts: Facts) -> None:
    names = [one for one in resource.get("name", ()) if one.get("use") not in _NOT_A_NAME]
    names.sort(key=lambda one: one.get("use") != "official")
    for name in names[:1]:
        facts.set("given_name", next(iter(name.get("given", ())), None))
        facts.set("family_name", name.get("family"))


def _dates(resource: Resource, facts: Facts) -> None:
    born, died = resource.get("birthDate"), resource.get("deceasedDateTime")
    for key, text in (("birth_date", born), ("deceased_date", died)):
        if text is None:
            continue
        found = day(text)
        if found is None:
            facts.notes.append((key, "is not a full date"))
        else:
            facts.values[key] = found
    if died is not None or resource.get("deceasedBoolean"):
        facts.values["deceased"], facts.died = True, True


def _place(resource: Resource, facts: Facts) -> None:
    places = [one for one in resource.get("address", ()) if one.get("use") not in _NOT_NOW]
    places.sort(key=lambda one: one.get("use", "home") != "home")
    for place in places[:1]:
        for key, name in (("city", "city"), ("postal_code", "postalCode"), ("country", "country")):
            facts.set(key, place.get(name))
        if facts.values.get("country", "US") == "US":
            facts.set("state", place.get("state"))


def _languages(resource: Resource, facts: Facts) -> None:
    spoken: list[str] = []
    for one in resource.get("communication", ()):
        text = code_of(one.get("language")) or text_of(one.get("language"))
        code = contacts.language_code(text)
        if code is None:
            facts.notes.append(("language", "is not a language code like en or es"))
            continue
        spoken.append(code)
        if one.get("preferred"):
            facts.values["language"] = code
    if spoken:
        facts.values.setdefault("language", spoken[0])
        facts.values["spoken_languages"] = list(dict.fromkeys(spoken))


def _extensions(resource: Resource, facts: Facts) -> None:
    for extension in resource.get("extension", ()):
        url = extension.get("url")
        if url == _RACE:
            codes = [_code_list("race", code, facts) for code in _omb(extension)]
            if any(codes):
                facts.values["race"] = list(dict.fromkeys(code for code in codes if code))
        elif url == _ETHNICITY:
            for code in _omb(extension)[:1]:
                facts.set("ethnicity", code)
        elif url == _RELIGION:
            facts.set("religion", text_of(extension.get("valueCodeableConcept")))


def _omb(extension: Mapping[str, Any]) -> list[str]:
    return [
        str(one["valueCoding"]["code"])
        for one in extension.get("extension", ())
        if one.get("url") == "ombCategory" and one.get("valueCoding", {}).get("code")
    ]


def _code_list(key: str, code: str, facts: Facts) -> str | None:
    found = contacts.CODE_LISTS[key].code_of(code)
    if found is None:
        facts.notes.append((key, "is not a code that we know"))
    return found


def _addresses(resource: Resource, facts: Facts, context: Context) -> Iterable[Address]:
    """Yield e-mail addresses and phone numbers that are in use, the patient's first choice first."""
    today = context.today.isoformat()
    telecom = [
        one
        for one in resource.get("telecom", ())
        if one.get("use") not in _NOT_NOW and (one.get("period", {}).get("end") or today) >= today
    ]
    telecom.sort(key=lambda one: (one.get("rank", 99), one.get("use") != "mobile"))
    declared = context.declaration
    for one in telecom:
        channel = {"email": Channel.EMAIL, "phone": Channel.SMS, "sms": Channel.SMS}.get(one.get("system"))
        if channel is None or not one.get("value"):
            continue
        field = "email" if channel is Channel.EMAIL else "phone"
        normalize = contacts.normalize_email if channel is Channel.EMAIL else contacts.normalize_phone
        try:
            value = normalize(str(one["value"]))
        except BadInput as fault:
            facts.notes.append((field, fault.what))
            continue
        yield Address(channel, Phi(value), declared.source, declared.evidence, declared.obtained)
