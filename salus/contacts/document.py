"""The sealed document of a person: how a patch is checked, and what it makes of what is known.

Pure: no database, no keys, no clock. The document is JSON: attributes by key, `addresses` (a list of
channel, value, source, evidence, obtained) and `identifiers` (a list of system, value).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

from salus.contacts.addresses import normalize_email, normalize_phone
from salus.contacts.contracts import Address, ContactPatch, Identifier
from salus.contacts.values import check_record, check_value, clean_text
from salus.kernel.errors import BadInput
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import AddressSource, Channel

Document = dict[str, Any]

CLOSEST_FIRST = (
    AddressSource.CLINICAL_ENCOUNTER,
    AddressSource.PLAN_ENROLLMENT,
    AddressSource.REFERRAL,
    AddressSource.EVENT_OR_SCREENING,
    AddressSource.WEBSITE_SIGNUP,
    AddressSource.PURCHASED,
    AddressSource.UNKNOWN,
)
"""Sources by how close to care they are: an address known from several keeps the closest."""
_RANK: Mapping[str, int] = {source: rank for rank, source in enumerate(CLOSEST_FIRST)}

REMOVED = "entered-in-error"
LONGEST_IDENTIFIER = 128
_SYSTEM = re.compile(r"[a-z][a-z0-9_]{0,31}")
_NOT_IN_FUTURE = ("birth_date", "deceased_date")


@dataclass(slots=True)
class Prepared:
    """A patch in normal form; identifiers are (system, value), addresses as the document has them.

    Not frozen, because a large import makes millions of them and freezing doubles their cost; it is
    never changed.
    """

    identifiers: tuple[tuple[str, str], ...]
    addresses: tuple[Document, ...]
    values: Mapping[str, Any]
    defaults: Mapping[str, Any]
    records: Mapping[str, tuple[Document, ...]]
    create: bool
    adds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def first(self, channel: Channel) -> str | None:
        """Return the first address on `channel`, or None."""
        return next((one["value"] for one in self.addresses if one["channel"] == channel), None)


def identifier_value(text: str) -> str:
    """Return the normal form of an identifier's value; raises `BadInput`."""
    value = clean_text(text.strip(), LONGEST_IDENTIFIER)
    if not value:
        raise BadInput("is empty")
    return value


def address_maker(
    channel: Channel, source: AddressSource, evidence: str, obtained: date | None, *, laboratory: bool
) -> Callable[[str], Document]:
    """Return what makes the document's form of an address from text; it raises `BadInput`."""
    normalize = (
        partial(normalize_email, laboratory=laboratory) if channel is Channel.EMAIL else normalize_phone
    )
    day = obtained.isoformat() if obtained else None

    def make(text: str) -> Document:
        return {
            "channel": channel,
            "value": normalize(text),
            "source": source,
            "evidence": evidence,
            "obtained": day,
        }

    return make


def check_not_in_future(values: Mapping[str, Any], today: str) -> None:
    """Raise `BadInput` when somebody is born or dead after `today` (an ISO date)."""
    for key in _NOT_IN_FUTURE:
        if (values.get(key) or "") > today:
            raise BadInput("is in the future", place=key)


def prepare(patch: ContactPatch, *, today: str, laboratory: bool, checked: bool = False) -> Prepared:
    """Return `patch` in normal form; raises `BadInput` whose `place` is the field at fault.

    `today` is an ISO date. With `checked`, values and records come from the dictionary's own readers
    and are in normal form already.
    """
    identifiers = tuple(dict.fromkeys([_identifier(one) for one in patch.identifiers]))
    addresses = _addresses(patch.addresses, laboratory)
    if checked:
        check_not_in_future(patch.values, today)
        records: Any = patch.records
        return Prepared(
            identifiers, addresses, patch.values, patch.defaults, records, patch.create, patch.adds
        )
    return Prepared(
        identifiers=identifiers,
        addresses=addresses,
        values=_values(patch.values, today),
        defaults=_values(patch.defaults, today),
        records={
            key: tuple(check_record(key, one) for one in records) for key, records in patch.records.items()
        },
        create=patch.create,
        adds={key: tuple(check_value(key, list(codes))) for key, codes in patch.adds.items() if codes},
    )


def _identifier(one: Identifier) -> tuple[str, str]:
    if not _SYSTEM.fullmatch(one.system):
        raise BadInput("is not the name of an identifier (small letters, digits, _)", place="identifier")
    try:
        text = identifier_value(one.value.reveal())
    except BadInput as fault:
        raise BadInput(fault.what, place=one.system) from None
    return one.system, text


def _addresses(addresses: Iterable[Address], laboratory: bool) -> tuple[Document, ...]:
    found: dict[tuple[str, str], Document] = {}
    for one in addresses:
        value = _address_value(one, laboratory)
        found.setdefault(
            (one.channel, value),
            {
                "channel": one.channel,
                "value": value,
                "source": one.source,
                "evidence": one.evidence,
                "obtained": one.obtained.isoformat() if one.obtained else None,
            },
        )
    return tuple(found.values())


def _address_value(address: Address, laboratory: bool) -> str:
    place = _KIND_OF.get(address.channel)
    if place is None:
        raise BadInput("a portal has no address", place="address")
    try:
        text = address.value.reveal()
        return normalize_email(text, laboratory=laboratory) if place == "email" else normalize_phone(text)
    except BadInput as fault:
        raise BadInput(fault.what, place=place) from None


def _values(values: Mapping[str, Any], today: str) -> dict[str, Any]:
    checked = {key: None if value is None else check_value(key, value) for key, value in values.items()}
    check_not_in_future(checked, today)
    return checked


