"""`salus event`: tell what happened to people from a file, one event a line, as the REST endpoint takes them."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from salus.kernel.errors import BadInput
from salus.wiring.asked import organization_named

BATCH = 1_000
LONGEST_LINE = 100_000


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its words."""
    words = commands.add_parser("event", help="tell what happened to people").add_subparsers(
        metavar="WORD", required=True
    )
    schema = words.add_parser("schema", help="print the JSON Schema of one event")
    schema.set_defaults(run=_schema)
    tell = words.add_parser("tell", help="take in a file of events, one JSON object a line")
    tell.add_argument("file", type=Path, help="NDJSON; the same file again stores nothing twice")
    tell.add_argument("--organization", metavar="SLUG", help="needed when there is more than one")
    tell.add_argument("--json", action="store_true", help="print one JSON object with every refusal")
    tell.set_defaults(run=_tell)


def _schema(_: argparse.Namespace) -> int:
    """Print the schema; needs no database."""
    _setup()
    from salus.timeline import api as timeline

    print(json.dumps(timeline.schema(), indent=2))
    return 0


def _tell(options: argparse.Namespace) -> int:
    """Take in the events of a file; 1 when some were refused, each with its line and reason."""
    with ExitStack() as stack:
        try:
            file = stack.enter_context(options.file.open("rb"))
            name = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
        except OSError as fault:
            raise BadInput("The file cannot be read.", place=str(options.file)) from fault
        _setup()
        counts, refused = _take(file, name, options.organization)
    if options.json:
        print(json.dumps({**counts, "refusals": refused}))
    else:
        for one in refused[:50]:
            print(f"line {one['line']}, {one['place']}: {one['reason']}", file=sys.stderr)
        if len(refused) > 50:
            print(f"and {len(refused) - 50:,} more; --json names them all.", file=sys.stderr)
        print(
            f"{counts['stored']:,} stored, {counts['known']:,} known before, {counts['refused']:,} refused."
        )
    return 1 if refused else 0


def _take(file: BinaryIO, name: str, slug: str | None) -> tuple[Counter[str], list[dict[str, Any]]]:
    from salus.kernel.acting import system
    from salus.platform.tenancy import acting_for
    from salus.timeline import api as timeline

    organization = organization_named(slug)
    actor = system(organization.id, "command-line")
    counts: Counter[str] = Counter(stored=0, known=0, refused=0)
    refused: list[dict[str, Any]] = []
    for number, lines in enumerate(_batches(file)):
        with acting_for(organization.id):
            told = timeline.tell([one for _, one in lines], call=f"{name} {number}", actor=actor)
        for (line, _), answer in zip(lines, told, strict=True):
            counts[answer.outcome.value] += 1
            if answer.reason:
                refused.append({"line": line, "place": answer.place, "reason": answer.reason})
    return counts, refused


def _batches(file: BinaryIO) -> Iterator[Sequence[tuple[int, Any]]]:
    """Yield (line, event) in batches; a line that is no JSON is told as it is, and refused like any other."""
    numbered = ((number, _read(line)) for number, line in enumerate(file, 1) if line.strip())
    while batch := list(islice(numbered, BATCH)):
        yield batch


def _read(line: bytes) -> Any:
    try:
        return orjson.loads(line) if len(line) <= LONGEST_LINE else None
    except orjson.JSONDecodeError:
        return None


def _setup() -> None:
    from salus.wiring.cli import setup

    setup()
