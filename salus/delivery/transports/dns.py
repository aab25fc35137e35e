"""Asks DNS: the port that routes use, and the adapter for the library that really asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

import dns.asyncresolver
import dns.exception
import dns.resolver
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.TXT import TXT
from dns.rdtypes.IN.A import A
from dns.rdtypes.IN.AAAA import AAAA

T = TypeVar("T")


class Failure(StrEnum):
    """Why a question has no answer."""

    NO_NAME = "no_name"
    """The name does not exist (NXDOMAIN)."""
    NO_DATA = "no_data"
    """The name exists and has no such record."""
    TROUBLE = "trouble"
    """SERVFAIL, a refusal, or signatures that do not hold: nobody knows."""
    TIMEOUT = "timeout"
    """No answer came: nobody knows."""

    @property
    def passes(self) -> bool:
        """Tell whether asking again may help."""
        return self in (Failure.TROUBLE, Failure.TIMEOUT)


class DnsFailure(Exception):
    """A question was not answered; `failure` says how."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(str(failure))


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """Records and the seconds they may be kept."""

    values: tuple[T, ...]
    ttl: float


class Dns(Protocol):
    """What routes ask of DNS; every method raises `DnsFailure`."""

    async def mail_hosts(self, domain: str) -> Answer[tuple[int, str]]:
        """Return preference and host of each MX record; the null MX has the host "."."""
        ...

    async def addresses(self, host: str) -> Answer[str]:
        """Return the IPv4 and IPv6 addresses of a host."""
        ...


class Resolver:
    """The machine's resolvers, or those that are named, through dnspython; a question takes `seconds` at most."""

    def __init__(self, seconds: float = 15.0, *, nameservers: Sequence[str] = (), port: int = 53) -> None:
        self._seconds, self._nameservers, self._port = seconds, nameservers, port
        self._resolver: dns.asyncresolver.Resolver | None = None

    async def mail_hosts(self, domain: str) -> Answer[tuple[int, str]]:
        """Return the MX records of a domain."""
        answer = await self._ask(domain, "MX")
        records = [record for record in answer if isinstance(record, MX)]
        values = tuple((record.preference, record.exchange.to_text()) for record in records)
        return Answer(values, _seconds_of(answer))

    async def addresses(self, host: str) -> Answer[str]:
        """Return the A records and after them the AAAA records of a host."""
        values: list[str] = []
        ttl, failures = float("inf"), []
        for kind in ("A", "AAAA"):
            try:
                answer = await self._ask(host, kind)
            except DnsFailure as fault:
                failures.append(fault.failure)
                continue
            ttl = min(ttl, _seconds_of(answer))
            values.extend(record.address for record in answer if isinstance(record, A | AAAA))
        if values:
            return Answer(tuple(values), ttl)
        raise DnsFailure(next((each for each in failures if each.passes), failures[0]))

    async def texts(self, name: str) -> Answer[str]:
        """Return the TXT records of a name, each with its strings joined (RFC 7208, 3.3)."""
        answer = await self._ask(name, "TXT")
        records = [record for record in answer if isinstance(record, TXT)]
        values = tuple(b"".join(record.strings).decode("ascii", "replace") for record in records)
        return Answer(values, _seconds_of(answer))

    async def _ask(self, name: str, kind: str) -> dns.resolver.Answer:
        try:
            # The trailing dot keeps the machine's search list out of it.
            return await self._machine().resolve(f"{name}.", kind, lifetime=self._seconds)
        except dns.resolver.NXDOMAIN:
            raise DnsFailure(Failure.NO_NAME) from None
        except dns.resolver.NoAnswer:
            raise DnsFailure(Failure.NO_DATA) from None
        except dns.resolver.LifetimeTimeout:
            raise DnsFailure(Failure.TIMEOUT) from None
        except (dns.exception.DNSException, OSError):
            raise DnsFailure(Failure.TROUBLE) from None

    def _machine(self) -> dns.asyncresolver.Resolver:
        """Read the machine's configuration when first asked: a laboratory has none and needs none."""
        if not self._resolver:
            self._resolver = dns.asyncresolver.Resolver(configure=not self._nameservers)
            if self._nameservers:
                self._resolver.nameservers, self._resolver.port = list(self._nameservers), self._port
        return self._resolver


def _seconds_of(answer: dns.resolver.Answer) -> float:
    return float(answer.rrset.ttl) if answer.rrset else 0.0


@dataclass(slots=True)
class FakeDns:
    """A DNS that says what a test wrote down; a `Failure` in place of records is raised."""

    mx: dict[str, list[tuple[int, str]] | Failure] = field(default_factory=dict)
    hosts: dict[str, list[str] | Failure] = field(default_factory=dict)
    txt: dict[str, list[str] | Failure] = field(default_factory=dict)
    ttl: float = 300
    asked: list[str] = field(default_factory=list)

    async def mail_hosts(self, domain: str) -> Answer[tuple[int, str]]:
        """Return what `mx` says of the domain; a domain that is only a host has no MX record."""
        self.asked.append(f"{domain} MX")
        default = Failure.NO_DATA if domain in self.hosts else Failure.NO_NAME
        return Answer(tuple(_or_raise(self.mx.get(domain, default))), self.ttl)

    async def addresses(self, host: str) -> Answer[str]:
        """Return what `hosts` says of the host."""
        self.asked.append(f"{host} A")
        return Answer(tuple(_or_raise(self.hosts.get(host, Failure.NO_NAME))), self.ttl)

    async def texts(self, name: str) -> Answer[str]:
        """Return what `txt` says of the name."""
        self.asked.append(f"{name} TXT")
        return Answer(tuple(_or_raise(self.txt.get(name, Failure.NO_NAME))), self.ttl)


def _or_raise(found: list[T] | Failure) -> list[T]:
    if isinstance(found, Failure):
        raise DnsFailure(found)
    return found