def new_document(patch: Prepared) -> Document:
    """Return the document of a person of whom only `patch` is known."""
    document: Document = {**patch.defaults, **patch.values}
    if None in document.values():
        document = {key: value for key, value in document.items() if value is not None}
    for key, records in patch.records.items():
        alone = len(records) == 1 and records[0].get("status") != REMOVED
        kept = list(records) if alone else _merge_records((), records)
        if kept:
            document[key] = kept
    for key, codes in patch.adds.items():
        document[key] = list(dict.fromkeys((*document.get(key, ()), *codes)))
    if patch.addresses:
        several = len(patch.addresses) > 1
        document["addresses"] = sorted(patch.addresses, key=_closest) if several else [*patch.addresses]
    if patch.identifiers:
        document["identifiers"] = [{"system": system, "value": value} for system, value in patch.identifiers]
    return document


def merge_into(document: Document, patch: Prepared) -> tuple[Document, bool]:
    """Return what `document` becomes with `patch`, and whether that is a change. `document` is kept."""
    result = dict(document)
    changed = _merge_values(result, patch)
    for key, codes in patch.adds.items():
        added = [code for code in codes if code not in result.get(key, ())]
        if added:
            result[key], changed = [*result.get(key, ()), *added], True
    for key, records in patch.records.items():
        merged = _merge_records(result.get(key, ()), records)
        if merged is not None:
            changed = True
            result[key] = merged
            if not merged:
                del result[key]
    for key, whole in (
        ("addresses", _merge_addresses(result.get("addresses", ()), patch.addresses)),
        ("identifiers", _merge_identifiers(result.get("identifiers", ()), patch.identifiers)),
    ):
        if whole is not None:
            result[key], changed = whole, True
    return result, changed


def _merge_values(result: Document, patch: Prepared) -> bool:
    """Set and take away single values in `result`; return whether that is a change."""
    changed = False
    for key, value in patch.values.items():
        if result.get(key) != value:
            changed = True
            if value is None:
                result.pop(key)
            else:
                result[key] = value
    for key, value in patch.defaults.items():
        if key not in result and value is not None:
            result[key], changed = value, True
    return changed


def _merge_records(present: Iterable[Document], given: Iterable[Document]) -> list[Document] | None:
    """Return the records after the merge, oldest first, or None when nothing changes."""
    by_id = {one["id"]: one for one in present}
    changed = False
    for record in {one["id"]: one for one in given}.values():  # of repetitions, the last one counts
        if record.get("status") == REMOVED:
            changed |= by_id.pop(record["id"], None) is not None
        elif by_id.get(record["id"]) != record:
            by_id[record["id"]] = record
            changed = True
    if not changed:
        return None
    return sorted(by_id.values(), key=lambda one: (one.get("date", ""), one["id"]))


def _merge_addresses(present: Iterable[Document], given: Iterable[Document]) -> list[Document] | None:
    """Return the addresses after the merge, closest source first, or None when nothing changes."""
    given, before = list(given), list(present)
    if not given:
        return None
    told = {(one["channel"], one["source"]) for one in given}
    known = {(one["channel"], one["value"]): one for one in before}
    merged: dict[tuple[str, str], Document] = {}
    for one in given:
        key = (one["channel"], one["value"])
        old = known.get(key)
        # The first declaration of an address stands, unless a source closer to care declares it.
        keep = old is not None and _RANK[old["source"]] <= _RANK[one["source"]]
        merged[key] = old if keep and old is not None else one
    for key, old in known.items():
        if key not in merged and (old["channel"], old["source"]) not in told:
            merged[key] = old
    after = sorted(merged.values(), key=_closest)
    return None if after == before else after


def _closest(address: Document) -> tuple[str, int]:
    return address["channel"], _RANK[address["source"]]


def _merge_identifiers(
    present: Iterable[Document], given: Iterable[tuple[str, str]]
) -> list[Document] | None:
    """Return the identifiers with the new ones added, or None when all are known."""
    before = list(present)
    known = {(one["system"], one["value"]) for one in before}
    added = [{"system": system, "value": value} for system, value in given if (system, value) not in known]
    return before + added if added else None


def blind_keys(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the (kind, value) pairs by which this person must be findable."""
    return [
        *(
            (_KIND_OF[one["channel"]], one["value"])
            for name in ("addresses", "former")
            for one in document.get(name, ())
        ),
        *((identifier_kind(one["system"]), one["value"]) for one in document.get("identifiers", ())),
        *named(document),
    ]


NAMED = ("given_name", "family_name", "birth_date")
"""What together says that two records may be one person."""


def named(values: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the key of name and birth date as the only item, nothing when one of them is not known."""
    said = [values.get(key) for key in NAMED]
    return (("named", "|".join(map(str, said)).casefold()),) if all(said) else ()


_KIND_OF: Mapping[str, str] = {Channel.EMAIL: "email", Channel.SMS: "phone"}


def identifier_kind(system: str) -> str:
    """Return the blind-index kind of an identifier system."""
    return f"id:{system}"


def addresses_of(document: Mapping[str, Any], channels: Container[str]) -> tuple[Address, ...]:
    """Return the addresses of a document on `channels` as values of the contract."""
    return tuple(
        Address(
            channel=Channel(one["channel"]),
            value=Phi(one["value"]),
            source=AddressSource(one["source"]),
            evidence=one["evidence"],
            obtained=date.fromisoformat(one["obtained"]) if one["obtained"] else None,
        )
        for one in document.get("addresses", ())
        if one["channel"] in channels
    )
