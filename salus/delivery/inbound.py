"""The process that takes what comes back: bounces by their return path, complaints by feedback loops."""

from __future__ import annotations

import asyncio
import logging
import ssl
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from django.db import close_old_connections

from salus.delivery import returns
from salus.delivery.arf import Complaint
from salus.delivery.contracts import Returned
from salus.delivery.ports import report_came
from salus.delivery.protection.authority import Authority
from salus.delivery.receiving import Receiver
from salus.delivery.return_paths import COMPLAINTS, REPORTS, message_of
from salus.delivery.threads import Threads
from salus.identity import api as identity
from salus.kernel.acting import system
from salus.kernel.errors import NotFound, Unavailable
from salus.kernel.time import Clock, SystemClock
from salus.keys import api as keys
from salus.platform import smtp
from salus.platform.tenancy import acting_for

log = logging.getLogger(__name__)

THREADS = 2
SAID_EVERY = 300.0
"""Seconds between two lines of the log that say what came."""
_REPLIES = {
    Returned.UNREADABLE: "554 5.6.0 This report cannot be read",
    Returned.NOT_A_REPORT: "550 5.7.1 This address takes delivery reports only: write to the sender of the message",
}
"""What is refused; everything else has its outcome here and is taken."""


@dataclass(frozen=True, slots=True)
class Meant:
    """Whose recipient was named; `message_id` is None for the addresses of feedback loops and of reports."""

    organization_id: UUID
    domain: str
    message_id: UUID | None
    is_for_reports: bool = False
    """It takes what others report of the domain, not of one message."""


class Inbound:
    """Looks up recipients and records what comes for them, in a few threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._threads = clock, Threads(THREADS, "inbound")
        self.came: Counter[Returned] = Counter()

    async def known(self, recipient: str) -> Meant | None:
        """Return what a recipient means, None when it is not ours or its token is forged."""
        return await self._threads.run(self._known, recipient)

    async def take(self, meant: Meant, raw: bytes) -> str:
        """Record what came and return the reply; it is in the database before the 250 is said."""
        became = await self._threads.run(self._record, meant, raw)
        self.came[became] += 1
        return _REPLIES.get(became, "250 2.0.0 Ok")

    def end(self) -> None:
        """Wait for what is under way, and say what came."""
        self._threads.end()
        self.say()

    def say(self) -> None:
        """Write down how much of what came; no more is known of it here."""
        if self.came:
            log.info("came back: %s", ", ".join(f"{count} {what}" for what, count in self.came.items()))
            self.came.clear()

    def _known(self, recipient: str) -> Meant | None:
        close_old_connections()
        local, _, domain = recipient.lower().rpartition("@")
        away: Unavailable | None = None
        for organization in identity.organizations():
            if organization.sending_domain == domain:
                if local in REPORTS:
                    return Meant(organization.id, domain, None, is_for_reports=True)
                if local == COMPLAINTS:
                    return Meant(organization.id, domain, None)
                try:
                    with acting_for(organization.id):
                        message_id = message_of(local, keys.blinder())
                except NotFound:  # its keys were destroyed: nothing comes back to it any more
                    continue
                except Unavailable as fault:  # it may be meant, unless another one is
                    away = fault
                    continue
                if message_id is not None:
                    return Meant(organization.id, domain, message_id)
        if away:
            raise away
        return None

    def _record(self, meant: Meant, raw: bytes) -> Returned:
        close_old_connections()
        if meant.is_for_reports:
            with acting_for(meant.organization_id):
                return report_came(raw, self._clock.now())
        found = returns.read(raw)
        if meant.message_id is None:
            if not isinstance(found, Complaint):
                return Returned.NOT_A_REPORT
            proven = self._complained_about(found, meant.domain)
            if proven is None:
                return Returned.GONE
            meant = proven
        assert meant.message_id is not None
        actor = system(meant.organization_id, "inbound")
        with acting_for(meant.organization_id):
            return returns.record(meant.message_id, found, actor=actor, at=self._clock.now())

    def _complained_about(self, found: Complaint, domain: str) -> Meant | None:
        """Return the message that a report proves to have seen, by the return path of ours that it quotes."""
        ours = (self._known(each) for each in found.return_paths if each.rpartition("@")[2] == domain)
        return next((each for each in ours if each and each.message_id), None)


def context(host: str, certificate: Path | None, key: Path | None) -> ssl.SSLContext:
    """Return TLS 1.2 or newer with this certificate; without one, with one that nobody vouches for.

    Hosts that return mail verify nothing, but what they return is then not in clear.
    """
    if certificate is not None:
        return smtp.context(certificate, key)
    issued = Authority(datetime.now(UTC)).self_signed([host])
    with tempfile.TemporaryDirectory(prefix="salus-inbound-") as folder:  # the library reads files only
        made_certificate, made_key = Path(folder) / "certificate.pem", Path(folder) / "key.pem"
        made_key.touch(mode=0o600)
        made_certificate.write_bytes(issued.certificate)
        made_key.write_bytes(issued.key)
        return smtp.context(made_certificate, made_key)


def run_inbound(
    listen: str, host: str, *, certificate: Path | None, key: Path | None, say: Callable[[str], None]
) -> None:
    """Take what comes back until SIGTERM or SIGINT; `listen` is "address:port", `host` what we call ourselves.

    `say` is told once where it listens.
    """
    asyncio.run(_run(listen, host, context(host, certificate, key), say))


async def _run(listen: str, host: str, tls: ssl.SSLContext, say: Callable[[str], None]) -> None:
    over = smtp.told_to_end()
    inbound = Inbound(SystemClock())
    receiver = Receiver(host, inbound.known, inbound.take, tls=tls)
    server = await receiver.listen(listen)
    where = server.sockets[0].getsockname()
    say(f"Takes what comes back on {where[0]}:{where[1]}")
    while not over.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), SAID_EVERY)
        inbound.say()
    server.close()
    await receiver.close()
    inbound.end()
