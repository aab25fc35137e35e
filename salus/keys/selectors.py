"""DKIM selectors in three steps: published, then active, then kept for a week, so that no mail loses its key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from salus.audit.contracts import Action
from salus.kernel.acting import Actor
from salus.kernel.errors import Conflict, NotFound
from salus.keys import operations
from salus.keys.contracts import DkimKey
from salus.keys.keyring import ring
from salus.keys.models import KeyRow, Kind, Status
from salus.platform.tenancy import current_organization

KINDS = (Kind.DKIM_RSA, Kind.DKIM_ED25519)
KEPT = timedelta(days=7)
"""How long the record of a selector that signs no more must stay: mail waits for days in queues."""


def prepare(domain: str, actor: Actor, at: datetime) -> tuple[DkimKey, ...]:
    """Make the next keys of `domain`, or return those that wait already; mail is signed as before."""
    ring.of(current_organization()).required(Kind.DATA)  # destroyed keys do not come back through a side door
    waiting = KeyRow.objects.select_for_update().filter(name=domain, status=Status.WAITING)
    if not waiting.exists():
        present = {row.kind: row.version for row in KeyRow.objects.filter(name=domain).order_by("version")}
        if set(present) != set(KINDS):
            raise NotFound("This domain has no DKIM keys yet. Run: salus keys dkim DOMAIN")
        wanted = [(kind, domain, present[kind] + 1) for kind in KINDS]
        rows = operations.new_rows(current_organization(), wanted, at, Status.WAITING)
        KeyRow.objects.bulk_create(rows)
        for row in rows:
            operations.record_key(Action.KEYS_KEY_CREATE, row, actor, at)
        operations.forget_on_commit(current_organization())
    return ring.reload(current_organization()).waiting_dkim(domain)


def activate(domain: str, is_published: Callable[[DkimKey], bool], actor: Actor, at: datetime) -> None:
    """Sign with the keys that wait from now on; the present ones retire.

    Raises `NotFound` when none wait, `Conflict` when a record is not published yet: nothing is changed.
    """
    rows = {
        row.kind: row for row in KeyRow.objects.select_for_update().filter(name=domain, status=Status.WAITING)
    }
    keys = ring.reload(current_organization()).waiting_dkim(domain)
    if not rows:
        raise NotFound("No new keys wait for this domain. Run: salus keys rotate dkim")
    for key in keys:
        if not is_published(key):
            raise Conflict(
                f"The record of {key.selector}._domainkey.{domain} is not seen in DNS yet.",
                kept="Mail is signed with the present keys.",
                next_step="Publish it, wait for the name servers, and try again.",
            )
    written_in = operations.transaction_id()
    KeyRow.objects.filter(name=domain, kind__in=KINDS, status=Status.ACTIVE).update(
        status=Status.RETIRED, retired_at=at, written_in=written_in
    )
    for row in rows.values():
        row.status, row.written_in = Status.ACTIVE, written_in
        row.save(update_fields=["status", "written_in"])
        operations.record_key(Action.KEYS_KEY_ROTATE, row, actor, at)
    operations.forget_on_commit(current_organization())


def age(actor: Actor, at: datetime) -> int:
    """Destroy keys that have signed nothing for a week; return how many."""
    return sum(operations.destroy_retired(kind, actor, at, retired_before=at - KEPT) for kind in KINDS)
