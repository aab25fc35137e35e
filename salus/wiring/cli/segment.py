"""`salus segment`: the language's schema, and what a segment in a file comes to."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from salus.wiring.asked import json_in, organization_named

if TYPE_CHECKING:
    from salus.contacts.contracts import Read


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its words."""
    words = commands.add_parser("segment", help="count and explain sets of people").add_subparsers(
        metavar="WORD", required=True
    )
    schema = words.add_parser("schema", help="print the JSON Schema of the segment language")
    schema.set_defaults(run=_schema)
    for name, help_, run in (
        ("count", "count the people in a segment", _count),
        ("explain", "say a segment in words, with the people left after each rule", _explain),
    ):
        word = words.add_parser(name, help=help_)
        word.add_argument("file", metavar="FILE", help='a segment as JSON, "-" for standard input')
        word.add_argument("--organization", metavar="SLUG", help="needed when there is more than one")
        word.add_argument("--json", action="store_true", help="print one JSON object")
        word.set_defaults(run=run)


def _schema(_: argparse.Namespace) -> int:
    """Print the schema; needs no database."""
    _setup()
    from salus.audiences import api as audiences

    print(json.dumps(audiences.schema(), indent=2))
    return 0


def _count(options: argparse.Namespace) -> int:
    """Print how many people there are now."""
    tree = json_in(options.file)
    _setup()
    from salus.audiences import api as audiences
    from salus.platform.tenancy import acting_for

    with acting_for(organization_named(options.organization).id):
        found = audiences.count(tree)
    if options.json:
        print(
            json.dumps({"people": found.people, "change": found.change, "seconds": round(found.seconds, 4)})
        )
    else:
        print(f"{found.people:,} people, counted in {found.seconds * 1000:.0f} ms.")
    return 0


def _explain(options: argparse.Namespace) -> int:
    """Print each rule as a sentence, how many people are left, and the PHI it reads."""
    tree = json_in(options.file)
    _setup()
    from salus.audiences import api as audiences
    from salus.platform.tenancy import acting_for

    with acting_for(organization_named(options.organization).id):
        found = audiences.explain(tree)
    if options.json:
        steps = [
            {
                "depth": one.depth,
                "says": one.sentence,
                "people": one.people,
                "left": one.left,
                "path": one.path,
            }
            for one in found.steps
        ]
        print(
            json.dumps({"people": found.total, "steps": steps, "reads": [_fact(one) for one in found.reads]})
        )
        return 0
    for one in found.steps:
        words = "left" if one.left else "match alone"
        print(f"{'  ' * one.depth}{one.sentence}: {one.people:,} {words}")
    print(f"{found.total:,} people in all.")
    print("Being in it tells of: " + "; ".join(dict.fromkeys(_phrase(one) for one in found.reads)) + ".")
    return 0


def _phrase(one: Read) -> str:
    special = f", {one.special.value.replace('_', ' ')}" if one.special else ""
    code = f" {one.code}" if one.code else ""
    return f"{one.phi_class.value.replace('_', ' ')} ({one.field}{code}{special})"


def _fact(one: Read) -> dict[str, Any]:
    return {
        "field": one.field,
        "class": one.phi_class.value,
        "special": one.special.value if one.special else None,
        "code": one.code,
        "place": one.place,
    }


def _setup() -> None:
    from salus.wiring.cli import setup

    setup()
