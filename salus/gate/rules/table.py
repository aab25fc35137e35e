"""The whole table of rules, and its version: a digest of every word of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256

from salus.gate.rules.always import ALWAYS_ROWS
from salus.gate.rules.care_rows import CARE_ROWS, D19B
from salus.gate.rules.marketing_rows import MARKETING_ROWS
from salus.gate.rules.other_rows import OTHER_ROWS, SENDER_ROWS
from salus.gate.rules.overlays import OVERLAYS
from salus.gate.rules.rule import Rule
from salus.gate.rules.state_rows import STATE_ROWS

EDITION = "2026.11"
"""When the law was last read through."""

RULES: tuple[Rule, ...] = (
    *sorted((*CARE_ROWS, D19B, *MARKETING_ROWS, *OTHER_ROWS), key=lambda rule: rule.id),
    *SENDER_ROWS,
    *OVERLAYS,
    *STATE_ROWS,
    *ALWAYS_ROWS,
)
"""Every rule, the decision table first; the order decides only which rule is named for a gate that
several set."""


def version_of(rules: Sequence[Rule]) -> str:
    """Return the version of a table: the edition and a digest that any change of a rule changes.

    Sets are written in order, so the version is the same in every process.
    """
    return f"{EDITION}-{sha256('|'.join(map(_line, rules)).encode()).hexdigest()[:12]}"


@lru_cache(maxsize=1024)
def _line(rule: Rule) -> str:
    return _plain(rule)


def _plain(value: object) -> str:
    if isinstance(value, frozenset):
        return "{" + ",".join(sorted(map(_plain, value))) + "}"
    if isinstance(value, tuple):
        return "(" + ",".join(map(_plain, value)) + ")"
    fields = getattr(type(value), "__dataclass_fields__", None)
    if fields is not None:
        inner = ",".join(f"{name}={_plain(getattr(value, name))}" for name in fields)
        return f"{type(value).__name__}[{inner}]"
    return repr(value)


RULES_VERSION = version_of(RULES)
STATES_WITH_RULES = frozenset(
    rule.row.partition(":")[0] for rule in RULES if ":" in rule.row and not rule.row.startswith("*")
)
