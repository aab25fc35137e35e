"""Sign-on by an organization's own identity provider: who comes in, as whom, with which roles, and why not."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.identity import guard, oidc, organizations, providers, saml, second_factor, sign_in, staff
from salus.identity.contracts import Organization, Role
from salus.identity.models import ProviderLink, SpentAssertion, Staff, User
from salus.identity.ports import ask_provider
from salus.identity.ports import now as identity_now
from salus.identity.providers import Protocol, Provider
from salus.identity.rules import GuardKind
from salus.identity.sign_in import HalfSignedIn
from salus.identity.sign_on_rules import WAITS, Refusal, Refused, Said, is_strong, roles_of
from salus.kernel.acting import Actor, ActorKind, system
from salus.kernel.errors import BadInput, Conflict, NotFound, Unavailable
from salus.kernel.outbound import OutOfScope, ServiceKind
from salus.platform import outbound
from salus.platform.reach import laboratory
from salus.platform.tenancy import acting_for, current_organization

_log = logging.getLogger(__name__)

Waiting = dict[str, Any]
"""What was asked from one browser, as its session keeps it; good for one answer."""


@dataclass(frozen=True, slots=True)
class Entered:
    """Somebody whom a provider let in; without `strong`, our own second factor is still to be asked."""

    user: User
    half: HalfSignedIn
    strong: bool
    next: str


def ways(slug: str) -> tuple[Organization, tuple[Provider, ...]]:
    """Return an organization by its short name, and the providers by which its staff may sign on.

    Raises `NotFound` alike for an unknown organization and for one that has none.
    """
    found = organizations.by_slug(slug)
    with acting_for(found.id):
        active = tuple(each for each in providers.every() if each.active)
    if not active:
        raise NotFound
    return found, active


def only_organization() -> str:
    """Return the short name of the only organization of this installation, "" when there are more."""
    every = organizations.every()
    return every[0].slug if len(every) == 1 else ""


def begin(slug: str, provider_id: UUID, wanted: str, *, ip: str, now: datetime) -> tuple[str, Waiting]:
    """Return where to send the browser, and what waits for its answer; raises `NotFound`, `Refused` (recorded)."""
    organization, active = ways(slug)
    provider = next((each for each in active if each.id == provider_id), None)
    if provider is None:
        raise NotFound
    waiting: Waiting = {
        "organization": str(organization.id),
        "provider": str(provider.id),
        "at": int(now.timestamp()),
        "next": wanted,
    }
    with _recorded(organization.id, provider.id, ip, now):
        _in_scope(organization.id, provider, now)
        if provider.protocol is Protocol.SAML:
            waiting["request"] = saml.fresh()
            return saml.address(partner_of(provider), waiting["request"], now), waiting
        asked = oidc.fresh()
        address = oidc.address(
            _client(provider),
            asked,
            oidc_place(),
            _fetch(organization.id, provider, now),
            laboratory=laboratory(),
            now=now,
        )
        return address, {**waiting, "asked": asdict(asked)}


def finish(waiting: Waiting | None, answer: Mapping[str, str], *, ip: str, now: datetime) -> Entered:
    """Return whom the provider lets in, for the answer that a browser brought back; raises `Refused` (recorded)."""
    if waiting is None or now - datetime.fromtimestamp(waiting["at"], UTC) > WAITS:
        _log.info("sign-on refused: nothing was asked, from %s", ip)
        raise Refused(Refusal.NOT_ASKED)
    organization_id, provider_id = UUID(waiting["organization"]), UUID(waiting["provider"])
    with _recorded(organization_id, provider_id, ip, now):
        try:
            guard.reserve(GuardKind.NETWORK, ip, now)
        except guard.Paused:
            raise Refused(Refusal.PAUSED) from None
        with acting_for(organization_id):
            provider = _active(provider_id)
        _in_scope(organization_id, provider, now)
        if provider.protocol is Protocol.OIDC and "asked" in waiting:
            said, spent = _of_oidc(organization_id, provider, waiting, answer, now), None
        elif provider.protocol is Protocol.SAML and "request" in waiting:
            spent = saml.read(partner_of(provider), answer.get("SAMLResponse", ""), waiting["request"], now)
            said = spent.said
        else:
            raise Refused(Refusal.NOT_ASKED)
        if spent is not None:
            _spend(organization_id, provider_id, spent.id, spent.until, now)
        with acting_for(organization_id):
            entered = _enter(_active(provider_id), said, waiting["next"], ip=ip, now=now)
        if isinstance(entered, Refusal):
            raise Refused(entered)
        guard.release(GuardKind.NETWORK, ip)
        return entered


def people() -> frozenset[UUID]:
    """Return the staff of the organization in context whom a provider that is on has let in."""
    return frozenset(ProviderLink.objects.filter(provider__active=True).values_list("user_id", flat=True))


def left_open(organization_id: UUID, user_id: UUID) -> tuple[str, UUID] | None:
    """Return organization and provider at which somebody who signed out here may still be signed in."""
    with acting_for(organization_id):
        link = ProviderLink.objects.filter(
            user_id=user_id, provider__active=True, provider__protocol=Protocol.OIDC
        ).first()
        return (organizations.current().slug, link.provider_id) if link else None


def out_address(slug: str, provider_id: UUID, *, now: datetime) -> str:
    """Return where a browser ends its session at the provider too, "" when there is no such place."""
    organization, active = ways(slug)
    provider = next((each for each in active if each.id == provider_id), None)
    if provider is None or provider.protocol is Protocol.SAML:
        return ""
    back = settings.SALUS_PUBLIC_URL + reverse("identity:sign_in")
    with suppress(Refused, Unavailable, OutOfScope):
        fetch = _fetch(organization.id, provider, now)
        return oidc.out_address(_client(provider), back, fetch, laboratory=laboratory(), now=now)
    return ""


def why_not(provider: Provider) -> str:
    """Return why the vendor register does not allow a provider of the organization in context, "" when it does."""
    try:
        outbound.ask(ServiceKind.IDENTITY_PROVIDER, provider.address, at=identity_now())
    except OutOfScope as fault:
        return " ".join(filter(None, (fault.what, fault.next_step)))
    return ""


def end(slug: str, provider_id: UUID, token: str, *, ip: str, now: datetime) -> int:
    """End the sessions of somebody whose session the provider ended; return how many.

    Raises `NotFound`, and `Refused` (recorded) for what the provider did not say, or said before.
    """
    organization, active = ways(slug)
    provider = next((each for each in active if each.id == provider_id), None)
    if provider is None or provider.protocol is Protocol.SAML:
        raise NotFound
    with _recorded(organization.id, provider_id, ip, now):
        _in_scope(organization.id, provider, now)
        fetch = _fetch(organization.id, provider, now)
        subject, id = oidc.ended(_client(provider), token, fetch, laboratory=laboratory(), now=now)
        _spend(organization.id, provider_id, id, now + 2 * WAITS, now)
    with acting_for(organization.id):
        digest = hashlib.sha256(subject.encode()).digest()
        link = ProviderLink.objects.filter(provider_id=provider_id, subject=digest).first()
        ended = staff.end_sessions(link.user_id) if link else 0
        if link and ended:
            audit.record(
                Action.STAFF_SIGN_OUT,
                actor=Actor(ActorKind.SYSTEM, organization.id, name="sign_on", ip=ip),
                object_kind="staff",
                object_id=link.user_id,
                reason="provider",
                details={"ended": ended},
                at=now,
            )
    return ended


def end_place(slug: str, provider_id: UUID) -> str:
    """Return where a provider says that it ended a session (Back-Channel Logout 1.0)."""
    return str(settings.SALUS_PUBLIC_URL + reverse("identity:sign_on_ended", args=[slug, provider_id]))


def oidc_place() -> str:
    """Return where OpenID Connect providers send a browser back to: it is registered with them."""
    return str(settings.SALUS_PUBLIC_URL + reverse("identity:sign_on_oidc"))


def saml_place() -> str:
    """Return where SAML providers send their answers."""
    return str(settings.SALUS_PUBLIC_URL + reverse("identity:sign_on_saml"))


def our_entity_id(provider_id: UUID) -> str:
    """Return who we are to a SAML provider; our metadata are there too."""
    return str(settings.SALUS_PUBLIC_URL + reverse("identity:sign_on_metadata", args=[provider_id]))


def partner_of(provider: Provider) -> saml.Partner:
    """Return a SAML provider as the protocol sees it."""
    return saml.Partner(
        entity_id=provider.entity_id,
        sign_on=provider.address,
        certificates=provider.certificates,
        ours=our_entity_id(provider.id),
        place=saml_place(),
        role_claim=provider.role_claim,
    )


def told(provider: Provider) -> tuple[tuple[str, str], ...]:
    """Return what a provider's administrator must be told of us: what, and the address if it is one."""
    if provider.protocol is Protocol.OIDC:
        slug = organizations.current().slug
        return (
            ("Redirect address", oidc_place()),
            ("Code flow with PKCE (S256)", ""),
            ("Back-channel logout address", end_place(slug, provider.id)),
        )
    return (
        ("Our metadata", our_entity_id(provider.id)),
        ("Answers go to", saml_place()),
        ("Sign assertions with SHA-256, do not encrypt them", ""),
    )


