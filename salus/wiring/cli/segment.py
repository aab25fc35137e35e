"""`salus segment`: the language's schema, and what a segment in a file comes to."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from salus.kernel.errors import BadInput

if TYPE_CHECKING:
    from salus.contacts.contracts import Read
    from salus.identity.contracts import Organization

LARGEST_FILE = 2**20


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
    tree = _read(options.file)
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
    tree = _read(options.file)
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


def _read(name: str) -> Any:
    """Return the JSON in a file; raises `BadInput` with the line and column of the fault."""
    try:
        text = sys.stdin.read(LARGEST_FILE + 1) if name == "-" else _text(Path(name))
    except (OSError, UnicodeDecodeError) as fault:
        raise BadInput("The file cannot be read.", place=name) from fault
    if len(text) > LARGEST_FILE:
        raise BadInput("The file is larger than 1 MiB.", place=name)
    try:
        return json.loads(text)
    except json.JSONDecodeError as fault:
        raise BadInput(
            f"This is not JSON: {fault.msg}.", place=f"{name}, line {fault.lineno}, column {fault.colno}"
        ) from None
    except RecursionError:
        raise BadInput("This is nested too deep.", place=name) from None


def _text(path: Path) -> str:
    with path.open(encoding="utf-8") as file:
        return file.read(LARGEST_FILE + 1)


def _setup() -> None:
    from salus.wiring.cli import setup

    setup()


def organization_named(slug: str | None) -> Organization:
    """Return the organization with this short name, or the only one; raises `BadInput`, `NotFound`."""
    from salus.identity import api as identity

    if slug:
        return identity.find_organization(slug)
    every = identity.organizations()
    if len(every) != 1:
        raise BadInput(
            "There is more than one organization here." if every else "There is no organization here yet.",
            place="--organization",
            next_step=f"Give one of: {', '.join(one.slug for one in every)}." if every else "Run: ./run",
        )
    return every[0]
