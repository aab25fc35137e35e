"""How many senders an installation runs: one a processor unless somebody says otherwise."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from salus.kernel.errors import BadInput
from salus.wiring.home import Home
from salus.wiring.installation import MOST_SENDERS, Installation
from salus.wiring.installed import Installed


def test_each_further_processor_helps_to_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for processors, names in ((1, []), (2, ["planner-1"]), (64, ["planner-1", "planner-2", "planner-3"])):
        monkeypatch.setattr(os, "cpu_count", lambda processors=processors: processors)
        assert [each.name for each in Installation(Home(tmp_path)).planners()] == names


def test_there_is_one_a_processor_up_to_a_few(tmp_path: Path) -> None:
    installation = Installation(Home(tmp_path))
    names = [each.name for each in installation.senders()]
    assert len(names) == min(MOST_SENDERS, os.cpu_count() or 1)
    assert len(set(names)) == len(names)
    assert [each.name for each in installation.senders(3)] == ["sender", "sender-2", "sender-3"]


def test_the_environment_wins_over_the_file() -> None:
    assert Installed().sender_count({}) == 0
    assert Installed(senders="2").sender_count({}) == 2
    assert Installed(senders="2").sender_count({"SALUS_SENDERS": "6"}) == 6


@pytest.mark.parametrize("asked", ["0", "-1", "65", "two", "1.5", "²"])
def test_what_is_no_number_of_senders_is_refused(asked: str) -> None:
    with pytest.raises(BadInput) as refused:
        Installed().sender_count({"SALUS_SENDERS": asked})
    assert refused.value.place == "SALUS_SENDERS"
