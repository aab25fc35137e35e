"""Staff: invite, join, change roles, take access away; each act is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from email_validator import EmailNotValidError, validate_email

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.identity import api_keys, break_glass, rules, second_factor
from salus.identity import roles as own
from salus.identity.contracts import Permission, Role, StaffMember
from salus.identity.models import Session, Staff, User
from salus.identity.ports import now
from salus.identity.sign_in import actor_of, normalize
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.keys import api as keys
from salus.platform.tenancy import acting_for, current_organization

JOIN = "staff_join"
_READY = Exists(Authenticator.objects.filter(type__in=second_factor.FACTORS, user_id=OuterRef("pk")))


def create(
    *, name: str, email: str, roles: Sequence[Role], actor: Actor, password: str | None = None
) -> StaffMember:
    """Add a person to the current organization; without a password they need an invitation to get in.

    Raises `BadInput` for a name, address, role or password that will not do, `Conflict` for an address
    that cannot be used again.
    """
    return bring_in(name=name, email=email, roles=checked_roles(roles), actor=actor, password=password)


def bring_in(
    *, name: str, email: str, roles: Sequence[Role], actor: Actor, password: str | None = None
) -> StaffMember:
    """Do what `create` does, also for somebody without a role, as a directory brings people in: they open nothing yet."""
    if not name.strip():
        raise BadInput("A person needs a name.", place="name")
    chosen = _known(roles)
    user = User(organization_id=current_organization(), email=checked_email(email))
    if password is None:
        user.set_unusable_password()
    else:
        _check_password(password, user)
        user.set_password(password)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError:
        raise Conflict("This e-mail address cannot be used.", place="email") from None
    row = Staff(user=user, name=name.strip()[:120], roles=list(chosen), created_at=now())
    row.save(force_insert=True)
    audit.record(
        Action.STAFF_CREATE,
        actor=actor,
        object_kind="staff",
        object_id=user.pk,
        details={"roles": ",".join(chosen)},
    )
    return _member(row)


def invite(staff_id: UUID, *, actor: Actor) -> str:
    """Return a token with which the person chooses a password, once, within three days.

    Whatever they had before (password, second factor, sessions) stops working, so this is also how
    somebody who lost their phone gets back in. An invitation replaces the one before.
    """
    row = _row(staff_id, lock=True)
    user = row.user
    user.set_unusable_password()
    user.invited_at = now()
    user.save(update_fields=["password", "invited_at"])
    second_factor.remove(user)
    end_sessions(user.pk)
    audit.record(
        Action.STAFF_CREDENTIAL,
        actor=actor,
        object_kind="staff",
        object_id=user.pk,
        fields=("invitation",),
    )
    payload = user.pk.bytes + _mark(user.invited_at)
    return keys.seal_token(JOIN, payload, lifetime=rules.INVITATION)


def invited(token: str, at: datetime) -> StaffMember:
    """Return whom an invitation is for; raises `NotFound` when it is not good (any more)."""
    organization_id, staff_id, mark = _read(token, at)
    with acting_for(organization_id):
        return _member(_invited_row(staff_id, mark, at))


def join(token: str, password: str, *, ip: str, at: datetime) -> tuple[UUID, UUID]:
    """Set the password of whoever was invited; return person and organization.

    Raises `NotFound` for an invitation that is not good, `BadInput` for a password that will not do.
    """
    organization_id, staff_id, mark = _read(token, at)
    with acting_for(organization_id):
        user = _invited_row(staff_id, mark, at).user
        _check_password(password, user)
        user.set_password(password)
        user.invited_at = None
        user.save(update_fields=["password", "invited_at"])
        audit.record(
            Action.STAFF_CREDENTIAL,
            actor=actor_of(user, ip=ip),
            object_kind="staff",
            object_id=user.pk,
            fields=("password",),
        )
    return staff_id, organization_id


def change(
    staff_id: UUID,
    *,
    actor: Actor,
    name: str | None = None,
    roles: Sequence[Role] | None = None,
    own_roles: Sequence[UUID] | None = None,
    active: bool | None = None,
) -> StaffMember:
    """Change a person's name, roles or access; nobody changes their own roles or access.

    Raises `NotFound`, `BadInput` for roles that will not do together, and `Conflict` when no administrator
    would be left. Sessions end with access, and so do the API keys that the person made, whose secrets they saw
    (45 CFR 164.308(a)(3)(ii)(C)); other roles hold from the next request on.
    """
    row = _row(staff_id, lock=True)
    if (roles is not None or own_roles is not None or active is not None) and actor.id == staff_id:
        raise Conflict("Somebody else changes your roles and your access.")
    if name is not None:
        row.name = name.strip() or row.name
    if roles is not None or own_roles is not None:
        chosen = row.own_roles if own_roles is None else own_roles
        give(row, row.roles if roles is None else roles, chosen, actor=actor)
        if not row.roles and not row.own_roles:
            raise BadInput("A person needs at least one role.", place="roles")
    if active:
        row.removed_at = None
    row.changed_at = now()
    row.save()
    if active is not None and active != row.user.is_active:
        if not active and Role.ADMINISTRATOR in row.roles:
            _keep_an_administrator(row)
        row.user.is_active = active
        row.user.save(update_fields=["is_active"])
        if not active:
            end_sessions(staff_id)
            api_keys.revoke_made_by(staff_id, actor=actor)
            break_glass.end_of(staff_id)
        word = Action.STAFF_CHANGE if active else Action.STAFF_DEACTIVATE
        audit.record(word, actor=actor, object_kind="staff", object_id=staff_id, fields=("active",))
    return _member(row)


def change_password(staff_id: UUID, old: str, new: str, *, actor: Actor) -> User:
    """Set a new password and end the person's other sessions; raises `BadInput` with the place."""
    user = _row(staff_id, lock=True).user
    if not user.check_password(old):
        raise BadInput("That is not your present password.", place="old")
    _check_password(new, user, place="new")
    user.set_password(new)
    user.save(update_fields=["password"])
    end_sessions(staff_id)
    audit.record(
        Action.STAFF_CREDENTIAL, actor=actor, object_kind="staff", object_id=staff_id, fields=("password",)
    )
    return user


