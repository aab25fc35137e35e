"""What commands are given: a JSON document in a file, and the organization that is meant."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from salus.kernel.errors import BadInput

if TYPE_CHECKING:
    from salus.identity.contracts import Organization

LARGEST_FILE = 2**20


def json_in(name: str) -> Any:
    """Return the JSON in a file ("-": standard input); raises `BadInput` with the line and column of the fault."""
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


def organization_named(slug: str | None) -> Organization:
    """Return the organization with this short name, or the only one; raises `BadInput`, `NotFound`.

    Django must be ready (`cli.setup`).
    """
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
