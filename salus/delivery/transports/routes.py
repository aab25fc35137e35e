"""Where mail for a domain goes: mail hosts from DNS in their order, with every way to fail told apart."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import zip_longest
from typing import Protocol

from salus.delivery import site
from salus.delivery.addresses import ascii_domain
from salus.delivery.status import Kind, Verdict
from salus.delivery.transports.dns import Dns, DnsFailure, Failure
from salus.delivery.transports.handover import Fate, Outcome, Phase
from salus.delivery.transports.keeping import SHORTEST, Kept
from salus.kernel.errors import BadInput

PORT = 25
MAX_HOSTS = 10
MAX_ADDRESSES = 4

# Addresses that a translator turns into IPv4 (RFC 6052, RFC 8215).
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
_TRANSLATED_HERE = ipaddress.IPv6Network("64:ff9b:1::/48")


@dataclass(frozen=True, slots=True, repr=False)
class Login:
    """Who we are to a relay (RFC 4954); never said but within TLS."""

    user: str
    password: str

    def __post_init__(self) -> None:
        if any("\0" in word or not word.isprintable() for word in (self.user, self.password)):
            raise BadInput("A login is of printable characters.", place="login")


@dataclass(frozen=True, slots=True)
class Host:
    """A mail host; `address` is given when it is not to be looked up (a laboratory, a relay by number)."""

    name: str
    port: int = PORT
    address: str = ""
    within_tls: bool = False
    """TLS begins with the connection, not by STARTTLS."""
    login: Login | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Route:
    """The mail hosts of a domain in groups of equal preference, best first, and the site they are.

    A relay is ours, not the recipient's: what it cannot protect waits until it is mended.
    """

    site: str
    groups: tuple[tuple[Host, ...], ...]
    is_relay: bool = False
    is_secure: bool = False
    """Signatures in DNS prove that these are the domain's mail hosts."""


@dataclass(frozen=True, slots=True)
class NoRoute:
    """Why there is nowhere to go; `permanent` when asking again will not help."""

    reason: str
    permanent: bool

    def outcome(self, phase: Phase = Phase.ROUTE) -> Outcome:
        """Return the outcome of a message that has no way to go."""
        if not self.permanent:
            return Outcome(Fate.BROKEN, phase, self.reason)
        return Outcome(Fate.PERMANENT, phase, self.reason, verdict=Verdict(Kind.HARD, self.reason))


class Routes(Protocol):
    """Anything that knows where mail goes."""

    async def find(self, domain: str) -> Route | NoRoute:
        """Return the route for a domain in ASCII form."""
        ...

    async def addresses(self, host: Host) -> Sequence[str] | NoRoute:
        """Return the addresses of a mail host that may be connected to."""
        ...


