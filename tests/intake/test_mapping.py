"""Mappings are data: read with the path to a fault, written back the same, suggested from headings."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from salus.intake import mapping as mappings
from salus.intake.contracts import Column, CsvMapping, Declaration
from salus.intake.csv_rows import RowReader
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


def test_a_row_becomes_a_patch() -> None:
    patch = reader().read(
        ["C-7", " Zoldina@Lakepost.test", "05/06/1980", "W", "e119; I10", "2024-03-04", "9.1"]
    )

    assert [(one.system, one.value.reveal()) for one in patch.identifiers] == [("mrn", "C-7")]
    assert [(one.channel, one.evidence) for one in patch.addresses] == [(Channel.EMAIL, "registration desk")]
    assert patch.values == {"birth_date": "1980-05-06", "gender": "female"}
    assert patch.defaults == {"relation": "patient", "country": "US"}
    assert patch.records["conditions"] == (
        {"system": "icd10", "date": "2024-03-04", "code": "E11.9", "id": "csv:icd10:E11.9:2024-03-04"},
        {"system": "icd10", "date": "2024-03-04", "code": "I10", "id": "csv:icd10:I10:2024-03-04"},
    )
    (lab,) = patch.records["labs"]
    assert (lab["code"], lab["value"], lab["unit"]) == ("4548-4", 9.1, "%")


def test_empty_cells_say_nothing() -> None:
    patch = reader().read(["C-7", "", " ", "", "", "", ""])

    assert (patch.values, patch.records, patch.addresses) == ({}, {}, ())


@pytest.mark.parametrize(
    ("column", "cell", "place"),
    [(2, "06.05.1980", "birth_date"), (3, "frog", "gender"), (4, "sugar", "conditions.code"),
     (5, "soon", "conditions.date"), (6, "high", "labs.value")],
)  # fmt: skip
def test_a_bad_cell_is_refused_with_its_attribute(column: int, cell: str, place: str) -> None:
    cells = ["C-7", "", "", "", "E11", "", ""]
    cells[column] = cell

    with pytest.raises(BadInput) as refused:
        reader().read(cells)

    assert refused.value.place == place
    assert cell not in str(refused.value)


def test_people_of_a_web_form_are_prospects_until_something_else_is_said() -> None:
    assert reader(declared=WEB).read(["C-7", *[""] * 6]).defaults["relation"] == "prospect"


def test_three_hundred_columns_are_read_and_only_the_mapped_ones_looked_at() -> None:
    headings = [f"c{n}" for n in range(298)] + ["MRN", "Mail"]
    cells = ["\x07 not looked at"] * 298 + ["C-7", "a@lakepost.test"]

    assert reader(only(target="address:email"), headings).read(cells).values == {}


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
