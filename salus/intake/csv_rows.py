"""A mapping made ready for one file: turns the cells of a row into what is known of a person."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from salus.contacts import api as contacts
from salus.contacts.contracts import AttributeType
from salus.intake.contracts import Column, CsvMapping, Declaration
from salus.intake.fhir.patients import relation_of
from salus.intake.mapping import check_contacts_mapping
from salus.kernel.errors import BadInput
from salus.kernel.vocabulary import Channel

Read = Callable[[str], Any]
_CHANNELS = {"email": Channel.EMAIL, "phone": Channel.SMS}
_REMEMBERED = 65_536
"""How many different cells of one column are remembered with what they mean."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a cell, and with it the row, is refused: the attribute at fault and the reason."""

    field: str
    reason: str


class _Column:
    """One column that is read cell by cell; an empty cell gives None."""

    def __init__(self, index: int, field: str, read: Read, *, remember: bool) -> None:
        self.index, self._field = index, field
        self._read = lru_cache(_REMEMBERED)(read) if remember else read

    def read(self, cells: Sequence[str], faults: dict[int, Fault]) -> list[Any]:
        """Return what the cells of a batch mean; a bad cell is None and stands in `faults` by its row."""
        read = self._read
        try:
            return [read(text) if (text := cell.strip()) else None for cell in cells]
        except BadInput:
            return [self._slowly(row, cell.strip(), faults) for row, cell in enumerate(cells)]

    def _slowly(self, row: int, text: str, faults: dict[int, Fault]) -> Any:
        try:
            return self._read(text) if text else None
        except BadInput as fault:
            faults.setdefault(row, Fault(self._field, fault.what))
            return None


