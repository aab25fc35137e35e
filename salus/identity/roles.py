"""Roles of an organization's own: sets of permissions, each of which was granted by somebody who holds it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.identity import rules
from salus.identity.contracts import OwnRole, Permission, Role
from salus.identity.models import GlassRow, RoleRow, Staff
from salus.identity.ports import now
from salus.kernel.acting import Actor, ActorKind
from salus.kernel.errors import BadInput, Conflict, NotFound

OFFERED = tuple(word for word in Permission if word not in rules.FOR_PROGRAMS)
_NAME = re.compile(r"[^\W\d_](?:[^\W\d_]| |-|&|,){1,58}[^\W\d_]\Z")
_TAKEN = "There is a role of this name already."


@dataclass(frozen=True, slots=True)
class Held:
    """What somebody may do at a moment, and by what."""

    permissions: frozenset[Permission]
    words: str
    """Their roles as people say them."""


def held(row: Staff, at: datetime) -> Held:
    """Return what a person may do at `at`: by built-in roles, by own roles, and by an emergency access."""
    chosen = tuple(Role(role) for role in row.roles)
    own = list(RoleRow.objects.filter(pk__in=row.own_roles).order_by("name")) if row.own_roles else []
    permissions = rules.permissions_of(chosen) | _granted(own)
    words = [*(role.words for role in chosen), *(role.name for role in own)]
    if row.glass_until is not None and row.glass_until > at:
        open_now = GlassRow.objects.filter(staff_id=row.pk, until__gt=at).values_list("permission", flat=True)
        permissions |= {Permission(word) for word in open_now}
        words.append("emergency access")
    return Held(permissions, " and ".join(words))


def lasting(staff_id: UUID | None) -> frozenset[Permission]:
    """Return what a person may do by their roles alone: an emergency access is lent, and not theirs to give."""
    row = Staff.objects.filter(pk=staff_id).first()
    return together(row.roles, row.own_roles) if row else frozenset()


def together(roles: Iterable[str], own: Sequence[UUID]) -> frozenset[Permission]:
    """Return what built-in and own roles together open."""
    rows = RoleRow.objects.filter(pk__in=own) if own else ()
    return rules.permissions_of(Role(role) for role in roles) | _granted(rows)


def tasks_with(role: OwnRole) -> Role | None:
    """Return the built-in role whose tasks reach whoever has this role only."""
    return rules.tasks_of(role.granted)


def every() -> tuple[OwnRole, ...]:
    """Return the organization's own roles by name."""
    people = _people()
    return tuple(_facts(row, people) for row in RoleRow.objects.order_by("name"))


def get(role_id: UUID) -> OwnRole:
    """Return one role; raises `NotFound`."""
    return _facts(_row(role_id), _people())


def create(name: str, wanted: Iterable[str], *, actor: Actor) -> OwnRole:
    """Make a role; what `actor` holds is granted at once, the rest waits for somebody who holds it.

    Raises `BadInput` for a name or a set that will not do, `Conflict` for a name that is taken.
    """
    chosen = checked(wanted)
    row = RoleRow(name=_checked_name(name), wanted=list(chosen), granted=[], created_at=now())
    row.granted = [word for word in chosen if word in _givable(actor)]
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        raise Conflict(_TAKEN, place="name") from None
    _record(row, actor, "created", row.granted)
    return _facts(row, {})


def change(role_id: UUID, name: str, wanted: Iterable[str], *, actor: Actor) -> OwnRole:
    """Change a role: what is taken out ends at once, what is put in is granted as in `create`.

    Raises `NotFound`, `BadInput`, and `Conflict` for a name that is taken, or when somebody who has the
    role would hold both sides of a separated duty.
    """
    row, chosen = _row(role_id, lock=True), checked(wanted)
    row.name, row.wanted = _checked_name(name), list(chosen)
    may = _givable(actor)
    before = set(row.granted)
    row.granted = [word for word in chosen if word in before or word in may]
    _check_holders(row)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise Conflict(_TAKEN, place="name") from None
    _record(row, actor, "changed", sorted(before ^ set(row.granted)))
    return _facts(row, _people())


def grant(role_id: UUID, *, actor: Actor) -> OwnRole:
    """Grant what waits and `actor` holds; raises `NotFound`, and `Conflict` when that is nothing.

    Nobody grants what they have not: of what `actor` does not hold, nothing changes.
    """
    row, may = _row(role_id, lock=True), _givable(actor)
    given = [word for word in row.wanted if word not in row.granted and word in may]
    if not given:
        raise Conflict("You hold nothing of what waits here.", next_step="Ask somebody who does.")
    row.granted = [word for word in row.wanted if word in row.granted or word in given]
    _check_holders(row)
    row.save(update_fields=["granted"])
    _record(row, actor, "granted", given)
    return _facts(row, _people())


