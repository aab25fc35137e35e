"""Reads a segment tree into nodes, or refuses it with the path to the fault; bounds hostile trees."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from salus.audiences import operands
from salus.audiences.columns import SYSTEMS
from salus.audiences.contracts import LISTED
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
    Near,
    Node,
    Not,
    Op,
    Record,
    Stage,
    Standing,
    Test,
)
from salus.contacts.contracts import Attribute, AttributeType
from salus.kernel.errors import BadInput, NotFound
from salus.kernel.vocabulary import Channel, PhiClass, Purpose, Special
from salus.timeline.contracts import EventKind

VERSION = 1
DEEPEST = 64
MOST_NODES = 2_000
MOST_RECORDS = 1_000
MILE = 1.609344
FARTHEST = 20_000.0
AGE = "age"

RECORD_TESTS = {"date": Kind.DATE, "end": Kind.DATE, "value": Kind.NUMBER, "text": Kind.TEXT}
"""The fields of a dated record that a test may be put to, beside its code, system and status."""

E = TypeVar("E", bound=StrEnum)


def parse(tree: Any, lexicon: Lexicon, *, inside: UUID | None = None) -> Node:
    """Return the nodes of a whole tree; raises `BadInput` whose place is a JSON path ("$.where.all[1]").

    `inside` is the id of the segment that the tree is to be: it must not lead back to itself.
    """
    reader = _Reader(lexicon)
    if inside is not None:
        reader.enter(inside)
    return reader.document(tree, "$")


def referred(tree: Any) -> set[UUID]:
    """Return the segments that a tree names, nested ones included; malformed parts name none."""
    found: set[UUID] = set()
    waiting = [tree]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            for named in (one.get("segment"), one.get(LISTED)):
                if isinstance(named, str):
                    with contextlib.suppress(ValueError):
                        found.add(UUID(named))
            waiting.extend(one.values())
        elif isinstance(one, list | tuple):
            waiting.extend(one)
    return found


class _Reader:
    """One reading: counts nodes, knows how deep it is and which segments it is inside of."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._nodes = 0
        self._inside: list[UUID] = []
        self._kinds: Mapping[str, Callable[[Mapping[str, Any], str, int], Node]] = {
            "all": self._all,
            "any": self._any,
            "not": self._not,
            "field": self._field,
            "record": self._record,
            "latest": self._latest,
            "did": self._event,
            "did_not": self._event,
            "stage": self._stage,
            "segment": self._segment,
            LISTED: self._listed,
            "consent": self._consent,
            "near": self._near,
        }

    def enter(self, segment_id: UUID) -> None:
        """Be inside of a segment from now on."""
        self._inside.append(segment_id)

    def document(self, tree: Any, place: str, depth: int = 0) -> Node:
        given = _object(tree, place)
        _only(given, place, {"version", "where"}, {"version", "where"})
        if isinstance(given["version"], bool) or given["version"] != VERSION:
            raise BadInput(
                f"is not a version of the language that is known ({VERSION})", place=f"{place}.version"
            )
        return self._node(given["where"], f"{place}.where", depth)

    def _node(self, tree: Any, place: str, depth: int) -> Node:
        if depth >= DEEPEST:
            raise BadInput(f"is nested more than {DEEPEST} deep", place=place)
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise BadInput(f"the tree has more than {MOST_NODES} rules", place=place)
        given = _object(tree, place)
        found = [word for word in self._kinds if word in given]
        if len(found) != 1:
            raise BadInput(
                "is no rule" if not found else f"says {' and '.join(found)} at once",
                place=place,
                next_step=f"Give one of: {', '.join(self._kinds)}.",
            )
        return self._kinds[found[0]](given, place, depth)

    def _nodes_of(self, given: Any, place: str, depth: int) -> tuple[Node, ...]:
        if not isinstance(given, list | tuple):
            raise BadInput("is not a list of rules", place=place)
        return tuple(self._node(one, f"{place}[{i}]", depth + 1) for i, one in enumerate(given))

    def _all(self, given: Mapping[str, Any], place: str, depth: int) -> Node:
        _only(given, place, {"all"})
        return All(place, self._nodes_of(given["all"], f"{place}.all", depth))

    def _any(self, given: Mapping[str, Any], place: str, depth: int) -> Node:
        _only(given, place, {"any"})
        return AnyOf(place, self._nodes_of(given["any"], f"{place}.any", depth))

    def _not(self, given: Mapping[str, Any], place: str, depth: int) -> Node:
        _only(given, place, {"not"})
        return Not(place, self._node(given["not"], f"{place}.not", depth + 1))

    def _attribute(self, key: Any, place: str, types: frozenset[AttributeType]) -> Attribute:
        known = [one.key for one in self._lexicon.attributes.values() if one.type in types]
        if not isinstance(key, str) or key not in known:
            raise BadInput("is not an attribute that fits here", place=place, next_step=_perhaps(key, known))
        return self._lexicon.attributes[key]

    def _field(self, given: Mapping[str, Any], place: str, depth: int) -> Node:
        key, here = given["field"], f"{place}.field"
        rest = {word: value for word, value in given.items() if word != "field"}
        if key == AGE:
            birth = self._attribute("birth_date", here, frozenset({AttributeType.DATE}))
            test = operands.read_test(Kind.NUMBER, rest, place)
            return Field(place, AGE, "Age", birth.phi_class, birth.special, test)
        if isinstance(key, str) and key in self._lexicon.addresses:
            test = operands.read_test(Kind.PRESENCE, rest, place)
            label = f"{key.capitalize()} address" if key == "email" else key.capitalize()
            return Field(place, key, label, self._lexicon.addresses[key], None, test)
        attribute = self._attribute(key, here, frozenset(AttributeType))
        test = operands.read_test(operands.KIND_OF[attribute.type], rest, place)
        if test.op is Op.HAS:
            self._known(test.operand, f"{place}.has")
        return Field(place, attribute.key, attribute.label, attribute.phi_class, attribute.special, test)

    def _known(self, codes: Iterable[str], place: str) -> None:
        for code in codes:
            try:
                self._lexicon.patterns(code)
            except KeyError:
                raise BadInput("names a value set that is not known", place=place) from None

    def _match(self, given: Mapping[str, Any], place: str) -> Match:
        codes = operands.codes(given["code"], f"{place}.code") if "code" in given else ()
        self._known(codes, f"{place}.code")
        system = given.get("system", "")
        if "system" in given and system not in SYSTEMS:
            raise BadInput(
                "is not a known word", place=f"{place}.system", next_step=_perhaps(system, SYSTEMS)
            )
        statuses = operands.codes(given["status"], f"{place}.status") if "status" in given else ()
        return Match(codes, system, statuses)

    def _tests(self, given: Mapping[str, Any], place: str) -> tuple[tuple[str, Test], ...]:
        return tuple(
            (name, operands.read_test(kind, _object(given[name], f"{place}.{name}"), f"{place}.{name}"))
            for name, kind in RECORD_TESTS.items()
            if name in given
        )

    def _record(self, given: Mapping[str, Any], place: str, depth: int) -> Node:
        _only(given, place, {"record", "code", "system", "status", "at_least", *RECORD_TESTS})
        attribute = self._attribute(given["record"], f"{place}.record", frozenset({AttributeType.RECORDS}))
        least = operands.whole(given.get("at_least", 1), f"{place}.at_least", MOST_RECORDS)
        return Record(place, attribute, self._match(given, place), self._tests(given, place), least)

    def _latest(self, given: Mapping[str, Any], place: str, depth: int) -> Node:
        _only(given, place, {"latest", "code", "system", "status", *RECORD_TESTS})
        attribute = self._attribute(given["latest"], f"{place}.latest", frozenset({AttributeType.RECORDS}))
        tests = self._tests(given, place)
        if not tests:
            raise BadInput("does not say what the latest one must be", place=place,
                           next_step=f"Add one of: {', '.join(RECORD_TESTS)}.")  # fmt: skip
        return Latest(place, attribute, self._match(given, place), tests)

    def _event(self, given: Mapping[str, Any], place: str, depth: int) -> Node:
        word = "did" if "did" in given else "did_not"
        _only(given, place, {word, "at_least", "at", "where"})
        kinds = tuple(
            dict.fromkeys(
                _choice(EventKind, one, f"{place}.{word}")
                for one in operands.codes(given[word], f"{place}.{word}")
            )
        )
        when = None
        if "at" in given:
            when = operands.read_test(Kind.INSTANT, _object(given["at"], f"{place}.at"), f"{place}.at")
        where = tuple(
            self._detail(key, test, f"{place}.where")
            for key, test in _object(given.get("where", {}), f"{place}.where").items()
        )
        least = operands.whole(given.get("at_least", 1), f"{place}.at_least", MOST_RECORDS)
        return Event(place, kinds, word == "did", when, where, least)

    def _detail(self, key: Any, given: Any, place: str) -> tuple[str, Test]:
        """Return a test of a detail of an event; the kind of its values follows from the operand."""
        if not isinstance(key, str) or not key.isidentifier() or len(key) > 64:
            raise BadInput("a detail's name is letters, digits and _", place=place)
        here = f"{place}.{key}"
        test = _object(given, here)
        sample = next(iter(test.values()), None)
        if isinstance(sample, list | tuple) and sample:
            sample = sample[0]
        elif isinstance(sample, Mapping):
            sample = sample.get("from")
        if "exists" in test:
            kind = Kind.PRESENCE
        elif isinstance(sample, bool):
            kind = Kind.BOOL
        else:
            kind = Kind.NUMBER if isinstance(sample, int | float) else Kind.TEXT
        return key, operands.read_test(kind, test, here)

    def _stage(self, given: Mapping[str, Any], place: str, depth: int) -> Node:
        _only(given, place, {"stage"})
        here = f"{place}.stage"
        names = tuple(dict.fromkeys(operands.codes(given["stage"], here)))
        for name in names:
            if name not in self._lexicon.stages:
                raise BadInput("is not a journey stage", place=here,
                               next_step=_perhaps(name, self._lexicon.stages))  # fmt: skip
        nodes = tuple(
            self.document(self._lexicon.stages[name], f"{here}({name})", depth + 1) for name in names
        )
        return Stage(place, names, AnyOf(place, nodes) if len(nodes) > 1 else nodes[0])

    def _segment(self, given: Mapping[str, Any], place: str, depth: int) -> Node:
        _only(given, place, {"segment"})
        here = f"{place}.segment"
        segment_id = _id(given["segment"], here)
        if segment_id in self._inside:
            raise BadInput("leads back to a segment that it is part of", place=here)
        tree = self._tree_of(segment_id, here)
        self._inside.append(segment_id)
        node = self.document(tree, f"{here}({segment_id})", depth + 1)
        self._inside.pop()
        return Member(place, segment_id, node)

    def _listed(self, given: Mapping[str, Any], place: str, depth: int) -> Node:
        """Return the rule of a static segment; what it tells cannot be said otherwise than there."""
        _only(given, place, {LISTED, "tells", "special"}, {LISTED, "tells"})
        here = f"{place}.{LISTED}"
        segment_id = _id(given[LISTED], here)
        if self._tree_of(segment_id, here).get("where") != given:
            raise BadInput("is not a static segment as it was made", place=here,
                           next_step='Name it so: {"segment": "..."}.')  # fmt: skip
        return Listed(
            place,
            segment_id,
            tuple(PhiClass(one) for one in given["tells"]),
            tuple(Special(one) for one in given.get("special", ())),
        )

    def _tree_of(self, segment_id: UUID, place: str) -> Mapping[str, Any]:
        try:
            return self._lexicon.segment(segment_id)
        except NotFound:
            raise BadInput("there is no such segment, or it is not for you", place=place) from None

    def _consent(self, given: Mapping[str, Any], place: str, depth: int) -> Node:
        consent = _choice(Consent, given["consent"], f"{place}.consent")
        need, may = CONSENT_WORDS[consent]
        _only(given, place, {"consent", *need, *may}, need)
        channel = _choice(Channel, given["channel"], f"{place}.channel") if "channel" in given else None
        purpose = _choice(Purpose, given["purpose"], f"{place}.purpose") if "purpose" in given else None
        special = _choice(Special, given["special"], f"{place}.special") if "special" in given else None
        topic = operands.text(given["topic"], f"{place}.topic") if "topic" in given else ""
        confirmed = operands.truth(given.get("confirmed", False), f"{place}.confirmed")
        return Standing(place, consent, topic, channel, confirmed, purpose, special)

    def _near(self, given: Mapping[str, Any], place: str, depth: int) -> Node:
        if not self._lexicon.places:
            raise BadInput("no table of places is loaded", place=f"{place}.near",
                           next_step="Load one to ask for distances.")  # fmt: skip
        _only(given, place, {"near", "miles", "kilometers"}, {"near"})
        if ("miles" in given) == ("kilometers" in given):
            raise BadInput("give either miles or kilometers", place=place)
        unit = "miles" if "miles" in given else "kilometers"
        length = operands.number(given[unit], f"{place}.{unit}")
        kilometers = length * (MILE if unit == "miles" else 1.0)
        if not 0 < kilometers <= FARTHEST:
            raise BadInput("is not a distance on the earth", place=f"{place}.{unit}")
        latitude, longitude, label = self._point(given["near"], f"{place}.near")
        return Near(place, latitude, longitude, kilometers, f"{length:g} {unit} of {label}")

    def _point(self, given: Any, place: str) -> tuple[float, float, str]:
        point = _object(given, place)
        if set(point) == {"postal_code"}:
            code = operands.text(point["postal_code"], f"{place}.postal_code")[:5]
            if code not in self._lexicon.places:
                raise BadInput(
                    "is not in this organization's table of places",
                    place=f"{place}.postal_code",
                    next_step="Give latitude and longitude, or load a table of places.",
                )
            return (*self._lexicon.places[code], f"ZIP {code}")
        _only(point, place, {"latitude", "longitude"}, {"latitude", "longitude"})
        latitude = operands.number(point["latitude"], f"{place}.latitude")
        longitude = operands.number(point["longitude"], f"{place}.longitude")
        if abs(latitude) > 90 or abs(longitude) > 180:
            raise BadInput("is not a point on the earth", place=place)
        return latitude, longitude, f"{latitude:g}, {longitude:g}"


