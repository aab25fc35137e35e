"""The main job, told from import to proof on real components."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import PATIENTS, Told, tell

pytestmark = pytest.mark.slow


def test_every_person_of_the_audience_is_accounted_for(told: Told) -> None:
    summary = told.summary
    assert summary["unaccounted"] == 0
    assert summary["planned"] == summary["audience"] == summary["cleared"] + sum(summary["refused"].values())
    ends = ("accepted", "portal", "portal_unnotified", "bounced", "gave_up", "cancelled", "queued")
    assert summary["cleared"] == sum(summary[word] for word in ends)
    assert summary["audit"]["verified"] is True


def test_the_story_shows_every_way_that_matters(told: Told) -> None:
    summary = told.summary
    assert summary["patients"] == PATIENTS
    assert summary["imported"] >= PATIENTS
    assert summary["rejected"] > 0
    assert summary["accepted"] > 0
    assert summary["portal"] + summary["portal_unnotified"] > 0
    assert summary["refused"]
    assert summary["uncertain"] == 0


def test_everybody_in_the_journey_is_accounted_for(told: Told) -> None:
    [(name, journey)] = told.summary["journeys"].items()
    assert name == "Re-engagement of overdue patients"
    assert (
        journey["entered"] == sum(journey[way] for way in ("completed", "exited", "refused", "waiting")) > 0
    )
    assert journey["exited"] > 0
    assert journey["waiting"] < journey["entered"]
    assert f"{name}: {journey['entered']} people came in" in told.output
    assert told.summary["seconds"]["journey"] < 60


def test_a_second_telling_goes_on_from_what_is_there(told: Told) -> None:
    again = tell(told.home, "--patients", str(PATIENTS)).summary
    assert "nothing is imported twice"
    for word in ("imported", "audience", "planned", "cleared", "refused", "accepted", "bounced", "portal"):
        assert again[word] == told.summary[word], word
    assert again["unaccounted"] == 0
    for name, journey in told.summary["journeys"].items():
        assert again["journeys"][name]["entered"] == journey["entered"], "it went on, and was not begun again"
    assert again["audit"]["verified"] is True
    assert again["audit"]["entries"] >= told.summary["audit"]["entries"]


def test_every_reason_can_be_explained_to_its_citation(told: Told) -> None:
    from salus.gate import api as gate

    for reason in told.summary["refused"]:
        explained = gate.explain(reason)
        assert explained.sentence
        assert explained.citations, reason


def test_a_summary_that_could_not_be_written_is_refused_before_the_job(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "salus.wiring", "demo", "--once", "--home", str(tmp_path / "home")]
    for place in (tmp_path, tmp_path / "none" / "out.json"):
        done = subprocess.run(
            [*command, "--json", str(place)], capture_output=True, text=True, timeout=60, check=False
        )
        assert (done.returncode, str(place) in done.stderr) == (2, True), done.stderr
    assert not (tmp_path / "home").exists()
