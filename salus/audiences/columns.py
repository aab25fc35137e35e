"""The names of tables and columns in the column store: one for the loader and the compiler both.

One wide row a person, one child table for each attribute that holds a list or dated records, and
tables for events, for what the ledger says and for static segments. Rows are in the order of arrival: no index, no sort
(measured: ADR 0041).
"""

from __future__ import annotations

from collections.abc import Mapping

from salus.contacts.contracts import Attribute, AttributeType

PERSON, EVENT, CHOICE, AUTHORIZATION, STANDING = "person", "event", "choice", "permit", "standing"
LISTED = "listed"
"""Who is on which static segment."""
NUMBER, ZONE = "number", "zone"
SQL_TYPE: Mapping[AttributeType, str] = {
    AttributeType.TEXT: "VARCHAR",
    AttributeType.CODE: "VARCHAR",
    AttributeType.NUMBER: "DOUBLE",
    AttributeType.DATE: "DATE",
    AttributeType.BOOL: "BOOLEAN",
}
SYSTEMS = ("icd10", "snomed", "rxnorm", "cvx", "loinc", "cpt")
"""The code systems of records, as contacts knows them: a small number in the store instead of a word."""
_SYSTEM = f"ENUM({', '.join(repr(one) for one in SYSTEMS)})"
ZONE_TYPE = "zone_name"
"""The enumeration of time zones; a person's zone is the place of its name in it, from 1; 0 is not known."""
RECORD_COLUMNS: dict[str, str] = {
    "code": "VARCHAR",
    "system": _SYSTEM,
    "text": "VARCHAR",
    "status": "VARCHAR",
    "date": "DATE",
    "end": "DATE",
    "value": "DOUBLE",
}


def column(key: str) -> str:
    """Return the column of the person table that holds the scalar attribute `key`."""
    return f"a_{key}"


def has_address(key: str) -> str:
    """Return the column that says whether there is an address of the kind `key` ("email", "phone")."""
    return f"has_{key}"


def table(attribute: Attribute) -> str:
    """Return the child table of an attribute that holds codes or records."""
    prefix = "r" if attribute.type is AttributeType.RECORDS else "c"
    return f"{prefix}_{attribute.key}"


def scalars(attributes: Mapping[str, Attribute]) -> list[Attribute]:
    """Return the attributes that have a column in the person table."""
    return [one for one in attributes.values() if one.type in SQL_TYPE]


def lists(attributes: Mapping[str, Attribute], kind: AttributeType) -> list[Attribute]:
    """Return the attributes of type `kind` (CODES or RECORDS), which have tables of their own."""
    return [one for one in attributes.values() if one.type is kind]


def schema(attributes: Mapping[str, Attribute]) -> dict[str, dict[str, str]]:
    """Return every table with its columns and their SQL types."""
    number, zone = {NUMBER: "UINTEGER"}, {ZONE: "USMALLINT"}
    tables = {
        PERSON: number
        | {"id": "UUID", "version": "BIGINT"}
        | zone
        | {has_address("email"): "BOOLEAN", has_address("phone"): "BOOLEAN"}
        | {column(one.key): SQL_TYPE[one.type] for one in scalars(attributes)},
        EVENT: number | {"kind": "VARCHAR", "at": "TIMESTAMP", "details": "VARCHAR"},
        CHOICE: number
        | {"wanted": "BOOLEAN", "topic": "VARCHAR", "channel": "VARCHAR", "confirmed": "BOOLEAN"},
        AUTHORIZATION: number
        | {"purposes": "VARCHAR[]", "specials": "VARCHAR[]", "begins": "TIMESTAMP", "ends": "TIMESTAMP"},
        STANDING: number
        | {"fundraising_opted_out": "BOOLEAN", "restricted": "BOOLEAN", "deceased": "BOOLEAN"}
        | {"suppressed": "VARCHAR[]", "valid_until": "TIMESTAMP"},
        LISTED: number | {"segment": "UUID"},
    }
    for one in lists(attributes, AttributeType.CODES):
        tables[table(one)] = number | {"code": "VARCHAR"}
    for one in lists(attributes, AttributeType.RECORDS):
        tables[table(one)] = number | zone | RECORD_COLUMNS
    return tables
