"""Asks a registered service something by HTTPS and reads its answer: bounded in octets and time, following nothing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from salus.delivery.transports.dns import Dns
from salus.delivery.transports.outside import Ended, Outside

HEAD = 32 * 1024
BODY = 1024 * 1024
"""The longest head and the longest body of an answer, in octets."""
_STATUS = re.compile(rb"HTTP/1\.[01] ([2-5][0-9][0-9])(?: [^\r\n]*)?\r\n")
_PLAIN = re.compile(r"[ -~]*")


@dataclass(frozen=True, slots=True)
class Request:
    """A GET, or with a `body` a POST of that (a form, unless `kind` says otherwise)."""

    url: str = field(repr=False)
    at: datetime
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    accept: str = "application/json"
    kind: str = "application/x-www-form-urlencoded"
    """The media type of the body."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer, or a word why there is none ("timeout", "unreachable"...): then the status is 0.

    `kind` is its media type in lower case, without parameters.
    """

    status: int
    body: bytes = field(default=b"", repr=False)
    reason: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Fetch:
    """Fetches. `authorities`, `laboratory`: as of `Outside`; `seconds` is all that one request may take.

    `longest`: octets that a body may have.
    """

    dns: Dns
    laboratory: bool = False
    authorities: str = ""
    seconds: float = 10.0
    longest: int = BODY

    async def fetch(self, request: Request) -> Fetched:
        """Return the answer; it never raises for what the network or the service does."""
        try:
            async with asyncio.timeout(self.seconds):
                return await self._fetch(request)
        except TimeoutError:
            return Fetched(0, reason="timeout")
        except Ended as ended:
            return Fetched(0, reason=str(ended))

    async def _fetch(self, request: Request) -> Fetched:
        outside = Outside(self.dns, self.laboratory, self.authorities)
        async with outside.opened(request.url, request.at, limit=HEAD) as way:
            way.writer.write(_written(request, way.netloc, way.target))
            try:
                head = await way.reader.readuntil(b"\r\n\r\n")
                found = _STATUS.match(head)
                if not found:
                    raise Ended("not_http")
                headers = _headers(head)
                kind = headers.get("content-type", "").partition(";")[0].strip().lower()
                return Fetched(int(found[1]), await _body(way.reader, headers, self.longest), kind=kind)
            except asyncio.LimitOverrunError:
                raise Ended("answer_too_long") from None
            except asyncio.IncompleteReadError as fault:
                raise Ended("not_http" if fault.partial else "closed") from None
            except ValueError:
                raise Ended("not_http") from None


def _written(request: Request, netloc: str, target: str) -> bytes:
    body = request.body
    lines = [
        f"{'GET' if body is None else 'POST'} {target} HTTP/1.1",
        f"Host: {netloc}",
        "User-Agent: Salus",
        f"Accept: {request.accept}",
        "Connection: close",
        *(f"{name}: {value}" for name, value in request.headers.items()),
    ]
    if body is not None:
        lines += [f"Content-Type: {request.kind}", f"Content-Length: {len(body)}"]
    if not all(_PLAIN.fullmatch(line) for line in lines):
        raise Ended("bad_address")
    return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + (body or b"")


def _headers(head: bytes) -> Mapping[str, str]:
    return {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:])
    }


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str], longest: int) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return await _chunks(reader, longest)
    if "content-length" in headers:
        length = int(headers["content-length"])
        if not 0 <= length <= longest:
            raise Ended("answer_too_long")
        return await reader.readexactly(length)
    return await _rest(reader, longest)


async def _chunks(reader: asyncio.StreamReader, longest: int) -> bytes:
    whole = b""
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        if size < 0 or len(whole) + size > longest:
            raise Ended("answer_too_long")
        whole += await reader.readexactly(size)
        await reader.readexactly(2)
    return whole


async def _rest(reader: asyncio.StreamReader, longest: int) -> bytes:
    whole = b""
    while part := await reader.read(HEAD):
        whole += part
        if len(whole) > longest:
            raise Ended("answer_too_long")
    return whole
