"""The door of identity."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from salus.identity import api_keys, break_glass, guard, repeats, rules, second_factor, staff
from salus.identity import organizations as _organizations
from salus.identity import providers as _providers
from salus.identity import sign_on as _sign_on
from salus.identity.access import require, requires, toast
from salus.identity.contracts import ApiKeyFacts, Organization, Permission, Program, Role, StaffMember
from salus.identity.demo import create_demo_staff, demo_sign_ins
from salus.identity.models import Session
from salus.identity.ports import use_ask_provider, use_clock
from salus.identity.rest import api_key_auth, idempotency_key, tell_of_keys, use_problems
from salus.identity.rules import permissions_of
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput
from salus.kernel.vocabulary import Profile, SenderRole

__all__ = [
    "api_key_auth",
    "api_keys_of_organization",
    "change_organization",
    "change_staff",
    "create_api_key",
    "create_demo_staff",
    "create_organization",
    "create_staff",
    "demo_sign_ins",
    "emergency_accesses_to_review",
    "erase_answers",
    "find_organization",
    "forget_answers",
    "forget_old",
    "givable_scopes",
    "idempotency_key",
    "invite_staff",
    "on_emergency_access",
    "organization",
    "organization_of_key",
    "organizations",
    "permissions_of",
    "programs",
    "provider_told",
    "readiness",
    "require",
    "requires",
    "reseal_second_factors",
    "revoke_api_key",
    "save_provider",
    "second_factors",
    "set_key_words",
    "sign_on_providers",
    "staff_members",
    "staff_names",
    "staff_page",
    "staffed_roles",
    "stale_second_factors",
    "stranded",
    "task_roles",
    "tell_of_keys",
    "toast",
    "turn_provider",
    "use_ask_provider",
    "use_clock",
    "use_problems",
]


def create_organization(
    *,
    name: str,
    slug: str,
    sender_role: SenderRole,
    profile: Profile = Profile.STRICT,
    postal_address: str,
    phone: str,
    sending_domain: str,
    time_zone: str = "America/New_York",
    demo: bool = False,
    organization_id: UUID | None = None,
) -> Organization:
    """Make an organization with its keys, in a transaction of its own.

    Call it outside `acting_for`, or inside that of `organization_id` when the id exists already. Raises
    `BadInput` (with the place) for a fact that will not do, `Conflict` for a slug that is taken.
    """
    return _organizations.create(
        name=name,
        slug=slug,
        sender_role=sender_role,
        profile=profile,
        postal_address=postal_address,
        phone=phone,
        sending_domain=sending_domain,
        time_zone=time_zone,
        demo=demo,
        organization_id=organization_id,
    )


def change_organization(*, actor: Actor, **changes: str) -> Organization:
    """Change facts of the current organization by field name; raises `BadInput`, `NotFound`."""
    require(actor, Permission.ORGANIZATION_SETTINGS_EDIT)
    return _organizations.change(actor, **changes)


def organization() -> Organization:
    """Return the organization in context; raises `NotFound`."""
    return _organizations.current()


def organizations() -> tuple[Organization, ...]:
    """Return every organization of this installation; for the system's own processes, never for a page."""
    return _organizations.every()


def find_organization(slug: str) -> Organization:
    """Return the organization with this short name; raises `NotFound`. For the command line."""
    return _organizations.by_slug(slug)


def create_staff(
    *, name: str, email: str, roles: Sequence[Role], actor: Actor, password: str | None = None
) -> StaffMember:
    """Add a person to the current organization; without a password, `invite_staff` lets them in."""
    return staff.create(name=name, email=email, roles=roles, actor=actor, password=password)


def invite_staff(staff_id: UUID, *, actor: Actor) -> str:
    """Return the path (`/join/...`) at which the person chooses a password; it works once, for three days."""
    from django.urls import reverse

    return reverse("identity:join", args=[staff.invite(staff_id, actor=actor)])


def change_staff(
    staff_id: UUID,
    *,
    actor: Actor,
    name: str | None = None,
    roles: Sequence[Role] | None = None,
    own_roles: Sequence[UUID] | None = None,
    active: bool | None = None,
) -> StaffMember:
    """Change a person's name, roles or access; nobody changes their own roles or access."""
    return staff.change(staff_id, actor=actor, name=name, roles=roles, own_roles=own_roles, active=active)


def staff_members() -> tuple[StaffMember, ...]:
    """Return the staff of the current organization."""
    return staff.every()


def staff_page(*, like: str = "", after: UUID | None = None, limit: int = 50) -> tuple[StaffMember, ...]:
    """Return some of the staff by name, the inactive last: those after `after`, whose name or address has `like`."""
    return staff.page(like, after, limit)


def second_factors() -> tuple[int, int]:
    """Return how many people have access, and how many of them a second factor; counted, however many there are."""
    return staff.second_factors()


def readiness(role: Role, at: datetime) -> tuple[int, int]:
    """Return how many people with a role can sign in, and how many more have an invitation that is good at `at`; counted."""
    return staff.readiness(role, at)


def stranded(at: datetime) -> int:
    """Return how many people have access, but neither a second factor nor an invitation that is good at `at`; counted."""
    return staff.stranded(at)


def staffed_roles() -> frozenset[Role]:
    """Return the roles that an active member of the staff has, and those whose tasks somebody does by an own role."""
    return staff.staffed_roles()