def _client(provider: Provider) -> oidc.Client:
    return oidc.Client(
        provider.id,
        provider.address,
        provider.client_id,
        provider.client_secret,
        provider.scopes,
        provider.role_claim,
        provider.vouches,
    )


def _fetch(organization_id: UUID, provider: Provider, now: datetime) -> oidc.Fetch:
    ask = ask_provider()

    def fetch(url: str, headers: Mapping[str, str], body: bytes | None) -> tuple[int, bytes]:
        return ask(organization_id, provider.address, url, headers=headers, body=body, at=now)

    return fetch


def _in_scope(organization_id: UUID, provider: Provider, now: datetime) -> None:
    """Raise `OutOfScope` unless the vendor register allows this provider at `now`."""
    with acting_for(organization_id):
        outbound.ask(ServiceKind.IDENTITY_PROVIDER, provider.address, at=now)


def _of_oidc(
    organization_id: UUID, provider: Provider, waiting: Waiting, answer: Mapping[str, str], now: datetime
) -> Said:
    return oidc.finish(
        _client(provider),
        oidc.Asked(**waiting["asked"]),
        answer,
        oidc_place(),
        _fetch(organization_id, provider, now),
        laboratory=laboratory(),
        now=now,
    )


def _active(provider_id: UUID) -> Provider:
    try:
        provider = providers.get(provider_id)
    except NotFound:
        raise Refused(Refusal.NOT_ASKED) from None
    if not provider.active:
        raise Refused(Refusal.NOT_ASKED)
    return provider


