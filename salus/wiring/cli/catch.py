"""`salus catch`: the development relay that takes every mail, delivers none, and shows them in an inbox."""

from __future__ import annotations

import argparse
import asyncio
import resource
import signal
from pathlib import Path

from salus.kernel.errors import BadInput, Unavailable


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    command = commands.add_parser(
        "catch",
        help="run the development relay and its inbox",
        description="Takes every mail and delivers none. Hosts that misbehave on purpose are listed at /hosts.",
    )
    command.add_argument(
        "--directory", type=Path, required=True, help="where the authority and routes.json are written"
    )
    command.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    command.add_argument(
        "--smtp-port",
        type=int,
        default=0,
        help="first SMTP port; each host takes the next (default: free ones)",
    )
    command.add_argument("--inbox-port", type=int, default=0, help="port of the inbox (default: a free one)")
    command.add_argument("--keep", type=int, default=5000, help="mails kept in memory (default 5000)")
    command.add_argument("--sink", action="store_true", help="keep nothing, only count (for benchmarks)")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run until SIGTERM or Ctrl-C. A mail never reaches the disk, not by a core dump either."""
    if options.keep < 0 or not 0 <= options.smtp_port <= 65000 or not 0 <= options.inbox_port <= 65535:
        raise BadInput("A number is out of range.", place="salus catch")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import uvloop

    try:
        uvloop.run(_serve(options))
    except OSError as fault:
        raise Unavailable(
            "The relay cannot listen.", place=str(fault.strerror or fault), next_step="Choose other ports."
        ) from fault
    return 0


async def _serve(options: argparse.Namespace) -> None:
    from salus.wiring.catch.mailbox import Mailbox
    from salus.wiring.catch.relay import Relay

    mailbox = Mailbox(0 if options.sink else options.keep)
    relay = Relay(options.directory, options.host, options.smtp_port, options.inbox_port, mailbox)
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    try:
        await relay.start()
        print(f"Inbox at {relay.inbox_url}, routes in {relay.routes_file}", flush=True)
        await over.wait()
    finally:
        await relay.stop()
    if options.sink:
        print(f"{mailbox.received} messages, {mailbox.received_octets} octets", flush=True)
