"""The run of an erasure over all packages: one transaction and one line of the completion record each."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.contacts import api as contacts
from salus.kernel.acting import Actor
from salus.kernel.leaving import Kept, Left
from salus.kernel.time import Clock
from salus.platform.jobs import defer
from salus.platform.tenancy import acting_for
from salus.privacy import erased, requests
from salus.privacy.contracts import Kind, Package, Status, Step
from salus.privacy.exports import packages
from salus.privacy.models import RequestRow, StepRow
from salus.retention import api as retention


def erase(organization_id: UUID, request_id: UUID, *, actor: Actor, clock: Clock) -> tuple[Step, ...]:
    """Erase the person of an approved request everywhere; return the completion record.

    Call it outside the organization's context: each package has a transaction of its own, so a run that was
    killed goes on at the package that it did not end, and one that ended changes nothing. Raises `NotFound`,
    `Conflict` (not approved; a legal hold stands; or a message is being handed over: ask again).
    """
    requests.must_do(actor)
    for package in packages():
        with acting_for(organization_id):
            row = requests.approved(request_id, Kind.ERASURE)
            if StepRow.objects.filter(request_id=request_id, package=package.name).exists():
                continue
            retention.must_be_free(row.contact_id, after=erased.done_at(request_id))
            left = _erase_whole(package, row.contact_id, actor, clock)
            StepRow(
                request_id=request_id,
                package=package.name,
                done_at=clock.now(),
                erased=dict(left.erased),
                kept=[_plain(each) for each in left.kept],
            ).save(force_insert=True)
            _record(request_id, row.contact_id, package.name, left, actor)
    with acting_for(organization_id):
        requests.finish(requests.approved(request_id, Kind.ERASURE), at=clock.now())
        erased.remember()
        return steps(request_id)


def _erase_whole(package: Package, contact_id: UUID, actor: Actor, clock: Clock) -> Left:
    """Erase every record of the person, the one that goes on last; return what that comes to together."""
    erased: Counter[str] = Counter()
    kept: dict[str, Kept] = {}
    for id in reversed(contacts.whole(contact_id)):
        left = package.erase(id, actor, clock)
        erased.update(left.erased)
        for each in left.kept:
            before = kept.get(each.what)
            until = max((one.until for one in (each, before) if one and one.until), default=None)
            count = each.count + (before.count if before else 0)
            kept[each.what] = replace(each, count=count, until=until)
    return Left(erased, tuple(kept.values()))


def erase_again(organization_id: UUID, *, actor: Actor, clock: Clock) -> int:
    """Erase whom the list of the erased names and the database has all the same; return how many that were.

    For after a restore; call it outside the organization's context. Each has their request again, with its
    completion record, and is in the log. Raises `Conflict` as `erase` does.
    """
    with acting_for(organization_id):
        back = erased.came_back()
        for each in back:
            erased.ask_again(each)
    for each in back:
        erase(organization_id, each.request_id, actor=actor, clock=clock)
    return len(back)


def erase_kept(*, actor: Actor, clock: Clock) -> int:
    """Erase what an earlier erasure had to keep and whose last day is over, unless a hold stands; return in how many packages.

    The completion record says what is still kept, and the log has each. Call it inside the organization's context.
    """
    at, asked = clock.now(), {each.name: each for each in packages()}
    done = RequestRow.objects.filter(kind=Kind.ERASURE, status=Status.DONE).values_list("id", "contact_id")
    whose = dict(done)
    count = 0
    for row in (
        StepRow.objects.select_for_update().filter(request_id__in=whose).order_by("request_id", "package")
    ):
        if row.package not in asked or not any(_is_over(_kept(each), at) for each in row.kept):
            continue
        if retention.held_since(whose[row.request_id]):
            continue
        left = _erase_whole(asked[row.package], whose[row.request_id], actor, clock)
        row.erased = {
            key: row.erased.get(key, 0) + left.erased.get(key, 0) for key in {**row.erased, **left.erased}
        }
        row.kept = [_plain(each) for each in left.kept]
        row.save(update_fields=["erased", "kept"])
        _record(row.request_id, whose[row.request_id], row.package, left, actor, "kept_time_over")
        count += 1
    return count


def _is_over(kept: Kept, at: datetime) -> bool:
    return kept.until is not None and kept.until <= at


def queue_again() -> int:
    """Queue the erasure of everybody whom the list names and the current organization has; return how many.

    For after a restore that was made by other means than ours. Safe to repeat.
    """
    back = erased.came_back()
    for each in back:
        erased.ask_again(each)
        defer(requests.JOBS[Kind.ERASURE], once=str(each.request_id), request_id=str(each.request_id))
    return len(back)


def steps(request_id: UUID) -> tuple[Step, ...]:
    """Return the completion record so far, in the order in which packages ended."""
    rows = StepRow.objects.filter(request_id=request_id).order_by("done_at", "package")
    return tuple(
        Step(row.package, row.done_at, Left(row.erased, tuple(map(_kept, row.kept)))) for row in rows
    )


def _record(
    request_id: UUID, contact_id: UUID, package: str, left: Left, actor: Actor, reason: str = ""
) -> None:
    audit.record(
        Action.PRIVACY_ERASE,
        actor=actor,
        object_kind="privacy_request",
        object_id=request_id,
        patient_id=contact_id,
        reason=reason,
        details={"package": package, **left.erased, "kept": sum(each.count for each in left.kept)},
    )


def _plain(kept: Kept) -> dict[str, Any]:
    return asdict(kept) | {"until": kept.until.isoformat() if kept.until else None}


def _kept(plain: dict[str, Any]) -> Kept:
    until = plain["until"]
    return Kept(**plain | {"until": datetime.fromisoformat(until) if until else None})
