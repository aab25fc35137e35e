"""By which road an organization's mail goes: straight to the recipients' hosts, or by a relay while the register allows it.

Relays that are kept ready (`Standby`) take the mail to a destination that refuses ours, for as long as a rule of shaping says.

Straight to the recipient's own host is no vendor's road (45 CFR 164.502(a)(1)(i), 160.103; docs/vendors.md): it asks nobody here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.delivery.contracts import Route, Standby
from salus.delivery.models import QueueRow, RouteRow, StandbyRow
from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput, NotFound
from salus.kernel.ids import new_id
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import PhiClass
from salus.keys import api as keys
from salus.platform.tenancy import current_organization
from salus.vendors import api as vendors
from salus.vendors.contracts import Kind, Label, OutOfScope, Waiting, Why

MOST = 100_000
"""So far waiting messages are counted and no farther: pages that many people open ask for it."""
LONGEST = 255
"""Of a user name or a password, in octets (RFC 4616, 2)."""
NAME = re.compile(r"[a-z0-9](?:[a-z0-9_.-]{0,60}[a-z0-9])?")
"""What shaping.toml may call a relay."""


@dataclass(frozen=True, slots=True)
class Way:
    """The relay that mail may go by now; equal ways lead to the same place with the same login."""

    service_id: UUID
    address: str = field(repr=False)
    user: str = field(repr=False)
    password: Phi[str]
    name: str = ""
    """Of one that is kept ready; "" for the relay of all mail."""


def route(at: datetime) -> Route | None:
    """Return the relay that was chosen and how it stands; None: straight to the recipients' hosts."""
    row = RouteRow.objects.first()
    if row is None:
        return None
    return Route(
        service_id=row.service_id,
        user=_login(row, _binding(row.id))["user"],
        chosen_at=row.chosen_at,
        paused=row.why,
        paused_since=row.paused_since,
        waiting=_waiting(),
        why_not=_why_not(row.service_id, {PhiClass.CONTACT}, at),
    )


def choose(
    service_id: UUID | None, *, user: str = "", password: str = "", actor: Actor, at: datetime
) -> None:
    """Send all mail by a relay of the register from now on, or (None) straight to the recipients' hosts.

    An empty password keeps the one before, of the same relay and user. Raises `BadInput` with the place,
    `NotFound` for a service that is none. The register is asked when mail goes, not here: a relay whose
    agreement is still to be signed may be chosen, and mail waits.
    """
    row = RouteRow.objects.select_for_update().first()
    if service_id is None:
        RouteRow.objects.all().delete()
    else:
        _check_service(service_id, at)
        before = _login(row, _binding(row.id)) if row and row.service_id == service_id else {}
        row = row or RouteRow(id=new_id())
        row.service_id, row.chosen_at, row.why, row.paused_since = service_id, at, "", None
        row.sealed = _sealed_login(user, password, before, _binding(row.id))
        row.save()
    _changed("relay" if service_id else "direct", service_id, actor, login=bool(user))


def keep_ready(
    name: str, service_id: UUID, *, user: str = "", password: str = "", actor: Actor, at: datetime
) -> None:
    """Keep a relay of the register ready under a name, new or in place of the one that has it; as `choose` does it."""
    if not NAME.fullmatch(name):
        raise BadInput("Write a name of small letters, digits, dots and hyphens.", place="name")
    _check_service(service_id, at)
    row = StandbyRow.objects.select_for_update().filter(name=name).first()
    before = _login(row, _standby_binding(row.id)) if row and row.service_id == service_id else {}
    row = row or StandbyRow(id=new_id(), name=name)
    row.service_id, row.chosen_at = service_id, at
    row.sealed = _sealed_login(user, password, before, _standby_binding(row.id))
    row.save()
    _changed("standby", service_id, actor, login=bool(user))


def drop(standby_id: UUID, *, actor: Actor) -> None:
    """Keep a relay ready no more: what is to go by it waits, or goes the usual way when that is open again. Raises `NotFound`."""
    row = StandbyRow.objects.select_for_update().filter(id=standby_id).first()
    if row is None:
        raise NotFound
    row.delete()
    _changed("standby_dropped", row.service_id, actor)


def ready(at: datetime) -> list[Standby]:
    """Return the relays that are kept ready and how each stands, by name."""
    return [
        Standby(
            row.id,
            row.name,
            row.service_id,
            _login(row, _standby_binding(row.id))["user"],
            row.chosen_at,
            _why_not(row.service_id, {PhiClass.CONTACT}, at),
        )
        for row in StandbyRow.objects.order_by("name")
    ]


def paused() -> str:
    """Return why the organization's mail waits for the register (a code), "" when it goes."""
    return RouteRow.objects.values_list("why", flat=True).first() or ""


