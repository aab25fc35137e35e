"""`salus smtp`: take messages from programs by SMTP submission."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from salus.kernel.errors import BadInput

_PLACE = re.compile(r"(?:\[[0-9a-fA-F:]{2,45}\]|[A-Za-z0-9.-]{1,253}):(\d{1,5})")


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    command = commands.add_parser(
        "smtp",
        help="take messages from programs by SMTP submission",
        description="Takes messages of programs that have an API key with the scope delivery:message:submit.",
    )
    command.add_argument("--listen", default="", metavar="ADDRESS:PORT", help="with STARTTLS, as on port 587")
    command.add_argument(
        "--listen-tls", default="", metavar="ADDRESS:PORT", help="TLS from the start, as on port 465"
    )
    command.add_argument("--host", default="localhost", help="what this host is called")
    command.add_argument("--certificate", type=Path, required=True, help="PEM chain")
    command.add_argument("--key", type=Path, required=True, help="PEM key of the certificate")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Listen until SIGTERM."""
    if not options.listen and not options.listen_tls:
        raise BadInput("Say where to listen.", place="--listen", next_step="For example 0.0.0.0:587.")
    for name in ("listen", "listen_tls"):
        given = getattr(options, name)
        found = _PLACE.fullmatch(given)
        if given and (found is None or int(found[1]) > 65535):
            raise BadInput("Write ADDRESS:PORT.", place=f"--{name.replace('_', '-')}")
    if not re.fullmatch(r"[A-Za-z0-9.-]{1,253}", options.host):
        raise BadInput("That is not a host name.", place="--host")
    from salus.wiring.cli import setup

    setup()
    from salus.connect import api

    api.run_smtp(
        options.listen,
        options.listen_tls,
        options.host,
        certificate=options.certificate,
        key=options.key,
        ready=lambda text: print(text, flush=True),
    )
    return 0
