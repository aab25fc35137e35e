"""Mappings of CSV columns as data: read from JSON, written to JSON, checked, and suggested."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from salus.contacts import api as contacts
from salus.contacts.contracts import RECORD_FIELDS, AttributeType
from salus.intake.contracts import Column, CsvMapping
from salus.kernel.errors import BadInput

ADDRESSES = ("email", "phone")
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,31}")
_COLUMN_KEYS = {"heading", "target", "date", "separator", "values", "part", "group", "constants"}
_MAPPING_KEYS = {"columns", "defaults", "date", "delimiter", "existing_only"}


def from_json(data: Any) -> CsvMapping:
    """Return the mapping that JSON `data` describes; raises `BadInput` with the path to the fault."""
    if not isinstance(data, Mapping):
        raise BadInput("a mapping is an object with columns", place="mapping")
    _only(data, _MAPPING_KEYS, "mapping")
    listed = data.get("columns")
    if not isinstance(listed, list) or not listed:
        raise BadInput("name at least one column", place="columns")
    return CsvMapping(
        columns=tuple(_column(one, f"columns[{place}]") for place, one in enumerate(listed)),
        defaults=_words(data.get("defaults", {}), "defaults"),
        date=_word(data.get("date", ""), "date"),
        delimiter=_word(data.get("delimiter", ""), "delimiter"),
        existing_only=bool(data.get("existing_only", False)),
    )


def to_json(mapping: CsvMapping) -> dict[str, Any]:
    """Return `mapping` as JSON, without what is as usual."""
    return {
        "columns": [
            {
                name: value
                for name, value in (
                    ("heading", one.heading),
                    ("target", one.target),
                    ("date", one.date),
                    ("separator", "" if one.separator == ";" else one.separator),
                    ("values", dict(one.values)),
                    ("part", "" if one.part == "code" else one.part),
                    ("group", one.group),
                    ("constants", dict(one.constants)),
                )
                if value
            }
            for one in mapping.columns
        ],
        "defaults": dict(mapping.defaults),
        "date": mapping.date,
        "delimiter": mapping.delimiter,
        "existing_only": mapping.existing_only,
    }


def _column(data: Any, place: str) -> Column:
    if not isinstance(data, Mapping):
        raise BadInput("a column is an object with heading and target", place=place)
    _only(data, _COLUMN_KEYS, place)
    for name in ("heading", "target"):
        if not isinstance(data.get(name), str) or not data[name]:
            raise BadInput("is needed", place=f"{place}.{name}")
    return Column(
        heading=data["heading"],
        target=data["target"],
        date=_word(data.get("date", ""), f"{place}.date"),
        separator=_word(data.get("separator", ";"), f"{place}.separator") or ";",
        values=_words(data.get("values", {}), f"{place}.values"),
        part=_word(data.get("part", "code"), f"{place}.part") or "code",
        group=_word(data.get("group", ""), f"{place}.group"),
        constants=_words(data.get("constants", {}), f"{place}.constants"),
    )


def _only(data: Mapping[str, Any], known: set[str], place: str) -> None:
    for name in data:
        if name not in known:
            raise BadInput(f"is none of: {', '.join(sorted(known))}", place=f"{place}.{name}")


def _word(value: Any, place: str) -> str:
    if not isinstance(value, str):
        raise BadInput("is not text", place=place)
    return value


def _words(value: Any, place: str) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(one, str) for one in value.values()):
        raise BadInput("is not an object of texts", place=place)
    return dict(value)


def check_contacts_mapping(mapping: CsvMapping) -> None:
    """Raise `BadInput` with the place when a target, a part or a default does not exist."""
    for place, column in enumerate(mapping.columns):
        _check_target(column, f"columns[{place}]", mapping.date)
    targets = [one.target for one in mapping.columns if not one.target.startswith("record:")]
    for target in targets:
        if targets.count(target) > 1:
            raise BadInput("is the target of two columns", place=target)
    for target, text in mapping.defaults.items():
        kind, _, key = target.partition(":")
        if kind != "attribute":
            raise BadInput("only an attribute can have a default", place=f"defaults.{target}")
        try:
            contacts.reader(key)(text)
        except BadInput as fault:
            raise BadInput(fault.what, place=f"defaults.{target}") from None
    _check_findable(mapping)


def _check_findable(mapping: CsvMapping) -> None:
    kinds = {one.target.partition(":")[0] for one in mapping.columns}
    if not kinds & {"identifier", "address"}:
        raise BadInput(
            "needs a record number, an e-mail or a phone, or nobody can be found again", place="columns"
        )


def _check_target(column: Column, place: str, date: str) -> None:
    try:
        _check_kind(column, *column.target.partition(":")[::2], date)
    except BadInput as fault:
        raise BadInput(fault.what, place=f"{place}.target") from None


def _check_kind(column: Column, kind: str, key: str, date: str) -> None:
    if kind == "attribute":
        contacts.reader(key, date_format=column.date or (date if _is_date(key) else ""))
    elif kind == "address":
        if key not in ADDRESSES:
            raise BadInput(f"is none of: {', '.join(ADDRESSES)}")
    elif kind == "identifier":
        if not _IDENTIFIER.fullmatch(key):
            raise BadInput("an identifier is a word of small letters, digits and _")
    elif kind == "record":
        _check_record(column, key, date)
    else:
        raise BadInput("begins with none of: attribute:, identifier:, address:, record:")


def _is_date(key: str) -> bool:
    attribute = contacts.dictionary().get(key)
    return attribute is not None and attribute.type is AttributeType.DATE


def _check_record(column: Column, key: str, date: str) -> None:
    attribute = contacts.dictionary().get(key)
    if attribute is None or attribute.type is not AttributeType.RECORDS:
        raise BadInput("is not an attribute that holds records")
    for name in (column.part, *column.constants):
        if name not in RECORD_FIELDS:
            raise BadInput(f"a part of a record is one of: {', '.join(RECORD_FIELDS)}")
    if column.part in {"date", "end"} and (column.date or date):
        contacts.check_date_format(column.date or date)
    if column.part == "code" and column.constants.get("system") not in contacts.SYSTEMS:
        raise BadInput(f"a code needs the constant system, one of: {', '.join(contacts.SYSTEMS)}")


_SYNONYMS: Mapping[str, str] = {
    "identifier:mrn": "mrn|recordnumber|medicalrecordnumber|patientid|chartnumber|recordno|expediente",
    "identifier:member": "memberid|membernumber|subscriberid",
    "identifier:fhir": "fhirid|fhir",
    "address:email": "email|emailaddress|mail|correo|correoelectronico",
    "address:phone": "phone|mobile|cell|cellphone|mobilephone|phonenumber|telephone|telefono|celular",
    "attribute:given_name": "firstname|first|givenname|given|nombre",
    "attribute:family_name": "lastname|last|familyname|surname|family|apellido|apellidos",
    "attribute:birth_date": "dob|dateofbirth|birthdate|birthday|fechadenacimiento|nacimiento",
    "attribute:gender": "sex|gender|sexo|genero",
    "attribute:postal_code": "zip|zipcode|postalcode|codigopostal",
    "attribute:city": "city|town|ciudad",
    "attribute:state": "state|stateofresidence|estado",
    "attribute:care_state": "carestate|stateofcare",
    "attribute:country": "country|pais",
    "attribute:language": "language|preferredlanguage|idioma|lang",
    "attribute:race": "race|raza",
    "attribute:ethnicity": "ethnicity|etnia",
    "attribute:religion": "religion",
    "attribute:income": "income|householdincome|ingreso",
    "attribute:marital_status": "maritalstatus|estadocivil",
    "attribute:family_status": "familystatus",
    "attribute:education_level": "education|educationlevel|estudios",
    "attribute:employment_status": "employment|employmentstatus|ocupacion",
    "attribute:insurance_type": "insurance|insurancetype|coverage|seguro",
    "attribute:insurance_payer": "payer|insurer|payor|insurancecompany|aseguradora",
    "attribute:department": "department|clinic|departamento",
    "attribute:physician": "physician|doctor|provider|pcp|medico",
    "attribute:relation": "relation|patientstatus|relacion",
    "attribute:member_since": "membersince|patientsince|withussince|enrolledon|enrollmentdate|miembrodesde",
    "attribute:health_interests": "interests|healthinterests|intereses",
    "attribute:time_zone": "timezone",
    "attribute:deceased_date": "deceased|deceaseddate|dateofdeath|died",
    "attribute:due_date": "duedate|edd",
    "attribute:risk_factors": "riskfactors",
    "attribute:lifestyle_risks": "lifestylerisks|lifestyle",
    "attribute:treatment_plans": "treatmentplans|treatmentplan|careplan",
    "attribute:spoken_languages": "spokenlanguages|languages",
    "attribute:outcome": "outcome",
    "attribute:pregnant": "pregnant",
}
_TARGET_OF = {word: target for target, words in _SYNONYMS.items() for word in words.split("|")}
_ACCENTS = str.maketrans("áéíóúñ", "aeioun")


def suggest(headings: Sequence[str]) -> CsvMapping:
    """Return a mapping for the headings whose meaning is plain; a person confirms it."""
    columns: list[Column] = []
    taken: set[str] = set()
    for heading in headings:
        word = re.sub(r"[^a-z0-9]", "", heading.lower().translate(_ACCENTS))
        target = _TARGET_OF.get(word) or _own_key(heading)
        if target and target not in taken and headings.count(heading) == 1:
            columns.append(Column(heading, target))
            taken.add(target)
    return CsvMapping(tuple(columns))


def _own_key(heading: str) -> str | None:
    """Return the target of a heading that is the very key of an attribute."""
    key = heading.strip().lower()
    attribute = contacts.dictionary().get(key)
    single = attribute is not None and attribute.type is not AttributeType.RECORDS
    return f"attribute:{key}" if single else None
