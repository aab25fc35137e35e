"""The SMTP client: a session in clear can only ask for TLS; the one that sends exists only within TLS.

The two are different types on purpose. `PlainSession` has no method that writes an address or a
message, and `ProtectedSession` is made in one place, after a handshake that the policy accepted.
"""

from __future__ import annotations

import asyncio
import base64
import errno
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import NoReturn

from salus.delivery.protection import tls
from salus.delivery.protection.policy import Shortfall, TlsFacts, TlsPolicy
from salus.delivery.status import Kind, Verdict
from salus.delivery.transports.handover import Fate, HandOver, Outcome, Phase, Recheck, broken, unprotected
from salus.delivery.transports.lines import Closed, Lines
from salus.delivery.transports.replies import Heard
from salus.delivery.transports.routes import Login
from salus.delivery.transports.settings import WireSettings
from salus.kernel.vocabulary import Protection

_BLOCK = 64 * 1024


class Ended(Exception):
    """A session ended before it could send; `outcome` says why."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        super().__init__(outcome.reason)


async def open_session(
    host: str,
    address: str,
    port: int,
    *,
    policy: TlsPolicy,
    settings: WireSettings,
    at: datetime,
    within_tls: bool = False,
    login: Login | None = None,
    source: str = "",
    refused: Callable[[Heard], None] = lambda _: None,
) -> ProtectedSession:
    """Connect to a mail host and return the session once `policy` is met. Raises `Ended`.

    `at` is the present moment, for the dates of certificates. `within_tls` begins with the handshake (RFC
    8314, 3.3); a `login` is said when the session is protected, and not before. `source` is the address of
    this machine to leave from ("" for whichever it takes); `refused` hears every refusal.
    """
    found = policy.at_host(host)
    if found is None:
        raise Ended(broken(Phase.CONNECT, "policy_unknown"))
    policy = found
    if not policy.allows_host(host):
        raise Ended(unprotected(Phase.CONNECT, Shortfall.HOST_NOT_ALLOWED))
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(settings.timeouts.connect):
            _, lines = await loop.create_connection(
                lambda: Lines(settings.limits, refused),
                address,
                port,
                local_addr=(source, 0) if source else None,
            )
    except TimeoutError:
        raise Ended(broken(Phase.CONNECT, "timeout")) from None
    except OSError as fault:
        ours = source and fault.errno == errno.EADDRNOTAVAIL
        raise Ended(broken(Phase.CONNECT, "source_unavailable" if ours else "unreachable")) from None
    plain = PlainSession(lines, host, settings)
    try:
        return await _protected(plain, policy, at, within_tls, login)
    except BaseException:
        lines.end("ended")
        raise


async def _protected(
    plain: PlainSession, policy: TlsPolicy, at: datetime, within_tls: bool, login: Login | None
) -> ProtectedSession:
    if within_tls:
        session = await plain.wrap(policy, at)
    else:
        await plain.greet()
        session = await plain.secure(policy, at)
    if login:
        await session.log_in(login)
    return session


class PlainSession:
    """A connection in clear: it hears the greeting and asks for TLS. It cannot send a message."""

    def __init__(self, lines: Lines, host: str, settings: WireSettings) -> None:
        self._lines, self._host, self._settings = lines, host, settings

    async def greet(self) -> None:
        """Hear the greeting. Raises `Ended` when the host does not want us now."""
        heard = await self._ask(Phase.GREETING, b"", self._settings.timeouts.greeting)
        if heard.kind != 2:
            # 5xx in a greeting is about this host and hour, not about the address: try again (as Postfix).
            raise Ended(_refused(Phase.GREETING, heard, fate=Fate.TEMPORARY))

    async def wrap(self, policy: TlsPolicy, at: datetime) -> ProtectedSession:
        """Begin with TLS and return the session within, when `policy` is met. Raises `Ended`."""
        session = ProtectedSession(self._lines, await self._handshake(policy, at), self._settings)
        await self.greet()
        await session.introduce()
        return session

    async def secure(self, policy: TlsPolicy, at: datetime) -> ProtectedSession:
        """Go over to TLS and return the session within, when `policy` is met. Raises `Ended`."""
        timeouts = self._settings.timeouts
        heard = await self._ask(Phase.HELLO, _hello(self._settings), timeouts.hello)
        if heard.kind == 4:
            raise Ended(_refused(Phase.HELLO, heard))
        if heard.kind != 2 or "STARTTLS" not in _extensions(heard):
            await self._leave(Shortfall.NO_STARTTLS)
        heard = await self._ask(Phase.STARTTLS, b"STARTTLS\r\n", timeouts.hello)
        if heard.kind != 2:
            await self._leave(Shortfall.STARTTLS_REFUSED)
        if not self._lines.quiet:
            # Octets after that reply were sent in clear, by whoever sits between (CVE-2021-38371 and kin).
            if self._lines.over in ("closed", "reset"):
                raise Ended(broken(Phase.STARTTLS, self._lines.over))
            raise Ended(unprotected(Phase.STARTTLS, Shortfall.INJECTED))
        facts = await self._handshake(policy, at)
        session = ProtectedSession(self._lines, facts, self._settings)
        await session.introduce()
        return session

    async def _handshake(self, policy: TlsPolicy, at: datetime) -> TlsFacts:
        seconds = self._settings.timeouts.handshake
        context = tls.client_context(policy.trust)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds):
                transport = await loop.start_tls(
                    self._lines.transport,
                    self._lines,
                    context,
                    server_hostname=self._host,
                    ssl_handshake_timeout=seconds + 5,
                    ssl_shutdown_timeout=self._settings.timeouts.quit,
                )
        except TimeoutError:
            raise Ended(broken(Phase.HANDSHAKE, "timeout")) from None
        except ssl.SSLError as fault:
            raise Ended(unprotected(Phase.HANDSHAKE, tls.shortfall_of(fault))) from None
        except OSError:
            short = Shortfall.HANDSHAKE_FAILED
            raise Ended(unprotected(Phase.HANDSHAKE, short)) from None
        if transport is None:
            raise Ended(broken(Phase.HANDSHAKE, "closed"))
        self._lines.adopt(transport)
        found = tls.examine(transport.get_extra_info("ssl_object"), self._host, policy, at)
        if isinstance(found, Shortfall):
            raise Ended(unprotected(Phase.HANDSHAKE, found))
        return found

    async def _ask(self, phase: Phase, command: bytes, seconds: float) -> Heard:
        return await _ask(self._lines, phase, command, seconds)

    async def _leave(self, reason: Shortfall) -> NoReturn:
        """Say good-bye in clear and end: a host without TLS hears nothing else from us."""
        await _say_goodbye(self._lines, self._settings)
        raise Ended(unprotected(Phase.STARTTLS, reason))


class ProtectedSession:
    """A session within TLS that its policy accepted; it sends one message after the other.

    It is `usable` until a time-out, a fault or a 421: then it is thrown away, never repaired.
    """

    def __init__(self, lines: Lines, facts: TlsFacts, settings: WireSettings) -> None:
        self._lines, self.tls, self._settings = lines, facts, settings
        self._extensions: Mapping[str, str] = {}
        self._spoiled = False
        # A transaction was begun and not ended: the peer must forget it first. A final dot ends one (RFC 5321, 4.1.1.4).
        self._is_open = False
        self._phase = Phase.MAIL
        self.sent = 0
        self._demand_tls()

    @property
    def usable(self) -> bool:
        """Tell whether another message may be sent here."""
        return not self._spoiled and self._lines.quiet

    async def introduce(self) -> None:
        """Say EHLO anew: nothing that was said in clear counts (RFC 3207, 4.2). Raises `Ended`."""
        seconds = self._settings.timeouts.hello
        heard = await _ask(self._lines, Phase.HELLO, _hello(self._settings), seconds, self.tls)
        if heard.kind != 2:
            raise Ended(_refused(Phase.HELLO, heard, self.tls, fate=Fate.TEMPORARY))
        self._extensions = _extensions(heard)

    async def log_in(self, login: Login) -> None:
        """Say who we are (AUTH PLAIN, RFC 4616). Raises `Ended`: without a login that is taken nothing goes."""
        self._demand_tls()
        if "PLAIN" not in self._extensions.get("AUTH", "").split():
            raise Ended(broken(Phase.LOGIN, "no_login_offered", self.tls))
        said = base64.b64encode(f"\0{login.user}\0{login.password}".encode()).decode()
        heard = await _ask(
            self._lines,
            Phase.LOGIN,
            f"AUTH PLAIN {said}\r\n".encode(),
            self._settings.timeouts.hello,
            self.tls,
        )
        if heard.kind != 2:
            raise Ended(broken(Phase.LOGIN, "login_refused", self.tls))

    async def deliver(self, item: HandOver, recheck: Recheck) -> Outcome:
        """Hand one message over and return what became of it. Never raises for what the peer does."""
        if item.floor > self.tls.level:
            return unprotected(Phase.MAIL, Shortfall.POLICY_TOO_LOW, self.tls)
        if refusal := self._cannot_carry(item):
            return refusal
        if time.monotonic() - item.checked_at > self._settings.fresh and not await recheck(item):
            return Outcome(Fate.WITHDRAWN, Phase.QUEUE, "changed", tls=self.tls)
        if time.monotonic() + self._settings.timeouts.transaction > item.lease_until:
            return broken(Phase.QUEUE, "lease_ends", self.tls)
        try:
            return await self._transact(item)
        except Closed as fault:
            self._spoiled = True
            fate = Fate.UNCERTAIN if self._phase is Phase.DOT else Fate.BROKEN
            return Outcome(fate, self._phase, str(fault), tls=self.tls)
        except BaseException:
            self._spoiled = True
            raise

    async def quit(self) -> None:
        """End the session politely, within the time-out for it."""
        if self.usable:
            await _say_goodbye(self._lines, self._settings)
        self._spoiled = True
        self._lines.end("ended")

    def _requires_tls(self, item: HandOver) -> bool:
        """Tell whether the host is held to TLS on the way on: it offers that, and proved to be the domain's (RFC 8689, 4.2.1)."""
        return item.has_phi and "REQUIRETLS" in self._extensions and self.tls.level >= Protection.VERIFIED

    def _cannot_carry(self, item: HandOver) -> Outcome | None:
        """Return the refusal of a message that this host says it cannot take, before it is offered."""
        data, size = item.data.reveal(), self._extensions.get("SIZE", "")
        reason = ""
        if size.isdecimal() and 0 < int(size[:12]) < len(data):
            reason = "too_large"
        elif not item.recipient.reveal().isascii() and "SMTPUTF8" not in self._extensions:
            reason = "needs_smtputf8"
        elif not data.isascii() and "8BITMIME" not in self._extensions:
            reason = "needs_8bitmime"
        if not reason:
            return None
        verdict = Verdict(Kind.MESSAGE, reason)
        return Outcome(Fate.PERMANENT, Phase.MAIL, reason, verdict=verdict, tls=self.tls)

    async def _transact(self, item: HandOver) -> Outcome:
        self._demand_tls()
        steps = self._steps(item)
        self._phase = Phase.MAIL
        pipelined = "PIPELINING" in self._extensions
        if pipelined:
            self._lines.write(b"".join(command for _, command, _ in steps))
        refused: Outcome | None = None
        heard: Heard | None = None
        for phase, command, seconds in steps:
            self._phase = phase
            if not pipelined:
                if refused:
                    return refused
                self._lines.write(command)
            heard = await self._lines.reply(seconds)
            if heard.kind != (3 if phase is Phase.DATA else 2):
                refused = refused or self._refusal(heard)
                if self._spoiled:
                    return refused
        if not refused:
            sent = await self._send(_stuffed(item.data.reveal()), item.lease_until)
            is_held = sent.fate is Fate.ACCEPTED and self._requires_tls(item)
            return replace(sent, requires_tls=True) if is_held else sent
        if heard and heard.kind == 3:
            await self._send_nothing()
        return refused

    def _steps(self, item: HandOver) -> list[tuple[Phase, bytes, float]]:
        timeouts, data = self._settings.timeouts, item.data.reveal()
        mail = f"MAIL FROM:<{item.envelope_from}>"
        if "SIZE" in self._extensions:
            mail += f" SIZE={len(data)}"
        if not data.isascii():
            mail += " BODY=8BITMIME"
        if not item.recipient.reveal().isascii():
            mail += " SMTPUTF8"
        if self._requires_tls(item):
            mail += " REQUIRETLS"
        steps = [
            (Phase.MAIL, f"{mail}\r\n".encode(), timeouts.mail),
            (Phase.RCPT, f"RCPT TO:<{item.recipient.reveal()}>\r\n".encode(), timeouts.rcpt),
            (Phase.DATA, b"DATA\r\n", timeouts.data),
        ]
        if self._is_open:
            steps.insert(0, (Phase.MAIL, b"RSET\r\n", timeouts.mail))
        self._is_open = True
        self.sent += 1
        return steps

    async def _send(self, stuffed: bytes, lease_until: float) -> Outcome:
        """Send the message and hear the reply to its final dot; from the last block on, fate is open.

        A peer that reads slowly is given up while its reply can still come before `lease_until`: later, another
        sender might have begun with the message.
        """
        timeouts = self._settings.timeouts
        self._phase = Phase.BLOCK
        end = max(0, len(stuffed) - _BLOCK)
        until = lease_until - timeouts.block - timeouts.dot
        for start in range(0, end, _BLOCK):
            self._lines.write(stuffed[start : min(start + _BLOCK, end)])
            await self._lines.drain(min(timeouts.block, max(0.0, until - time.monotonic())))
        if time.monotonic() > until:
            self._lines.end("timeout")
        if self._lines.over:
            raise Closed(self._lines.over)
        self._phase = Phase.DOT
        self._lines.write(stuffed[end:] + b".\r\n")
        await self._lines.drain(timeouts.block)
        heard = await self._lines.reply(timeouts.dot)
        self._is_open = False
        if heard.kind == 2:
            return Outcome(Fate.ACCEPTED, Phase.DOT, "accepted", heard.reply(), tls=self.tls)
        return self._refusal(heard)

    async def _send_nothing(self) -> None:
        """Close a DATA that was let in though the recipient was not (RFC 2920, 3.1)."""
        self._lines.write(b".\r\n")
        try:
            await self._lines.reply(self._settings.timeouts.dot)
        except Closed:
            self._spoiled = True

    def _refusal(self, heard: Heard) -> Outcome:
        if heard.kind in (4, 5):
            self._spoiled = self._spoiled or heard.code == 421
            return _refused(self._phase, heard, self.tls)
        # A reply that does not belong here: nobody knows what the peer thinks it is answering.
        self._spoiled = True
        raise Closed("protocol")

    def _demand_tls(self) -> None:
        if self._lines.transport.get_extra_info("ssl_object") is None:
            self._lines.end("ended")
            raise RuntimeError("a message was about to be sent in clear: this is a defect of the program")


