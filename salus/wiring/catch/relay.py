"""Starts the relay: an authority, a listening port for each behavior, the inbox, and the routes for the sender."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from salus.delivery.laboratory import FORMAT, Authority, Issued, read_certificate
from salus.wiring.catch.behaviors import BEHAVIORS, Behavior, Partner
from salus.wiring.catch.certificates import issue, server_context
from salus.wiring.catch.http import MAX_HEAD, HttpServer
from salus.wiring.catch.mailbox import Mailbox
from salus.wiring.catch.pages import Pages
from salus.wiring.catch.smtp import HostState, SmtpServer

AUTHORITY_FILE = "authority.pem"
ROUTES_FILE = "routes.json"
_BACKLOG = 1024


@dataclass(slots=True)
class Relay:
    """A relay that can be started and stopped inside a running event loop.

    `directory` gets the authority's certificate and `routes.json` (see `delivery.laboratory`), and
    nothing else ever. Ports of 0 mean free ones; else hosts listen on `smtp_port` and upwards.
    """

    directory: Path
    host: str = "127.0.0.1"
    smtp_port: int = 0
    inbox_port: int = 0
    mailbox: Mailbox = field(default_factory=Mailbox)
    behaviors: tuple[Behavior, ...] = BEHAVIORS
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ports: dict[str, int] = field(default_factory=dict)
    _hosts: list[HostState] = field(default_factory=list)
    _servers: list[asyncio.Server] = field(default_factory=list)

    @property
    def inbox_url(self) -> str:
        """Return where the inbox is."""
        return f"http://localhost:{self.inbox_port}/"

    @property
    def routes_file(self) -> Path:
        """Return the file that a sender reads; it is there while the relay runs."""
        return self.directory / ROUTES_FILE

    async def start(self) -> None:
        """Listen on every port, then write the routes: who sees them may send."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.routes_file.unlink(missing_ok=True)
        authority = Authority(self.now())
        certificates: dict[str, Issued] = {}
        for number, behavior in enumerate(self.behaviors):
            issued = certificates[behavior.name] = issue(authority, behavior)
            await self._listen(behavior, issued, self.smtp_port + number if self.smtp_port else 0)
        await self._open_inbox()
        _write(self.directory / AUTHORITY_FILE, authority.pem)
        _write(self.routes_file, json.dumps(self._routes(certificates), indent=1, sort_keys=True))

    async def stop(self) -> None:
        """Take the routes away, stop listening, end every connection."""
        self.routes_file.unlink(missing_ok=True)
        for server in self._servers:
            server.close()
        for host in self._hosts:
            for connection in list(host.live):
                connection.abort()
            for task in list(host.tasks):
                task.cancel()
        for server in self._servers:
            await server.wait_closed()

    async def _listen(self, behavior: Behavior, issued: Issued, port: int) -> None:
        state = HostState(behavior, server_context(behavior, issued), self.mailbox, self.now)
        server = await asyncio.get_running_loop().create_server(
            lambda: SmtpServer(state), self.host, port, backlog=_BACKLOG
        )
        self._hosts.append(state)
        self._servers.append(server)
        self.ports[behavior.name] = server.sockets[0].getsockname()[1]

    async def _open_inbox(self) -> None:
        web = HttpServer(Pages(self.mailbox).answer)
        server = await asyncio.start_server(web.serve, self.host, self.inbox_port, limit=MAX_HEAD)
        self._servers.append(server)
        self.inbox_port = server.sockets[0].getsockname()[1]

    def _routes(self, certificates: dict[str, Issued]) -> dict[str, Any]:
        routes = {
            domain: {"name": each.host, "port": self.ports[each.name], "address": self.host}
            for each in self.behaviors
            for domain in (each.domain, *each.further)
        }
        partners: dict[str, dict[str, Any]] = {}
        for each in self.behaviors:
            if each.partner is Partner.NAMES:
                partners[each.domain] = {"authority": True, "names": [each.host]}
            elif each.partner is Partner.KEY:
                pin = read_certificate(certificates[each.name].der).key_fingerprint
                partners[each.domain] = {"key_pins": [pin]}
        return {
            "format": FORMAT,
            "authority": AUTHORITY_FILE,
            "inbox": self.inbox_url,
            "routes": routes,
            "partners": partners,
        }


def _write(path: Path, text: str) -> None:
    """Write a file in one step: nobody reads half of it."""
    part = path.with_suffix(".part")
    part.write_text(text)
    os.replace(part, path)  # noqa: PTH105 (the same, named for what it does)
