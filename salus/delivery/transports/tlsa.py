"""Finds whether DANE binds the mail hosts of a domain, from a resolver that validates (RFC 7672, 2)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from salus.delivery.protection.dane import TRUST_ANCHOR, Dane, PerHost, Tlsa
from salus.delivery.protection.policy import TlsPolicy
from salus.delivery.transports.dns import Answer, DnsFailure
from salus.delivery.transports.keeping import LONGEST, Kept
from salus.delivery.transports.policies import Policies
from salus.delivery.transports.routes import NoRoute, Route


class SecureDns(Protocol):
    """What is asked of DNS here; both methods raise `DnsFailure`."""

    async def addresses(self, host: str) -> Answer[str]:
        """Return the addresses of a host."""
        ...

    async def tlsa(self, host: str) -> Answer[Tlsa]:
        """Return the TLSA records for SMTP of a host."""
        ...


@dataclass(frozen=True, slots=True)
class _Found:
    """What is known of one host: a policy, `unknown` now, `gone` (no address), or not bound by DANE."""

    policy: Dane | None = None
    unknown: bool = False
    gone: bool = False
    seconds: float = LONGEST


class DanePolicies:
    """DANE where a domain's mail hosts have it, else and for other hosts what `otherwise` says of the domain."""

    def __init__(
        self, dns: SecureDns, otherwise: Policies, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._dns, self._otherwise = dns, otherwise
        self._found: Kept[tuple[tuple[str, _Found], ...]] = Kept(monotonic)

    async def policy_for(self, domain: str, route: Route) -> TlsPolicy | NoRoute:
        """Return the policy for a domain; without secure MX records there is no DANE (2.2.1)."""
        otherwise = await self._otherwise.policy_for(domain, route)
        if isinstance(otherwise, NoRoute) or not route.is_secure:
            return otherwise
        hosts = tuple(host.name for group in route.groups for host in group)
        name = ",".join((domain, *hosts))
        found = await self._found.find(name, lambda: self._ask(domain, hosts))
        bound = tuple((host, each.policy) for host, each in found if each.policy or each.unknown)
        if not bound:
            return otherwise
        reachable = [host for host, each in found if not each.gone]
        return PerHost(bound, otherwise, is_whole=len(bound) == len(reachable))

    async def _ask(self, domain: str, hosts: tuple[str, ...]) -> tuple[tuple[tuple[str, _Found], ...], float]:
        found = await asyncio.gather(*(self._host(domain, host) for host in hosts))
        seconds = 0.0 if any(each.unknown for each in found) else min(each.seconds for each in found)
        return tuple(zip(hosts, found, strict=True)), seconds

    async def _host(self, domain: str, host: str) -> _Found:
        try:
            addresses = await self._dns.addresses(host)
        except DnsFailure as fault:
            return _Found(unknown=fault.failure.passes, gone=not fault.failure.passes)
        if not addresses.is_secure:
            return _Found(seconds=addresses.ttl)
        try:
            answer = await self._dns.tlsa(host)
        except DnsFailure as fault:
            return _Found(unknown=fault.failure.passes, seconds=addresses.ttl)
        seconds = min(addresses.ttl, answer.ttl)
        records = tuple(sorted((each for each in answer.values if each.usable), key=_order))
        if not answer.is_secure or not records:
            return _Found(seconds=seconds)
        anchored = any(each.usage == TRUST_ANCHOR for each in records)
        return _Found(Dane(records, (host, domain) if anchored else ()), seconds=seconds)


def _order(record: Tlsa) -> tuple[int, int, int, bytes]:
    """Order records, so that the same ones are the same policy however DNS turns them."""
    return record.usage, record.selector, record.matching, record.data
