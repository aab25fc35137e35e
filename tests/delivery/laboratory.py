"""The development relay for tests of the sender, and a sender that runs until nothing is due."""

from __future__ import annotations

import base64
import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
import uvloop

from salus.delivery.models import MessageRow
from salus.delivery.routing import Way
from salus.delivery.sender import Pace, Sender
from salus.delivery.transports.courier import Courier
from salus.delivery.transports.settings import laboratory_settings
from salus.wiring.catch.mailbox import Mail, Mailbox
from salus.wiring.catch.relay import Relay

if TYPE_CHECKING:
    from .conftest import Desk


def caught(mailbox: Mailbox, row: MessageRow) -> list[Mail]:
    """Return what was caught of a message, oldest first."""
    token = base64.b32encode(row.id.bytes).decode().lower()[:25]  # as far as the proof does not reach in
    return [mail for mail in mailbox.newest() if f"+{token}" in mail.sender][::-1]


Change = Callable[[Courier], Any]
"""Puts something in the place of a courier."""


def send(desk: Desk, routes: Any, *, change: Change = lambda courier: courier, fresh: float = 3.0) -> None:
    """Run a sender until nothing is due; `fresh` is the age of a check that the wire accepts."""

    found, policies = routes

    def look_up(organization_id: UUID, standby: Way | None = None) -> Any:
        del organization_id, standby
        quick = laboratory_settings("mail.cedar-row.example.org")
        quick = replace(quick, timeouts=replace(quick.timeouts, dot=1.5), fresh=fresh)
        return lambda recheck: change(Courier(quick, found, policies, recheck))

    pace = Pace(mark=7, flush_count=10, idle_seconds=0.05)
    sender = Sender(look_up, pace=pace, clock=desk.clock)
    uvloop.run(sender.run(until_idle=True))
    gc.collect()  # closes the connections of the sender's threads, which a process closes by ending


def hold_everything(world: Any) -> None:
    """Keep the messages of other tests out of the way: a sender sees every organization's."""
    with psycopg.connect(world.superuser_dsn, autocommit=True) as superuser:
        superuser.execute("UPDATE delivery_queue SET held = true")


@contextmanager
def running_relay(folder: Path) -> Iterator[Relay]:
    """Run the relay in a thread with an event loop of its own."""
    loop, relay, ready = uvloop.new_event_loop(), Relay(folder), threading.Event()

    def serve() -> None:
        loop.run_until_complete(relay.start())
        loop.call_soon(ready.set)
        loop.run_forever()
        loop.run_until_complete(relay.stop())
        loop.close()

    thread = threading.Thread(target=serve)
    thread.start()
    assert ready.wait(30)
    try:
        yield relay
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
