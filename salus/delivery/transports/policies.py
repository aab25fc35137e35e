"""Which TLS policy holds for a domain: what was agreed with a partner, what it publishes, else the host's own certificate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from salus.delivery.protection.policy import Named, Partner, TlsPolicy
from salus.delivery.transports.routes import NoRoute, Route


class Policies(Protocol):
    """Anything that knows the TLS policy of a recipient domain.

    It is per domain, never per mail host (MTA-STS would be wrong otherwise; DANE's tells them apart within), and it
    may have to ask the network; `NoRoute` defers the message when the answer cannot be had and must not be guessed.
    """

    async def policy_for(self, domain: str, route: Route) -> TlsPolicy | NoRoute:
        """Return the policy for a domain in ASCII form, whose mail hosts are those of `route`."""
        ...


@dataclass(frozen=True, slots=True)
class PartnerPolicies:
    """Policies written down for partners' domains; every other domain has `otherwise`."""

    partners: Mapping[str, Partner] = field(default_factory=dict)
    otherwise: TlsPolicy = field(default_factory=Named)

    async def policy_for(self, domain: str, route: Route) -> TlsPolicy | NoRoute:
        """Return the partner's policy, or the one for everybody."""
        return self.partners.get(domain, self.otherwise)


@dataclass(frozen=True, slots=True)
class FoundPolicies:
    """What was agreed with a partner, else what the domain itself publishes."""

    partners: Mapping[str, Partner]
    published: Policies

    async def policy_for(self, domain: str, route: Route) -> TlsPolicy | NoRoute:
        """Return the partner's policy, or the one that was found."""
        return self.partners.get(domain) or await self.published.policy_for(domain, route)
