"""Speaks SMTP submission (RFC 6409): nothing before TLS, nothing before a key.

It decides nothing about messages: whether a key is right and what becomes of a message is asked of whoever runs it.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from salus.connect.contracts import Submitted
from salus.kernel.phi import Phi
from salus.platform import smtp
from salus.platform.smtp import Lines, Over

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds(smtp.Bounds):
    """What programs may cost us; who has no key is a stranger."""

    wrong_keys: int = 3


@dataclass(slots=True, repr=False)
class _Client(smtp.Client):
    """One connection, and the key that opened it."""

    key: str = ""
    wrong_keys: int = 0
    to: str = ""


class Submission(smtp.Server[_Client]):
    """The server. `may` says whether a key from an address may submit, `take` returns the reply to a message.

    Both may raise: the client is then told to come again later.
    """

    def __init__(
        self,
        host: str,
        tls: ssl.SSLContext,
        may: Callable[[str, str], Awaitable[bool]],
        take: Callable[[Submitted], Awaitable[str]],
        bounds: Bounds | None = None,
    ) -> None:
        self._bounds = bounds or Bounds()
        super().__init__(host, tls, self._bounds)
        self._may, self._take = may, take

    def client(self, lines: Lines, writer: asyncio.StreamWriter, address: str, *, secure: bool) -> _Client:
        """Return what is remembered of a connection."""
        return _Client(lines, writer, address, secure)

    def is_known(self, client: _Client) -> bool:
        """Return whether a client has shown a key."""
        return bool(client.key)

    def offers(self, client: _Client) -> list[str]:
        """Return AUTH, within TLS."""
        return ["AUTH PLAIN LOGIN"] if client.secure else []

    def bar(self, client: _Client) -> str:
        """Return why a client may say nothing of mail yet, "" when it may."""
        if not client.secure:
            return "530 5.7.0 Must issue STARTTLS first"
        return "" if client.key else "530 5.7.0 Authentication required"

    async def recipient(self, client: _Client, address: str) -> str:
        """Return the reply to a recipient: who it is, is looked up with the message."""
        client.to = address
        return "250 2.1.5 Ok" if address else "501 5.1.3 No address"

    async def message(self, client: _Client, raw: bytes) -> str:
        """Return the reply to a whole message."""
        return await self._take(Submitted(client.key, client.address, Phi(client.to), raw))

    async def command(self, client: _Client, word: bytes, line: bytes) -> str:
        """Return the reply to AUTH, which is the only command of its own."""
        if word != b"AUTH":
            return await super().command(client, word, line)
        if not client.secure:
            return "538 5.7.11 Encryption required"
        if not client.greeted or client.key or client.has_sender:
            return "503 5.5.1 Not now"
        words = line.split(b" ")
        how, first = (words[1].upper() if len(words) > 1 else b""), words[2:3]
        try:
            if how == b"PLAIN" and len(words) <= 3:
                _, _, key = (await self._secret(client, first, "")).split(b"\0")
            elif how == b"LOGIN" and len(words) <= 3:
                await self._secret(client, first, "VXNlcm5hbWU6")
                key = await self._secret(client, [], "UGFzc3dvcmQ6")
            else:
                return "504 5.5.4 PLAIN or LOGIN"
            raw = key.decode("ascii")
        except (binascii.Error, ValueError):
            return "501 5.5.2 Cannot be read"
        return await self._opened(client, raw)

    async def _opened(self, client: _Client, key: str) -> str:
        try:
            right = await self._may(key, client.address)
        except Exception as fault:  # noqa: BLE001 - a text of it might quote what came
            log.warning("a key could not be looked at: %s", type(fault).__name__)
            return "454 4.7.0 Come again later"
        if right:
            client.key = key
            return "235 2.7.0 Welcome"
        client.wrong_keys += 1
        if client.wrong_keys >= self._bounds.wrong_keys:
            raise Over("421 4.7.0 Too many wrong keys")
        return "535 5.7.8 This key does not work here"

    async def _secret(self, client: _Client, given: list[bytes], challenge: str) -> bytes:
        """Return what the client says in base64, at once or when it is asked."""
        if not given:
            await self.say(client, f"334 {challenge}")
            given = [await client.lines.one()]
        return b"" if given[0] == b"=" else base64.b64decode(given[0], validate=True)
