"""The command `salus`: each word is a module of this package."""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import resource
import sys
from collections.abc import Sequence
from pathlib import Path

from salus.kernel.errors import BadInput, SalusError, Unavailable
from salus.platform.logs import last_words


def parser() -> argparse.ArgumentParser:
    """Return the parser with every command registered."""
    top = argparse.ArgumentParser(prog="salus", description="Talk to your patients, lawfully.")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda found: found.name):
        importlib.import_module(f"{__name__}.{module.name}").register(commands)
    return top


def setup() -> None:
    """Make Django and the ports ready; commands that need models call it before they import them."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "salus.wiring.settings")
    django.setup()

    from django.conf import settings

    from salus.wiring.assembly import assemble

    assemble(settings.HOME)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0, 1 for a failure, 2 for a fault in what was asked.

    A fault of the program ends with 70 and one redacted line; no memory is ever dumped to the disk.
    """
    options = parser().parse_args(arguments)
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    try:
        with last_words():
            return _run(options)
    except BadInput as fault:
        print(f"salus: {fault}", file=sys.stderr)
        return 2
    except SalusError as failure:
        print(f"salus: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _run(options: argparse.Namespace) -> int:
    try:
        return int(options.run(options) or 0)
    except OSError as fault:
        named = [each for value in vars(options).values() for each in _paths(value)]
        if fault.filename is None or Path(os.fsdecode(fault.filename)) not in named:
            raise
        raise BadInput(f"{fault.strerror}.", place=os.fsdecode(fault.filename)) from None
    except Exception as fault:
        from salus.platform.outages import DATABASE_AWAY  # not every command needs Django

        if not isinstance(fault, DATABASE_AWAY):
            raise
        raise Unavailable(
            "The database does not answer.", kept="Nothing was lost.", next_step="Start it, then try again."
        ) from fault


def _paths(value: object) -> list[Path]:
    """Return the files that an option names."""
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, Path)]
