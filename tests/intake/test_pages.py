"""The import pages: a file in, its columns, the check, the run, its rejects; and who may not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import expect

from salus.contacts import api as contacts
from salus.intake import api
from salus.intake.contracts import ImportStatus
from salus.intake.models import Chunk, Import
from salus.intake.web.views import date_format
from salus.kernel.acting import system
from salus.platform.tenancy import acting_for
from tests.browser import Console, assert_accessible, assert_no_sideways_scroll, sign_in

CSV = (
    "Record number,E-mail,First name,Last name,DOB,Notes\n"
    "C-1,amalthea@lakepost.test,Amalthea,Quandreth,02/28/1980,x\n"
    "C-2,orvin@lakepost.test,Orvin,Quandreth,12/31/1979,\n"
    "C-3,not an address,Zoldina,Rosk,05/06/1981,\n"
)
DECLARED = {"source": "clinical_encounter", "evidence": "registration desk", "obtained": "2026-01-02"}


@pytest.fixture
def csv_file(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(CSV, "utf-8")
    return path


def upload(console: Console, role: str, path: Path, kind: str = "contacts_csv", **options: Any) -> Any:
    client = console.client(role, **options)
    with path.open("rb") as file:
        return client, client.post(f"/imports/upload?kind={kind}", {"file": file})


def only_import(console: Console) -> Import:
    with acting_for(console.organization.id):
        return Import.objects.get()


def run(console: Console, import_id: UUID) -> None:
    organization = console.organization.id
    api.run(organization, import_id, actor=system(organization, "worker"))


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_a_file_is_imported_by_hand(
    console: Console, page_at: Callable[..., Any], csv_file: Path, width: int
) -> None:
    page = page_at(width)
    sign_in(page, "marketer")
    page.goto(console.url + "/imports/")
    assert_accessible(page)
    page.get_by_role("link", name="Import the first file").click()
    expect(page.get_by_label("CSV file").first).to_be_visible()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    page.get_by_label("CSV file").first.set_input_files(csv_file)
    page.get_by_role("button", name="Take this list").click()

    page.get_by_label("Where do these addresses come from?").select_option("clinical_encounter")
    page.get_by_label("How do you know?").fill("registration desk, form R-2")
    page.get_by_label("Since when?").fill("2026-01-02")
    assert page.get_by_label("How are dates written").input_value() == "MM/DD/YYYY"
    assert page.get_by_label("DOB").input_value() == "attribute:birth_date"
    assert page.get_by_label("Notes").input_value() == ""
    assert "Amalthea" not in page.content()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    page.get_by_role("button", name="Check before importing").click()

    assert "is not an e-mail address" in page.content()
    with acting_for(console.organization.id):
        assert contacts.count() == 0
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    page.get_by_role("button", name="Import 2 rows").click()

    assert "Waiting for a worker" in page.content()
    run(console, only_import(console).id)
    page.get_by_role("link", name="See the people").wait_for()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    with acting_for(console.organization.id):
        assert contacts.count() == 2


def test_the_upload_is_sealed_and_no_temporary_file_is_written(
    console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path / "uploads")
    (tmp_path / "uploads").mkdir()
    big = tmp_path / "big.csv"
    big.write_text(CSV + "C-9,,Velquistanova,,,\n" * 200_000, "utf-8")

    _, response = upload(console, "marketer", big)

    assert response.status_code == 302
    assert list((tmp_path / "uploads").iterdir()) == []
    row = only_import(console)
    assert (row.status, row.bytes_total) == (ImportStatus.LOADING, big.stat().st_size)
    with acting_for(console.organization.id):
        sealed = b"".join(bytes(one.sealed) for one in Chunk.objects.all())
    assert b"Velquistanova" not in sealed


@pytest.mark.parametrize(
    ("name", "content", "kind", "reason"),
    [
        ("x.csv", b"", "contacts_csv", "must hold the headings"),
        ("x.csv", b"a@b.test,c\n", "contacts_csv", "looks like a person"),
        ("x.ndjson", b"hello\n", "fhir", "holds no FHIR NDJSON"),
    ],
)
def test_a_file_that_cannot_be_used_leaves_nothing(
    console: Console, tmp_path: Path, name: str, content: bytes, kind: str, reason: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    _, response = upload(console, "marketer", path, kind)

    assert response.status_code == 422
    assert reason in response.content.decode()
    with acting_for(console.organization.id):
        assert not Import.objects.exists()
        assert not Chunk.objects.exists()


def test_an_upload_without_its_token_is_refused_and_leaves_nothing(console: Console, csv_file: Path) -> None:
    _, response = upload(console, "marketer", csv_file, enforce_csrf_checks=True)

    assert response.status_code == 403
    with acting_for(console.organization.id):
        assert not Chunk.objects.exists()


def test_without_a_declaration_the_form_says_what_is_missing_and_keeps_what_was_typed(
    console: Console, csv_file: Path
) -> None:
    client, response = upload(console, "marketer", csv_file)
    address = response["Location"]

    page = client.post(
        address, {"evidence": "registration desk", "column_0": "identifier:mrn"}
    ).content.decode()

    assert "Say where the addresses come from." in page
    assert 'value="registration desk"' in page
    assert client.get(address.replace("describe", "check")).status_code == 302


def test_columns_that_cannot_work_are_said_in_words(console: Console, csv_file: Path) -> None:
    client, response = upload(console, "marketer", csv_file)

    page = client.post(
        response["Location"], {**DECLARED, "column_2": "attribute:given_name"}
    ).content.decode()

    assert "needs a record number, an e-mail or a phone" in page


def described(console: Console, path: Path) -> Any:
    client, response = upload(console, "marketer", path)
    chosen = {
        "column_0": "identifier:mrn",
        "column_1": "address:email",
        "column_4": "attribute:birth_date",
        "date": "MM/DD/YYYY",
        "save_as": "Front desk",
    }
    assert client.post(response["Location"], {**DECLARED, **chosen}).status_code == 302
    return client


def test_columns_can_be_kept_under_a_name_and_used_again(console: Console, csv_file: Path) -> None:
    client = described(console, csv_file)
    with acting_for(console.organization.id):
        (saved,) = api.saved_mappings()
    with csv_file.open("rb") as file:
        again = client.post("/imports/upload?kind=contacts_csv", {"file": file})["Location"]

    page = client.get(again, {"mapping": str(saved.id)}).content.decode()

    assert saved.name.reveal() == "Front desk"
    assert "Front desk" in page
    assert '<option value="attribute:given_name" selected>' not in page
    assert '<option value="address:email" selected>' in page


def test_starting_twice_queues_once_and_stopping_throws_the_file_away(
    console: Console, csv_file: Path
) -> None:
    client = described(console, csv_file)
    import_id = only_import(console).id
    for _ in range(2):
        assert client.post(f"/imports/{import_id}/run").status_code == 302
    assert client.post(f"/imports/{import_id}/cancel").status_code == 302

    assert only_import(console).status == ImportStatus.CANCELLED
    with acting_for(console.organization.id):
        assert not Chunk.objects.exists()


def test_rejected_rows_are_given_only_to_who_may_open_phi(console: Console, csv_file: Path) -> None:
    client = described(console, csv_file)
    import_id = only_import(console).id
    run(console, import_id)

    coordinator = console.client("care_coordinator")
    answer = coordinator.post(f"/imports/{import_id}/rejects")
    body = answer.getvalue().decode()

    assert answer["Content-Disposition"] == 'attachment; filename="rejects.csv"'
    assert "C-3,not an address,Zoldina" in body
    assert client.post(f"/imports/{import_id}/rejects").status_code == 404
    assert "Zoldina" not in client.get(f"/imports/{import_id}").content.decode()


def test_nobody_without_the_permission_and_nobody_of_another_clinic_gets_in(
    console: Console, csv_file: Path, make_clinic: Callable[..., Any]
) -> None:
    described(console, csv_file)
    import_id = only_import(console).id
    stranger = Console(console.url, make_clinic("Other Clinic")).client("marketer")
    auditor = console.client("auditor")
    for path in ("", "/now", "/describe", "/check"):
        assert stranger.get(f"/imports/{import_id}{path}").status_code == 404
        assert auditor.get(f"/imports/{import_id}{path}").status_code == 404
    for path in ("/run", "/cancel", "/rejects"):
        assert stranger.post(f"/imports/{import_id}{path}").status_code == 404
    assert auditor.get("/imports/").status_code == 404
    assert str(import_id) not in stranger.get("/imports/").content.decode()


@pytest.mark.parametrize(
    ("dates", "form"),
    [
        ([], ""),
        (["2024-12-31"], ""),
        (["12/31/2024", "01/02/2024"], "MM/DD/YYYY"),
        (["31/12/2024"], "DD/MM/YYYY"),
        (["31.12.2024"], "DD.MM.YYYY"),
        (["19801231"], "YYYYMMDD"),
        (["12/31/2024", "soon"], ""),
    ],
)
def test_how_dates_are_written_is_proposed_from_the_first_rows(dates: list[str], form: str) -> None:
    assert date_format(dates) == form