async def _ask(
    lines: Lines, phase: Phase, command: bytes, seconds: float, facts: TlsFacts | None = None
) -> Heard:
    try:
        if command:
            lines.write(command)
        heard = await lines.reply(seconds)
    except Closed as fault:
        raise Ended(broken(phase, str(fault), facts)) from None
    if heard.kind == 3:
        raise Ended(broken(phase, "protocol", facts))
    return heard


async def _say_goodbye(lines: Lines, settings: WireSettings) -> None:
    try:
        lines.write(b"QUIT\r\n")
        await lines.reply(settings.timeouts.quit)
    except Closed:
        return


def _refused(
    phase: Phase, heard: Heard, facts: TlsFacts | None = None, *, fate: Fate | None = None
) -> Outcome:
    verdict = heard.verdict()
    if fate is None:
        fate = Fate.TEMPORARY if heard.kind == 4 else Fate.PERMANENT
    return Outcome(fate, phase, verdict.reason, heard.reply(), verdict, facts)


def _hello(settings: WireSettings) -> bytes:
    return f"EHLO {settings.hello}\r\n".encode("ascii")


def _extensions(heard: Heard) -> Mapping[str, str]:
    """Return the extensions of an EHLO reply: keyword -> parameters, in capitals."""
    pairs = (line.strip().upper().partition(" ") for line in heard.lines[1:])
    return {keyword: parameters.strip() for keyword, _, parameters in pairs}


def _stuffed(data: bytes) -> bytes:
    """Return `data` with dots doubled at the start of lines (RFC 5321, 4.5.2)."""
    if b"\r\n." in data:
        data = data.replace(b"\r\n.", b"\r\n..")
    return b"." + data if data.startswith(b".") else data
