"""The names that a template may read, and what kind of value each of them is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from salus.contacts.contracts import Attribute, AttributeType
from salus.kernel.vocabulary import PhiClass, Special

SpecialOf = Callable[[str, str], Special | None]
"""(field, code or prefix) -> the special category that a record with this code belongs to, or None."""

ORG_FIELDS = {
    "name": "The organization's name",
    "phone": "Its telephone number",
    "postal_address": "Its postal address",
}
LINK_FIELDS = {
    "portal": "This message in the portal",
    "choices": "The page where the reader chooses what to get",
    "unsubscribe": "The page that stops these messages",
    "why": "Why the reader got this",
}
DERIVED = {
    "age": Attribute("age", AttributeType.NUMBER, PhiClass.DEMOGRAPHIC, "Age", "Edad"),
    "email": Attribute("email", AttributeType.TEXT, PhiClass.CONTACT, "E-mail address", "Correo electrónico"),
    "phone": Attribute("phone", AttributeType.TEXT, PhiClass.CONTACT, "Phone number", "Teléfono"),
}
OPENS = {"age": "birth_date"}
"""What must be opened for a derived field; addresses come with every opened contact."""


class Kind(StrEnum):
    """How a value may be used in a tag."""

    TEXT = "text"
    CODE = "code"
    NUMBER = "number"
    DATE = "date"
    BOOL = "yes or no"
    CODES = "list of codes"
    RECORDS = "list of records"
    RECORD = "record"
    ORG = "fact of the organization"
    LINK = "link"
    COUNT = "count"
    FLAG = "flag"


_KINDS = {
    AttributeType.TEXT: Kind.TEXT,
    AttributeType.CODE: Kind.CODE,
    AttributeType.NUMBER: Kind.NUMBER,
    AttributeType.DATE: Kind.DATE,
    AttributeType.BOOL: Kind.BOOL,
    AttributeType.CODES: Kind.CODES,
    AttributeType.RECORDS: Kind.RECORDS,
}
RECORD_KINDS = {
    "code": Kind.CODE,
    "system": Kind.CODE,
    "status": Kind.CODE,
    "text": Kind.TEXT,
    "unit": Kind.TEXT,
    "date": Kind.DATE,
    "end": Kind.DATE,
    "value": Kind.NUMBER,
}
LOOP_KINDS = {"first": Kind.FLAG, "last": Kind.FLAG, "index": Kind.COUNT, "length": Kind.COUNT}


@dataclass(frozen=True, slots=True)
class Ref:
    """A resolved name: how it is printed for MiniJinja, and which attribute (or part of one) it is.

    `field` is empty for what is no patient data; `var` is the loop variable of a record's part.
    """

    kind: Kind
    printed: str
    field: str = ""
    part: str = ""
    var: str = ""


def readable(dictionary: Mapping[str, Attribute]) -> dict[str, Attribute]:
    """Return all that `contact.` may be followed by: the dictionary and what derives from it."""
    return {**dictionary, **DERIVED}


def kind_of(attribute: Attribute) -> Kind:
    """Return how values of `attribute` may be used."""
    return _KINDS[attribute.type]


def has_raw(kind: Kind, part: str) -> bool:
    """Return whether the value that is compared differs from the words that are shown."""
    if part:
        return kind in {Kind.DATE, Kind.NUMBER}
    return kind in {Kind.CODE, Kind.NUMBER, Kind.DATE, Kind.BOOL, Kind.CODES}