class _Records:
    """The columns that make records of one attribute: dated parts, and a cell of one code or several."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.constants: dict[str, str] = {}
        self.parts: list[tuple[str, _Column]] = []
        self.codes: _Column | None = None

    def read(
        self, columns: Sequence[Sequence[str]], faults: dict[int, Fault]
    ) -> Iterator[tuple[dict[str, Any], ...] | None]:
        """Yield the records of each row, None where its cells are empty."""
        names = [name for name, _ in self.parts]
        told = zip(*(column.read(columns[column.index], faults) for _, column in self.parts), strict=True)
        if self.codes is None:
            for values in told:
                yield (self._record(names, values, None),) if any(values) else None
            return
        codes = self.codes.read(columns[self.codes.index], faults)
        rows: Iterable[tuple[Any, ...]] = told if names else ((),) * len(codes)
        for found, values in zip(codes, rows, strict=True):
            yield tuple([self._record(names, values, code) for code in found]) if found else None

    def _record(self, names: Sequence[str], values: Sequence[Any], code: str | None) -> dict[str, Any]:
        """Return a record whose id is the same when the same file comes again."""
        told = {name: value for name, value in zip(names, values, strict=True) if value is not None}
        record: dict[str, Any] = {**self.constants, **told}
        if code is not None:
            record["code"] = code
        if "id" not in record:
            what = f"{record['system']}:{code}" if code is not None else record.get("text", "")
            record["id"] = f"csv:{what}:{record.get('date', '')}"
        return record


class RowReader:
    """Reads rows of one file by one mapping, a batch at a time, column by column.

    Columns that are not mapped are never looked at.
    """

    def __init__(self, mapping: CsvMapping, headings: Sequence[str], declaration: Declaration) -> None:
        check_contacts_mapping(mapping)
        self._mapping, self._declared = mapping, declaration
        self._places = column_places(mapping, headings)
        self._attributes: list[tuple[str, _Column]] = []
        self._identifiers: list[tuple[str, _Column]] = []
        self._addresses: list[_Column] = []
        records: dict[tuple[str, str], _Records] = {}
        for column in mapping.columns:
            self._add(column, records)
        self._records = list(records.values())
        self._defaults = {"relation": relation_of(declaration.source)} | {
            target.partition(":")[2]: contacts.reader(target.partition(":")[2])(text)
            for target, text in mapping.defaults.items()
        }

    def _add(self, column: Column, records: dict[tuple[str, str], _Records]) -> None:
        kind, _, key = column.target.partition(":")
        index = self._places[column.heading]
        if kind == "attribute":
            plain = contacts.dictionary()[key].type is AttributeType.TEXT and key != "city"
            read = _translated(column, self._reader(column, key))
            self._attributes.append((key, _Column(index, key, read, remember=not plain)))
        elif kind == "identifier":
            self._identifiers.append((key, _Column(index, key, contacts.identifier_value, remember=False)))
        elif kind == "address":
            declared = self._declared
            make = contacts.address_maker(
                _CHANNELS[key], declared.source, declared.evidence, declared.obtained
            )
            self._addresses.append(_Column(index, key, make, remember=False))
        else:
            group = records.setdefault((key, column.group or column.heading), _Records(key))
            group.constants.update(column.constants)
            field = f"{key}.{column.part}"
            if column.part == "code":
                group.codes = _Column(index, field, _codes_reader(column), remember=True)
            else:
                part = _Column(index, field, _translated(column, self._part(column)), remember=True)
                group.parts.append((column.part, part))

    def _reader(self, column: Column, key: str) -> Read:
        is_date = contacts.dictionary()[key].type is AttributeType.DATE
        form = column.date or (self._mapping.date if is_date else "")
        return contacts.reader(key, date_format=form, separator=column.separator)

    def _part(self, column: Column) -> Read:
        form = column.date or self._mapping.date
        if column.part in {"date", "end"}:
            return (lambda text: contacts.date_in(text, form)) if form else contacts.iso_date
        return contacts.number if column.part == "value" else contacts.clean_text

    def read(self, rows: Sequence[Sequence[str]]) -> list[contacts.Prepared | Fault]:
        """Return what each row says of a person in normal form, or why it is refused."""
        if not rows:
            return []
        columns = list(zip(*rows, strict=True))
        faults: dict[int, Fault] = {}
        values = self._values(columns, faults, len(rows))
        identifiers = _together(
            [
                [(system, value) if value else None for value in column.read(columns[column.index], faults)]
                for system, column in self._identifiers
            ],
            len(rows),
        )
        addresses = _together(
            [column.read(columns[column.index], faults) for column in self._addresses], len(rows)
        )
        records = [(group.key, list(group.read(columns, faults))) for group in self._records]
        create, defaults = not self._mapping.existing_only, self._defaults
        return [
            faults.get(row)
            or contacts.Prepared(
                identifiers[row], addresses[row], values[row], defaults, _records_of(records, row), create
            )
            for row in range(len(rows))
        ]

    def _values(
        self, columns: Sequence[Sequence[str]], faults: dict[int, Fault], count: int
    ) -> list[dict[str, Any]]:
        """Return the attribute values of each row."""
        keys = [key for key, _ in self._attributes]
        read = [column.read(columns[column.index], faults) for _, column in self._attributes]
        rows: Iterable[tuple[Any, ...]] = zip(*read, strict=True) if read else ((),) * count
        values = [
            {key: value for key, value in zip(keys, row, strict=True) if value is not None} for row in rows
        ]
        if "deceased_date" in keys:
            for one in values:
                if "deceased_date" in one:
                    one["deceased"] = True
        return values


def _together(columns: Sequence[Sequence[Any]], count: int) -> list[tuple[Any, ...]]:
    """Return what the columns have of each row, without what is empty."""
    if not columns:
        return [()] * count
    return [tuple([one for one in row if one is not None]) for row in zip(*columns, strict=True)]


def _records_of(
    groups: Sequence[tuple[str, Sequence[tuple[dict[str, Any], ...] | None]]], row: int
) -> dict[str, tuple[dict[str, Any], ...]]:
    found: dict[str, tuple[dict[str, Any], ...]] = {}
    for key, records in groups:
        here = records[row]
        if here:
            found[key] = found[key] + here if key in found else here
    return found


def _codes_reader(column: Column) -> Read:
    """Return what reads a cell of codes in one system; it raises `BadInput`."""
    system, separator = column.constants["system"], column.separator

    def read(text: str) -> tuple[str, ...]:
        found = []
        for part in text.split(separator):
            if part := part.strip():
                code = contacts.normal_code(system, part)
                if code is None:
                    raise BadInput(f"is not a code of {system}")
                found.append(code)
        return tuple(found)

    return read


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
