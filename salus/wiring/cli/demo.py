"""`salus demo`: the main job with a synthetic clinic, then serve it."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import time
from contextlib import ExitStack, suppress
from pathlib import Path

from salus.kernel.errors import BadInput
from salus.platform.listening import check_free
from salus.wiring.cli import setup
from salus.wiring.home import Home
from salus.wiring.installation import Installation

_ANOTHER_PORT = "Stop it, or name another port with --port; the inbox has the one after it."


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    command = commands.add_parser("demo", help="do the main job with a synthetic clinic, then serve it")
    command.add_argument("--once", action="store_true", help="exit after the job")
    command.add_argument("--json", type=Path, metavar="FILE", help="write a summary")
    command.add_argument(
        "--patients", type=int, default=2000, metavar="N", help="people of the clinic (2000)"
    )
    command.add_argument(
        "--home", type=Path, default=Path("var"), metavar="DIR", help="where the data goes (var)"
    )
    command.add_argument("--fresh", action="store_true", help="remove the data of an earlier run first")
    command.add_argument(
        "--port", type=int, default=8480, help="port of console and portal; the inbox has the next"
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Tell the story; serve until Ctrl-C unless `--once`."""
    if not 20 <= options.patients <= 5_000_000:
        raise BadInput("The clinic can have 20 to 5,000,000 patients.", place="--patients")
    _check_summary(options.json)
    home = Home(options.home.resolve())
    for port in (options.port, options.port + 1):
        check_free(f"127.0.0.1:{port}", place="--port", next_step=_ANOTHER_PORT)
    if options.fresh:
        _remove(home)
    _check_home(home)
    installation = Installation(
        home,
        os.environ.get("DATABASE_URL"),
        http=f"127.0.0.1:{options.port}",
        inbox_port=options.port + 1,
        extra={"SALUS_LABORATORY_ROUTES": str(home.path / "catch" / "routes.json")},
    )
    os.environ.update(installation.environment)
    home.path.mkdir(parents=True, exist_ok=True)
    setup()
    return _tell(installation, options)


def _tell(installation: Installation, options: argparse.Namespace) -> int:
    from salus.wiring.demo.cast import clinic
    from salus.wiring.demo.story import Story, write_summary
    from salus.wiring.demo.summary import Summary
    from salus.wiring.demo.terminal import Terminal

    summary = Summary()
    terminal = Terminal(summary.seconds)
    began = time.monotonic()
    with ExitStack() as stack:
        with terminal.phase("database", "Starting the database and making its tables"):
            supervisor = stack.enter_context(installation.running())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _interrupt)
        with terminal.phase("start", "Starting engine, worker, sender, web server and mail catcher"):
            organization = clinic()
            supervisor.start(
                installation.catch(),
                installation.engine(),
                installation.worker(),
                installation.sender(),
                installation.web(),
            )
        story = Story(organization, terminal, summary, command=_salus(installation.home))
        story.tell(options.patients, tend=supervisor.tend)
        summary.seconds["total"] = round(time.monotonic() - began, 2)
        write_summary(summary, options.json)
        if options.once:
            return 0 if summary.is_consistent else 1
        _show_ways_in(installation, organization, terminal)
        with suppress(KeyboardInterrupt):
            supervisor.watch()
        terminal.console.print("Stopping. The data stays; start again and it goes on from there.")
    return 0


def _show_ways_in(installation: Installation, organization: object, terminal: object) -> None:
    from salus.identity import api as identity
    from salus.identity.contracts import Organization
    from salus.wiring.demo.terminal import Terminal

    assert isinstance(terminal, Terminal)
    assert isinstance(organization, Organization)
    port = installation.http.rpartition(":")[2]
    rows = [(each.email, each.password, each.code) for each in identity.demo_sign_ins(organization)]
    terminal.table("Sign in as one of the people of this clinic", rows, ("e-mail", "password", "code"))
    terminal.say(
        f"[dim]Codes change every 30 seconds. New ones: {_salus(installation.home)} staff codes[/dim]"
    )
    terminal.console.print(f"\n[bold]Console[/bold]  http://localhost:{port}/")
    terminal.console.print(
        f"[bold]Portal[/bold]   http://localhost:{port}/p/   (patients come by the link in their mail)"
    )
    terminal.console.print(
        f"[bold]Inbox[/bold]    http://localhost:{installation.inbox_port}/   (all mail is caught there)"
    )
    terminal.console.print("\nCtrl-C stops all of it.")


def _salus(home: Home) -> str:
    """Return how to call `salus` for this home from where the person stands."""
    program = ".venv/bin/salus" if Path(".venv/bin/salus").exists() else "salus"
    return program if home.path == Path("var").resolve() else f"SALUS_HOME={home.path} {program}"


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _check_summary(path: Path | None) -> None:
    """Refuse a summary that could not be written, before the job rather than after it."""
    if path is not None and (path.is_dir() or not os.access(path.absolute().parent, os.W_OK)):
        raise BadInput("The summary cannot be written there.", place=f"--json {path}")


def _check_home(home: Home) -> None:
    """Refuse a home folder that holds something else."""
    if home.path.exists() and any(home.path.iterdir()) and not home.keys.exists():
        raise BadInput(
            "This folder holds other things.",
            place=str(home.path),
            next_step="Name an empty one with --home.",
        )


def _remove(home: Home) -> None:
    """Remove the data of an earlier run, and only that."""
    from salus.platform import postgres
    from salus.platform.supervisor import only_one

    if not home.path.exists():
        return
    _check_home(home)
    with only_one(home.path / "salus.lock"):
        place = postgres.place(home.path)
        shutil.rmtree(home.path)
        shutil.rmtree(place.data.parent, ignore_errors=True)