def task_roles(actor: Actor) -> frozenset[Role]:
    """Return the built-in roles whose tasks reach a person: those they have, and the one that their own roles come up to."""
    wider = rules.tasks_of(actor.permissions)
    return frozenset(map(Role, actor.roles)) | (frozenset({wider}) if wider else frozenset())


def staff_names(ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return names of staff by id, for pages that say who did something."""
    return staff.names(tuple(ids))


def on_emergency_access(listener: break_glass.Listener) -> Callable[[], None]:
    """Tell `listener` of every emergency access that begins or is reviewed, in its transaction; return what ends that."""
    break_glass.listeners.append(listener)
    return lambda: break_glass.listeners.remove(listener)


def emergency_accesses_to_review(opened_before: datetime | None = None) -> int:
    """Return how many emergency accesses (that began before a moment) nobody has reviewed yet."""
    return break_glass.waiting_count(opened_before)


def create_api_key(
    name: str,
    scopes: Sequence[str],
    *,
    actor: Actor,
    expires_at: datetime | None = None,
    allowed: Iterable[Permission] | None = None,
) -> str:
    """Make a key for the current organization and return it; it is shown this once.

    The scopes must be among what `actor` may give, or among `allowed` (the command line, whose user has
    the machine). Raises `BadInput`.
    """
    may = rules.givable(actor.permissions) if allowed is None else frozenset(allowed)
    return api_keys.create(name, scopes, actor=actor, allowed=may, expires_at=expires_at)


def organization_of_key(raw: str) -> UUID | None:
    """Return the organization that an API key names, None for what is none; whether it is right is not known yet."""
    return api_keys.organization_of(raw)


def programs(presented: Collection[tuple[str, str]], *, at: datetime) -> Mapping[tuple[str, str], Program]:
    """Return who comes with these keys, each from an address, to the current organization, by key and address.

    One question for all; a key that is wrong, over or revoked is not among them.
    """
    return api_keys.programs(presented, at=at)


def givable_scopes(actor: Actor) -> frozenset[Permission]:
    """Return the scopes that `actor` may give to a key."""
    return rules.givable(actor.permissions)


def set_key_words(key_id: UUID, words: Mapping[str, str], *, actor: Actor) -> None:
    """Say what messages of a key's program are, as its package understands the words; raises `NotFound`."""
    api_keys.set_words(key_id, words, actor=actor)


def revoke_api_key(key_id: UUID, *, actor: Actor) -> None:
    """Stop a key for good; raises `NotFound`."""
    api_keys.revoke(key_id, actor=actor)


def api_keys_of_organization() -> tuple[ApiKeyFacts, ...]:
    """Return the keys of the current organization, without their secrets."""
    return api_keys.every()


def forget_old(at: datetime) -> int:
    """Remove sessions that are over and counts of failures that no longer matter; return how many. Run it hourly."""
    ended = int(Session.objects.filter(expire_date__lt=at).delete()[0])
    return ended + guard.forget(at)


def forget_answers(at: datetime) -> int:
    """Remove the organization's answers to programs that were kept for a day; return how many. Run it hourly."""
    return repeats.forget(at)


def erase_answers() -> int:
    """Remove what the organization's kept answers to programs say, because a person is erased; return how many."""
    return repeats.forget_words()


def stale_second_factors() -> int:
    """Return how many secrets of second factors are not sealed with the present data key."""
    return second_factor.stale()


def reseal_second_factors() -> int:
    """Seal them with the present data key; return how many. The work that follows a rotation."""
    return second_factor.seal_anew()


def sign_on_providers() -> tuple[tuple[_providers.Provider, str], ...]:
    """Return the identity providers, and why the vendor register does not allow each ("" when it does)."""
    return tuple((each, _sign_on.why_not(each)) for each in _providers.every())


def save_provider(
    protocol: str, given: Mapping[str, Any], groups: Mapping[str, Sequence[str]], *, actor: Actor
) -> UUID:
    """Keep what is said of an identity provider ("oidc" or "saml"), anew for one of the same name; return its id.

    `given`: see `providers.save`; `groups` are those that give a role, by its word. A new one is off. Raises
    `BadInput` with the place.
    """
    unknown = sorted(set(groups) - set(Role))
    if unknown:
        raise BadInput(f"There is no role {unknown[0][:40]!r}.", place="roles")
    return _providers.save(
        {**given, "strong": given.get("strong") or _providers.STRONG},
        {Role(role): found for role, found in groups.items()},
        protocol=_providers.Protocol(protocol),
        actor=actor,
        provider_id=_providers.named(given.get("name", ""), protocol),
    )


def provider_told(provider_id: UUID) -> tuple[str, ...]:
    """Return what an identity provider's administrator must be told of us, a line each; raises `NotFound`."""
    told = _sign_on.told(_providers.get(provider_id))
    return tuple(f"{what}: {how}" if how else what for what, how in told)


def turn_provider(provider_id: UUID, word: str, *, actor: Actor) -> None:
    """Turn an identity provider "on" or "off", or "remove" it: then sessions of those it let in end."""
    if word == "remove":
        _providers.remove(provider_id, actor=actor)
    else:
        _providers.switch(provider_id, word == "on", actor=actor)
