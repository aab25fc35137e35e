"""Whether a segment holds for one person, without any store: journeys and tests ask this way."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from salus.audiences import calendar_rules, earth
from salus.audiences.lexicon import Lexicon
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
    Moment,
    Near,
    Node,
    Not,
    Op,
    Record,
    Stage,
    Standing,
    Test,
)
from salus.audiences.parse import AGE
from salus.audiences.text_rules import fold
from salus.kernel.errors import BadInput
from salus.permissions.contracts import Standing as Permissions
from salus.timeline.contracts import Event as Happened


@dataclass(frozen=True)
class Person:
    """All that a segment may ask about: the document, what happened, what the ledger says."""

    document: Mapping[str, Any]
    events: Sequence[Happened]
    standing: Permissions
    moment: Moment
    lexicon: Lexicon
    lists: Container[UUID] | None = None
    """The static segments that the person is on; None when nobody looked."""

    @cached_property
    def today(self) -> date:
        """Return the civil date where the person lives."""
        own = self.document.get("time_zone")
        return calendar_rules.today(
            self.moment, own if own in calendar_rules.known_zones() else self.moment.zone
        )

    def value(self, key: str) -> Any:
        """Return what is known of `key`, None when nothing is."""
        if key in self.lexicon.addresses:
            channel = "email" if key == "email" else "sms"
            return next(
                (one for one in self.document.get("addresses") or () if one["channel"] == channel), None
            )
        found = self.document.get("birth_date" if key == AGE else key)
        if found in ("", []):
            return None
        if key == AGE and found is not None:
            return calendar_rules.age_on(date.fromisoformat(found), self.today)
        return found


def holds(node: Node, person: Person) -> bool:
    """Return whether `node` is true of `person`."""
    match node:
        case All():
            return all(holds(one, person) for one in node.nodes)
        case AnyOf():
            return any(holds(one, person) for one in node.nodes)
        case Not():
            return not holds(node.node, person)
        case Stage() | Member():
            return holds(node.node, person)
        case Field():
            return passes(node.test, person.value(node.key), person)
        case Record():
            return len(counts(node, person)) >= node.at_least
        case Latest():
            matching = [one for one in _matching(node.attribute.key, node.match, person) if one.get("date")]
            last = max((one["date"] for one in matching), default=None)
            return any(one["date"] == last and _all_pass(node.tests, one, person) for one in matching)
        case Event():
            return (sum(happened(node, one, person) for one in person.events) >= node.at_least) == node.did
        case Listed():
            return _is_listed(node, person)
        case Standing():
            return _stands(node, person.standing, person.moment.at)
        case Near():
            return _is_near(node, person)


def counts(node: Record, person: Person) -> list[Mapping[str, Any]]:
    """Return the dated records that a record rule counts."""
    matching = _matching(node.attribute.key, node.match, person)
    return [one for one in matching if _all_pass(node.tests, one, person)]


def _matching(key: str, match: Match, person: Person) -> list[Mapping[str, Any]]:
    return [one for one in person.document.get(key) or () if _matches(match, one, person.lexicon)]


def _matches(match: Match, record: Mapping[str, Any], lexicon: Lexicon) -> bool:
    if match.system and record.get("system") != match.system:
        return False
    if match.statuses and record.get("status") not in match.statuses:
        return False
    return not match.codes or _covered(match.codes, record.get("code"), lexicon)


def _covered(asked: Sequence[str], code: Any, lexicon: Lexicon) -> bool:
    if not isinstance(code, str) or not code:
        return False
    for one in asked:
        wanted = lexicon.patterns(one)
        if code in wanted.exact or (wanted.prefixes and code.startswith(tuple(wanted.prefixes))):
            return True
    return False


def _all_pass(tests: Sequence[tuple[str, Test]], record: Mapping[str, Any], person: Person) -> bool:
    return all(passes(test, record.get(name), person) for name, test in tests)


def passes(test: Test, value: Any, person: Person) -> bool:
    """Return whether `value`, as the document holds it, passes `test`; nothing passes but `exists: false`."""
    missing = value is None or value == "" or value == []
    if test.op is Op.EXISTS:
        return missing is not bool(test.operand)
    if missing:
        return False
    match test.kind:
        case Kind.TEXT:
            return isinstance(value, str) and _text(test, fold(value))
        case Kind.CODE if test.op is Op.HAS:
            return _covered(test.operand, value, person.lexicon)
        case Kind.CODE:
            return bool(value in test.operand) if test.op is Op.IN else bool(value == test.operand)
        case Kind.CODES:
            return any(_covered(test.operand, one, person.lexicon) for one in value)
        case Kind.BOOL:
            return isinstance(value, bool) and value == test.operand
        case Kind.NUMBER:
            return isinstance(value, int | float) and not isinstance(value, bool) and _number(test, value)
        case Kind.DATE:
            return _date(test, date.fromisoformat(value), person.today)
        case _:
            return False


def _text(test: Test, value: str) -> bool:
    match test.op:
        case Op.EQUAL:
            return value == fold(test.operand)
        case Op.IN:
            return any(value == fold(one) for one in test.operand)
        case Op.CONTAINS:
            return fold(test.operand) in value
        case _:
            return value.startswith(fold(test.operand))


def _number(test: Test, value: float) -> bool:
    operand = test.operand
    match test.op:
        case Op.EQUAL:
            return bool(value == operand)
        case Op.IN:
            return value in operand
        case Op.BETWEEN:
            return bool(operand[0] <= value <= operand[1])
        case Op.ABOVE:
            return bool(value > operand)
        case Op.BELOW:
            return bool(value < operand)
        case Op.AT_LEAST:
            return bool(value >= operand)
        case _:
            return bool(value <= operand)


def _date(test: Test, value: date, now: date) -> bool:
    operand = test.operand
    match test.op:
        case Op.EQUAL:
            return bool(value == operand)
        case Op.IN:
            return value in operand
        case Op.BETWEEN:
            return bool(operand[0] <= value <= operand[1])
        case Op.BEFORE:
            return bool(value < operand)
        case Op.AFTER:
            return bool(value > operand)
        case Op.WITHIN_LAST:
            return calendar_rules.shift(now, operand, -1) <= value <= now
        case Op.WITHIN_NEXT:
            return now <= value <= calendar_rules.shift(now, operand, 1)
        case Op.OLDER_THAN:
            return value < calendar_rules.shift(now, operand, -1)
        case Op.LATER_THAN:
            return value > calendar_rules.shift(now, operand, 1)
        case _:
            return calendar_rules.has_anniversary(value, now, operand.count)


def happened(node: Event, event: Happened, person: Person) -> bool:
    """Return whether one event is of the kinds, at the time and with the details that `node` asks for."""
    if event.kind not in node.kinds:
        return False
    if node.when is not None:
        first, last = calendar_rules.moment_range(node.when, person.moment)
        if not first <= event.at <= last:
            return False
    return all(passes(test, event.details.get(name), person) for name, test in node.where)


def _is_listed(node: Listed, person: Person) -> bool:
    if person.lists is None:
        raise BadInput("asks about a list, and nobody looked which ones this person is on", place=node.place)
    return node.segment_id in person.lists


def _stands(node: Standing, standing: Permissions, at: datetime) -> bool:
    match node.consent:
        case Consent.OPTED_IN:
            return _opted_in(node, standing)
        case Consent.OPTED_OUT:
            return node.channel is not None and standing.opted_out(node.topic, node.channel) is not None
        case Consent.AUTHORIZED:
            return _authorized(node, standing, at)
        case Consent.FUNDRAISING_OPTED_OUT:
            return standing.fundraising_opt_out is not None
        case Consent.SUPPRESSED:
            return any(one.channel == node.channel for one in standing.suppressions)
        case Consent.RESTRICTED:
            return bool(standing.restrictions)
        case Consent.DECEASED:
            return standing.deceased is not None


def _opted_in(node: Standing, standing: Permissions) -> bool:
    if node.channel is None or standing.opted_out(node.topic, node.channel) is not None:
        return False
    return any(
        one.topic == node.topic and one.channel == node.channel and (one.confirmed or not node.confirmed)
        for one in standing.opt_ins
    )


def _authorized(node: Standing, standing: Permissions, at: datetime) -> bool:
    return any(
        not one.defects
        and one.valid_from <= at < one.valid_until
        and (node.purpose is None or node.purpose in one.purposes)
        and (node.special is None or node.special in one.specials)
        for one in standing.authorizations
    )


def _is_near(node: Near, person: Person) -> bool:
    code = person.document.get("postal_code") or ""
    point = person.lexicon.places.get(code[:5])
    return point is not None and earth.distance(*point, node.latitude, node.longitude) <= node.kilometers
