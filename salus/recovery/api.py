"""The door of recovery. Directories and servers need no organization in context; evidence does."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from uuid import UUID

from salus.audit import api as audit
from salus.kernel.errors import BadInput
from salus.kernel.time import Clock, SystemClock
from salus.platform.tenancy import acting_for
from salus.recovery import places, remembering, rules, witnessing
from salus.recovery.contracts import (
    Backup,
    Drill,
    Event,
    Examined,
    Hold,
    Restored,
    Restoring,
    Retention,
    Run,
    Site,
    Tell,
)
from salus.recovery.repository import Repository

__all__ = [
    "back_up",
    "backups",
    "drill",
    "hold",
    "holds",
    "last_run",
    "load",
    "overdue",
    "prune",
    "record_restore",
    "release",
    "restore",
    "runs",
]

_CLOCK = SystemClock()


def _silent(words: str, done: int, total: int) -> None:
    """Tell nobody."""


def back_up(
    site: Site,
    directory: Path,
    *,
    service: str = "",
    base: bool = False,
    record: bool = True,
    tell: Tell = _silent,
) -> Backup:
    """Bring the backups in `directory` up to now and return the one that reaches to now.

    With the embedded database what is new follows the last base (`base`: a new one is made); with
    DATABASE_URL it is a dump each time. `service` is the address under which a directory that is somebody
    else's is registered as a vendor's; without one it has to be a disk of this machine (`OutOfScope`).
    `record`: write the evidence down. Raises `BadInput` for a directory that holds other things,
    `Conflict` while another is at work, `Unavailable` for a full disk or a server that does not answer.
    """
    from salus.recovery import operations, taking

    _refuse_within(site, directory)
    places.ask(directory, service, _CLOCK.now())
    with Repository(directory).locked(make=True) as repository:
        manifest = taking.take(site, repository, lambda: witnessing.last_notes(site.witness), tell, base=base)
        repository.keep_erased(remembering.listed(site.erased))
        found = repository.backup(manifest)
    if record:
        operations.record_backup(found, _CLOCK.now())
    return found


def backups(directory: Path) -> tuple[Backup, ...]:
    """Return the whole backups in a directory, oldest first; raises `Damaged` for one that does not open."""
    with Repository(directory).locked() as repository:
        return repository.backups()


def prune(directory: Path, retention: Retention, *, dry: bool = False) -> tuple[Backup, ...]:
    """Remove the backups that no rule keeps and return them (`dry`: only return them); none under a legal hold."""
    from salus.recovery import operations

    rules.check_retention(retention)
    with Repository(directory).locked() as repository:
        found = rules.removable(repository.backups(), retention, held=repository.is_held())
        if not dry:
            operations.record_removed(each.id for each in found)
            for each in found:
                repository.remove(each.id)
    return found


def hold(directory: Path, reason: str, *, clock: Clock = _CLOCK) -> Hold:
    """Place a legal hold: until it is released no backup in `directory` is removed. The reason is sealed."""
    from salus.recovery import operations

    if not reason.strip() or len(reason) > 1_000:
        raise BadInput("Say in up to 1,000 letters why.", place="--reason")
    with Repository(directory).locked() as repository:
        found = repository.hold(reason.strip(), clock.now())
        operations.record_hold(found.id)
    return found


def holds(directory: Path) -> tuple[Hold, ...]:
    """Return the legal holds on a directory, oldest first."""
    with Repository(directory).locked() as repository:
        return repository.holds()


def release(directory: Path, hold_id: str) -> None:
    """End a legal hold; raises `BadInput` for one that is not there."""
    from salus.recovery import operations

    with Repository(directory).locked() as repository:
        repository.release(hold_id)
        operations.record_release(hold_id)


def restore(site: Site, directory: Path, *, to: datetime | None = None, tell: Tell = _silent) -> Restored:
    """Bring a stopped installation back to the moment `to` (None: the last one in the backups).

    Everything happens beside what is there; only when the copy runs and was examined the two change
    places. Raises `BadInput`, `Damaged`, `Conflict` (it runs), `Unavailable`: nothing was changed then.
    """
    from salus.recovery import restoring

    with Repository(directory).locked() as repository:
        return restoring.restore(site, repository, to, tell)


def load(
    site: Site, directory: Path, database: str, *, to: datetime | None = None, tell: Tell = _silent
) -> Backup:
    """Load a dump into the new database `database` of the server that DATABASE_URL names; return its backup.

    The live database is not touched: whoever called points DATABASE_URL at the new one when it is wanted, and
    erases again whom the list of the erased names, which is whole after this.
    Raises `Conflict` for a database that is there, and `BadInput`, `Damaged` or `Unavailable`: it is not
    there then.
    """
    from salus.recovery import restoring

    with Repository(directory).locked() as repository:
        backup = restoring.load_dump(site, repository, database, to, tell)
        remembering.bring(site, repository, site.erased)
    return backup


def record_restore(found: Examined, restored: Restoring) -> None:
    """Record in the current organization's restored log that it was restored; called by whoever examined it."""
    from salus.recovery import operations

    operations.record_restore(found, restored, _CLOCK.now())


def drill(
    site: Site, directory: Path, evidence: Path, *, service: str = "", tell: Tell = _silent
) -> tuple[Drill, Path]:
    """Back up, restore beside the live system, compare all of it, and file the evidence; return it and its file.

    The system goes on meanwhile. A drill that finds faults is filed too.
    """
    from salus.recovery import drilling, operations

    _refuse_within(site, directory)
    places.ask(directory, service, _CLOCK.now())
    with Repository(directory).locked(make=True) as repository:
        repository.keep_erased(remembering.listed(site.erased))
        found = drilling.drill(
            site, repository, lambda: witnessing.last_notes(site.witness), _live_root, tell
        )
    path = drilling.file_report(found, evidence)
    operations.record_drill(found)
    return found, path


def _live_root(organization_id: UUID, size: int) -> str:
    with acting_for(organization_id):
        return audit.root_at(size).hex()


def _refuse_within(site: Site, directory: Path) -> None:
    """Refuse a folder that would be lost together with what is backed up in it."""
    if directory.resolve().is_relative_to(site.home.resolve()):
        raise BadInput(
            "This folder is inside the installation's own: what loses the one loses the other.",
            place=str(directory),
            next_step="Name a folder on another disk.",
        )


def runs(event: Event | None = None, *, limit: int = 50) -> tuple[Run, ...]:
    """Return the current organization's newest backups, restores and drills, newest first."""
    from salus.recovery import queries

    return queries.runs(event, limit)


def overdue(event: Event, *, clock: Clock = _CLOCK) -> bool:
    """Return whether the current organization lacks fresh evidence of a backup (2 days) or a drill (90 days)."""
    return rules.overdue(last_run(event), event, clock.now())


def last_run(event: Event) -> Run | None:
    """Return the newest backup, restore or drill of the current organization."""
    return next(iter(runs(event, limit=1)), None)