def way(at: datetime) -> Way | None:
    """Return the relay to use now, None for straight delivery; raises `OutOfScope` when the register refuses it.

    Whatever a message tells, its relay learns who is written to.
    """
    row = RouteRow.objects.first()
    if row is None:
        return None
    service = vendors.service_in_scope(row.service_id, [PhiClass.CONTACT], at)
    login = _login(row, _binding(row.id))
    return Way(service.id, service.address, login["user"], Phi(login["password"]))


def standby(name: str, at: datetime) -> Way:
    """Return the way by a relay that is kept ready; raises `NotFound`, `OutOfScope` when the register refuses it."""
    row = StandbyRow.objects.filter(name=name).first()
    if row is None:
        raise NotFound
    service = vendors.service_in_scope(row.service_id, [PhiClass.CONTACT], at)
    login = _login(row, _standby_binding(row.id))
    return Way(service.id, service.address, login["user"], Phi(login["password"]), name)


def is_open(used: Way | None, at: datetime) -> bool:
    """Tell whether mail still goes this way: the register did not close it, and nobody chose another."""
    try:
        return (standby(used.name, at) if used and used.name else way(at)) == used
    except (OutOfScope, NotFound):
        return False


def beyond(used: Way, told: Iterable[frozenset[Label]], at: datetime) -> dict[frozenset[Label], str]:
    """Return why the relay may not carry what messages tell, for those sets that it may not."""
    found = {each: _why_not(used.service_id, each, at) for each in set(told)}
    return {each: why for each, why in found.items() if why}


def pause(why: Why, *, actor: Actor, at: datetime) -> None:
    """Say that the mail queue waits, and why; said already, nothing changes."""
    row = RouteRow.objects.select_for_update().first()
    if row is None or row.why == why:
        return
    row.why, row.paused_since = why, row.paused_since or at
    row.save(update_fields=["why", "paused_since"])
    _record(Action.MESSAGE_PAUSE, row, actor, str(why))


def resume(*, actor: Actor) -> None:
    """Say that the mail queue goes on, if it waited."""
    row = RouteRow.objects.exclude(why="").select_for_update().first()
    if row is None:
        return
    row.why, row.paused_since = "", None
    row.save(update_fields=["why", "paused_since"])
    _record(Action.MESSAGE_RESUME, row, actor, "")


def waiting(service_ids: Collection[UUID]) -> dict[UUID, Waiting]:
    """Return how many messages (`MOST` at most) wait while all mail goes by one of these, and why they are paused."""
    row = RouteRow.objects.filter(service_id__in=list(service_ids)).first()
    return {row.service_id: Waiting(_waiting(), row.why)} if row else {}


def _waiting() -> int:
    return QueueRow.objects.all()[:MOST].count()


def _why_not(service_id: UUID, labels: Collection[Label], at: datetime) -> str:
    try:
        vendors.service_in_scope(service_id, labels, at)
    except OutOfScope as refused:
        return str(refused.why)
    return ""


def _check_login(user: str, password: str) -> None:
    for place, text in (("user", user), ("password", password)):
        if len(text.encode()) > LONGEST or "\0" in text:
            raise BadInput(f"Write at most {LONGEST} characters.", place=place)
    if user and not password:
        raise BadInput("Write the password too.", place="password")
    if password and not user:
        raise BadInput("Write the user name too.", place="user")


def _check_service(service_id: UUID, at: datetime) -> None:
    if vendors.service(service_id, at).kind is not Kind.SMTP_ROUTE:
        raise BadInput("This service takes no mail.", place="service_id")


def _sealed_login(user: str, password: str, before: dict[str, Any], binding: bytes) -> bytes:
    if not password and user == before.get("user"):
        password = before["password"]
    _check_login(user, password)
    return keys.sealer().seal(orjson.dumps({"user": user, "password": password}), binding)


def _login(row: RouteRow | StandbyRow, binding: bytes) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(keys.sealer().open(bytes(row.sealed), binding))
    return found


def _binding(route_id: UUID) -> bytes:
    return keys.binding(current_organization(), "delivery_route", route_id)


def _standby_binding(standby_id: UUID) -> bytes:
    return keys.binding(current_organization(), "delivery_standby", standby_id)


def _changed(outcome: str, service_id: UUID | None, actor: Actor, *, login: bool = False) -> None:
    audit.record(
        Action.ROUTE_CHANGE,
        actor=actor,
        object_kind="organization",
        object_id=current_organization(),
        outcome=outcome,
        details={"service": str(service_id or ""), "login": int(login)},
    )


def _record(action: Action, row: RouteRow, actor: Actor, reason: str) -> None:
    audit.record(action, actor=actor, object_kind="service", object_id=row.service_id, reason=reason)
