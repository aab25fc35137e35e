"""The door of duplicates. Call it inside the organization's context."""

from __future__ import annotations

from salus.duplicates.operations import (
    LONGEST_WHY,
    compare,
    erase_person,
    merge,
    merges,
    one_merge,
    propose,
    split,
    tell_apart,
    use_steps,
)

__all__ = [
    "LONGEST_WHY",
    "compare",
    "erase_person",
    "merge",
    "merges",
    "one_merge",
    "propose",
    "split",
    "tell_apart",
    "use_steps",
]
