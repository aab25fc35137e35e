"""Finds the MTA-STS policy of a recipient domain: the record in DNS, the file by HTTPS, and what was kept of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from salus.delivery.protection.mta_sts import Mode, MtaSts, Published, policy_id, read
from salus.delivery.protection.policy import Named, TlsPolicy
from salus.delivery.transports.dns import Answer, DnsFailure
from salus.delivery.transports.fetch import Fetch, Request
from salus.delivery.transports.keeping import Kept
from salus.delivery.transports.routes import NoRoute, Route
from salus.kernel.errors import BadInput

LONGEST: Final = 64 * 1024
"""Octets in a policy's file (RFC 8461, 3.2)."""
REFRESH: Final = timedelta(days=1)
"""After it a policy is fetched anew though its id is the same, so that nobody who blocks DNS for a while outlasts it (10.2)."""
AGAIN: Final = 300.0
"""Seconds after which what could not be had is asked for again (3.3: five minutes)."""


@dataclass(frozen=True, slots=True)
class KeptPolicy:
    """A policy under the id that DNS had, and when it was fetched."""

    id: str
    published: Published
    fetched_at: datetime

    @property
    def expires_at(self) -> datetime:
        """Return until when it holds."""
        return self.fetched_at + timedelta(seconds=self.published.max_age)


class StoreAway(Exception):
    """What is kept cannot be read now: nobody knows what the domain demands."""


class Store(Protocol):
    """Where policies are kept across senders and their lives; both methods may raise `StoreAway`."""

    async def get(self, domain: str) -> KeptPolicy | None:
        """Return what is kept of a domain, expired or not."""
        ...

    async def put(self, domain: str, kept: KeptPolicy) -> None:
        """Keep a policy in place of the one before."""
        ...


class Texts(Protocol):
    """Anything that asks DNS for texts; raises `DnsFailure`."""

    async def texts(self, name: str) -> Answer[str]:
        """Return the TXT records of a name."""
        ...


class StsPolicies:
    """The TLS policies that domains publish; a domain without one that is enforced has `otherwise`.

    `port` is another than 443 in a laboratory only.
    """

    def __init__(
        self,
        dns: Texts,
        fetch: Fetch,
        store: Store,
        now: Callable[[], datetime],
        *,
        otherwise: Named | None = None,
        port: int = 443,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._dns, self._fetch, self._store, self._now = dns, replace(fetch, longest=LONGEST), store, now
        self._otherwise, self._port = otherwise or Named(), port
        self._found: Kept[TlsPolicy] = Kept(monotonic)

    async def policy_for(self, domain: str, route: Route) -> TlsPolicy | NoRoute:
        """Return what holds for a recipient domain in ASCII form; never for its mail hosts' domain (5)."""
        try:
            return await self._found.find(domain, lambda: self._policy(domain))
        except StoreAway:
            return NoRoute("policy_unknown", permanent=False)

    async def _policy(self, domain: str) -> tuple[TlsPolicy, float]:
        kept, seconds = await self._present(domain)
        if kept is None or kept.published.mode is not Mode.ENFORCE:
            return self._otherwise, seconds
        left = (kept.expires_at - self._now()).total_seconds()
        return MtaSts(kept.published.hosts, self._otherwise.authorities), min(seconds, left)

    async def _present(self, domain: str) -> tuple[KeptPolicy | None, float]:
        """Return the policy that holds now; one that is kept holds, whatever DNS says, until it expires (3.3, 5.1)."""
        kept, now = await self._store.get(domain), self._now()
        if kept and kept.expires_at <= now:
            kept = None
        try:
            answer = await self._dns.texts(f"_mta-sts.{domain}")
        except DnsFailure:
            return kept, AGAIN
        wanted = policy_id(answer.values)
        if not wanted or (kept and kept.id == wanted and now - kept.fetched_at < REFRESH):
            return kept, answer.ttl
        published = await self._file(domain, now)
        if published is None:
            return kept, AGAIN
        kept = KeptPolicy(wanted, published, now)
        await self._store.put(domain, kept)
        return kept, answer.ttl

    async def _file(self, domain: str, now: datetime) -> Published | None:
        """Return the policy's file; a redirect, another kind than text, or what is no policy is nothing (3.3)."""
        port = "" if self._port == 443 else f":{self._port}"
        url = f"https://mta-sts.{domain}{port}/.well-known/mta-sts.txt"
        fetched = await self._fetch.fetch(Request(url, now, accept="text/plain"))
        if fetched.status != 200 or fetched.kind != "text/plain":
            return None
        try:
            return read(fetched.body)
        except BadInput:
            return None
