"""`salus engine`: keep people in encrypted columns and answer about sets of them."""

from __future__ import annotations

import argparse


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    command = commands.add_parser(
        "engine", help="answer about sets of people, from an encrypted column store"
    )
    command.add_argument(
        "--status", action="store_true", help="say how the running engine stands, then end (1: not ready)"
    )
    command.add_argument(
        "--shard",
        type=int,
        default=0,
        metavar="N",
        help="serve this share, of SALUS_AUDIENCE_SHARDS (default: 0 of 1)",
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Serve until SIGTERM."""
    from salus.wiring.cli import setup

    setup()
    from salus.audiences import api as audiences

    if options.status:
        return _status()
    audiences.run_engine(shard=options.shard)
    return 0


def _status() -> int:
    from salus.audiences import api as audiences
    from salus.identity import api as identity
    from salus.platform.tenancy import acting_for

    ready = True
    for organization in identity.organizations():
        with acting_for(organization.id):
            status = audiences.engine_status()
        ready = ready and status.state == "ready"
        behind = sum((status.behind or {}).values())
        print(
            f"{organization.slug}: {status.state}, {status.people} of {status.of} people, {behind} changes behind"
        )
    return 0 if ready else 1