class DnsRoutes:
    """Routes by MX records (RFC 5321 5.1, RFC 7505), kept as long as DNS allows.

    Addresses that are not public are refused unless `private` says otherwise: a mail host in DNS
    must not lead us to machines of our own network.
    """

    def __init__(
        self, dns: Dns, *, private: bool = False, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._dns, self._private, self._monotonic = dns, private, monotonic
        self._routes: Kept[Route | NoRoute] = Kept(monotonic)
        self._addresses: Kept[tuple[str, ...] | NoRoute] = Kept(monotonic)

    async def find(self, domain: str) -> Route | NoRoute:
        """Return the route for a domain in ASCII form."""
        if kept := self._routes.get(domain):
            return kept
        found, seconds = await self._ask(domain)
        self._routes.put(domain, found, seconds)
        return found

    async def addresses(self, host: Host) -> Sequence[str] | NoRoute:
        """Return the addresses of a mail host that may be connected to."""
        if kept := self._addresses.get(host.name):
            return kept
        try:
            answer = await self._dns.addresses(host.name)
        except DnsFailure as fault:
            found: tuple[str, ...] | NoRoute = _no_host(fault.failure)
            seconds = SHORTEST
        else:
            public = tuple(each for each in answer.values if self._private or is_public(each))
            found = _mixed(public)[:MAX_ADDRESSES] or NoRoute("private_address", permanent=False)
            seconds = answer.ttl
        self._addresses.put(host.name, found, seconds)
        return found

    async def _ask(self, domain: str) -> tuple[Route | NoRoute, float]:
        try:
            answer = await self._dns.mail_hosts(domain)
        except DnsFailure as fault:
            if fault.failure is Failure.NO_NAME:
                return NoRoute("no_such_domain", permanent=True), SHORTEST
            if fault.failure.passes:
                return _unknown(fault.failure), 0
            return await self._implicit(domain, fault.is_secure)
        if all(name in ("", ".") for _, name in answer.values):
            return NoRoute("domain_takes_no_mail", permanent=True), answer.ttl
        groups = _grouped(answer.values)
        if not groups:
            return NoRoute("no_mail_host", permanent=True), answer.ttl
        names = [host.name for host in groups[0]]
        return Route(site.of_hosts(names), groups, is_secure=answer.is_secure), answer.ttl

    async def _implicit(self, domain: str, is_secure: bool) -> tuple[Route | NoRoute, float]:
        """Without MX records the domain itself is the host, if it has an address (RFC 5321, 5.1)."""
        host = Host(domain)
        addresses = await self.addresses(host)
        if isinstance(addresses, NoRoute):
            return addresses, SHORTEST if addresses.permanent else 0
        return Route(site.of_hosts([domain]), ((host,),), is_secure=is_secure), SHORTEST


@dataclass(frozen=True, slots=True)
class StaticRoutes:
    """Routes that are written down: each domain has its host; "*.example.test" covers what is below.

    Only for laboratories: it goes wherever it is told, loopback included.
    """

    hosts: Mapping[str, Host] = field(default_factory=dict)

    async def find(self, domain: str) -> Route | NoRoute:
        """Return the host written down for a domain, or for a parent with a star."""
        host = self.hosts.get(domain)
        parent = domain
        while not host and parent:
            parent = parent.partition(".")[2]
            host = self.hosts.get(f"*.{parent}" if parent else "*")
        return _to_one(host) if host else NoRoute("no_such_domain", permanent=True)

    async def addresses(self, host: Host) -> Sequence[str] | NoRoute:
        """Return the address written down."""
        return (host.address,) if host.address else NoRoute("no_mail_host", permanent=True)


@lru_cache(maxsize=256)
def _to_one(host: Host) -> Route:
    return Route(site.of_hosts([host.name]), ((host,),))


def is_public(address: str) -> bool:
    """Tell whether an address is one of the public internet, also when it hides within IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo[1] if parsed.teredo else None)
        if parsed in _TRANSLATED:
            inner = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
        if parsed in _TRANSLATED_HERE:
            return False
        if inner:
            parsed = inner
    return parsed.is_global and not parsed.is_multicast


def _grouped(records: Sequence[tuple[int, str]]) -> tuple[tuple[Host, ...], ...]:
    """Return hosts by preference; names that cannot exist and repeated ones are dropped."""
    groups: dict[int, list[Host]] = {}
    seen: set[str] = set()
    for preference, name in sorted(records):
        try:
            host = ascii_domain(name)
        except BadInput:
            continue
        if host not in seen and len(seen) < MAX_HOSTS:
            seen.add(host)
            groups.setdefault(preference, []).append(Host(host))
    return tuple(tuple(group) for _, group in sorted(groups.items()))


def _no_host(failure: Failure) -> NoRoute:
    return _unknown(failure) if failure.passes else NoRoute("no_mail_host", permanent=True)


def _unknown(failure: Failure) -> NoRoute:
    return NoRoute(f"dns_{failure}", permanent=False)


def _mixed(addresses: Sequence[str]) -> tuple[str, ...]:
    """Return addresses with the two families by turns, so that one that is cut off does not hide the other."""
    families: dict[bool, list[str]] = {False: [], True: []}
    for address in addresses:
        families[":" in address].append(address)
    turns = zip_longest(families[False], families[True])
    return tuple(address for turn in turns for address in turn if address)
