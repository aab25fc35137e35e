"""The identity providers that an organization trusts: what an administrator says of each, sealed, and every change recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.identity import oidc, saml, sign_on_rules
from salus.identity.contracts import Role
from salus.identity.models import ProviderLink, ProviderRow, Session
from salus.identity.ports import now
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, NotFound
from salus.kernel.ids import new_id
from salus.keys import api as keys
from salus.platform.reach import laboratory
from salus.platform.tenancy import current_organization

TABLE = "identity_provider"
SCOPES = "openid email profile"
STRONG = ("mfa", "https://refeds.org/profile/mfa", "http://schemas.microsoft.com/claims/multipleauthn")
"""Words by which providers say that a second factor was asked (RFC 8176; REFEDS; Microsoft)."""


class Protocol(StrEnum):
    """How a provider speaks."""

    OIDC = "oidc"
    SAML = "saml"


@dataclass(frozen=True, slots=True)
class Provider:
    """One identity provider.

    `address` is what the vendor register knows it by: the issuer (OpenID Connect), or where sign-on begins (SAML).
    """

    id: UUID
    protocol: Protocol
    active: bool
    name: str
    address: str
    domains: tuple[str, ...]
    """E-mail domains that it speaks for."""
    roles: Mapping[str, Role]
    """Which of its groups gives which role; a group that is not here gives none."""
    role_claim: str
    strong: tuple[str, ...]
    """Words of its that mean a second factor was asked."""
    just_in_time: bool
    """Whether somebody whom nobody invited is let in, when their groups give a role."""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    scopes: str = SCOPES
    vouches: bool = False
    entity_id: str = ""
    certificates: tuple[str, ...] = field(default=(), repr=False)


def every() -> tuple[Provider, ...]:
    """Return the current organization's providers by name."""
    return tuple(sorted(map(_facts, ProviderRow.objects.all()), key=lambda each: each.name.casefold()))


def get(provider_id: UUID) -> Provider:
    """Return one provider; raises `NotFound`."""
    return _facts(_row(provider_id))


def named(name: str, protocol: str) -> UUID | None:
    """Return the id of the provider of this name and protocol, None when there is none."""
    return next((each.id for each in every() if (each.name, each.protocol) == (name.strip(), protocol)), None)


def save(
    given: Mapping[str, Any],
    lines: Mapping[Role, Iterable[str]],
    *,
    protocol: Protocol,
    actor: Actor,
    provider_id: UUID | None = None,
) -> UUID:
    """Keep what an administrator says of a provider, a new one without `provider_id`; return its id.

    `given` has `name`, `domains`, `role_claim`, `strong`, `just_in_time`, and for OpenID Connect `address`,
    `client_id`, `client_secret` (empty keeps the present one), `scopes`, `vouches`; for SAML `metadata` (XML;
    empty keeps what is known). Raises `BadInput` with the place, `NotFound`.
    """
    if provider_id is None:
        row, before = ProviderRow(id=new_id(), protocol=protocol, created_at=now()), None
    else:
        row = _row(provider_id, lock=True)
        before = _facts(row)
    document = {
        "name": _needed(given.get("name", ""), "name", 80),
        "domains": sign_on_rules.check_domains(given.get("domains", ())),
        "roles": {group: role.value for group, role in sign_on_rules.check_mapping(lines).items()},
        "role_claim": _needed(given.get("role_claim", ""), "role_claim", 200),
        "strong": sorted({each.strip() for each in given.get("strong", ())} - {""}),
        "just_in_time": bool(given.get("just_in_time")),
        **(_of_oidc if protocol is Protocol.OIDC else _of_saml)(given, before),
    }
    row.sealed = keys.sealer().seal(orjson.dumps(document), _binding(row.id))
    row.changed_at = now()
    row.save()
    oidc.forget(row.id)
    _record(row.id, actor, "changed" if before else "created", fields=_changed(before, _facts(row)))
    return row.id


