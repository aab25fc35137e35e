"""Emergency access: one narrow permission for a short time, with a reason, and reviewed afterwards.

45 CFR 164.312(a)(2)(ii): a procedure for obtaining necessary electronic PHI during an emergency.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from salus.audit import api as audit
from salus.audit.contracts import Action, Entry, Filters
from salus.identity import roles, rules
from salus.identity.contracts import Finding, Glass, Permission
from salus.identity.models import GlassRow, Staff
from salus.identity.ports import now
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.phi import Phi
from salus.keys import api as keys
from salus.platform.tenancy import current_organization

SHORTEST, LONGEST = 15, 500
"""Characters of a reason or a note: enough to be a sentence."""
SHOWN = 100
MINUTES = rules.GLASS_MINUTES


Listener = Callable[[Glass, Actor], None]
listeners: list[Listener] = []


def offered(actor: Actor) -> tuple[Permission, ...]:
    """Return what `actor` may take in an emergency."""
    return rules.behind_glass(roles.lasting(actor.id))


def open_glass(permission: str, reason: str, minutes: int, *, actor: Actor) -> Glass:
    """Take `permission` for `minutes` (15, 30 or 60); it holds from the next page on.

    Raises `BadInput` with the place for what is not offered, a reason that is no sentence or another
    time; `Conflict` while one is open: each is narrow, and they do not add up.
    """
    if permission not in offered(actor):
        raise BadInput("That is not among what an emergency opens for you.", place="permission")
    if minutes not in MINUTES:
        raise BadInput("Choose one of the times.", place="minutes")
    said, at = _checked_text(reason, "reason"), now()
    person = Staff.objects.select_for_update().get(pk=actor.id)
    if person.glass_until is not None and person.glass_until > at:
        raise Conflict("One emergency access is open already.", next_step="Give it back first.")
    row = GlassRow(staff_id=person.pk, permission=permission, opened_at=at)
    row.until = at + timedelta(minutes=minutes)
    row.sealed = _seal(row, said)
    row.save(force_insert=True)
    person.glass_until = row.until
    person.save(update_fields=["glass_until"])
    _record(Action.GLASS_OPEN, row, actor, details={"permission": permission, "minutes": minutes})
    return _told(row, actor)


def own(actor: Actor) -> Glass | None:
    """Return the emergency access that `actor` has now, None for none."""
    if actor.id is None:
        return None
    row = GlassRow.objects.filter(staff_id=actor.id, until__gt=now()).first()
    return _facts(row) if row else None


def give_back(glass_id: UUID, *, actor: Actor) -> None:
    """End an emergency access early: one's own, or anybody's for who reviews them.

    Raises `NotFound`; one that is over stays as it is.
    """
    row = _row(glass_id)
    if row.staff_id != actor.id and Permission.AUDIT_ACCESS_REVIEW not in actor.permissions:
        raise NotFound
    if row.until > now():
        end_of(row.staff_id)
        _record(Action.GLASS_CLOSE, row, actor)


def end_of(staff_id: UUID) -> None:
    """End whatever emergency access a person has, because they give it back or lose all access."""
    GlassRow.objects.filter(staff_id=staff_id, until__gt=now()).update(until=now())
    Staff.objects.filter(pk=staff_id).update(glass_until=None)


def review(glass_id: UUID, finding: str, note: str, *, actor: Actor) -> Glass:
    """Say what looking into an emergency access found; what was followed up needs a note.

    Raises `NotFound`, `BadInput`, and `Conflict` for one's own, one that is open, or one that was reviewed.
    """
    row, at = _row(glass_id), now()
    if row.staff_id == actor.id:
        raise Conflict("Somebody else reviews your emergency access.")
    if row.until > at:
        raise Conflict("It is still open.", next_step="End it, or wait until it is over.")
    if row.reviewed_at is not None:
        raise Conflict("It was reviewed already.")
    if finding not in set(Finding):
        raise BadInput("Say what you found.", place="finding")
    if finding == Finding.FOLLOWED_UP or note.strip():
        row.sealed_note = _seal(row, _checked_text(note, "note"))
    row.finding, row.reviewed_by, row.reviewed_at = finding, actor.id, at
    row.save(update_fields=["finding", "reviewed_by", "reviewed_at", "sealed_note"])
    _record(Action.GLASS_REVIEW, row, actor, outcome=finding)
    return _told(row, actor)


def waiting_count(opened_before: datetime | None = None) -> int:
    """Return how many emergency accesses nobody has reviewed, those that are open included."""
    waiting = GlassRow.objects.filter(reviewed_at=None)
    return int((waiting.filter(opened_at__lt=opened_before) if opened_before else waiting).count())


def newest() -> tuple[Glass, ...]:
    """Return those that wait for a review, however old, and the newest others; newest first."""
    waiting = list(GlassRow.objects.filter(reviewed_at=None).order_by("-opened_at"))
    others = list(GlassRow.objects.filter(~Q(reviewed_at=None)).order_by("-opened_at")[:SHOWN])
    return tuple(_facts(row) for row in [*waiting, *others])


def acts_in(glass: Glass) -> tuple[Entry, ...]:
    """Return what was done in an emergency access, oldest first, as the audit log has it."""
    filters = Filters(actor_id=glass.staff_id, since=glass.opened_at, until=glass.until)
    return tuple(reversed(audit.entries(filters, limit=SHOWN)))


def get(glass_id: UUID) -> Glass:
    """Return one; raises `NotFound`."""
    return _facts(_row(glass_id))


def _told(row: GlassRow, actor: Actor) -> Glass:
    glass = _facts(row)
    for listener in listeners:
        listener(glass, actor)
    return glass


def _row(glass_id: UUID) -> GlassRow:
    row = GlassRow.objects.select_for_update().filter(pk=glass_id).first()
    if row is None:
        raise NotFound
    return row


def _checked_text(text: str, place: str) -> str:
    kept = text.strip()
    if not SHORTEST <= len(kept) <= LONGEST:
        raise BadInput(f"Write a sentence: {SHORTEST} to {LONGEST} characters.", place=place)
    return kept


def _binding(row: GlassRow) -> bytes:
    return keys.binding(current_organization(), "identity_glass", row.pk)


def _seal(row: GlassRow, text: str) -> bytes:
    return keys.sealer().seal(text.encode(), _binding(row))


def _opened(row: GlassRow, sealed: bytes | memoryview | None) -> Phi[str]:
    return Phi(keys.sealer().open(bytes(sealed), _binding(row)).decode() if sealed else "")


def _record(
    action: Action,
    row: GlassRow,
    actor: Actor,
    *,
    outcome: str = "ok",
    details: dict[str, str | int] | None = None,
) -> None:
    audit.record(
        action, actor=actor, object_kind="glass", object_id=row.pk, outcome=outcome, details=details or {}
    )


def _facts(row: GlassRow) -> Glass:
    return Glass(
        id=row.pk,
        staff_id=row.staff_id,
        permission=Permission(row.permission),
        reason=_opened(row, row.sealed),
        opened_at=row.opened_at,
        until=row.until,
        reviewed_by=row.reviewed_by,
        reviewed_at=row.reviewed_at,
        finding=Finding(row.finding) if row.finding else None,
        note=_opened(row, row.sealed_note),
    )