_TOPIC = frozenset({"topic", "channel"})
CONSENT_WORDS: Mapping[Consent, tuple[frozenset[str], frozenset[str]]] = {
    Consent.OPTED_IN: (_TOPIC, frozenset({"confirmed"})),
    Consent.OPTED_OUT: (_TOPIC, frozenset()),
    Consent.AUTHORIZED: (frozenset(), frozenset({"purpose", "special"})),
    Consent.FUNDRAISING_OPTED_OUT: (frozenset(), frozenset()),
    Consent.SUPPRESSED: (frozenset({"channel"}), frozenset()),
    Consent.RESTRICTED: (frozenset(), frozenset()),
    Consent.DECEASED: (frozenset(), frozenset()),
}
"""What each question of consent must say, and may say."""


def _id(given: Any, place: str) -> UUID:
    try:
        return UUID(given)
    except (ValueError, TypeError, AttributeError):
        raise BadInput("is not the id of a segment", place=place) from None


def _object(given: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise BadInput("is not an object", place=place)
    return given


def _only(given: Mapping[str, Any], place: str, may: Iterable[str], must: Iterable[str] = ()) -> None:
    known = set(may)
    for word in given:
        if word not in known:
            raise BadInput("says something that is not understood here", place=place,
                           next_step=f"Known here: {', '.join(sorted(known))}.")  # fmt: skip
    for word in must:
        if word not in given:
            raise BadInput(f"does not say {word}", place=place)


def _choice(kind: type[E], given: Any, place: str) -> E:
    try:
        return kind(given)
    except (ValueError, TypeError):
        raise BadInput("is not a known word", place=place,
                       next_step=_perhaps(given, [one.value for one in kind])) from None  # fmt: skip


def _perhaps(given: Any, known: Iterable[str]) -> str:
    """Return a hint made of known words only: what was typed is not repeated, it may be PHI."""
    words = list(known)
    close = difflib.get_close_matches(given, words, 1) if isinstance(given, str) and len(given) < 100 else []
    return f"Perhaps: {close[0]}." if close else f"Known: {', '.join(sorted(words)[:40])}."
