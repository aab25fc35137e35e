"""The relay's SMTP server: small, quick, pipelining, and as badly behaved as it is told to be."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, cast

from salus.wiring.catch.behaviors import Behavior, Tls
from salus.wiring.catch.mailbox import Mail, Mailbox
from salus.wiring.catch.outdated import OutdatedTls

MAX_LINE = 2048
MAX_BUFFERED = 1024 * 1024
MAX_RECIPIENTS = 100
_PATH = re.compile(rb"(?:MAIL FROM|RCPT TO):\s*<([^<>\r\n]{0,320})>", re.IGNORECASE)
_END = b"\r\n.\r\n"


@dataclass(slots=True)
class HostState:
    """What the connections to one host share."""

    behavior: Behavior
    context: ssl.SSLContext
    mailbox: Mailbox
    now: Callable[[], datetime]
    live: set[SmtpServer] = field(default_factory=set)
    seen: set[bytes] = field(default_factory=set)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)


class SmtpServer(asyncio.Protocol):
    """One connection to one host."""

    def __init__(self, host: HostState) -> None:
        self._host, self._behavior = host, host.behavior
        self._transport: asyncio.Transport | None = None
        self._buffer, self._out = bytearray(), bytearray()
        self._looked = 0
        self._in_data = self._in_tls = self._deaf = self._held = False
        self._outdated: OutdatedTls | None = None
        self._sender: bytes | None = None
        self._recipients: list[bytes] = []

    @property
    def _wire(self) -> asyncio.Transport:
        assert self._transport is not None
        return self._transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet, or say that there are too many."""
        self._transport = cast("asyncio.Transport", transport)
        self._host.live.add(self)
        most = self._behavior.connections
        if most and len(self._host.live) > most:
            self._say("421 4.7.0 Too many connections, closing")
            self._close()
        else:
            self._say(f"220 {self._behavior.host} ESMTP")
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection; what was half received is dropped."""
        self._deaf = True
        self._host.live.discard(self)

    def data_received(self, data: bytes) -> None:
        """Act on every whole line or message, and answer all of them at once."""
        if self._deaf:
            return
        if self._outdated:
            try:
                data = self._outdated.feed(data)
            except ssl.SSLError:
                self._close()
                return
        self._buffer += data
        if not self._held:
            self._act()

    def _act(self) -> None:
        while not self._deaf and (self._message() if self._in_data else self._command()):
            pass
        self._flush()
        if len(self._buffer) > max(MAX_BUFFERED, 2 * self._behavior.size):
            self.abort()

    def abort(self) -> None:
        """End the connection at once."""
        self._deaf = True
        self._wire.abort()

    def _command(self) -> bool:
        end = self._buffer.find(b"\n")
        if end < 0 or end > MAX_LINE:
            if max(end, len(self._buffer)) > MAX_LINE:
                self._say("500 5.5.2 Line too long")
                self._close()
            return False
        line = bytes(self._buffer[: end + 1]).rstrip(b"\r\n")
        del self._buffer[: end + 1]
        verb = line[:4].upper()
        act = self._verbs.get(verb if line[:8].upper() != b"STARTTLS" else b"STARTTLS")
        if act is None:
            self._say("500 5.5.1 Command unrecognized")
            return True
        act(self, line)
        return True

    def _hello(self, line: bytes) -> None:
        self._reset()
        if line[:4].upper() == b"HELO":
            self._say(f"250 {self._behavior.host}")
            return
        offers = [self._behavior.host, f"SIZE {self._behavior.size}", "8BITMIME", "ENHANCEDSTATUSCODES"]
        if self._behavior.pipelining:
            offers.append("PIPELINING")
        if self._behavior.tls is not Tls.NONE and not self._in_tls:
            offers.append("STARTTLS")
        self._say("\r\n".join([*(f"250-{offer}" for offer in offers[:-1]), f"250 {offers[-1]}"]))

    def _starttls(self, line: bytes) -> None:
        if self._in_tls or self._behavior.tls is Tls.NONE:
            self._say("503 5.5.1 Not now")
        elif self._behavior.tls is Tls.REFUSED:
            self._say("454 4.7.0 TLS not available")
        elif self._behavior.tls in (Tls.OLD, Tls.WEAK):
            self._say("220 2.0.0 Go ahead")
            self._flush()
            self._buffer.clear()
            self._outdated, self._in_tls = OutdatedTls(self._wire, self._host.context), True
            self._reset()
        else:
            self._deaf = True
            self._wire.pause_reading()
            self._say("220 2.0.0 Go ahead")
            if self._behavior.tls is Tls.INJECTED:
                self._say("250 Injected")
            self._flush()
            task = asyncio.get_running_loop().create_task(self._secure())
            self._host.tasks.add(task)
            task.add_done_callback(self._host.tasks.discard)

    async def _secure(self) -> None:
        # Whatever came in clear after STARTTLS is not a command of the client's. From here on octets
        # come through TLS; the first may be here before we hear that the handshake is over.
        self._buffer.clear()
        self._held, self._deaf = True, False
        try:
            transport = await asyncio.get_running_loop().start_tls(
                self._wire, self, self._host.context, server_side=True, ssl_handshake_timeout=10
            )
        except (OSError, ssl.SSLError):
            transport = None
        if transport is None:
            self._host.live.discard(self)
            return
        self._transport, self._in_tls, self._held = transport, True, False
        self._reset()
        self._act()

    def _mail(self, line: bytes) -> None:
        found = _PATH.match(line)
        if not found or self._sender is not None:
            self._say("503 5.5.1 Not now" if found else "501 5.5.4 Syntax error")
            return
        self._sender = found[1]
        self._say("250 2.1.0 Ok")

    def _rcpt(self, line: bytes) -> None:
        found = _PATH.match(line)
        if not found or self._sender is None or len(self._recipients) == MAX_RECIPIENTS:
            self._say("503 5.5.1 Not now" if found else "501 5.5.4 Syntax error")
            return
        if self._behavior.on_rcpt and not (self._behavior.first_only and found[1] in self._host.seen):
            self._host.seen.add(found[1])
            self._say(self._behavior.on_rcpt)
            return
        self._recipients.append(found[1])
        self._say("250 2.1.5 Ok")

    def _data(self, line: bytes) -> None:
        if not self._recipients:
            self._say("503 5.5.1 No valid recipients")
            return
        self._in_data, self._looked = True, 0
        self._buffer[:0] = b"\r\n"  # so that a lone dot is found as the end of an empty message
        self._say("354 Go ahead")

    def _message(self) -> bool:
        end = self._buffer.find(_END, max(0, self._looked - len(_END)))
        if end < 0:
            self._looked = len(self._buffer)
            return False
        self._in_data = False
        refusal = self._behavior.on_dot or ("552 5.3.4 Too large" if end > self._behavior.size else "")
        if refusal:
            self._say(refusal)
        else:
            self._take(end)
        del self._buffer[: end + len(_END)]
        self._reset()
        return True

    def _take(self, octets: int) -> None:
        """Take the message that the buffer holds, after the line end put before it."""
        mailbox = self._host.mailbox
        number = mailbox.count(self._behavior.name, octets)
        if mailbox.keeps:
            data = bytes(memoryview(self._buffer)[2 : octets + 2])
            tls: ssl.SSLObject | None
            tls = self._outdated.object if self._outdated else self._wire.get_extra_info("ssl_object")
            unstuffed = data.replace(b"\r\n.", b"\r\n")
            mailbox.keep(
                Mail(
                    number=number,
                    received_at=self._host.now(),
                    behavior=self._behavior.name,
                    sender=(self._sender or b"").decode("utf-8", "replace"),
                    recipients=tuple(each.decode("utf-8", "replace") for each in self._recipients),
                    tls_version=(tls.version() or "") if tls else "",
                    cipher=(tls.cipher() or ("",))[0] if tls else "",
                    data=unstuffed.removeprefix(b"."),
                )
            )
        if self._behavior.hangs_up:
            self._close()
        elif not self._behavior.stalls:
            self._say(f"250 2.0.0 Queued as {number}")

    def _rset(self, line: bytes) -> None:
        self._reset()
        self._say("250 2.0.0 Ok")

    def _noop(self, line: bytes) -> None:
        self._say("250 2.0.0 Ok")

    def _quit(self, line: bytes) -> None:
        self._say("221 2.0.0 Bye")
        self._close()

    def _reset(self) -> None:
        self._sender, self._recipients = None, []

    def _say(self, text: str) -> None:
        self._out += f"{text}\r\n".encode("ascii")

    def _flush(self) -> None:
        if not self._out:
            return
        octets = bytes(self._out)
        self._out.clear()
        if self._behavior.delay:
            asyncio.get_running_loop().call_later(self._behavior.delay, self._send, octets)
        else:
            self._send(octets)

    def _send(self, octets: bytes) -> None:
        if not self._wire.is_closing():
            (self._outdated or self._wire).write(octets)

    def _close(self) -> None:
        self._deaf = True
        self._flush()
        if self._behavior.delay:
            asyncio.get_running_loop().call_later(self._behavior.delay, self._wire.close)
        else:
            self._wire.close()

    _verbs: ClassVar[dict[bytes, Callable[[SmtpServer, bytes], None]]] = {
        b"EHLO": _hello,
        b"HELO": _hello,
        b"STARTTLS": _starttls,
        b"MAIL": _mail,
        b"RCPT": _rcpt,
        b"DATA": _data,
        b"RSET": _rset,
        b"NOOP": _noop,
        b"QUIT": _quit,
    }
