"""Writes evidence down: a row and an entry of the log, for each organization, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from uuid import UUID

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.identity import api as identity
from salus.kernel.acting import Actor, system
from salus.platform.tenancy import acting_for, current_organization
from salus.recovery.contracts import Backup, Drill, Event, Examined, Restoring
from salus.recovery.models import RunRow

Facts = Mapping[str, str | int]
_ACTIONS = {
    Event.BACKUP: Action.RECOVERY_BACKUP,
    Event.RESTORE: Action.RECOVERY_RESTORE,
    Event.DRILL: Action.RECOVERY_DRILL,
}


def record_backup(backup: Backup, at: datetime) -> None:
    """Record that a backup reaches to now."""
    facts: Facts = {
        "backup": backup.id,
        "kind": str(backup.kind),
        "until": _stamp(backup.until),
        "bytes": backup.bytes,
        "pieces": backup.pieces,
    }
    _for_all(lambda _: _record(Event.BACKUP, at, facts, passed=True))


def record_restore(found: Examined, restoring: Restoring, at: datetime) -> None:
    """Record in the current organization's restored log to which moment it was brought back, and what it gives up."""
    facts = _of_log(found) | {
        "backup": restoring.backup,
        "to": _stamp(restoring.to),
        "given_up": restoring.given_up.get(found.organization_id, 0),
    }
    _record(Event.RESTORE, at, facts, passed=found.verified)


def record_drill(found: Drill) -> None:
    """Record how a drill ended; an organization's row has what concerns it alone."""
    logs = {each.organization_id: each for each in found.logs}
    facts: Facts = {
        "backup": found.backup,
        "tables": len(found.tables),
        "faults": len(found.faults),
        "seconds": int(found.seconds),
    }

    def record(organization_id: UUID) -> None:
        mine = logs.get(organization_id)  # an organization that came meanwhile was not restored
        own = _of_log(mine) if mine else {}
        _record(Event.DRILL, found.at, {**facts, **own}, passed=not found.faults)

    _for_all(record)


def record_removed(backups: Iterable[str]) -> None:
    """Record that backups were removed because no rule keeps them."""
    for backup in backups:
        _note(Action.RECOVERY_REMOVE, {"backup": backup})


def record_hold(hold: str) -> None:
    """Record that a legal hold was placed; its reason stays with it."""
    _note(Action.RECOVERY_HOLD, {"hold": hold})


def record_release(hold: str) -> None:
    """Record that a legal hold was ended."""
    _note(Action.RECOVERY_RELEASE, {"hold": hold})


def _of_log(found: Examined) -> dict[str, str | int]:
    return {
        "entries": found.entries,
        "root": found.root,
        "contacts": found.contacts,
        "erasures": found.erasures,
        "erased_again": found.erased_again,
        "log_faults": len(found.faults),
    }


def _record(event: Event, at: datetime, facts: Facts, *, passed: bool) -> None:
    row = RunRow.objects.create(event=event, at=at, passed=passed, facts=dict(facts))
    audit.record(
        _ACTIONS[event],
        actor=_actor(),
        object_kind="backup",
        object_id=row.id,
        outcome="ok" if passed else "failed",
        details=facts,
        at=at,
    )


def _note(action: str, details: Facts) -> None:
    _for_all(lambda _: audit.record(action, actor=_actor(), object_kind="backup", details=details))


def _for_all(act: Callable[[UUID], object]) -> None:
    """Do it for every organization: a backup holds the data of all, so that each one's log hears of it."""
    for organization in identity.organizations():
        with acting_for(organization.id):
            act(organization.id)


def _actor() -> Actor:
    return system(current_organization(), "recovery")


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
