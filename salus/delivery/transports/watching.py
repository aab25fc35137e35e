"""Counts how TLS to recipients' domains went, for the reports that these ask for (RFC 8460); nothing of it is about a person."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from salus.delivery.contracts import TlsPath, TlsSeen
from salus.delivery.protection.dane import Dane, PerHost
from salus.delivery.protection.mta_sts import MtaSts
from salus.delivery.protection.policy import Named, Shortfall, TlsPolicy
from salus.delivery.transports.handover import Fate, HandOver, Outcome, Phase

log = logging.getLogger(__name__)

FEW: Final = 11
"""So many different recipients are told apart at one domain; how many more there are nobody counts."""
SECONDS: Final = 60.0
"""For so long counts are kept in memory only."""
MOST: Final = 2_000
"""Connections, and refusals, that are remembered so that each counts once."""
RESULTS: Final = {
    Shortfall.NO_STARTTLS: "starttls-not-supported",
    Shortfall.STARTTLS_REFUSED: "starttls-not-supported",
    Shortfall.EXPIRED: "certificate-expired",
    Shortfall.WRONG_NAME: "certificate-host-mismatch",
    Shortfall.UNTRUSTED: "certificate-not-trusted",
}
"""Result types (4.3); what is not here is a "validation-failure", with our word as its reason."""
Keep = Callable[[Sequence[TlsSeen]], Awaitable[object]]


@dataclass(slots=True)
class _Domain:
    """What was seen of one domain under one policy."""

    path: TlsPath
    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """By result type ("" for success), our reason, and mail host."""
    people: set[bytes] = field(default_factory=set)


class Watch:
    """Of one courier; `keep` is given the counts now and then, and at the end. It may fail: then they are lost."""

    def __init__(self, keep: Keep, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._keep, self._monotonic = keep, monotonic
        self._domains: dict[tuple[str, TlsPath], _Domain] = {}
        self._counted: OrderedDict[tuple[str, int], object] = OrderedDict()
        self._keeping: asyncio.Task[None] | None = None
        self._since = monotonic()

    def note(self, item: HandOver, policy: TlsPolicy, outcome: Outcome) -> None:
        """Count the session that a message was sent over, or failed to get, once for each domain."""
        found = _result(outcome)
        path = _path(policy, outcome)
        if found is None or path is None:
            return
        known = self._domains.setdefault((item.domain, path), _Domain(path))
        if len(known.people) < FEW:
            recipient = item.recipient.reveal().lower().encode()
            known.people.add(hashlib.blake2b(recipient, digest_size=8).digest())
        if self._is_new(item.domain, outcome.tls or outcome):
            known.counts[(*found, outcome.tls.host if outcome.tls else "")] += 1
        if self._keeping is None and self._monotonic() - self._since > SECONDS:
            self._keeping = asyncio.get_running_loop().create_task(self._flush())

    async def close(self) -> None:
        """Give away what was counted."""
        if self._keeping:
            await self._keeping
        await self._flush()

    def _is_new(self, domain: str, session: object) -> bool:
        """Tell whether this very connection, or refusal, was not counted for the domain yet."""
        key = domain, id(session)  # the object is held, so that no other has its id
        if key in self._counted:
            return False
        self._counted[key] = session
        if len(self._counted) > MOST:
            self._counted.popitem(last=False)
        return True

    async def _flush(self) -> None:
        domains, self._domains = self._domains, {}
        seen = [
            TlsSeen(name, each.path, dict(each.counts), frozenset(each.people))
            for (name, _), each in domains.items()
        ]
        try:
            if seen:
                await self._keep(seen)
        except Exception as fault:  # noqa: BLE001 - mail goes on without statistics, whatever it was
            log.warning("how TLS went was not counted: %s", type(fault).__name__)
        finally:
            self._since, self._keeping = self._monotonic(), None


def _result(outcome: Outcome) -> tuple[str, str] | None:
    """Return result type and reason; None for what says nothing about TLS."""
    if outcome.unprotected and outcome.phase is not Phase.ROUTE:
        reason = outcome.unprotected.reason
        if (
            reason is Shortfall.POLICY_TOO_LOW
        ):  # the connection was as the domain wants it; the message wants more
            return ("", "") if outcome.tls else None
        return RESULTS.get(reason, "validation-failure"), "" if reason in RESULTS else str(reason)
    if outcome.fate is Fate.BROKEN and outcome.reason == "policy_unknown":
        return "dnssec-invalid", ""
    return ("", "") if outcome.tls else None


def _path(policy: TlsPolicy, outcome: Outcome) -> TlsPath | None:
    """Return the policy as a report names it; None for one that was agreed in private."""
    if isinstance(policy, PerHost):
        host = outcome.tls.host if outcome.tls else ""
        of_dane = outcome.reason in (Shortfall.NO_TLSA_MATCH, "policy_unknown") or policy.is_whole
        found = policy.at_host(host) if host else None
        records = [each for _, dane in policy.hosts if dane for each in dane.records]
        if isinstance(found, Dane) or (not host and of_dane):
            lines = sorted({f"{r.usage} {r.selector} {r.matching} {r.data.hex()}" for r in records})
            return TlsPath("tlsa", tuple(lines))
        policy = found or policy.otherwise
    if isinstance(policy, MtaSts):
        return TlsPath("sts", hosts=policy.hosts)
    return TlsPath("no-policy-found") if isinstance(policy, Named) else None
