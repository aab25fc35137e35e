"""Asks DNS: the port that routes use, and the adapter for the library that really asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, Protocol, TypeVar
from urllib.parse import urlsplit

import dns.asyncresolver
import dns.exception
import dns.flags
import dns.message
import dns.resolver
import dns.reversename
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.PTR import PTR
from dns.rdtypes.ANY.TLSA import TLSA
from dns.rdtypes.ANY.TXT import TXT
from dns.rdtypes.IN.A import A
from dns.rdtypes.IN.AAAA import AAAA

from salus.delivery.protection.dane import Tlsa
from salus.kernel.errors import BadInput

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
    """A question was not answered; `failure` says how, `is_secure` that signatures prove what is not there."""

    def __init__(self, failure: Failure, *, is_secure: bool = False) -> None:
        self.failure, self.is_secure = failure, is_secure
        super().__init__(str(failure))


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """Records and the seconds they may be kept; `is_secure` when a resolver that we trust has validated them."""

    values: tuple[T, ...]
    ttl: float
    is_secure: bool = False


class Dns(Protocol):
    """What routes ask of DNS; every method raises `DnsFailure`."""

    async def mail_hosts(self, domain: str) -> Answer[tuple[int, str]]:
        """Return preference and host of each MX record; the null MX has the host "."."""
        ...

    async def addresses(self, host: str) -> Answer[str]:
        """Return the IPv4 and IPv6 addresses of a host."""
        ...


class Resolver:
    """The machine's resolvers, or those that are named, through dnspython; a question takes `seconds` at most.

    One that `validates` (DNSSEC) is believed when it says so, and must be on this machine: nothing protects
    that word on its way (RFC 7672, 2.1.1). Raises `BadInput` for another.
    """

    def __init__(
        self,
        seconds: float = 15.0,
        *,
        nameservers: Sequence[str] = (),
        port: int = 53,
        validates: bool = False,
    ) -> None:
        if validates and not (nameservers and all(each in ("127.0.0.1", "::1") for each in nameservers)):
            raise BadInput("A resolver that is trusted to validate is on this machine.", place="resolver")
        self._seconds, self._nameservers, self._port = seconds, nameservers, port
        self._validates = validates
        self._resolver: dns.asyncresolver.Resolver | None = None

    async def mail_hosts(self, domain: str) -> Answer[tuple[int, str]]:
        """Return the MX records of a domain."""
        answer = await self._ask(domain, "MX")
        records = [record for record in answer if isinstance(record, MX)]
        values = tuple((record.preference, record.exchange.to_text()) for record in records)
        return Answer(values, _seconds_of(answer), self._is_secure(answer.response))

    async def addresses(self, host: str) -> Answer[str]:
        """Return the A records and after them the AAAA records of a host."""
        values: list[str] = []
        ttl, failures, secure = float("inf"), [], []
        for kind in ("A", "AAAA"):
            try:
                answer = await self._ask(host, kind)
            except DnsFailure as fault:
                failures.append(fault.failure)
                if not fault.failure.passes:
                    secure.append(fault.is_secure)
                continue
            secure.append(self._is_secure(answer.response))
            ttl = min(ttl, _seconds_of(answer))
            values.extend(record.address for record in answer if isinstance(record, A | AAAA))
        if values:
            return Answer(tuple(values), ttl, all(secure))
        raise DnsFailure(next((each for each in failures if each.passes), failures[0]))

    async def texts(self, name: str) -> Answer[str]:
        """Return the TXT records of a name, each with its strings joined (RFC 7208, 3.3)."""
        answer = await self._ask(name, "TXT")
        records = [record for record in answer if isinstance(record, TXT)]
        values = tuple(b"".join(record.strings).decode("ascii", "replace") for record in records)
        return Answer(values, _seconds_of(answer))

    async def pointers(self, address: str) -> Answer[str]:
        """Return the names that an address has (PTR); raises `BadInput` for what is none."""
        try:
            name = dns.reversename.from_address(address).to_text()
        except (dns.exception.SyntaxError, ValueError):
            raise BadInput("This is no address.", place="address") from None
        answer = await self._ask(name.removesuffix("."), "PTR")
        records = [record for record in answer if isinstance(record, PTR)]
        return Answer(tuple(record.target.to_text() for record in records), _seconds_of(answer))

    async def tlsa(self, host: str) -> Answer[Tlsa]:
        """Return the TLSA records for SMTP of a mail host (RFC 7672, 2.2.3)."""
        answer = await self._ask(f"_25._tcp.{host}", "TLSA")
        records = [record for record in answer if isinstance(record, TLSA)]
        values = tuple(Tlsa(each.usage, each.selector, each.mtype, each.cert) for each in records)
        return Answer(values, _seconds_of(answer), self._is_secure(answer.response))

    async def validates(self, name: str = ".") -> bool:
        """Tell whether the resolver validates: whether it vouches for `name`, which is signed. Raises `DnsFailure`."""
        return self._is_secure((await self._ask(name.removesuffix("."), "SOA")).response)

    def _is_secure(self, response: dns.message.Message) -> bool:
        return self._validates and bool(response.flags & dns.flags.AD)

    async def _ask(self, name: str, kind: str) -> dns.resolver.Answer:
        try:
            # The trailing dot keeps the machine's search list out of it.
            return await self._machine().resolve(f"{name}.", kind, lifetime=self._seconds)
        except dns.resolver.NXDOMAIN as fault:
            secure = all(self._is_secure(each) for each in fault.responses().values())  # type: ignore[no-untyped-call]
            raise DnsFailure(Failure.NO_NAME, is_secure=secure) from None
        except dns.resolver.NoAnswer as fault:
            secure = self._is_secure(fault.response())  # type: ignore[no-untyped-call]
            raise DnsFailure(Failure.NO_DATA, is_secure=secure) from None
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
            if self._validates:
                self._resolver.flags = dns.flags.RD | dns.flags.AD  # asks for the word (RFC 6840, 5.7)
        return self._resolver


def resolver_at(address: str) -> Resolver:
    """Return the resolver at `address` of this machine ("127.0.0.1:53"), which is trusted to validate; "": the machine's own.

    Raises `BadInput` for an address elsewhere, or none.
    """
    if not address:
        return Resolver()
    try:
        parts = urlsplit(f"//{address}")
        return Resolver(nameservers=[parts.hostname or ""], port=parts.port or 53, validates=True)
    except ValueError:
        raise BadInput("This is no address of a resolver.", place="resolver") from None


def _seconds_of(answer: dns.resolver.Answer) -> float:
    return float(answer.rrset.ttl) if answer.rrset else 0.0


@dataclass(slots=True)
class FakeDns:
    """A DNS that says what a test wrote down; a `Failure` in place of records is raised."""

    mx: dict[str, list[tuple[int, str]] | Failure] = field(default_factory=dict)
    hosts: dict[str, list[str] | Failure] = field(default_factory=dict)
    txt: dict[str, list[str] | Failure] = field(default_factory=dict)
    tlsas: dict[str, list[Tlsa] | Failure] = field(default_factory=dict)
    insecure: set[str] = field(default_factory=set)
    """What its signatures do not cover, by question ("mx.example A")."""
    ttl: float = 300
    asked: list[str] = field(default_factory=list)

    async def mail_hosts(self, domain: str) -> Answer[tuple[int, str]]:
        """Return what `mx` says of the domain; a domain that is only a host has no MX record."""
        secure = self._ask(f"{domain} MX")
        default = Failure.NO_DATA if domain in self.hosts else Failure.NO_NAME
        return Answer(tuple(_or_raise(self.mx.get(domain, default), secure)), self.ttl, secure)

    async def addresses(self, host: str) -> Answer[str]:
        """Return what `hosts` says of the host."""
        secure = self._ask(f"{host} A")
        return Answer(tuple(_or_raise(self.hosts.get(host, Failure.NO_NAME), secure)), self.ttl, secure)

    async def texts(self, name: str) -> Answer[str]:
        """Return what `txt` says of the name."""
        secure = self._ask(f"{name} TXT")
        return Answer(tuple(_or_raise(self.txt.get(name, Failure.NO_NAME), secure)), self.ttl, secure)

    async def tlsa(self, host: str) -> Answer[Tlsa]:
        """Return what `tlsas` says of the host."""
        secure = self._ask(f"{host} TLSA")
        return Answer(tuple(_or_raise(self.tlsas.get(host, Failure.NO_NAME), secure)), self.ttl, secure)

    def _ask(self, question: str) -> bool:
        self.asked.append(question)
        return question not in self.insecure


def _or_raise(found: list[T] | Failure, secure: bool) -> list[T]:
    if isinstance(found, Failure):
        raise DnsFailure(found, is_secure=secure and not found.passes)
    return found
