"""Copies of the log outside: which witnesses and log servers get one, how far each came, and when it is tried again.

Who they are stands in the vendor register; a witness gets a checkpoint over all of it, a log server every entry in the
order of the log. An attempt is noted before it is made, so that two workers never make the same one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.delivery import api as delivery
from salus.kernel.acting import Actor, system
from salus.kernel.errors import BadInput, NotFound, SalusError
from salus.kernel.outbound import OutOfScope
from salus.kernel.time import Clock
from salus.platform.tenancy import acting_for
from salus.reports import log_lines
from salus.reports.contracts import LogCopy
from salus.reports.models import LogCopyRow
from salus.vendors import api as vendors
from salus.vendors.contracts import Kind, Service

HOURS = (1, 6, 24, 0)
"""How often a witness may be written to, at most: every so many hours; 0: only when somebody asks."""
WAITS = (timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=30), timedelta(hours=1))
"""After an attempt that failed; the last one for ever."""
FAILING = 3
"""So many attempts in a row fail before it is a finding: one alone is weather."""
BATCH, BATCHES = 500, 20
"""Entries over one connection, and connections in one turn."""


def copies(at: datetime) -> tuple[LogCopy, ...]:
    """Return who keeps a copy of the log outside, witnesses first, and how each stands."""
    rows = {row.service_id: row for row in LogCopyRow.objects.all()}
    return tuple(_told(each, rows.get(each.id) or LogCopyRow(service_id=each.id)) for each in _services(at))


def is_due(at: datetime) -> bool:
    """Return whether anybody outside should be sent a copy."""
    found = _services(at)
    return bool(found and _due(found, at))


def set_hours(service_id: UUID, hours: int, *, actor: Actor, at: datetime) -> None:
    """Set how often a witness is written to at most. Raises `BadInput`, `NotFound` for what is no witness."""
    if hours not in HOURS:
        raise BadInput("Choose every hour, every 6 or 24 hours, or only when asked (0).", place="every")
    if service_id not in {each.id for each in _services(at) if each.kind is Kind.WITNESS}:
        raise NotFound
    LogCopyRow.objects.update_or_create(service_id=service_id, defaults={"hours": hours})
    _record_change(service_id, actor, "hours")


def ask(service_id: UUID, *, actor: Actor, at: datetime) -> None:
    """Have a copy sent now, whenever the last one was. Raises `NotFound`."""
    if service_id not in {each.id for each in _services(at)}:
        raise NotFound
    LogCopyRow.objects.update_or_create(service_id=service_id, defaults={"asked": True})
    _record_change(service_id, actor, "now")


def send_due(organization_id: UUID, *, host: str, routes: Path | None, clock: Clock) -> None:
    """Send what is due; call it outside any organization's context. What fails is noted and tried again."""
    with acting_for(organization_id):
        due = [(each, _claim(each.id, clock.now())) for each in _due(_services(clock.now()), clock.now())]
    for service, before in due:
        reached, reason = _attempt(organization_id, service, before, host, routes, clock)
        with acting_for(organization_id):
            _note(service, reached, reason, clock.now())


def _attempt(
    organization_id: UUID, service: Service, reached: int, host: str, routes: Path | None, clock: Clock
) -> tuple[int, str]:
    """Make one attempt; return how many entries are there now, and a word for why not more ("" when all is well)."""
    try:
        if service.kind is Kind.WITNESS:
            return _checkpoint(organization_id, service, routes, clock)
        return _entries(organization_id, service, reached, host, clock)
    except OutOfScope as refused:
        return 0, str(refused.why)
    except SalusError:
        return 0, "not_ready"  # taken off the register meanwhile, or the way of mail is not there


def _services(at: datetime) -> list[Service]:
    """Return the services that Salus itself sends copies to: a witness on the web fetches by its own ways."""
    witnesses = [each for each in vendors.services(at, Kind.WITNESS) if each.address.startswith("mailto:")]
    return [each for each in (*witnesses, *vendors.services(at, Kind.SYSLOG)) if each.active]


