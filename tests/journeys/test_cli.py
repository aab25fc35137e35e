"""`salus journey`: the schema, the check of a file, numbers, diaries and simulations in the terminal."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from salus.identity.contracts import Organization
from salus.journeys.rules.reading import write
from salus.wiring import cli
from tests.journeys.drawn import overdue, short
from tests.journeys.house import House, furnish
from tests.journeys.running import put_live

Salus = Callable[..., tuple[int, str, str]]


@pytest.fixture
def house(make_clinic: Callable[..., Organization]) -> House:
    return furnish(make_clinic())


@pytest.fixture
def salus(house: House, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Salus:
    """Run a command for the clinic in this process."""
    monkeypatch.setattr(cli, "setup", lambda: None)

    def run(*words: str, clinic: bool = True) -> tuple[int, str, str]:
        capsys.readouterr()
        where = ["--organization", house.organization.slug] if clinic else []
        code = cli.main(["journey", *words, *where])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def file(folder: Path, content: object) -> str:
    path = folder / "journey.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


def test_the_schema_is_printed(salus: Salus) -> None:
    code, out, _ = salus("schema", clinic=False)
    assert code == 0
    assert json.loads(out)["$schema"].endswith("2020-12/schema")


def test_a_good_file_may_go_live_and_a_bad_one_says_why(house: House, salus: Salus, tmp_path: Path) -> None:
    code, out, _ = salus("check", file(tmp_path, write(short(house.versions))))
    assert code == 0
    assert "+ Everyone finishes." in out
    assert out.endswith("It may go live.\n")
    code, out, _ = salus("check", file(tmp_path, write(short())))
    assert code == 1
    assert "! letter" in out
    assert out.endswith("It may not go live.\n")
    code, out, _ = salus("check", file(tmp_path, write(short())), "--json")
    assert code == 1
    assert json.loads(out)["holds"] is False


def test_standard_input_is_a_file_too(house: House, salus: Salus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(write(short(house.versions)))))
    assert salus("check", "-")[0] == 0


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "line 1, column 2"),
        ("[]", "$"),
        ("[" * 100_000, "nested too deep"),
        ('{"schema": 1, "name": "x", "colour": 1}', "$"),
        ('{"schema": 2, "name": "x"}', "$.schema"),
        (" " * (2**20 + 1), "larger than 1 MiB"),
    ],
)
def test_a_file_at_fault_ends_with_2_and_the_place(
    salus: Salus, tmp_path: Path, content: str, says: str
) -> None:
    code, out, err = salus("check", file(tmp_path, content))
    assert (code, out) == (2, "")
    assert says in err


def test_a_file_that_is_not_there_and_one_that_is_no_text_end_with_2(salus: Salus, tmp_path: Path) -> None:
    assert salus("check", str(tmp_path / "gone.json"))[0] == 2
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    assert salus("check", str(tmp_path / "bytes"))[0] == 2


def test_journeys_are_listed_and_shown_with_numbers_that_add_up(house: House, salus: Salus) -> None:
    running = put_live(house.id, overdue(house.versions, name="Bring them back"))
    running.enter(*house.people.values())
    running.run()
    code, out, _ = salus("list")
    assert code == 0
    assert "5 = 5 waiting + 0 completed + 0 exited + 0 refused" in out
    assert "Bring them back" in out
    code, out, _ = salus("show", str(running.journey_id))
    assert code == 0
    assert "letter (send) Time for a check-up" in out
    found = json.loads(salus("show", str(running.journey_id), "--json")[1])
    assert found["steps"]["wait"]["here"] == 5
    [listed] = json.loads(salus("list", "--json")[1])
    assert (listed["entered"], listed["status"]) == (5, "live")


def test_a_diary_is_printed_and_asked_for_by_any_of_a_persons_numbers(house: House, salus: Salus) -> None:
    running = put_live(house.id, short(house.versions, name="Visits"))
    running.enter(house.people["ada"])
    running.run()
    code, out, _ = salus("diary", "mrn-ada")
    assert code == 0
    assert "Visits: waiting" in out
    assert "letter: sent" in out
    assert "now at pause, until" in out
    [found] = json.loads(salus("diary", "mrn-ada", "--json")[1])
    assert found["step"] == "pause"
    assert salus("diary", "mrn-bert")[1] == "Never in a journey.\n"
    code, _, err = salus("diary", "mrn-nobody")
    assert code == 1
    assert "Nobody here has this number." in err


def test_one_contact_is_simulated_with_a_diary(house: House, salus: Salus, tmp_path: Path) -> None:
    drawn = file(tmp_path, write(short(house.versions)))
    code, out, _ = salus("simulate", drawn, "--contact", "mrn-ada")
    assert code == 0
    assert "1 = 0 waiting" in out
    assert "letter: sent" in out
    found = json.loads(salus("simulate", drawn, "--contact", "mrn-ada", "--json")[1])
    assert [each["step"] for each in found["diary"]] == ["letter", "pause", "end"]
    live = house.live(short(house.versions))
    assert salus("simulate", str(live.journey_id), "--contact", "mrn-ada")[0] == 0
    assert salus("simulate", drawn, "--contact", "mrn-nobody")[0] == 1


@pytest.mark.parametrize(
    "words",
    [
        ("--happens", "appointment_booked"),
        ("--happens", "appointment_booked=2"),
        ("--happens", "appointment_booked=much"),
        ("--tasks-done", "-1"),
    ],
)
def test_a_supposition_that_is_none_ends_with_2(
    house: House, salus: Salus, tmp_path: Path, words: tuple[str, str]
) -> None:
    drawn = file(tmp_path, write(short(house.versions)))
    assert salus("simulate", drawn, "--contact", "mrn-ada", *words)[0] == 2


def test_usage_faults_end_with_2(salus: Salus) -> None:
    assert salus("show", "nonsense")[0] == 2
    for words in (["journey"], ["journey", "approve"], ["journey", "show"]):
        with pytest.raises(SystemExit) as stopped:
            cli.main(words)
        assert stopped.value.code == 2


def test_another_clinics_journey_is_not_there(salus: Salus, make_clinic: Callable[..., Organization]) -> None:
    other = furnish(make_clinic())
    running = put_live(other.id, short(other.versions))
    assert salus("show", str(running.journey_id))[0] == 1
    assert salus("show", str(uuid4()))[0] == 1
    assert salus("list")[1] == ""
