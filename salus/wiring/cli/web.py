"""`salus web`: serve the console, the portal and the API."""

from __future__ import annotations

import argparse
import os

from salus.kernel.errors import BadInput
from salus.platform.listening import check_free

MOST_PROCESSES = 4
"""That serve unasked, one for each processor: Python makes one page at a time in each, and each takes 150 MB.

More threads in one make pages slower: all of them wait for the same lock after each answer of the database.
"""


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    command = commands.add_parser("web", help="serve the console, the portal and the API")
    command.add_argument(
        "--processes", type=_positive, default=min(MOST_PROCESSES, os.cpu_count() or 1), help="(%(default)s)"
    )
    command.add_argument(
        "--threads", type=_positive, default=4, help="requests that each process serves at once (%(default)s)"
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Serve until SIGTERM. Off loopback, plain http is refused: a TLS proxy's https address is needed."""
    from salus.wiring.cli import setup

    setup()
    from django.conf import settings
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    host, _, port = settings.SALUS_HTTP.rpartition(":")
    if not settings.SALUS_LOOPBACK and not settings.SALUS_PUBLIC_URL.startswith("https://"):
        raise BadInput(
            "Plain http is served on this machine only.",
            place="SALUS_PUBLIC_URL",
            next_step="Name the https address of your proxy there.",
        )
    check_free(settings.SALUS_HTTP, place="SALUS_HTTP", next_step="Stop it, or name another address there.")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "salus.wiring.settings")
    Granian(
        "salus.wiring.wsgi:application",
        address=host.strip("[]"),
        port=int(port),
        interface=Interfaces.WSGI,
        workers=options.processes,
        blocking_threads=options.threads,
        log_level=LogLevels.warning,
        log_access=False,
    ).serve()
    return 0


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("give a whole number of at least 1")
    return int(text)
