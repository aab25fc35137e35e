"""The supervisor: starts in order, restarts what dies, leaves nothing behind."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from salus.kernel.errors import Conflict, Unavailable
from salus.platform.supervisor import Process, Supervisor


def sleeper(name: str = "sleeper") -> Process:
    return Process(name, [sys.executable, "-c", "import time; time.sleep(600)"])


def test_a_killed_process_is_started_again(tmp_path: Path) -> None:
    with Supervisor(tmp_path).running() as supervisor:
        supervisor.start(sleeper())
        first = supervisor.pids()["sleeper"]
        os.kill(first, signal.SIGKILL)
        supervisor.watch(seconds=20, until=lambda: supervisor.pids().get("sleeper", first) != first)
        assert psutil.pid_exists(supervisor.pids()["sleeper"])


def test_nothing_is_left_running_at_the_end(tmp_path: Path) -> None:
    with Supervisor(tmp_path).running() as supervisor:
        supervisor.start(sleeper("one"))
        supervisor.start(sleeper("two"))
        pids = list(supervisor.pids().values())
    assert len(pids) == 2
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_a_process_that_ends_at_once_is_reported_with_its_log(tmp_path: Path) -> None:
    broken = Process("broken", [sys.executable, "-c", "raise SystemExit(3)"], ready=lambda: False)
    with Supervisor(tmp_path).running() as supervisor, pytest.raises(Unavailable, match=r"broken\.log"):
        supervisor.start(broken)


def test_a_second_supervisor_of_the_same_home_is_refused(tmp_path: Path) -> None:
    with (
        Supervisor(tmp_path).running(),
        pytest.raises(Conflict, match="runs in this home already"),
        Supervisor(tmp_path).running(),
    ):
        pass
