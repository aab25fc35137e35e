"""The roll of living processes: a dead one is noticed at once, a living one never taken for dead."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

from salus.platform.presence import Roll

_HOLDER = """
import sys, time
from pathlib import Path
from salus.platform.presence import Roll
roll = Roll(Path(sys.argv[1]))
name = roll.enter()
roll.note("a long note that is replaced")
roll.note("17")
print(name, flush=True)
time.sleep(600)
"""


def holder(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", _HOLDER, str(folder)], stdout=subprocess.PIPE)


def name_of(process: subprocess.Popen[bytes]) -> UUID:
    assert process.stdout is not None
    return UUID(process.stdout.readline().decode().strip())


def test_a_process_killed_with_9_is_noticed_and_struck_off_once(tmp_path: Path) -> None:
    process = holder(tmp_path)
    name = name_of(process)
    roll = Roll(tmp_path)
    with roll.departed() as dead:
        assert dead == []
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    with roll.departed() as dead:
        assert dead == [(name, "17")]
        with Roll(tmp_path).departed() as others:
            assert others == [], "two found the same dead"
    with roll.departed() as dead:
        assert dead == []


def test_the_dead_stay_on_the_roll_when_their_things_could_not_be_put_in_order(tmp_path: Path) -> None:
    process = holder(tmp_path)
    name = name_of(process)
    process.kill()
    process.wait(10)
    roll = Roll(tmp_path)
    with pytest.raises(RuntimeError, match="no database"), roll.departed():
        raise RuntimeError("no database")
    with roll.departed() as dead:
        assert dead == [(name, "17")]


def test_who_leaves_in_good_order_is_not_among_the_dead(tmp_path: Path) -> None:
    roll = Roll(tmp_path)
    roll.enter()
    roll.leave()
    with Roll(tmp_path).departed() as dead:
        assert dead == []


def test_a_folder_that_is_not_there_yet_holds_nobody(tmp_path: Path) -> None:
    with Roll(tmp_path / "none").departed() as dead:
        assert dead == []
