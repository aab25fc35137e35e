"""`salus delivery explain`: why a message is protected as it is; `salus delivery sites`: what is in force at destinations."""

from __future__ import annotations

import argparse
import json
from textwrap import wrap

WIDTH = 88


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its words."""
    command = commands.add_parser("delivery", help="how messages are delivered")
    words = command.add_subparsers(metavar="WORD", required=True)
    explain = words.add_parser("explain", help="say why a message is protected as it is")
    explain.add_argument("id", help="the message's id")
    explain.add_argument(
        "--organization", metavar="SLUG", help="whose message it is (default: whoever has it)"
    )
    explain.add_argument("--json", action="store_true", help="print one JSON object")
    explain.set_defaults(run=_explain)
    sites = words.add_parser(
        "sites", help="list destinations that are slowed down, suspended or sent to from elsewhere"
    )
    sites.add_argument("--organization", metavar="SLUG", help="this one only (default: all)")
    sites.add_argument("--all", action="store_true", help="also what has ended, up to 100 of each")
    sites.add_argument("--json", action="store_true", help="print one JSON object")
    sites.set_defaults(run=_sites)


def _sites(options: argparse.Namespace) -> int:
    """Print what is in force at destinations."""
    from salus.wiring.cli import setup

    setup()
    from salus.wiring import destinations

    print(destinations.told(options.organization, ended=options.all, as_json=options.json))
    return 0


def _explain(options: argparse.Namespace) -> int:
    """Print who asked for which protection, which holds, and what was reached."""
    from salus.wiring.cli.message import find

    organization, told = find(options.id, options.organization)
    from salus.delivery import api as delivery

    found = told.receipt
    sentences = list(delivery.protected_so(found))
    if options.json:
        asked = [{"by": each.by, "name": each.name, "level": each.level.name.lower()} for each in found.asked]
        document = {"message": str(found.message_id), "law": found.law, "asked": asked, "floor": found.floor,
                    "reached": found.reached, "sentences": sentences}  # fmt: skip
        print(json.dumps(document, ensure_ascii=False, indent=2))
        return 0
    print(f"Message {found.message_id} ({organization.name})")
    for sentence in sentences:
        print("\n".join(wrap(sentence, WIDTH, initial_indent="- ", subsequent_indent="  ")))
    return 0
