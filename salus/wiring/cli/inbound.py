"""`salus inbound`: take bounces and complaints that come back by SMTP."""

from __future__ import annotations

import argparse
from pathlib import Path

from salus.kernel.errors import BadInput, Unavailable


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    command = commands.add_parser(
        "inbound",
        help="take bounces and complaints",
        description="Takes what comes back to bounces+TOKEN@ and complaints@ the sending domains, and nothing else.",
    )
    command.add_argument("--listen", default="127.0.0.1:2525", help="ADDRESS:PORT (default 127.0.0.1:2525)")
    command.add_argument(
        "--host", default="localhost", help="what this host is called, as its MX record says"
    )
    command.add_argument(
        "--certificate", type=Path, help="PEM chain for STARTTLS (default: a self-signed one)"
    )
    command.add_argument("--key", type=Path, help="PEM key of the certificate")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Listen until SIGTERM."""
    address, colon, port = options.listen.rpartition(":")
    if not colon or not address or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise BadInput("Write ADDRESS:PORT.", place="--listen")
    if (options.certificate is None) != (options.key is None):
        raise BadInput("A certificate and its key belong together.", place="--certificate")
    if not options.host.isascii() or not options.host.replace("-", "").replace(".", "").isalnum():
        raise BadInput("That is not a host name.", place="--host")
    from salus.wiring.cli import setup

    setup()
    from salus.delivery import api as delivery

    try:
        delivery.run_inbound(
            options.listen,
            options.host,
            certificate=options.certificate,
            key=options.key,
            say=lambda text: print(text, flush=True),
        )
    except OSError as fault:
        raise Unavailable(
            "The listener cannot start.", place=str(fault.strerror or fault), next_step="Choose another port."
        ) from fault
    return 0
