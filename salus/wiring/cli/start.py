"""`salus start`: run everything of one installation until Ctrl-C or SIGTERM; before there is an organization, its first-run page."""

from __future__ import annotations

import argparse
import os
import signal
from contextlib import suppress
from pathlib import Path
from types import FrameType

from salus.platform.listening import check_free
from salus.platform.supervisor import Supervisor, only_one
from salus.wiring.home import Home, from_environment
from salus.wiring.installation import Installation

_PARTING = 2.0
"""Seconds in which the last page of the first run gets to its browser."""
_ANOTHER = "Stop it, or name another address: {}."


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    command = commands.add_parser("start", help="run everything: database, web, worker, sender, engine")
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Serve until a signal; what dies is started again."""
    from salus.wiring.cli import setup

    home = from_environment()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    with suppress(KeyboardInterrupt):
        while True:
            installation = installation_of(home)
            _check(installation)
            with installation.running(_say) as supervisor:
                setup()
                if _is_set_up():
                    _serve(installation, supervisor)
                _first_run(installation, supervisor)
                _let_go()
    print("Stopping. The data stays.", flush=True)
    return 0


def installation_of(home: Home) -> Installation:
    """Return the installation at `home` as it was set up; the environment wins."""
    from salus.wiring import installed

    chosen = installed.read(home.path)
    given = os.environ.get("DATABASE_URL")
    return Installation(
        home,
        given or chosen.database_url or None,
        http=os.environ.get("SALUS_HTTP") or chosen.http or "127.0.0.1:8480",
        has_admin=bool(given),
    )


def _first_run(installation: Installation, supervisor: Supervisor) -> None:
    """Serve the page of the first run until there is an organization; print the address that opens it once."""
    from salus.wiring.setup import doorkeeper

    supervisor.start(installation.web())
    token = doorkeeper.new_token(installation.home)
    print("\nThere is no organization yet. Set it up with salus setup, or in a browser on this machine.")
    print("This address works once:", flush=True)
    print(f"  {_public(installation.home).rstrip('/')}/first-run/{token}", flush=True)
    supervisor.watch(until=lambda: _is_set_up() and not doorkeeper.is_at_work(installation.home))
    supervisor.watch(seconds=_PARTING)
    print("It is set up. Starting everything.", flush=True)


def _serve(installation: Installation, supervisor: Supervisor) -> None:
    from salus.wiring import installed

    chosen = installed.read(installation.home.path)
    senders = installation.senders(chosen.sender_count(os.environ))
    workers = [installation.worker(), *installation.planners()]
    supervisor.start(installation.engine(), *workers, *senders, installation.web())
    if chosen.backup:
        supervisor.start(installation.backup(Path(chosen.backup)))
    if options := chosen.taking(os.environ):
        supervisor.start(installation.inbound(options))
    if options := chosen.submission(os.environ):
        supervisor.start(installation.submission(options))
    print(f"Salus runs at {_public(installation.home)}", flush=True)
    _let_go()
    supervisor.watch()


def _check(installation: Installation) -> None:
    """Refuse plain http off loopback, a plan of shaping that cannot be, and ports that others have, before anything starts."""
    from salus.shaping.offline import documents as read_shaping
    from salus.wiring import installed
    from salus.wiring.setup.questions import check_addresses

    check_addresses(_public(installation.home), installation.http)
    read_shaping(installation.home.path)
    chosen = installed.read(installation.home.path)
    with only_one(
        installation.home.path / "salus.lock"
    ):  # of a start in the same home that is said, not its port
        check_free(
            installation.http, place="SALUS_HTTP", next_step=_ANOTHER.format("SALUS_HTTP=127.0.0.1:8490")
        )
        for place, listen in chosen.listeners(os.environ).items():
            check_free(listen, place=place, next_step=_ANOTHER.format(place))


def _public(home: Home) -> str:
    from salus.wiring import installed

    chosen = installed.read(home.path)
    http = installation_of(home).http
    fallback = f"http://localhost:{http.rpartition(':')[2]}"
    return os.environ.get("SALUS_PUBLIC_URL") or chosen.public_url or fallback


def _is_set_up() -> bool:
    from salus.identity import api as identity

    return bool(identity.organizations())


def _let_go() -> None:
    """Close our own connection: the database stops, or we do not need it for long."""
    from django.db import connections

    connections.close_all()


def _say(text: str) -> None:
    print(f"{text} ...", flush=True)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