def _spend(organization_id: UUID, provider_id: UUID, id: str, until: datetime, now: datetime) -> None:
    """Use a provider's word up, whatever comes of it; raises `Refused` when it was used before, in any process."""
    digest = hashlib.sha256(provider_id.bytes + id.encode()).digest()
    try:
        with acting_for(organization_id):
            SpentAssertion.objects.filter(until__lt=now).delete()
            SpentAssertion(digest=digest, until=until).save(force_insert=True)
    except IntegrityError:
        raise Refused(Refusal.REPLAY) from None


def _enter(provider: Provider, said: Said, wanted: str, *, ip: str, now: datetime) -> Entered | Refusal:
    """Let somebody in; what is returned as a refusal has changed something that must stay changed."""
    subject = hashlib.sha256(said.subject.encode()).digest()
    link = ProviderLink.objects.select_for_update().filter(provider_id=provider.id, subject=subject).first()
    if link is None:
        user, managed = _recognized(provider, said)
        link = ProviderLink(provider_id=provider.id, subject=subject, user=user, managed=managed)
        link.created_at = now
        link.save(force_insert=True)
    user = User.objects.select_for_update().get(pk=link.user_id)
    if sign_in.refusal(user, matches=True):
        raise Refused(Refusal.INACTIVE)
    if link.managed and not _follow(provider, said, user):
        staff.end_sessions(user.pk)
        return Refusal.NO_ROLE
    strong = is_strong(said.strength, provider.strong)
    audit.record(
        Action.STAFF_SIGN_ON,
        actor=sign_in.actor_of(user, ip=ip),
        object_kind="staff",
        object_id=user.pk,
        reason="strong" if strong else "second_factor_asked",
        details={"provider": str(provider.id)},
        at=now,
    )
    half = HalfSignedIn(user.pk, user.organization_id, must_enroll=not second_factor.is_set_up(user))
    return Entered(user, half, strong, wanted)


def _recognized(provider: Provider, said: Said) -> tuple[User, bool]:
    """Return who somebody is that comes for the first time, and whether the provider brought them in just now."""
    email = sign_in.normalize(said.email)
    if not email or not said.vouched:
        raise Refused(Refusal.EMAIL)
    if email.rpartition("@")[2] not in provider.domains:
        raise Refused(Refusal.EMAIL_DOMAIN)
    row = Staff.objects.select_related("user").filter(user__email=email).first()
    if row is not None:
        return row.user, False
    if not provider.just_in_time:
        raise Refused(Refusal.UNKNOWN_PERSON)
    roles = roles_of(said.groups, provider.roles)
    if not roles:
        raise Refused(Refusal.NO_ROLE)
    name = said.name.strip()[:120] or email.partition("@")[0]
    try:
        member = staff.create(name=name, email=email, roles=roles, actor=_provider_as_actor())
    except BadInput:
        raise Refused(Refusal.EMAIL) from None
    except Conflict:
        raise Refused(Refusal.EMAIL_TAKEN) from None
    return User.objects.get(pk=member.id), True


def _follow(provider: Provider, said: Said, user: User) -> bool:
    """Give somebody whom the provider brought in the roles of their groups; return whether there is one."""
    roles = roles_of(said.groups, provider.roles)
    row = Staff.objects.get(pk=user.pk)
    if roles and {Role(each) for each in row.roles} != set(roles):
        try:
            with transaction.atomic():
                staff.change(user.pk, actor=_provider_as_actor(), roles=roles)
        except (BadInput, Conflict):  # the last administrator, or duties that are kept apart
            return False
    return bool(roles)


def _provider_as_actor() -> Actor:
    return system(current_organization(), "sign_on")


@contextmanager
def _recorded(organization_id: UUID, provider_id: UUID, ip: str, now: datetime) -> Iterator[None]:
    """Record a refusal in a transaction of its own, and make whatever kept somebody out one kind of exception."""
    register = ""
    try:
        yield
    except Refused as fault:
        reason = fault.reason
    except OutOfScope as fault:
        reason, register = Refusal.OUT_OF_SCOPE, fault.why.value
    except Unavailable:
        reason = Refusal.UNREACHABLE
    else:
        return
    with acting_for(organization_id):
        audit.record(
            Action.STAFF_SIGN_ON,
            actor=Actor(ActorKind.SYSTEM, organization_id, name="sign_on", ip=ip),
            object_kind="provider",
            object_id=provider_id,
            outcome="refused",
            reason=reason.value,
            details={"register": register} if register else {},
            at=now,
        )
    raise Refused(reason)
