"""What a sender keeps for each organization and each way of its mail: who builds messages, and the courier that takes them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from salus.delivery.building import Builder
from salus.delivery.protection.dkim import Signer
from salus.delivery.rechecking import Recheck
from salus.delivery.routing import Way
from salus.delivery.transports.courier import Courier
from salus.delivery.transports.handover import Recheck as WireRecheck
from salus.identity.contracts import Organization
from salus.kernel.time import Clock
from salus.keys import api as keys


class MakeCourier(Protocol):
    """Looks up an organization's routes and policies, and returns what makes its courier from them."""

    def __call__(
        self, organization_id: UUID, standby: Way | None = None, /
    ) -> Callable[[WireRecheck], Courier]:
        """Return it for the organization's usual way, or for a relay that is kept ready."""
        ...


@dataclass(slots=True)
class Desk:
    """One way of one organization's mail."""

    builder: Builder
    courier: Courier


class Desks:
    """All desks of a sender; `in_thread` runs what couriers ask of the database."""

    def __init__(
        self, make_courier: MakeCourier, in_thread: Callable[..., Awaitable[Any]], clock: Clock
    ) -> None:
        self._make_courier, self._in_thread, self._clock = make_courier, in_thread, clock
        self._found: dict[tuple[UUID, Way | None], tuple[Builder, Callable[[WireRecheck], Courier]]] = {}
        self._open: dict[tuple[UUID, Way | None], Desk] = {}

    def look_up(self, organization: Organization, way: Way | None) -> None:
        """Find what a desk needs; called in a thread, in the organization's context."""
        if (organization.id, way) in self._found:
            return
        domain = organization.sending_domain
        builder = Builder(organization, Signer(domain, keys.dkim_keys(domain)), keys.blinder())
        made = (
            self._make_courier(organization.id, way)
            if way and way.name
            else self._make_courier(organization.id)
        )
        self._found[organization.id, way] = builder, made

    def open(self, organization_id: UUID, way: Way | None) -> Desk:
        """Return the desk, its courier made in the event loop that it belongs to, from what was looked up before."""
        if (organization_id, way) not in self._open:
            builder, make = self._found[organization_id, way]
            recheck = Recheck(self._in_thread, organization_id, self._clock, way)
            self._open[organization_id, way] = Desk(builder, make(recheck))
        return self._open[organization_id, way]

    async def close(self) -> None:
        """Let couriers finish what is under way; what waits for a connection is given back."""
        for desk in self._open.values():
            await desk.courier.close()