def remove(role_id: UUID, *, actor: Actor) -> None:
    """Remove a role that nobody has; raises `NotFound`, `Conflict`."""
    row = _row(role_id, lock=True)
    if Staff.objects.filter(own_roles__contains=[role_id]).exists():
        raise Conflict("Somebody still has this role.", next_step="Take it from them first.")
    _record(row, actor, "removed", row.granted)
    row.delete()


def checked(wanted: Iterable[str]) -> tuple[Permission, ...]:
    """Return the permissions of a role in order; raises `BadInput` for a set that no role may be.

    None, an unknown one, one for programs only, or both sides of a separated duty
    (45 CFR 164.308(a)(3), (a)(4)).
    """
    words = frozenset(wanted)
    unknown = sorted(words - set(OFFERED))
    if unknown:
        raise BadInput(f"There is no permission {unknown[0]!r} for people.", place="wanted")
    if not words:
        raise BadInput("A role opens something.", place="wanted")
    chosen = tuple(word for word in OFFERED if word in words)
    apart = rules.both_sides(chosen)
    if apart:
        raise BadInput(
            f"One role never holds both {apart[0][0]} and {apart[0][1]}: two people do that.", place="wanted"
        )
    return chosen


def check_together(roles: Sequence[str], own: Sequence[UUID]) -> None:
    """Raise `BadInput` for an own role that is not there, or that completes a pair of separated duties."""
    rows = list(RoleRow.objects.select_for_update().filter(pk__in=own).order_by("pk"))
    if len(rows) != len(set(own)):
        raise BadInput("There is no such role.", place="own_roles")
    alone = rules.both_sides(rules.permissions_of(Role(role) for role in roles))
    pairs = rules.both_sides(rules.permissions_of(Role(role) for role in roles) | _granted(rows))
    if set(pairs) - set(alone):
        one, other = next(pair for pair in pairs if pair not in alone)
        raise BadInput(
            f"Together these roles would hold both {one} and {other}: two people do that.", place="own_roles"
        )


def _check_holders(row: RoleRow) -> None:
    """Raise `Conflict` when `row` as it is about to be completes a pair for somebody who has it."""
    others = {each.pk: each for each in RoleRow.objects.exclude(pk=row.pk)}
    for person in Staff.objects.select_for_update().filter(own_roles__contains=[row.pk]).order_by("pk"):
        alone = rules.permissions_of(Role(role) for role in person.roles)
        rows = [row if each == row.pk else others[each] for each in person.own_roles]
        if set(rules.both_sides(alone | _granted(rows))) - set(rules.both_sides(alone)):
            raise Conflict(
                "Somebody who has this role would then hold both sides of a duty that two people share.",
                place="wanted",
                next_step="Take the role from them first, or leave the permission out.",
            )


def _granted(rows: Iterable[RoleRow]) -> frozenset[Permission]:
    return frozenset(Permission(word) for row in rows for word in row.granted)


def _givable(actor: Actor) -> frozenset[Permission]:
    return lasting(actor.id) if actor.kind is ActorKind.STAFF else frozenset()


def _checked_name(name: str) -> str:
    """Return the name; it is a word for a job, so it holds no digits: no number of a patient fits in."""
    kept = " ".join(name.split())
    if not _NAME.match(kept):
        raise BadInput("Use 3 to 60 letters, spaces and hyphens.", place="name")
    if kept.casefold() in {role.words.casefold() for role in Role}:
        raise BadInput("A built-in role is called so.", place="name")
    return kept


def _record(row: RoleRow, actor: Actor, what: str, fields: Iterable[str]) -> None:
    audit.record(
        Action.ROLE_CHANGE,
        actor=actor,
        object_kind="role",
        object_id=row.pk,
        fields=tuple(fields),
        reason=what,
        details={"wanted": len(row.wanted), "granted": len(row.granted)},
    )


def _people() -> dict[UUID, int]:
    counts: dict[UUID, int] = {}
    for own in Staff.objects.exclude(own_roles=[]).values_list("own_roles", flat=True):
        for role_id in own:
            counts[role_id] = counts.get(role_id, 0) + 1
    return counts


def _row(role_id: UUID, *, lock: bool = False) -> RoleRow:
    rows = RoleRow.objects.select_for_update() if lock else RoleRow.objects.all()
    row = rows.filter(pk=role_id).first()
    if row is None:
        raise NotFound
    return row


def _facts(row: RoleRow, people: dict[UUID, int]) -> OwnRole:
    return OwnRole(
        id=row.pk,
        name=row.name,
        wanted=tuple(Permission(word) for word in row.wanted),
        granted=tuple(Permission(word) for word in row.granted),
        people=people.get(row.pk, 0),
    )
