"""`salus backup`: bring the sealed backups up to now; list, hold, remove them; and the drill that proves them."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from salus.kernel.errors import BadInput, SalusError
from salus.wiring.progress import Line, size

if TYPE_CHECKING:
    from salus.recovery.contracts import Backup, Retention, Site

BASE_DAYS = 7.0
RECORDED_EVERY = timedelta(days=1)
"""How often a backup that goes on all the time says so in the logs."""


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its words."""
    command = commands.add_parser(
        "backup", help="make sealed backups, list and hold them, prove that they work"
    )
    _add_place(command)
    command.add_argument(
        "--base", action="store_true", help="make a new base, not only what is new since the last"
    )
    command.add_argument(
        "--every",
        type=float,
        metavar="SECONDS",
        help="go on until SIGTERM, a base a week, remove what is not kept",
    )
    command.set_defaults(run=_run)
    words = command.add_subparsers(metavar="WORD")
    for name, run, about in (
        ("list", _list, "list the backups and what each can bring back"),
        ("drill", _drill, "restore beside the live system, compare everything, file the evidence"),
        ("prune", _prune, "remove the backups that no rule keeps; none under a legal hold"),
        ("hold", _hold, "place a legal hold: no backup is removed until it is released"),
        ("release", _release, "end a legal hold"),
    ):
        word = words.add_parser(name, help=about)
        _add_place(word)
        word.set_defaults(run=run)
        if name == "prune":
            word.add_argument(
                "--daily", type=int, default=7, metavar="N", help="newest of each of N days (7)"
            )
            word.add_argument("--weekly", type=int, default=5, metavar="N", help="of each of N weeks (5)")
            word.add_argument("--monthly", type=int, default=12, metavar="N", help="of each of N months (12)")
            word.add_argument("--dry-run", action="store_true", help="only say which")
        if name == "hold":
            word.add_argument("--reason", required=True, help="why; it is sealed")
        if name == "release":
            word.add_argument("hold", metavar="ID")


def _add_place(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--directory",
        type=Path,
        default=Path(os.environ["SALUS_BACKUP"]) if os.environ.get("SALUS_BACKUP") else None,
        metavar="DIR",
        help="where the backups are (default: SALUS_BACKUP)",
    )
    command.add_argument(
        "--service",
        default=os.environ.get("SALUS_BACKUP_SERVICE", ""),
        metavar="ADDRESS",
        help="the vendor's service that this directory is, as it is registered (default: SALUS_BACKUP_SERVICE)",
    )


def directory(options: argparse.Namespace) -> Path:
    """Return the directory that was named; raises `BadInput` when none was."""
    if options.directory is None:
        raise BadInput("Say where the backups are.", place="--directory", next_step="Or set SALUS_BACKUP.")
    return Path(options.directory)


def _site() -> Site:
    from salus.wiring.cli import setup

    setup()
    from salus.wiring.home import from_environment
    from salus.wiring.recovering import site

    return site(from_environment(), os.environ.get("DATABASE_URL"))


def _run(options: argparse.Namespace) -> int:
    place = directory(options)
    if options.every is not None:
        return _keep_up(options, place)
    _say(_take(options, place, base=options.base, record=True))
    return 0


def _take(options: argparse.Namespace, place: Path, *, base: bool, record: bool) -> Backup:
    site, line = _site(), Line()
    from salus.recovery import api as recovery

    try:
        return recovery.back_up(site, place, service=options.service, base=base, record=record, tell=line)
    finally:
        line.end()


def _keep_up(options: argparse.Namespace, place: Path) -> int:
    """Back up again and again; what fails is said and tried again."""
    if options.every < 1:
        raise BadInput("At most once a second.", place="--every")
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    recorded, base = datetime.min.replace(tzinfo=UTC), options.base
    while True:
        record = datetime.now(UTC) - recorded > RECORDED_EVERY
        try:
            found = _take(options, place, base=base, record=record or base)
            if record or base:
                recorded = datetime.now(UTC)
                _say(found)
            base = datetime.now(UTC) - found.made_at > timedelta(days=BASE_DAYS)
            if record:
                _remove(place, _usual())
        except SalusError as fault:
            print(f"salus backup: {fault}", file=sys.stderr, flush=True)
        if ended.wait(options.every):
            return 0


def _usual() -> Retention:
    from salus.recovery.contracts import Retention

    return Retention()


def _say(found: Backup) -> None:
    since = f"{found.whole_at:%Y-%m-%d %H:%M:%S}"
    until = f"{found.until:%Y-%m-%d %H:%M:%S} UTC"
    span = f"every moment from {since} to {until}" if found.whole_at != found.until else f"{until}"
    print(f"{found.id}: {size(found.bytes)}, brings back {span}", flush=True)


def _list(options: argparse.Namespace) -> int:
    from salus.wiring.cli import setup

    setup()
    from salus.recovery import api as recovery

    place = directory(options)
    for each in recovery.backups(place):
        _say(each)
    for hold in recovery.holds(place):
        print(f"hold {hold.id} since {hold.placed_at:%Y-%m-%d}: {hold.reason}")
    return 0


def _drill(options: argparse.Namespace) -> int:
    """Run the drill; 1 when what was restored is not what is there."""
    place, site, line = directory(options), _site(), Line()
    from salus.recovery import api as recovery

    try:
        found, report = recovery.drill(
            site, place, site.home / "recovery" / "evidence", service=options.service, tell=line
        )
    finally:
        line.end()
    print(
        f"{found.rows:,} rows in {len(found.tables)} tables were restored and compared in {found.seconds} s."
    )
    for each in found.logs:
        print(
            f"log of {each.organization_id}: {each.entries:,} entries, root {each.root[:16]}..., {each.contacts:,} people"
        )
    for fault in found.faults:
        print(f"  {fault}", file=sys.stderr)
    print(
        f"{'The backup brings everything back.' if not found.faults else 'THE BACKUP DOES NOT BRING EVERYTHING BACK.'}"
    )
    print(f"Evidence: {report} (keep it six years, 45 CFR 164.316(b)(2)(i))")
    return 1 if found.faults else 0


def _prune(options: argparse.Namespace) -> int:
    from salus.recovery.contracts import Retention

    _site()
    _remove(
        directory(options), Retention(options.daily, options.weekly, options.monthly), dry=options.dry_run
    )
    return 0


def _remove(place: Path, retention: Retention, *, dry: bool = False) -> None:
    from salus.recovery import api as recovery

    for each in recovery.prune(place, retention, dry=dry):
        print(f"{each.id}: {'would be' if dry else 'was'} removed, {size(each.bytes)}", flush=True)
    if recovery.holds(place):
        print("There is a legal hold: nothing is removed.", flush=True)


def _hold(options: argparse.Namespace) -> int:
    _site()
    from salus.recovery import api as recovery

    found = recovery.hold(directory(options), options.reason)
    print(f"{found.id}: no backup here is removed until it is released.")
    return 0


def _release(options: argparse.Namespace) -> int:
    _site()
    from salus.recovery import api as recovery

    recovery.release(directory(options), options.hold)
    print("Released.")
    return 0
