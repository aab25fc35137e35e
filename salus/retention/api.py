"""The door of retention. Call it inside the organization's context."""

from __future__ import annotations

from salus.retention.emptying import all_rules, days_of, empty_due, may_set, set_rule, use_steps, would_empty
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
from salus.retention.rules import ALWAYS, BOUNDS, SIX_YEARS, before, is_shorter, kind_of

__all__ = [
    "ALWAYS",
    "BOUNDS",
    "LONGEST",
    "LONGEST_REFERENCE",
    "SIX_YEARS",
    "all_rules",
    "before",
    "days_of",
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