def choose_theme(staff_id: UUID, theme: str) -> None:
    """Keep a person's choice of "light", "dark" or "" (as the system)."""
    if theme not in {"", "light", "dark"}:
        raise BadInput("Choose light, dark or as the system.", place="theme")
    Staff.objects.filter(pk=staff_id).update(theme=theme)


def get(staff_id: UUID) -> StaffMember:
    """Return one person; raises `NotFound`."""
    return _member(_row(staff_id))


def every() -> tuple[StaffMember, ...]:
    """Return all staff of the current organization by name, the inactive last."""
    return _all_facts(_listed())


def page(like: str, after: UUID | None, limit: int) -> tuple[StaffMember, ...]:
    """Return some staff in the order of `every`: those after the one with the id `after`, whose name or address has `like`."""
    rows = _listed()
    if like:
        rows = rows.filter(Q(name__icontains=like) | Q(user__email__icontains=like))
    last = Staff.objects.select_related("user").filter(pk=after).first() if after else None
    if last is not None:
        beyond = Q(name__gt=last.name) | Q(name=last.name, pk__gt=last.pk)
        same = Q(user__is_active=last.user.is_active) & beyond
        rows = rows.filter(same | Q(user__is_active=False) if last.user.is_active else same)
    return _all_facts(rows[:limit])


def second_factors() -> tuple[int, int]:
    """Return how many people have access, and how many of them a second factor."""
    active = Staff.objects.filter(user__is_active=True)
    ready = Authenticator.objects.filter(type__in=second_factor.FACTORS, user_id__in=active.values("pk"))
    return int(active.count()), int(ready.values("user_id").distinct().count())


def readiness(role: Role, at: datetime) -> tuple[int, int]:
    """Return how many people with a role can sign in, and how many more have an invitation that is good at `at`."""
    people = Staff.objects.filter(user__is_active=True, roles__contains=[role])
    invited = people.filter(~_READY, user__invited_at__gt=at - rules.INVITATION)
    return int(people.filter(_READY).count()), int(invited.count())


def stranded(at: datetime) -> int:
    """Return how many people have access, but neither a second factor nor an invitation that is good at `at`."""
    invited = Q(user__invited_at__gt=at - rules.INVITATION)
    return int(Staff.objects.filter(~_READY, user__is_active=True).exclude(invited).count())


def staffed_roles() -> frozenset[Role]:
    """Return the roles that an active member of the staff has, and those whose tasks somebody does by an own role."""
    active, found = Staff.objects.filter(user__is_active=True), set[Role]()
    for roles, own_roles in active.values_list("roles", "own_roles").distinct():
        found.update(map(Role, roles))
        permissions = own.together(roles, own_roles) if own_roles else frozenset()
        if Permission.INBOX_TASK_DO in permissions and (role := rules.tasks_of(permissions)):
            found.add(role)
    return frozenset(found)


def _listed() -> QuerySet[Staff]:
    return Staff.objects.select_related("user").order_by("-user__is_active", "name", "pk")


def _all_facts(found: QuerySet[Staff]) -> tuple[StaffMember, ...]:
    rows = list(found)
    ready = set(
        Authenticator.objects.filter(
            user_id__in=[row.pk for row in rows], type__in=second_factor.FACTORS
        ).values_list("user_id", flat=True)
    )
    return tuple(_facts(row, row.pk in ready) for row in rows)


