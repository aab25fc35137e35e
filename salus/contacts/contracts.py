"""What other packages may know of contacts: attributes, patches in, opened fields out, changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from salus.kernel.phi import Phi
from salus.kernel.vocabulary import AddressSource, Channel, PhiClass, Special

Side = Literal["kept", "gone", "both"]
"""Whose word counts where two merged records differ; "both" is for addresses alone."""


class AttributeType(StrEnum):
    """How a value is stored in the sealed document (JSON form in brackets)."""

    TEXT = "text"  # string
    NUMBER = "number"  # number
    DATE = "date"  # "YYYY-MM-DD"
    BOOL = "bool"  # true | false
    CODE = "code"  # string from a code list
    CODES = "codes"  # list of strings
    RECORDS = "records"  # list of objects with RECORD_FIELDS


RECORD_FIELDS = ("id", "code", "system", "text", "date", "time", "end", "status", "value", "unit")
"""The fields of a dated record; `id` is stable in its source, `date` and `end` are ISO dates, `time` is
the time of day on `date` where it happens ("14:30"), `value` is a number, all others are strings; an
absent field is left out."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """One defined attribute of a contact; nothing undefined is ever stored."""

    key: str
    type: AttributeType
    phi_class: PhiClass
    label: str
    label_es: str
    special: Special | None = None
    origin: str = ""
    """Where it comes from in FHIR R4, for example `Patient.birthDate`."""


@dataclass(frozen=True, slots=True)
class Read:
    """One field that a segment or a template reads, and so discloses to whoever sees the result.

    `origin` is "segment", "merge" or "condition"; `place` the JSON path or template line; `code`
    the code or prefix asked for, when one was ("E11"), else None: then any code may show.
    """

    field: str
    phi_class: PhiClass
    special: Special | None = None
    origin: str = ""
    place: str = ""
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """An address of a contact with the declaration of where it came from."""

    channel: Channel
    value: Phi[str]
    source: AddressSource
    evidence: str
    obtained: date | None


@dataclass(frozen=True, slots=True)
class Identifier:
    """An external identifier: `system` "mrn", "fhir", "member"... and its value."""

    system: str
    value: Phi[str]


@dataclass(frozen=True, slots=True)
class ContactPatch:
    """What an importer knows of one person; it is merged into the contact that it identifies.

    `values` holds plain JSON values by attribute key (None takes a value away); `defaults` are used
    only where the contact says nothing yet; `records` replaces-by-id the dated records of an
    attribute, and a record whose status is "entered-in-error" takes the one with its id away; `adds`
    are codes to add to lists of codes, where `values` would replace the list.
    Addresses replace those that the same source gave before on the same channel. `place` names the
    source row for error messages ("line 812") and holds no PHI. With `create` false the patch is
    rejected when nobody has its identifiers.
    """

    identifiers: tuple[Identifier, ...] = ()
    addresses: tuple[Address, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    records: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    place: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    adds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    create: bool = True


class MergeOutcome(StrEnum):
    """What became of a patch."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Merged:
    """The fate of one patch, in the order the patches were given; `reason` is PHI-free text.

    `field` names what the reason is about ("birth_date", "email", "identity").
    """

    outcome: MergeOutcome
    contact_id: UUID | None = None
    number: int | None = None
    reason: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """The fields of one contact that were asked for, opened for a stated purpose."""

    id: UUID
    number: int
    version: int
    values: Mapping[str, Phi[Any]]
    addresses: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the change feed: contact `number` changed; read its document if not erased.

    One that was merged into another counts as erased here: it is nobody of its own any more.
    """

    change: int
    contact_id: UUID
    number: int
    erased: bool


@dataclass(frozen=True, slots=True)
class Joined:
    """A merge of two contacts; each side with the (channel, address) pairs that it had until then."""

    id: UUID
    kept_id: UUID
    gone_id: UUID
    at: datetime
    ended_at: datetime | None
    kept_addresses: frozenset[tuple[str, str]] = field(default=frozenset(), repr=False)
    gone_addresses: frozenset[tuple[str, str]] = field(default=frozenset(), repr=False)


@dataclass(frozen=True, slots=True)
class Alike:
    """Contacts to which one blind index leads: they share an address, an identifier, or name and birth date."""

    blind: bytes
    ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """Two records side by side; `reasons` and `against` are words without PHI, the strongest first."""

    ids: tuple[UUID, UUID]
    numbers: tuple[int, int]
    reasons: tuple[str, ...]
    against: tuple[str, ...]
    plausible: bool
    """Whether the reasons outweigh what tells them apart."""
    differing: tuple[str, ...]
    """Fields of which a person chooses; "email" and "phone" are all addresses of a channel together."""
    rows: tuple[tuple[str, Phi[str], Phi[str]], ...]
    """(field, what the first says, what the second says)."""