def _due(services: list[Service], at: datetime) -> list[Service]:
    rows = {row.service_id: row for row in LogCopyRow.objects.all()}
    size = audit.size()
    return [
        each
        for each in services
        if _is_due(rows.get(each.id) or LogCopyRow(service_id=each.id), each.kind, size, at)
    ]


def _is_due(row: LogCopyRow, kind: Kind, size: int, at: datetime) -> bool:
    if row.asked and size:
        return True
    if row.reached >= size or (row.tried_at and row.tries and at < row.tried_at + wait(row.tries)):
        return False
    if kind is Kind.SYSLOG:
        return True
    return bool(row.hours) and (row.sent_at is None or at >= row.sent_at + timedelta(hours=row.hours))


def wait(tries: int) -> timedelta:
    """Return how long nothing is tried after so many attempts in a row that failed, at least one."""
    return WAITS[min(tries, len(WAITS)) - 1]


def _claim(service_id: UUID, at: datetime) -> int:
    """Note that an attempt begins; return how many entries are there already."""
    LogCopyRow.objects.get_or_create(service_id=service_id)
    row = LogCopyRow.objects.select_for_update().get(service_id=service_id)
    row.tried_at, row.tries, row.asked = at, row.tries + 1, False
    row.save()
    return row.reached


def _checkpoint(
    organization_id: UUID, service: Service, routes: Path | None, clock: Clock
) -> tuple[int, str]:
    size, trial = delivery.send_checkpoint(organization_id, service.id, laboratory_routes=routes, clock=clock)
    return (size, "") if trial.accepted else (0, trial.reason)


def _entries(
    organization_id: UUID, service: Service, reached: int, host: str, clock: Clock
) -> tuple[int, str]:
    """Send entries from `reached` on, as many as one turn has; each batch counts as soon as the server has it."""
    for _ in range(BATCHES):
        with acting_for(organization_id):
            found = audit.entries_from(reached, limit=BATCH)
            size = audit.size()
        lines = [log_lines.syslog(each, host) for each in found]
        # None where somebody took rows out of the database: verification names them, the others go on.
        if lines and (reason := delivery.send_log(organization_id, service.id, lines, clock=clock)):
            return reached, reason
        reached = min(size, reached + BATCH)
        with acting_for(organization_id):
            LogCopyRow.objects.filter(service_id=service.id).update(reached=reached)
        if reached >= size:
            break
    return reached, ""


def _note(service: Service, reached: int, reason: str, at: datetime) -> None:
    """Keep how an attempt ended, and write into the log what changed by it.

    Of a log server only a turn is written: an entry about each batch would be the next batch.
    """
    row = LogCopyRow.objects.select_for_update().get(service_id=service.id)
    turned = row.reason != reason or (row.sent_at is None and not reason)
    row.reached, row.reason = max(row.reached, reached), reason
    if not reason:
        row.sent_at, row.tries = at, 0
    row.save()
    if turned or (service.kind is Kind.WITNESS and not reason):
        audit.record(
            Action.AUDIT_LOG_COPY,
            actor=system(row.organization_id, "worker"),
            object_kind="service",
            object_id=service.id,
            outcome="failed" if reason else "ok",
            reason=reason,
            details={"entries": row.reached},
        )


def _record_change(service_id: UUID, actor: Actor, what: str) -> None:
    audit.record(
        Action.AUDIT_COPY_CHANGE, actor=actor, object_kind="service", object_id=service_id, fields=(what,)
    )


def _told(service: Service, row: LogCopyRow) -> LogCopy:
    return LogCopy(
        service_id=service.id,
        name=service.name,
        witness=service.kind is Kind.WITNESS,
        hours=row.hours,
        reached=row.reached,
        sent_at=row.sent_at,
        tries=row.tries if row.reason else 0,
        reason=row.reason,
        why=_words(row.reason),
        failing=bool(row.reason) and row.tries >= FAILING,
    )


def _words(reason: str) -> str:
    register = next((said[0] for why, said in vendors.WORDS.items() if why == reason), "")
    return register or (delivery.plain_reason(reason) if reason else "")