def switch(provider_id: UUID, active: bool, *, actor: Actor) -> None:
    """Let people sign on by a provider, or no longer: then the sessions of everybody it let in end."""
    row = _row(provider_id, lock=True)
    if row.active == active:
        return
    row.active, row.changed_at = active, now()
    row.save(update_fields=["active", "changed_at"])
    ended = 0 if active else _end_sessions(row)
    _record(row.id, actor, "on" if active else "off", ended=ended)


def remove(provider_id: UUID, *, actor: Actor) -> None:
    """Forget a provider and who came by it; the people stay, without a way in unless they have a password."""
    row = _row(provider_id, lock=True)
    ended = _end_sessions(row)
    row.delete()
    oidc.forget(provider_id)
    _record(provider_id, actor, "removed", ended=ended)


def _of_oidc(given: Mapping[str, Any], before: Provider | None) -> dict[str, Any]:
    scopes = " ".join(dict.fromkeys(("openid", *str(given.get("scopes") or SCOPES).split())))
    return {
        "address": sign_on_rules.check_address(given.get("address", ""), laboratory=laboratory()),
        "client_id": _needed(given.get("client_id", ""), "client_id", 200),
        "client_secret": given.get("client_secret") or (before.client_secret if before else ""),
        "scopes": _needed(scopes, "scopes", 300),
        "vouches": bool(given.get("vouches")),
    }


def _of_saml(given: Mapping[str, Any], before: Provider | None) -> dict[str, Any]:
    metadata = str(given.get("metadata", "")).strip()
    if not metadata and before is not None:
        return {
            "address": before.address,
            "entity_id": before.entity_id,
            "certificates": before.certificates,
        }
    try:
        said = saml.described(metadata.encode(), laboratory=laboratory())
    except BadInput as fault:
        raise BadInput(fault.what, place="metadata") from None
    return {"address": said.sign_on, "entity_id": said.entity_id, "certificates": said.certificates}


def _needed(text: str, place: str, longest: int) -> str:
    kept = text.strip()
    if not kept or len(kept) > longest or not kept.isprintable():
        raise BadInput(f"Write something here, at most {longest} characters.", place=place)
    return kept


def _changed(before: Provider | None, after: Provider) -> tuple[str, ...]:
    """Return the names of what changed, for the log; never what it is."""
    names = (each for each in Provider.__slots__ if each not in {"id", "protocol", "active"})
    return tuple(each for each in names if before is None or getattr(before, each) != getattr(after, each))


def _end_sessions(row: ProviderRow) -> int:
    people = ProviderLink.objects.filter(provider=row).values_list("user_id", flat=True)
    return int(Session.objects.filter(user_id__in=list(people)).delete()[0])


def _row(provider_id: UUID, *, lock: bool = False) -> ProviderRow:
    rows = ProviderRow.objects.select_for_update() if lock else ProviderRow.objects.all()
    row = rows.filter(pk=provider_id).first()
    if row is None:
        raise NotFound
    return row


def _facts(row: ProviderRow) -> Provider:
    kept = orjson.loads(keys.sealer().open(bytes(row.sealed), _binding(row.id)))
    kept["roles"] = {group: Role(role) for group, role in kept["roles"].items()}
    lists = {name: tuple(kept[name]) for name in ("domains", "strong", "certificates") if name in kept}
    return Provider(id=row.id, protocol=Protocol(row.protocol), active=row.active, **{**kept, **lists})


def _binding(provider_id: UUID) -> bytes:
    return keys.binding(current_organization(), TABLE, provider_id)


def _record(
    provider_id: UUID, actor: Actor, outcome: str, *, fields: tuple[str, ...] = (), ended: int = 0
) -> None:
    audit.record(
        Action.PROVIDER_CHANGE,
        actor=actor,
        object_kind="provider",
        object_id=provider_id,
        fields=fields,
        outcome=outcome,
        details={"sessions_ended": ended} if ended else {},
    )