def names(ids: Sequence[UUID]) -> dict[UUID, str]:
    """Return the names of some staff by id; unknown ids are left out."""
    return dict(Staff.objects.filter(pk__in=ids).values_list("pk", "name")) if ids else {}


def end_sessions(staff_id: UUID, *, except_key: str = "") -> int:
    """End a person's sessions, all but the one stored under `except_key`; return how many."""
    return int(Session.objects.filter(user_id=staff_id).exclude(session_key=except_key).delete()[0])


def checked_roles(roles: Sequence[str]) -> tuple[Role, ...]:
    """Return the roles in the order of the vocabulary; raises `BadInput` for none or an unknown one."""
    if not roles:
        raise BadInput("A person needs at least one role.", place="roles")
    return _known(roles)


def give(row: Staff, roles: Sequence[str], own_roles: Sequence[UUID], *, actor: Actor) -> None:
    """Let a person have these roles and no others, and record what changed; the caller saves the row.

    Raises `BadInput` for an unknown role or own roles that complete a pair of separated duties, `Conflict`
    when no administrator would be left.
    """
    chosen = _known(roles)
    own.check_together(chosen, own_roles)
    if Role.ADMINISTRATOR in row.roles and Role.ADMINISTRATOR not in chosen:
        _keep_an_administrator(row)
    _record_roles(row, chosen, own_roles, actor)
    row.roles, row.own_roles = list(chosen), sorted(set(own_roles))


def _known(roles: Sequence[str]) -> tuple[Role, ...]:
    unknown = sorted(set(roles) - set(Role))
    if unknown:
        raise BadInput(f"There is no role {unknown[0]!r}.", place="roles")
    return tuple(role for role in Role if role in set(roles))


def _keep_an_administrator(row: Staff) -> None:
    """Raise `Conflict` when nobody else could manage staff; one such change at a time, or two would each see the other."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"administrators:{current_organization()}"],
        )
    others = Staff.objects.filter(roles__contains=[Role.ADMINISTRATOR], user__is_active=True)
    if row.user.is_active and not others.exclude(pk=row.pk).exists():
        raise Conflict(
            "This is the last administrator.", next_step="Make somebody else an administrator first."
        )


def _record_roles(row: Staff, roles: Sequence[Role], own_roles: Sequence[UUID], actor: Actor) -> None:
    before = {*row.roles, *(str(each) for each in row.own_roles)}
    after = {*roles, *(str(each) for each in own_roles)}
    for word, difference in ((Action.ROLE_GRANT, after - before), (Action.ROLE_REVOKE, before - after)):
        if difference:
            audit.record(
                word,
                actor=actor,
                object_kind="staff",
                object_id=row.pk,
                details={"roles": ",".join(sorted(difference))},
            )


def checked_email(email: str) -> str:
    """Return an address as it is stored; raises `BadInput` for what is none."""
    address = normalize(email)
    try:
        validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise BadInput("That is not an e-mail address.", place="email") from None
    return address


def _check_password(password: str, user: User, place: str = "password") -> None:
    try:
        validate_password(password, user)
    except ValidationError as weak:
        raise BadInput(" ".join(weak.messages), place=place) from None


def _mark(at: datetime | None) -> bytes:
    return int(at.timestamp() * 1_000_000).to_bytes(8, "big") if at else b""


def _read(token: str, at: datetime) -> tuple[UUID, UUID, bytes]:
    try:
        opened = keys.open_token(token, JOIN, at)
    except BadInput:
        raise NotFound from None
    return opened.organization_id, UUID(bytes=opened.payload[:16]), opened.payload[16:]


def _invited_row(staff_id: UUID, mark: bytes, at: datetime) -> Staff:
    row = _row(staff_id, lock=True)
    if row.user.invited_at is None or _mark(row.user.invited_at) != mark or not row.user.is_active:
        raise NotFound
    if at - row.user.invited_at > rules.INVITATION:
        raise NotFound
    return row


def _row(staff_id: UUID, *, lock: bool = False) -> Staff:
    rows = Staff.objects.select_related("user")
    row = (rows.select_for_update() if lock else rows).filter(pk=staff_id).first()
    if row is None:
        raise NotFound
    return row


def _member(row: Staff) -> StaffMember:
    return _facts(row, second_factor.is_set_up(row.user))


def _facts(row: Staff, second: bool) -> StaffMember:
    return StaffMember(
        id=row.pk,
        name=row.name,
        email=row.user.email,
        roles=tuple(Role(role) for role in row.roles),
        active=row.user.is_active,
        second_factor=second,
        own_roles=tuple(row.own_roles),
    )
