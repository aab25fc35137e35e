"""`salus sender`: hand over the mail that is due."""

from __future__ import annotations

import argparse
from pathlib import Path


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    command = commands.add_parser("sender", help="hand over the mail that is due")
    command.add_argument("--until-idle", action="store_true", help="end when nothing is due")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Send until SIGTERM; what has begun is finished first."""
    from salus.wiring.cli import setup

    setup()
    from django.conf import settings
    from django.urls import reverse

    from salus.delivery import api as delivery
    from salus.platform.presence import Roll

    reverse("portal:home")  # loads the addresses of all pages: the first message does not wait for that
    routes = Path(settings.SALUS_LABORATORY_ROUTES) if settings.SALUS_LABORATORY_ROUTES else None
    delivery.run_sender(
        laboratory_routes=routes,
        until_idle=options.until_idle,
        roll=Roll(settings.SALUS_HOME / "senders"),
        express=Roll(settings.SALUS_HOME / "express"),
    )
    return 0
