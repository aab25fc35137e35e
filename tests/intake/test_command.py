"""`salus import` and `salus contacts` on the command line: what they say, and how they end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from salus.contacts import api as contacts
from salus.intake import api
from salus.platform.tenancy import acting_for
from salus.wiring import cli

from .clinicfiles import RESOURCES, write_fhir

Salus = Callable[..., tuple[int, str, str]]
DECLARED = ("--source", "clinical_encounter", "--evidence", "registration desk", "--obtained", "2026-01-02")
CSV = "Record number,E-mail,First name\nC-1,amalthea@lakepost.test,Amalthea\nC-2,nonsense,Orvin\n"


@pytest.fixture
def clinic(make_clinic: Callable[..., Any]) -> Any:
    return make_clinic()


@pytest.fixture
def salus(clinic: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Salus:
    """Run a command of the clinic in this process, which is set up already for the home of the tests."""
    monkeypatch.setattr(cli, "setup", lambda: None)

    def run(*words: object, organization: str = clinic.slug) -> tuple[int, str, str]:
        given = [str(word) for word in words]
        code = cli.main([*given, "--organization", organization] if organization else given)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def people(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(CSV, "utf-8")
    return path


def newest(clinic: Any) -> UUID:
    with acting_for(clinic.id):
        return api.imports()[0].id


def test_a_csv_comes_in_and_what_did_not_is_counted_by_reason(
    salus: Salus, people: Path, clinic: Any
) -> None:
    code, said, _ = salus("import", "csv", people, *DECLARED)

    assert code == 0
    assert "1 of 2 rows are in (1 new, 0 changed, 0 unchanged); 1 are not." in said
    assert "rejected: email is not an e-mail address" in said
    with acting_for(clinic.id):
        assert contacts.count() == 1


def test_a_check_writes_nothing_and_leaves_no_upload(salus: Salus, people: Path, clinic: Any) -> None:
    code, said, _ = salus("import", "csv", people, *DECLARED, "--check")

    assert code == 0
    assert "1 of 2 rows would be in" in said
    with acting_for(clinic.id):
        assert contacts.count() == 0
        assert [one.status for one in api.imports()] == ["cancelled"]


def test_an_import_can_be_queued_listed_resumed_and_cancelled(
    salus: Salus, people: Path, clinic: Any
) -> None:
    _, said, _ = salus("import", "csv", people, *DECLARED, "--queue")
    import_id = said.strip()
    assert import_id in salus("import", "list")[1]
    assert "ready" in salus("import", "status", import_id)[1]
    assert salus("import", "resume", import_id)[0] == 0
    code, _, complaint = salus("import", "cancel", import_id)

    assert (code, "has ended" in complaint) == (1, True)


def test_rejected_rows_go_to_a_file_that_only_its_owner_reads(
    salus: Salus, people: Path, clinic: Any, tmp_path: Path
) -> None:
    salus("import", "csv", people, *DECLARED)
    output = tmp_path / "rejects.csv"
    import_id = newest(clinic)

    assert salus("import", "rejects", import_id, "--output", output)[0] == 0
    assert output.stat().st_mode & 0o777 == 0o600
    assert "C-2,nonsense,Orvin,3,email" in output.read_text("utf-8")
    assert "email is not an e-mail address" in salus("import", "rejects", import_id)[1]


def test_a_file_that_cannot_be_used_is_named(salus: Salus, people: Path, clinic: Any, tmp_path: Path) -> None:
    salus("import", "csv", people, *DECLARED)
    nowhere = tmp_path / "none" / "rejects.csv"
    for output in (nowhere, people):
        code, _, complaint = salus("import", "rejects", newest(clinic), "--output", output)
        assert (code, str(output) in complaint) == (2, True), complaint
    assert "Amalthea" in people.read_text("utf-8")
    assert salus("import", "suggest", nowhere, organization="")[0] == 2


def test_fhir_and_permissions_come_in(salus: Salus, clinic: Any, tmp_path: Path) -> None:
    directory = tmp_path / "fhir"
    directory.mkdir()
    entries = tmp_path / "permissions.csv"
    entries.write_text("record_number,kind,topic,channel,date\nC-1,opt_in,News,email,2026-01-02\n", "utf-8")

    planned = {"resourceType": "MedicationRequest", "id": "m9", "intent": "plan"}
    said = salus("import", "fhir", write_fhir(directory, [*RESOURCES, planned]), *DECLARED)[1]
    assert "5 of 6 rows are in (3 new" in said
    assert "1 were passed over: only planned, or not done." in said
    assert "1 of 1 rows are in" in salus("import", "permissions", entries, *DECLARED)[1]


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (("import", "csv", "missing.csv", *DECLARED), "missing.csv"),
        (("import", "fhir", "missing", *DECLARED), "missing"),
        (("import", "csv", "{people}", *DECLARED, "--mapping", "missing.json"), "missing.json"),
        (("import", "csv", "{people}", "--source", "a-friend", *DECLARED[2:]), "--source"),
        (("import", "csv", "{people}", *DECLARED[:2], "--evidence", " ", *DECLARED[4:]), "evidence"),
        (("import", "csv", "{people}", *DECLARED[:4], "--obtained", "2999-01-01"), "obtained"),
    ],
)
def test_what_cannot_be_done_ends_with_2_and_names_the_place(
    salus: Salus, people: Path, words: tuple[str, ...], place: str
) -> None:
    code, _, complaint = salus(*(word.format(people=people) for word in words))

    assert code == 2
    assert place in complaint


@pytest.mark.parametrize("words", [("import", "csv", "x.csv"), ("import", "status", "no-id"), ("import",)])
def test_a_usage_fault_ends_with_2(salus: Salus, words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as ended:
        salus(*words)

    assert ended.value.code == 2


def test_a_mapping_is_suggested_and_used(salus: Salus, people: Path, tmp_path: Path, clinic: Any) -> None:
    code, said, _ = salus("import", "suggest", people, organization="")
    mapping = tmp_path / "mapping.json"
    mapping.write_text(said.replace("attribute:given_name", "attribute:family_name"), "utf-8")

    assert code == 0
    assert salus("import", "csv", people, *DECLARED, "--mapping", mapping)[0] == 0
    assert json.loads(said)["columns"][0] == {"heading": "Record number", "target": "identifier:mrn"}
    assert json.loads(
        salus("contacts", "show", 1, "--purpose", "treatment", "--field", "family_name")[1]
    ) == {"family_name": "Amalthea"}


def test_a_clinic_is_written(salus: Salus, tmp_path: Path) -> None:
    code, said, _ = salus("import", "clinic", tmp_path / "clinic", "--patients", "5", organization="")

    assert (code, said.startswith("5 patients")) == (0, True)
    assert (tmp_path / "clinic" / "fhir" / "Patient.ndjson").exists()
    assert salus("import", "clinic", tmp_path, "--patients", "0", organization="")[0] == 2


def test_contacts_are_counted_found_and_shown_for_a_purpose(salus: Salus, people: Path) -> None:
    salus("import", "csv", people, *DECLARED)

    assert salus("contacts", "count")[1].strip() == "1"
    assert salus("contacts", "find", "--email", "Amalthea@lakepost.test")[1].strip() == "1"
    assert salus("contacts", "find", "--identifier", "mrn:C-1")[1].strip() == "1"
    assert salus("contacts", "find", "--phone", "415-555-0132")[0] == 1
    assert salus("contacts", "find", "--identifier", "C-1")[0] == 2
    shown = salus(
        "contacts", "show", 1, "--purpose", "treatment", "--field", "given_name", "--field", "email"
    )
    assert json.loads(shown[1]) == {"given_name": "Amalthea", "email": ["amalthea@lakepost.test"]}
    assert salus("contacts", "show", 1, "--purpose", "just because", "--field", "email")[0] == 2
    assert salus("contacts", "show", 9, "--purpose", "treatment", "--field", "email")[0] == 1


def test_the_dictionary_is_printed_as_json(salus: Salus) -> None:
    found = json.loads(salus("contacts", "dictionary", "--json", organization="")[1])

    assert {"key": "income", "special": "sensitive_demographic"}.items() <= next(
        one for one in found if one["key"] == "income"
    ).items()
    assert "pregnant" in salus("contacts", "dictionary", organization="")[1]
