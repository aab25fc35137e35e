"""Mappings are data: read with the path to a fault, written back the same, suggested from headings."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from salus.contacts.values import check_record, check_value
from salus.intake import mapping as mappings
from salus.intake.contracts import Column, CsvMapping, Declaration
from salus.intake.csv_rows import Fault, RowReader
from salus.kernel.errors import BadInput
from salus.kernel.vocabulary import AddressSource, Channel

DESK = Declaration(AddressSource.CLINICAL_ENCOUNTER, "registration desk", date(2026, 1, 2))
WEB = Declaration(AddressSource.WEBSITE_SIGNUP, "form", date(2026, 1, 2))

FULL: dict[str, Any] = {
    "columns": [
        {"heading": "MRN", "target": "identifier:mrn"},
        {"heading": "Mail", "target": "address:email"},
        {"heading": "Born", "target": "attribute:birth_date", "date": "MM/DD/YYYY"},
        {"heading": "Sex", "target": "attribute:gender", "values": {"W": "female"}},
        {"heading": "Dx", "target": "record:conditions", "group": "dx", "constants": {"system": "icd10"}},
        {"heading": "Dx on", "target": "record:conditions", "group": "dx", "part": "date"},
        {
            "heading": "A1c",
            "target": "record:labs",
            "part": "value",
            "constants": {"code": "4548-4", "system": "loinc", "unit": "%"},
        },
    ],
    "defaults": {"attribute:country": "US"},
    "date": "",
    "delimiter": "",
    "existing_only": False,
}
HEADINGS = ["MRN", "Mail", "Born", "Sex", "Dx", "Dx on", "A1c"]


def reader(mapping: Any = FULL, headings: Any = HEADINGS, declared: Declaration = DESK) -> RowReader:
    return RowReader(mappings.from_json(mapping), headings, declared)


def test_a_mapping_comes_back_from_json_as_it_was() -> None:
    assert mappings.to_json(mappings.from_json(FULL)) == FULL


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ([], "mapping"),
        ({}, "columns"),
        ({"columns": [{"heading": "x"}]}, "columns[0].target"),
        ({"columns": [{"heading": "x", "target": "y", "colour": "red"}]}, "columns[0].colour"),
        ({"columns": ["x"]}, "columns[0]"),
        ({"columns": [{"heading": "x", "target": "identifier:mrn", "values": []}]}, "columns[0].values"),
        ({"columns": [{"heading": "x", "target": "identifier:mrn"}], "more": 1}, "mapping.more"),
    ],
)
def test_json_that_is_no_mapping_is_refused_with_the_path(change: Any, place: str) -> None:
    with pytest.raises(BadInput) as refused:
        mappings.from_json(change)

    assert refused.value.place == place


def only(**column: Any) -> dict[str, Any]:
    return {"columns": [{"heading": "MRN", "target": "identifier:mrn"}, {"heading": "Mail", **column}]}


@pytest.mark.parametrize(
    ("mapping", "place"),
    [
        (only(target="attribute:shoe_size"), "columns[1].target"),
        (only(target="attribute:conditions"), "columns[1].target"),
        (only(target="address:pigeon"), "columns[1].target"),
        (only(target="secret"), "columns[1].target"),
        (only(target="identifier:M R N"), "columns[1].target"),
        (only(target="record:city"), "columns[1].target"),
        (only(target="record:conditions"), "columns[1].target"),
        (only(target="record:conditions", part="colour"), "columns[1].target"),
        (only(target="attribute:birth_date", date="DD/MM"), "columns[1].target"),
        (only(target="identifier:mrn"), "identifier:mrn"),
        ({"columns": [{"heading": "MRN", "target": "attribute:city"}]}, "columns"),
        (
            {**only(target="address:email"), "defaults": {"attribute:gender": "frog"}},
            "defaults.attribute:gender",
        ),
        (
            {**only(target="address:email"), "defaults": {"address:email": "a@b.test"}},
            "defaults.address:email",
        ),
        ({"columns": [{"heading": "Nothing", "target": "identifier:mrn"}]}, "columns[0].heading"),
    ],
)
def test_a_mapping_that_cannot_work_is_refused_before_any_row(mapping: Any, place: str) -> None:
    with pytest.raises(BadInput) as refused:
        reader(mapping)

    assert refused.value.place == place


def test_a_heading_that_stands_twice_is_refused_only_when_it_is_used() -> None:
    with pytest.raises(BadInput, match="two columns of this name"):
        reader(only(target="address:email"), ["MRN", "Mail", "Mail"])

    reader(only(target="address:email"), ["MRN", "Mail", "Notes", "Notes"])


def one_row(cells: list[str], **more: Any) -> Any:
    (found,) = reader(**more).read([cells])
    return found


def test_a_row_says_who_and_what() -> None:
    row = one_row(["C-7", " Zoldina@Lakepost.test", "05/06/1980", "W", "e119; I10", "2024-03-04", "9.1"])

    assert row.identifiers == (("mrn", "C-7"),)
    assert row.addresses == (
        {
            "channel": Channel.EMAIL,
            "value": "zoldina@lakepost.test",
            "source": "clinical_encounter",
            "evidence": "registration desk",
            "obtained": "2026-01-02",
        },
    )
    assert row.values == {"birth_date": "1980-05-06", "gender": "female"}
    assert row.defaults == {"relation": "patient", "country": "US"}
    assert row.records["conditions"] == (
        {"system": "icd10", "date": "2024-03-04", "code": "E11.9", "id": "csv:icd10:E11.9:2024-03-04"},
        {"system": "icd10", "date": "2024-03-04", "code": "I10", "id": "csv:icd10:I10:2024-03-04"},
    )
    (lab,) = row.records["labs"]
    assert (lab["code"], lab["value"], lab["unit"]) == ("4548-4", 9.1, "%")


def test_empty_cells_say_nothing() -> None:
    row = one_row(["C-7", "", " ", "", "", "", ""])

    assert (row.values, row.records, row.addresses) == ({}, {}, ())


@pytest.mark.parametrize(
    ("column", "cell", "field"),
    [(1, "nonsense", "email"), (2, "06.05.1980", "birth_date"), (3, "frog", "gender"), (4, "sugar", "conditions.code"),
     (5, "soon", "conditions.date"), (6, "high", "labs.value")],
)  # fmt: skip
def test_a_bad_cell_is_refused_with_its_attribute_and_the_rows_beside_it_are_not(
    column: int, cell: str, field: str
) -> None:
    good = ["C-7", "", "", "", "E11", "", ""]
    bad = [*good]
    bad[column] = cell

    first, refused, last = reader().read([good, bad, good])

    assert isinstance(refused, Fault)
    assert refused.field == field
    assert cell not in refused.reason
    assert first == last == one_row(good)


def test_what_a_row_says_would_pass_every_check_of_the_dictionary() -> None:
    row = one_row(["C-7", "a@lakepost.test", "05/06/1980", "W", "e119", "2024-03-04", "9.1"])

    assert all(check_value(key, value) == value for key, value in row.values.items())
    assert all(check_record(key, one) == one for key, found in row.records.items() for one in found)


def test_people_of_a_web_form_are_prospects_until_something_else_is_said() -> None:
    assert one_row(["C-7", *[""] * 6], declared=WEB).defaults["relation"] == "prospect"


def test_three_hundred_columns_are_read_and_only_the_mapped_ones_looked_at() -> None:
    headings = [f"c{n}" for n in range(298)] + ["MRN", "Mail"]
    cells = ["\x07 not looked at"] * 298 + ["C-7", "a@lakepost.test"]
    (row,) = reader(only(target="address:email"), headings).read([cells])

    assert not isinstance(row, Fault)
    assert (row.values, row.identifiers) == ({}, (("mrn", "C-7"),))


def test_headings_with_a_plain_meaning_are_suggested() -> None:
    found = mappings.suggest(
        ["Record number", "E-mail", "DOB", "First Name", "Correo", "income", "Notes", "Sexo"]
    )

    assert {one.heading: one.target for one in found.columns} == {
        "Record number": "identifier:mrn",
        "E-mail": "address:email",
        "DOB": "attribute:birth_date",
        "First Name": "attribute:given_name",
        "income": "attribute:income",
        "Sexo": "attribute:gender",
    }


def test_every_suggestion_works() -> None:
    headings = [words.split("|")[0] for words in mappings._SYNONYMS.values()]
    suggested = mappings.suggest(headings)

    assert len(suggested.columns) == len(mappings._SYNONYMS)
    RowReader(suggested, headings, DESK)


@pytest.mark.parametrize(("evidence", "place"), [(" ", "evidence"), ("x" * 201, "evidence")])
def test_a_declaration_needs_evidence(evidence: str, place: str) -> None:
    with pytest.raises(BadInput) as refused:
        Declaration(AddressSource.PURCHASED, evidence, date(2026, 1, 2))

    assert refused.value.place == place


def test_a_source_that_is_no_word_of_ours_is_refused() -> None:
    with pytest.raises(BadInput):
        Declaration("a friend", "told me", date(2026, 1, 2))  # type: ignore[arg-type]


def test_a_column_is_a_plain_value() -> None:
    assert CsvMapping((Column("a", "identifier:mrn"),)) == CsvMapping((Column("a", "identifier:mrn"),))
