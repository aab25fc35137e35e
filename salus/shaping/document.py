"""Pure: reads a plan of shaping from TOML; every fault says its place. What files say lies in layers: `layers.py`."""

from __future__ import annotations

import ipaddress
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from salus.kernel.errors import BadInput
from salus.shaping import patterns, units
from salus.shaping.contracts import (
    OTHER,
    RELAY,
    Act,
    Curve,
    Mail,
    Pool,
    Rate,
    Rule,
    Source,
    Whose,
    relay_of,
)

E = TypeVar("E", bound=StrEnum)
LONGEST = 1 << 20
"""Characters of a file."""
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_.-]{0,60}[a-z0-9])?")
_HOST = re.compile(r"(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
_ENHANCED = re.compile(r"[45]\.(?:[0-9]{1,3}\.(?:[0-9]{1,3})?)?")
_RULE = frozenset(
    (
        "id",
        "match",
        "code",
        "enhanced",
        "do",
        "messages",
        "connections",
        "to",
        "for",
        "after",
        "within",
        "whose",
    )
)
NONE = "none"
"""Instead of a rate: no limit."""


@dataclass(frozen=True, slots=True)
class Section:
    """What one file says of one destination: limits by their names in `Limits`, rules, mail hosts."""

    limits: Mapping[str, Any] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sections:
    """What one file says of all destinations and of those with a name."""

    default: Section = field(default_factory=Section)
    sites: Mapping[str, Section] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Document:
    """One file, read: for everybody and, on top, for organizations by their slug."""

    file: str
    everybody: Sections
    organizations: Mapping[str, Sections] = field(default_factory=dict)
    pools: tuple[Pool, ...] = ()
    curves: Mapping[str, Curve] = field(default_factory=dict)


def read(text: str, file: str) -> Document:
    """Return what a file says; `file` is its name for the place of a fault. Raises `BadInput`."""
    if len(text) > LONGEST:
        raise BadInput("The file is too long.", place=file)
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise BadInput(f"This is not TOML: {fault}.", place=file) from None
    top = _table(found, file, {"default", "site", "pool", "curve", "organization"})
    return Document(
        file,
        _sections(top, file),
        {
            slug: _own(each, place)
            for slug, each, place in _named(top.get("organization", {}), file, "organization")
        },
        tuple(_pool(name, each, place) for name, each, place in _named(top.get("pool", {}), file, "pool")),
        {
            name: _curve(name, each, place)
            for name, each, place in _named(top.get("curve", {}), file, "curve")
        },
    )


def _own(each: object, place: str) -> Sections:
    return _sections(_table(each, place, {"default", "site"}), place)


def _sections(top: Mapping[str, Any], place: str) -> Sections:
    default = _section(top.get("default", {}), _at(place, "default"))
    if default.hosts:
        raise BadInput("Only a destination with a name has hosts.", place=_at(place, "default.hosts"))
    named = _named(top.get("site", {}), place, "site")
    return Sections(default, {name: _section(each, at) for name, each, at in named})


def _section(found: object, place: str) -> Section:
    table = _table(found, place, {*_LIMITS, "on", "hosts"})
    limits = {
        name: _LIMITS[name](value, _at(place, name)) for name, value in table.items() if name in _LIMITS
    }
    if limits.get("connections_at_first", 0) > limits.get("connections", 100_000):
        raise BadInput("There are more connections at first than at most.", place=place)
    rules = tuple(_rule(each, at) for each, at in _items(table.get("on", []), _at(place, "on")))
    if len({each.id for each in rules}) < len(rules):
        raise BadInput("Two rules have one id.", place=_at(place, "on"))
    hosts = tuple(_host(each, at) for each, at in _items(table.get("hosts", []), _at(place, "hosts")))
    return Section(limits, rules, hosts)


def _rule(found: object, place: str) -> Rule:
    table = _table(found, place, _RULE)
    id = _word(table.get("id"), _at(place, "id"))
    act = _one_of(Act, table.get("do"), _at(place, "do"))
    if act is Act.NOTHING:
        _table(found, place, {"id", "do"})
        return Rule(id, "", act)
    rule = Rule(
        id,
        patterns.check(table.get("match"), _at(place, "match")),
        act,
        frozenset(_code(each, at) for each, at in _items(table.get("code", []), _at(place, "code"))),
        _enhanced(table.get("enhanced", ""), _at(place, "enhanced")),
        units.rate(table["messages"], _at(place, "messages")) if "messages" in table else None,
        _number(table["connections"], _at(place, "connections")) if "connections" in table else None,
        _target(table["to"], _at(place, "to")) if "to" in table else "",
        units.time(table.get("for"), _at(place, "for")),
        _number(table.get("after", 1), _at(place, "after")),
        units.time(table.get("within", "1 h"), _at(place, "within")),
        _one_of(Whose, table.get("whose", Whose.ORGANIZATION), _at(place, "whose")),
    )
    _check_act(rule, place)
    return rule


def _check_act(rule: Rule, place: str) -> None:
    throttles = rule.messages is not None or rule.connections is not None
    if throttles != (rule.act is Act.THROTTLE):
        raise BadInput(
            '"throttle" needs "messages" or "connections", and nothing else has them.', place=place
        )
    if bool(rule.to) != (rule.act is Act.SWITCH):
        raise BadInput('"switch" needs "to" (a pool or "relay:NAME"), and nothing else has it.', place=place)


def _pool(name: str, found: object, place: str) -> Pool:
    table = _table(found, place, {"for", "organizations", "source"})
    sources = tuple(_source(each, at) for each, at in _items(table.get("source", []), _at(place, "source")))
    if not sources:
        raise BadInput("A pool needs a source.", place=_at(place, "source"))
    mails = _items(table.get("for", [*Mail]), _at(place, "for"))
    slugs = _items(table.get("organizations", []), _at(place, "organizations"))
    return Pool(
        name,
        sources,
        frozenset(_word(each, at) for each, at in slugs),
        frozenset(_one_of(Mail, each, at) for each, at in mails),
    )


def _source(found: object, place: str) -> Source:
    table = _table(found, place, {"name", "addresses", "warm_up", "since"})
    listed = _items(table.get("addresses", []), _at(place, "addresses"))
    addresses = tuple(_address(each, at) for each, at in listed)
    if not addresses or len({":" in each for each in addresses}) < len(addresses):
        raise BadInput("Write one address, or one of IPv4 and one of IPv6.", place=_at(place, "addresses"))
    curve, since = table.get("warm_up", ""), table.get("since")
    if curve:
        _word(curve, _at(place, "warm_up"))
        if type(since) is not date:
            raise BadInput("Write the day it began, as 2026-11-24.", place=_at(place, "since"))
    elif since is not None:
        raise BadInput('Write "warm_up" too.', place=_at(place, "since"))
    return Source(_host(table.get("name"), _at(place, "name")), addresses, curve, since)


def _curve(name: str, found: object, place: str) -> Curve:
    table = _table(found, place, None)
    if OTHER not in table:
        raise BadInput(f'A curve needs "{OTHER}": every destination that it does not name.', place=place)
    return Curve(
        name,
        {
            _word(site, place): tuple(
                _number(each, at, most=1_000_000_000) for each, at in _items(days, _at(place, site), least=1)
            )
            for site, days in table.items()
        },
    )


def _table(found: object, place: str, known: frozenset[str] | set[str] | None) -> Mapping[str, Any]:
    if not isinstance(found, dict):
        raise BadInput("This has to be a table.", place=place)
    for name in found:
        if known is not None and name not in known:
            raise BadInput(
                f"Nobody knows this word; known are {', '.join(sorted(known))}.", place=_at(place, name)
            )
    return found


def _named(found: object, place: str, kind: str) -> Iterator[tuple[str, object, str]]:
    for name, each in _table(found, _at(place, kind), None).items():
        at = _at(place, f"{kind}.{name}")
        yield _word(name, at), each, at


def _items(found: object, place: str, *, least: int = 0) -> Iterator[tuple[object, str]]:
    if not isinstance(found, list) or len(found) < least:
        raise BadInput(f"This has to be a list{' of at least one' if least else ''}.", place=place)
    for number, each in enumerate(found, 1):
        yield each, f"{place}[{number}]"


def _word(found: object, place: str) -> str:
    if not isinstance(found, str) or not _NAME.fullmatch(found):
        raise BadInput("Write a name of small letters, digits, dots and hyphens.", place=place)
    return found


def _target(found: object, place: str) -> str:
    if isinstance(found, str) and (relay := relay_of(found)):
        return f"{RELAY}{_word(relay, place)}"
    return _word(found, place)


def _host(found: object, place: str) -> str:
    if not isinstance(found, str) or not _HOST.fullmatch(found):
        raise BadInput("Write a host name in small letters, with a dot in it.", place=place)
    return found


def _address(found: object, place: str) -> str:
    try:
        parsed = ipaddress.ip_address(found if isinstance(found, str) else "")
    except ValueError:
        raise BadInput("Write an IPv4 or IPv6 address.", place=place) from None
    if parsed.is_unspecified or parsed.is_multicast or getattr(parsed, "scope_id", None):
        raise BadInput("Nothing can be sent from this address.", place=place)
    return str(parsed)


def _number(found: object, place: str, *, most: int = 100_000) -> int:
    if type(found) is not int or not 1 <= found <= most:
        raise BadInput(f"Write a whole number from 1 to {most}.", place=place)
    return found


def _code(found: object, place: str) -> int:
    if type(found) is not int or not 400 <= found <= 599:
        raise BadInput("Write a code from 400 to 599.", place=place)
    return found


def _enhanced(found: object, place: str) -> str:
    if not isinstance(found, str) or (found and not _ENHANCED.fullmatch(found)):
        raise BadInput('Write an enhanced status as "4.7.28", or how it begins: "4.7.".', place=place)
    return found


def _one_of(kind: type[E], found: object, place: str) -> E:
    for each in kind:
        if each.value == found:
            return each
    raise BadInput(f"Write one of {', '.join(kind)}.", place=place)


def _rate_or_none(found: object, place: str) -> Rate | None:
    return None if found == NONE else units.rate(found, place)


def _seconds(found: object, place: str) -> float:
    return min(units.time(found, place), timedelta(minutes=5)).total_seconds()


def _at(place: str, name: str) -> str:
    return f"{place}: {name}" if place.endswith(".toml") else f"{place}.{name}"


_LIMITS: dict[str, Callable[[object, str], Any]] = {
    "connections": _number,
    "connections_at_first": _number,
    "messages_per_connection": _number,
    "connection_rate": _rate_or_none,
    "message_rate": _rate_or_none,
    "idle": _seconds,
}
