"""The door of retention. Call it inside the organization's context."""

from __future__ import annotations

from salus.retention.emptying import all_rules, empty_due, may_set, set_rule, use_steps, would_empty
from salus.retention.holds import (
    LONGEST,
    LONGEST_REFERENCE,
    held_since,
    hold,
    holds,
    join_person,
    lift,
    must_be_free,
    put,
    spared,
    standing,
)
from salus.retention.rules import ALWAYS, BOUNDS, is_shorter, kind_of

__all__ = [
    "ALWAYS",
    "BOUNDS",
    "LONGEST",
    "LONGEST_REFERENCE",
    "all_rules",
    "empty_due",
    "held_since",
    "hold",
    "holds",
    "is_shorter",
    "join_person",
    "kind_of",
    "lift",
    "may_set",
    "must_be_free",
    "put",
    "set_rule",
    "spared",
    "standing",
    "use_steps",
    "would_empty",
]
