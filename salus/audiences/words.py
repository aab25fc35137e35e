"""Says a rule of a segment as a sentence, for the editor, `salus segment explain` and reviewers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from salus.audiences.nodes import (
    All,
    AnyOf,
    Consent,
    Event,
    Field,
    Kind,
    Latest,
    Listed,
    Match,
    Member,
    Near,
    Node,
    Not,
    Op,
    Record,
    Span,
    Stage,
    Standing,
    Test,
)
from salus.audiences.stages import LABELS

_NO_NAMES: Mapping[str, str] = {}
_NUMBER_WORDS = {
    Op.ABOVE: "is above",
    Op.BELOW: "is below",
    Op.AT_LEAST: "is at least",
    Op.AT_MOST: "is at most",
    Op.BEFORE: "is before",
    Op.AFTER: "is after",
    Op.CONTAINS: "contains",
    Op.STARTS_WITH: "starts with",
    Op.EQUAL: "is",
}
_SPAN_WORDS = {
    Op.WITHIN_LAST: "is within the last {}",
    Op.WITHIN_NEXT: "is within the next {}",
    Op.OLDER_THAN: "is more than {} ago",
    Op.LATER_THAN: "is more than {} ahead",
    Op.ANNIVERSARY_WITHIN: "has its anniversary within the next {}",
}

_INSIDE: Mapping[type[Node], str] = {
    Member: "In another segment",
    Listed: "Was put into this segment by hand or by a journey",
}


def say(node: Node, names: Mapping[str, str] = _NO_NAMES) -> str:
    """Return one node as a sentence without its children; `names` are those of codes and value sets."""
    match node:
        case All():
            return "All of these are true" if node.nodes else "Everybody"
        case AnyOf():
            return "Any of these is true" if node.nodes else "Nobody"
        case Not():
            return "None of these is true" if isinstance(node.node, All | AnyOf) else "This is not true"
        case Field():
            return f"{node.label} {_test(node.test, names)}"
        case Record():
            many = f"At least {node.at_least} of " if node.at_least > 1 else ""
            return f"{many}{node.attribute.label}: {_asked(node.match, node.tests, names)}"
        case Latest():
            return f"Latest of {node.attribute.label}: {_asked(node.match, node.tests, names)}"
        case Event():
            return _event(node)
        case Stage():
            return f"Journey stage is {_any(LABELS.get(one, one) for one in node.names)}"
        case Member() | Listed():
            return _INSIDE[type(node)]
        case Standing():
            return _standing(node)
        case Near():
            return f"Lives within {node.label}"


def _any(words: Any) -> str:
    found = [str(one) for one in words]
    shown = found[:6] + ([f"{len(found) - 6} more"] if len(found) > 6 else [])
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}" if abs(value) < 1e6 else f"{value:,.0f}"
    if isinstance(value, datetime):
        return value.strftime("%B %-d, %Y %H:%M UTC")
    if isinstance(value, date):
        return value.strftime("%B %-d, %Y")
    return str(value)


def span(given: Span) -> str:
    """Return a length of time in words ("1 day", "6 months")."""
    return f"{given.count} {given.unit.removesuffix('s') if given.count == 1 else given.unit}"


def _test(test: Test, names: Mapping[str, str] = _NO_NAMES) -> str:
    if test.op is Op.EXISTS:
        return "is known" if test.operand else "is not known"
    if test.op in _SPAN_WORDS:
        return _SPAN_WORDS[test.op].format(span(test.operand))
    if test.op is Op.BETWEEN:
        return f"is from {_value(test.operand[0])} to {_value(test.operand[1])}"
    if test.op is Op.IN:
        return f"is {_any(_value(one) for one in test.operand)}"
    if test.op is Op.HAS:
        return f"is {_codes(test.operand, names)}"
    if test.kind is Kind.INSTANT:
        return f"{_NUMBER_WORDS[test.op].removeprefix('is ')} {_value(test.operand)}"
    return f"{_NUMBER_WORDS[test.op]} {_value(test.operand)}"


def _codes(codes: Sequence[str], names: Mapping[str, str]) -> str:
    return _any(names.get(one) or one.removeprefix("vs:") for one in codes)


def _asked(match: Match, tests: Sequence[tuple[str, Test]], names: Mapping[str, str]) -> str:
    parts = [_codes(match.codes, names)] if match.codes else []
    parts += [_any(match.statuses)] if match.statuses else []
    parts += [f"{name} {_test(test)}" for name, test in tests]
    return ", ".join(parts) or "any"


def _tests(tests: Sequence[tuple[str, Test]]) -> str:
    return "".join(f", {name} {_test(test)}" for name, test in tests)


def _event(node: Event) -> str:
    times = "" if node.at_least == 1 else f" at least {node.at_least} times"
    verb = "It happened" if node.did else "It did not happen"
    kinds = _any(one.value.replace("_", " ") for one in node.kinds)
    when = f", {_test(node.when).removeprefix('is ')}" if node.when is not None else ""
    return f"{verb}{times}: {kinds}{when}{_tests(node.where)}"


def _standing(node: Standing) -> str:
    topic = f"{node.topic} by {node.channel}" if node.topic else str(node.channel or "")
    scope = f" for {node.purpose.value.replace('_', ' ')}" if node.purpose else ""
    scope += f" naming {node.special.value.replace('_', ' ')}" if node.special else ""
    return {
        Consent.OPTED_IN: f"Opted in to {topic}{', confirmed twice' if node.confirmed else ''}",
        Consent.OPTED_OUT: f"Opted out of {topic}",
        Consent.AUTHORIZED: f"Has a valid authorization{scope}",
        Consent.FUNDRAISING_OPTED_OUT: "Opted out of fundraising",
        Consent.SUPPRESSED: f"Has an address on {topic} that must not be used",
        Consent.RESTRICTED: "Has an agreed restriction",
        Consent.DECEASED: "Recorded as deceased",
    }[node.consent]
