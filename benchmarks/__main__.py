"""`./bench audience|chaos|fair|gate|ground|journeys|send|submit`: measures one thing, prints what it found, and ends with 1 when a target is missed."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

NAMES = {
    "audience": ("contacts", 1_000_000, "import, rebuild, six segments beside SQL on JSONB, memory"),
    "chaos": (
        "messages",
        20_000,
        "a campaign while processes die, connections break and the disk is full: is each message where it is said to be",
    ),
    "fair": ("messages", 50_000, "how long a lab notice takes to the sink beside a campaign"),
    "gate": ("contacts", 200_000, "what one decision costs"),
    "ground": (
        "contacts",
        100_000,
        "a rotation of the data key over everybody, pages under load, a backup and a restore",
    ),
    "journeys": (
        "contacts",
        100_000,
        "people moved through ten steps, events that wake them, beside the bare rows",
    ),
    "submit": ("messages", 5_000, "messages accepted by SMTP over 20 connections, beside pgbench's commits"),
    "send": ("messages", 20_000, "from plan to last receipt, beside the bare library's signatures"),
}
"""Each benchmark: what it counts, how many by default, and what it measures."""


def main() -> int:
    """Run the benchmark that the command line names; 2 for a fault in what was asked."""
    parser = argparse.ArgumentParser(prog="bench", description="Measure Salus on this machine.")
    names = parser.add_subparsers(dest="name", metavar="NAME", required=True)
    for name, (unit, usual, what) in NAMES.items():
        one = names.add_parser(name, help=what, description=f"Measure: {what}.")
        one.add_argument(
            f"--{unit}",
            dest="count",
            type=_positive,
            default=usual,
            metavar="N",
            help=f"how many ({usual:,})",
        )
        one.add_argument("--json", type=Path, metavar="FILE", help="write figures and targets")
    options = parser.parse_args()
    run = importlib.import_module(f"benchmarks.{options.name}").run
    return int(run(options.count, options.json))


def _positive(text: str) -> int:
    plain = text.replace("_", "").replace(",", "")
    if not plain.isdecimal() or int(plain) < 1:
        raise argparse.ArgumentTypeError("give a whole number of at least 1")
    return int(plain)


if __name__ == "__main__":
    raise SystemExit(main())
