"""`salus restore`: bring a stopped installation back to a point in time."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from salus.kernel.errors import BadInput
from salus.wiring.progress import Line

if TYPE_CHECKING:
    from salus.recovery.contracts import Restored


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    command = commands.add_parser("restore", help="bring a stopped installation back to a point in time")
    command.add_argument(
        "--directory",
        type=Path,
        default=Path(os.environ["SALUS_BACKUP"]) if os.environ.get("SALUS_BACKUP") else None,
        metavar="DIR",
        help="where the backups are (default: SALUS_BACKUP)",
    )
    command.add_argument(
        "--to", type=_moment, metavar="TIME", help="2026-11-24T08:00:00Z (default: the last moment there is)"
    )
    command.add_argument(
        "--database", metavar="NAME", help="with DATABASE_URL: the new database to load a dump into"
    )
    command.set_defaults(run=run)


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("write it as 2026-11-24T08:00:00Z") from None
    if found.tzinfo is None:
        raise argparse.ArgumentTypeError("say the zone: 2026-11-24T08:00:00Z, or +01:00 at the end")
    return found.astimezone(UTC)


def run(options: argparse.Namespace) -> int:
    """Restore; 1 when a log does not verify or an erasure was not done again (it is restored all the same)."""
    if options.database and not os.environ.get("DATABASE_URL"):
        raise BadInput("This is for a server's database.", place="--database", next_step="Set DATABASE_URL.")
    if options.directory is None:
        raise BadInput("Say where the backups are.", place="--directory", next_step="Or set SALUS_BACKUP.")
    from salus.wiring.cli import setup

    setup()
    from salus.recovery import api as recovery
    from salus.wiring.home import from_environment
    from salus.wiring.recovering import erase_again, site

    home, line = from_environment(), Line()
    here = site(home, os.environ.get("DATABASE_URL"))
    try:
        if options.database:
            backup = recovery.load(here, options.directory, options.database, to=options.to, tell=line)
            again, amiss = erase_again(home, os.environ["DATABASE_URL"], options.database)
        else:
            found = recovery.restore(here, options.directory, to=options.to, tell=line)
    finally:
        line.end()
    if options.database:
        print(f"{options.database} is as it was at {backup.whole_at.isoformat()} (backup {backup.id}).")
        if again:
            print(f"  erased again: {again:,} people who were erased after this moment")
        for fault in amiss:
            print(f"  {fault}", file=sys.stderr)
        print("Stop Salus, point DATABASE_URL at it, start, then run: salus audit verify")
        return 1 if amiss else 0
    _say(home.path, found)
    return 0 if all(log.verified and not log.faults for log in found.logs) else 1


def _say(home: Path, found: Restored) -> None:
    print(f"{home} is as it was at {found.to:%Y-%m-%d %H:%M:%S} UTC (backup {found.backup}).")
    for log in found.logs:
        print(
            f"log of {log.organization_id}: {log.entries:,} entries, "
            f"{'verified' if log.verified else 'NOT VERIFIED'}; engine rebuilt with {log.engine_people:,} people"
        )
        for fault in log.faults:
            print(f"  {fault}", file=sys.stderr)
        if log.erased_again:
            print(f"  erased again: {log.erased_again:,} people who were erased after this moment")
        if given_up := found.given_up.get(log.organization_id):
            print(f"  given up: {given_up:,} entries that were signed after this moment")
    for path in found.aside:
        print(f"What was there before: {path}")
    if found.aside:
        print("Remove that when you have seen that all is well.")
