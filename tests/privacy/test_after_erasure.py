"""After an erasure: the engine counts the person no more, and its files and every log never held them in clear."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from salus.audiences import api as audiences
from salus.identity.contracts import Organization
from salus.privacy import api, tasks
from salus.privacy.contracts import Kind
from salus.wiring.person import PACKAGES
from tests.audiences.running import EVERYBODY, RunningEngine, wait_until
from tests.delivery.conftest import furnish

from .test_person import CANARY, asked, furnished

WORDS = (CANARY, "zephyrine@lakepost.example.test")


@pytest.fixture
def engine(database: object, tmp_path: Path) -> Iterator[RunningEngine]:
    running = RunningEngine(tmp_path / "audience")
    running.start()
    yield running
    running.stop()


def found_in(*files: Path) -> list[str]:
    """Return the files that hold a canary, as UTF-8 in either case or as UTF-16."""
    marks = [
        mark for word in WORDS for mark in (word.encode(), word.lower().encode(), word.encode("utf-16-le"))
    ]
    return [file.name for file in files if any(mark in file.read_bytes() for mark in marks)]


def test_the_engines_files_and_the_logs_know_nothing_of_who_was_erased(
    make_clinic: Callable[..., Organization],
    engine: RunningEngine,
    world: Any,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    api.use_packages(PACKAGES)
    caplog.set_level(logging.DEBUG)
    desk = furnish(make_clinic())
    person = furnished(desk)
    engine.organizations.append(desk.id)
    wait_until(desk.id, lambda: audiences.count(EVERYBODY).people == 2)
    tasks.export(organization_id=str(desk.id), request_id=str(asked(desk, person, Kind.ACCESS)))
    tasks.erase(organization_id=str(desk.id), request_id=str(asked(desk, person, Kind.ERASURE)))
    wait_until(desk.id, lambda: audiences.count(EVERYBODY).people == 1)
    kept = [each for each in (tmp_path / "audience").rglob("*") if each.is_file()]
    assert kept, "the engine has files"
    logs = list(world.home.path.rglob("*.log"))
    assert caplog.records
    assert found_in(*kept, *logs) == []
    engine.stop()
    assert found_in(*(each for each in (tmp_path / "audience").rglob("*") if each.is_file())) == []
    said = caplog.text + "".join(capfd.readouterr())
    for record in caplog.records:
        said += repr(record.args)
    assert not [word for word in WORDS if word.lower() in said.lower()]


def test_the_search_finds_what_is_in_clear(tmp_path: Path) -> None:
    for name, content in (("a", CANARY.encode()), ("b", CANARY.encode("utf-16-le")), ("c", b"nothing")):
        (tmp_path / name).write_bytes(content)
    assert found_in(*sorted(tmp_path.iterdir())) == ["a", "b"]
