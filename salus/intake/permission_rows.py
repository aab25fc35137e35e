"""Rows of a CSV of permissions: opt-ins, opt-outs and signed forms, as entries for the ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any

from salus.contacts import api as contacts
from salus.intake.contracts import Column, CsvMapping, Declaration
from salus.intake.csv_rows import column_places
from salus.kernel.errors import BadInput
from salus.kernel.vocabulary import Channel
from salus.permissions import api as permissions
from salus.permissions.contracts import EntryKind

ENTRY_FIELDS = ("kind", "topic", "channel", "date", "evidence", "valid_until")
LISTS = frozenset({"purposes", "classes", "specials", "parties", "channels"})
"""Details that are lists; a cell holds them with semicolons between."""
FOR_EVERYBODY = frozenset(
    {EntryKind.OPT_OUT, EntryKind.SUPPRESSION, EntryKind.FUNDRAISING_OPT_OUT, EntryKind.AUTHORIZATION_REVOKED}
)
"""Refusals named by an address hold for everybody who has it: a doubt is never held against a person."""

_TRUE_FALSE = {"true": True, "yes": True, "sí": True, "false": False, "no": False}
_NUMBERS = frozenset({"typeface_points"})
_DATES = frozenset({"signed_at", "warned_at", "accepted_at"})


@dataclass(frozen=True, slots=True)
class EntryDraft:
    """An entry whose contact is not known yet: `identifiers` or `address` say whose it is."""

    kind: EntryKind
    at: datetime
    evidence: str
    topic: str
    channel: Channel | None
    valid_until: datetime | None
    key: str
    details: Mapping[str, Any] = field(repr=False)
    identifiers: tuple[tuple[str, str], ...] = field(repr=False)
    address: tuple[Channel, str] | None = field(repr=False)


def default_mapping(headings: Sequence[str]) -> CsvMapping:
    """Return the mapping of a file whose headings are our own words ("record_number", "kind"...)."""
    details = {name for kind in EntryKind for name in permissions.detail_names(kind)}
    columns = []
    for heading in headings:
        word = heading.strip().lower()
        if word in ENTRY_FIELDS:
            columns.append(Column(heading, f"entry:{word}"))
        elif word in {"email", "phone"}:
            columns.append(Column(heading, f"address:{word}"))
        elif word in {"mrn", "record_number"}:
            columns.append(Column(heading, "identifier:mrn"))
        elif word in details:
            columns.append(Column(heading, f"detail:{word}"))
    return CsvMapping(tuple(columns))


class PermissionReader:
    """Reads rows of one file of permissions; a day in it begins at midnight of `zone`, the organization's."""

    def __init__(
        self, mapping: CsvMapping, headings: Sequence[str], declaration: Declaration, zone: tzinfo = UTC
    ) -> None:
        self._mapping, self._declared, self._zone = mapping, declaration, zone
        _check(mapping)
        places = column_places(mapping, headings)
        self._columns = [(places[column.heading], column) for column in mapping.columns]

    def read(self, cells: Sequence[str]) -> EntryDraft:
        """Return what a row says; raises `BadInput` whose `place` is the field at fault."""
        told = dict(self._mapping.defaults)
        for index, column in self._columns:
            text = cells[index].strip()
            if text:
                told[column.target] = column.values.get(text, text)
        return self._draft(told)

    def _draft(self, told: Mapping[str, str]) -> EntryDraft:
        kind = _kind(told.get("entry:kind", ""))
        channel = _channel(told.get("entry:channel", ""))
        identifiers = tuple(
            (target.partition(":")[2], text)
            for target, text in told.items()
            if target.startswith("identifier:")
        )
        address = _address(told)
        if not identifiers and address is None:
            raise BadInput("does not say whose it is", place="identity")
        return EntryDraft(
            kind=kind,
            at=self._moment(told.get("entry:date", ""), "date"),
            evidence=told.get("entry:evidence") or self._declared.evidence,
            topic=told.get("entry:topic", ""),
            channel=channel,
            valid_until=(
                self._moment(told["entry:valid_until"], "valid_until")
                if told.get("entry:valid_until")
                else None
            ),
            key=_key(told),
            details={
                name: self._detail(name, text)
                for target, text in told.items()
                if target.startswith("detail:") and (name := target.partition(":")[2])
            },
            identifiers=identifiers,
            address=address,
        )

    def _moment(self, text: str, place: str) -> datetime:
        """Return a date as its first instant where the organization is, or an ISO moment; raises `BadInput`."""
        if not text:
            raise BadInput("is needed", place=place)
        form = self._mapping.date
        try:
            if "T" in text:
                found = datetime.fromisoformat(text)
                return found if found.utcoffset() is not None else found.replace(tzinfo=self._zone)
            day = contacts.date_in(text, form) if form else contacts.iso_date(text)
        except ValueError:
            raise BadInput("is not a date or time", place=place) from None
        except BadInput as fault:
            raise BadInput(fault.what, place=place) from None
        return datetime.fromisoformat(day).replace(tzinfo=self._zone)

    def _detail(self, name: str, text: str) -> Any:
        if name in LISTS:
            return [one.strip() for one in text.split(";") if one.strip()]
        if name in _NUMBERS:
            return contacts.number(text)
        if name in _DATES and self._mapping.date:
            return contacts.date_in(text, self._mapping.date)
        return _TRUE_FALSE.get(text.lower(), text)


def _check(mapping: CsvMapping) -> None:
    details = {name for kind in EntryKind for name in permissions.detail_names(kind)}
    for place, target in [
        *((f"columns[{number}].target", one.target) for number, one in enumerate(mapping.columns)),
        *((f"defaults.{target}", target) for target in mapping.defaults),
    ]:
        kind, _, key = target.partition(":")
        known = {"entry": ENTRY_FIELDS, "detail": details, "address": ("email", "phone")}.get(kind)
        if not (kind == "identifier" and key) and (known is None or key not in known):
            raise BadInput("is no field of an entry, detail, address or identifier", place=place)
    targets = {one.target for one in mapping.columns} | set(mapping.defaults)
    for needed in ("entry:kind", "entry:date"):
        if needed not in targets:
            raise BadInput(f"a column or a default for {needed} is needed", place="columns")


def _kind(text: str) -> EntryKind:
    try:
        return EntryKind(text.strip().lower().replace(" ", "_").replace("-", "_"))
    except ValueError:
        raise BadInput("is no kind of entry, for example opt_in or authorization", place="kind") from None


def _channel(text: str) -> Channel | None:
    if not text:
        return None
    word = {"e-mail": "email", "text": "sms", "phone": "sms"}.get(text.strip().lower(), text.strip().lower())
    try:
        return Channel(word)
    except ValueError:
        raise BadInput("is none of: email, sms, portal", place="channel") from None


def _address(told: Mapping[str, str]) -> tuple[Channel, str] | None:
    for key, channel, normalize in (
        ("email", Channel.EMAIL, contacts.normalize_email),
        ("phone", Channel.SMS, contacts.normalize_phone),
    ):
        if told.get(f"address:{key}"):
            try:
                return channel, normalize(told[f"address:{key}"])
            except BadInput as fault:
                raise BadInput(fault.what, place=key) from None
    return None


def _key(told: Mapping[str, str]) -> str:
    """Return the idempotency key of a row: the same row is the same entry, in whatever file it comes."""
    words = "\n".join(f"{target}={told[target]}" for target in sorted(told))
    return "csv:" + hashlib.sha256(words.encode()).hexdigest()[:32]
