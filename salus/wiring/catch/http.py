"""A web server just large enough for the inbox: GET, one answer a connection, bounded, loopback names only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qsl, urlsplit

MAX_HEAD = 16 * 1024
SECONDS = 10.0
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered."""

    body: bytes
    kind: str = "text/html; charset=utf-8"
    status: HTTPStatus = HTTPStatus.OK
    policy: str = PAGE_POLICY
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[str, Mapping[str, str]], Answer]
"""Takes a path and its query, returns the answer."""


def not_found() -> Answer:
    """Return the answer for what is not there."""
    return Answer(b"There is nothing here.\n", "text/plain; charset=utf-8", HTTPStatus.NOT_FOUND)


class HttpServer:
    """Serves one handler. A request under a foreign host name is refused: pages of others may not read mail."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and close."""
        try:
            async with asyncio.timeout(SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(self._answer(head.decode("latin-1")))
                await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            pass
        finally:
            writer.close()

    def _answer(self, head: str) -> bytes:
        lines = head.split("\r\n")
        method, _, rest = lines[0].partition(" ")
        target = rest.rpartition(" ")[0]
        host = next((line[5:].strip().lower() for line in lines[1:] if line[:5].lower() == "host:"), "")
        if host.removesuffix(f":{host.rpartition(':')[2]}") not in LOCAL_NAMES and host not in LOCAL_NAMES:
            answer = Answer(
                b"This inbox answers to localhost only.\n",
                "text/plain; charset=utf-8",
                HTTPStatus.MISDIRECTED_REQUEST,
            )
        elif method not in ("GET", "HEAD") or not target.startswith("/"):
            answer = Answer(b"Only GET.\n", "text/plain; charset=utf-8", HTTPStatus.METHOD_NOT_ALLOWED)
        else:
            parts = urlsplit(target)
            answer = self._handler(parts.path, dict(parse_qsl(parts.query)[:20]))
        return _octets(answer, with_body=method != "HEAD")


def _octets(answer: Answer, *, with_body: bool) -> bytes:
    headers = {
        "Content-Type": answer.kind,
        "Content-Length": str(len(answer.body)),
        "Content-Security-Policy": answer.policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
        "Connection": "close",
        **answer.headers,
    }
    head = f"HTTP/1.1 {answer.status.value} {answer.status.phrase}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return head.encode("latin-1") + b"\r\n" + (answer.body if with_body else b"")
