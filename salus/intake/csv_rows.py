"""A mapping made ready for one file: turns the cells of a row into what is known of a person."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from salus.contacts import api as contacts
from salus.contacts.contracts import Address, AttributeType, ContactPatch, Identifier
from salus.intake.contracts import Column, CsvMapping, Declaration
from salus.intake.fhir.patients import relation_of
from salus.intake.mapping import check_contacts_mapping
from salus.kernel.errors import BadInput
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import Channel

Read = Callable[[str], Any]
_CHANNELS = {"email": Channel.EMAIL, "phone": Channel.SMS}


@dataclass(slots=True)
class _RecordReader:
    """The columns that make one record of a row."""

    key: str
    constants: dict[str, str]
    parts: list[tuple[int, str, Read]] = field(default_factory=list)
    codes: tuple[int, str, str] | None = None
    """Column, separator and code system of the cell that holds the code, or several codes."""

    def read(self, cells: Sequence[str]) -> list[dict[str, Any]]:
        """Return the records of a row, none when all their cells are empty."""
        told = {name: read(cells[index].strip()) for index, name, read in self.parts if cells[index].strip()}
        if self.codes is None:
            return [self._record(told, None)] if told else []
        index, separator, system = self.codes
        found = []
        for text in cells[index].split(separator):
            if text := text.strip():
                code = contacts.normal_code(system, text)
                if code is None:
                    raise BadInput(f"is not a code of {system}", place=f"{self.key}.code")
                found.append(self._record(told, code))
        return found

    def _record(self, told: Mapping[str, Any], code: str | None) -> dict[str, Any]:
        """Return a record whose id is the same when the same file comes again."""
        record = {**self.constants, **told}
        if code is not None:
            record["code"] = code
        if "id" not in record:
            what = f"{record['system']}:{code}" if code is not None else record.get("text", "")
            record["id"] = f"csv:{what}:{record.get('date', '')}"
        return record


class RowReader:
    """Reads rows of one file by one mapping. Columns that are not mapped are never looked at."""

    def __init__(self, mapping: CsvMapping, headings: Sequence[str], declaration: Declaration) -> None:
        check_contacts_mapping(mapping)
        self._mapping, self._declared = mapping, declaration
        self._places = column_places(mapping, headings)
        self._attributes: list[tuple[int, str, Read]] = []
        self._identifiers: list[tuple[int, str]] = []
        self._addresses: list[tuple[int, Channel]] = []
        records: dict[tuple[str, str], _RecordReader] = {}
        for column in mapping.columns:
            self._add(column, records)
        self._records = list(records.values())
        self._defaults = {"relation": relation_of(declaration.source)} | {
            target.partition(":")[2]: contacts.reader(target.partition(":")[2])(text)
            for target, text in mapping.defaults.items()
        }

    def _add(self, column: Column, records: dict[tuple[str, str], _RecordReader]) -> None:
        kind, _, key = column.target.partition(":")
        index = self._places[column.heading]
        if kind == "attribute":
            self._attributes.append((index, key, _translated(column, self._reader(column, key))))
        elif kind == "identifier":
            self._identifiers.append((index, key))
        elif kind == "address":
            self._addresses.append((index, _CHANNELS[key]))
        else:
            group = records.setdefault(
                (key, column.group or column.heading), _RecordReader(key, constants={})
            )
            group.constants.update(column.constants)
            if column.part == "code":
                group.codes = index, column.separator, column.constants["system"]
            else:
                group.parts.append((index, column.part, _translated(column, self._part(column, key))))

    def _reader(self, column: Column, key: str) -> Read:
        is_date = contacts.dictionary()[key].type is AttributeType.DATE
        form = column.date or (self._mapping.date if is_date else "")
        return contacts.reader(key, date_format=form, separator=column.separator)

    def _part(self, column: Column, key: str) -> Read:
        form = column.date or self._mapping.date

        def read(text: str) -> Any:
            try:
                if column.part in {"date", "end"}:
                    return contacts.date_in(text, form) if form else contacts.iso_date(text)
                return contacts.number(text) if column.part == "value" else contacts.clean_text(text)
            except BadInput as fault:
                raise BadInput(fault.what, place=f"{key}.{column.part}") from None

        return read

    def read(self, cells: Sequence[str], place: str = "") -> ContactPatch:
        """Return what a row says; raises `BadInput` whose `place` is the attribute at fault."""
        values: dict[str, Any] = {}
        for index, key, read in self._attributes:
            text = cells[index].strip()
            if text:
                try:
                    values[key] = read(text)
                except BadInput as fault:
                    raise BadInput(fault.what, place=key) from None
        if values.get("deceased_date"):
            values["deceased"] = True
        declared = self._declared
        records: dict[str, tuple[Mapping[str, Any], ...]] = {}
        for reader in self._records:
            found = reader.read(cells)
            if found:
                records[reader.key] = (*records.get(reader.key, ()), *found)
        return ContactPatch(
            identifiers=tuple(
                [
                    Identifier(system, Phi(text))
                    for i, system in self._identifiers
                    if (text := cells[i].strip())
                ]
            ),
            addresses=tuple(
                [
                    Address(channel, Phi(text), declared.source, declared.evidence, declared.obtained)
                    for i, channel in self._addresses
                    if (text := cells[i].strip())
                ]
            ),
            values=values,
            records=records,
            place=place,
            defaults=self._defaults,
            create=not self._mapping.existing_only,
        )


def _translated(column: Column, read: Read) -> Read:
    if not column.values:
        return read
    meaning = {word.strip().lower(): text for word, text in column.values.items()}
    return lambda text: read(meaning.get(text.lower(), text))


def column_places(mapping: CsvMapping, headings: Sequence[str]) -> dict[str, int]:
    """Return where each mapped column stands; raises `BadInput` when one is missing or twice there."""
    places: dict[str, int] = {}
    for number, column in enumerate(mapping.columns):
        found = [index for index, heading in enumerate(headings) if heading == column.heading.strip()]
        if len(found) != 1:
            fault = "the file has no such column" if not found else "the file has two columns of this name"
            raise BadInput(fault, place=f"columns[{number}].heading")
        places[column.heading] = found[0]
    return places
