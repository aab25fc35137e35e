"""The kinds of files that are taken, as data (`data/kinds.json`)."""

from __future__ import annotations

import functools
import json
from importlib import resources

from salus.files.contracts import Kind


@functools.cache
def kinds() -> tuple[Kind, ...]:
    """Return every kind, in the order in which they are tried."""
    source = resources.files("salus.files").joinpath("data", "kinds.json")
    return tuple(
        Kind(
            each["code"],
            each["media"],
            each["ending"],
            each["picture"],
            each["look"],
            tuple(tuple((place, bytes.fromhex(sign)) for place, sign in signs) for signs in each["signs"]),
        )
        for each in json.loads(source.read_text(encoding="utf-8"))
    )


def kind_named(code: str) -> Kind:
    """Return the kind with this code."""
    return next(kind for kind in kinds() if kind.code == code)
