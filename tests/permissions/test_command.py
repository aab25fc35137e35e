"""`salus permissions`: forms and standings from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from salus.kernel.acting import system
from salus.permissions import api
from salus.permissions.models import StandingRow
from salus.platform.tenancy import acting_for
from salus.wiring.cli import main

from .cast import GOOD_CONSENT, GOOD_FORM, NOW
from .conftest import make_people
from .test_ledger import opt_in


@pytest.fixture(autouse=True)
def _set_up_already(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("salus.wiring.cli.setup", lambda: None)


def form(folder: Path, content: Any) -> str:
    file = folder / "form.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(file)


def test_a_good_form_has_no_defects(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["permissions", "check-form", form(tmp_path, GOOD_FORM), "--valid-until", "2099-12-31"]
    assert main(given) == 0
    assert main(["permissions", "check-form", form(tmp_path, GOOD_CONSENT), "--part2"]) == 0
    assert capsys.readouterr().out == "No defects.\nNo defects.\n"


def test_defects_are_named_by_paragraph(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["permissions", "check-form", form(tmp_path, GOOD_FORM | {"signer": "representative"})]
    assert main(given) == 1
    assert capsys.readouterr().out.splitlines() == [
        "164.508(c)(1)(v) no expiration",
        "164.508(c)(1)(vi) no description of the signer's authority",
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "no readable JSON"),
        ([], "A form is a JSON object."),
        ({"signed_at": "10.1.2026"}, "details.signed_at: This value does not fit."),
        ({"colour": "red"}, "details.colour: A form has no such detail."),
    ],
)
def test_a_bad_file_is_a_fault_of_use(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: Any, said: str
) -> None:
    assert main(["permissions", "check-form", form(tmp_path, content)]) == 2
    assert said in capsys.readouterr().err
    assert main(["permissions", "check-form", str(tmp_path / "absent")]) == 2


def test_rebuild_mends_what_differs_from_the_ledger(
    make_clinic: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    clinic = make_clinic(demo=False)
    with acting_for(clinic.id):
        people: list[UUID] = make_people(3, system(clinic.id, "test"))
        api.append([opt_in(each) for each in people], actor=system(clinic.id, "test"))
        StandingRow.objects.filter(contact_id=people[1]).update(sealed=b"spoiled")
        StandingRow.objects.filter(contact_id=people[2]).delete()
    for said in ("3 people looked at, 2 standings mended.", "3 people looked at, 0 standings mended."):
        assert main(["permissions", "rebuild", "--organization", clinic.slug]) == 0
        assert said in capsys.readouterr().out
    with acting_for(clinic.id):
        assert all(standing.opt_ins for standing in api.standings(people, NOW).values())
