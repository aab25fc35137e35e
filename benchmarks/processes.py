"""What processes have used, as Linux tells it: processor time with their children's, and their peak of memory."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    """Seconds of processor time since the start, and the largest resident memory in MB (of the process alone)."""

    cpu: float
    peak_mb: float


def usage(pids: Mapping[str, int]) -> dict[str, Usage]:
    """Return what each named process has used by now; children are counted in the time (PostgreSQL's backends)."""
    return {name: Usage(sum(map(_seconds, _family(pid))), _peak(pid)) for name, pid in pids.items()}


def _peak(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    return round(peak / 1024, 1)


def _family(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            yield from _family(int(child))


def _seconds(pid: int) -> float:
    """Return the processor time of a process and of the children that it has outlived."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(int(fields[place]) for place in (11, 12, 13, 14)) / _TICKS


def ticks() -> tuple[int, int]:
    """Return what the processors did since the machine started: all ticks, and those of rest."""
    fields = [int(each) for each in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return sum(fields), fields[3] + fields[4]


def busy(before: tuple[int, int], after: tuple[int, int]) -> float:
    """Return the share of all processors that was used between two looks at `ticks`."""
    every, idle = after[0] - before[0], after[1] - before[1]
    return round(1 - idle / max(1, every), 3)
