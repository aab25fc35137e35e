"""Which PHI a segment reads: to be in it, or not in it, tells all of that about a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from uuid import UUID

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
    Member,
    Near,
    Node,
    Not,
    Op,
    Record,
    Stage,
    Standing,
)
from salus.contacts.contracts import Read
from salus.kernel.vocabulary import PhiClass, Special
from salus.timeline.contracts import EventKind

ORIGIN, LIST = "segment", "list"
NO_CODE = ""
"""The code of a read that asks only whether there is a record: no code shows."""
_CODED = frozenset({Kind.CODES, Kind.PRESENCE})

_EVENT_CLASS: Mapping[EventKind, PhiClass] = {
    EventKind.VISIT: PhiClass.DATES_OF_CARE,
    EventKind.PROCEDURE_DONE: PhiClass.PROCEDURE,
    EventKind.DISCHARGE: PhiClass.HOSPITALIZATION,
    EventKind.APPOINTMENT_BOOKED: PhiClass.DATES_OF_CARE,
    EventKind.APPOINTMENT_MOVED: PhiClass.DATES_OF_CARE,
    EventKind.APPOINTMENT_CANCELLED: PhiClass.DATES_OF_CARE,
    EventKind.APPOINTMENT_ATTENDED: PhiClass.DATES_OF_CARE,
    EventKind.APPOINTMENT_MISSED: PhiClass.DATES_OF_CARE,
    EventKind.LAB_AVAILABLE: PhiClass.LAB,
    EventKind.PRESCRIPTION_READY: PhiClass.MEDICATION,
}
"""What an event of a kind tells; every other kind tells of engagement."""

_RECORD_OF: Mapping[EventKind, str] = {
    EventKind.VISIT: "encounters",
    EventKind.PROCEDURE_DONE: "procedures",
    EventKind.DISCHARGE: "hospitalizations",
    EventKind.APPOINTMENT_BOOKED: "appointments",
    EventKind.APPOINTMENT_MOVED: "appointments",
    EventKind.APPOINTMENT_CANCELLED: "appointments",
    EventKind.APPOINTMENT_ATTENDED: "appointments",
    EventKind.APPOINTMENT_MISSED: "appointments",
    EventKind.LAB_AVAILABLE: "labs",
    EventKind.PRESCRIPTION_READY: "medications",
}
"""The records whose codes the details of an event hold."""


def reads(node: Node, lexicon: Lexicon) -> tuple[Read, ...]:
    """Return what `node` reads, once each, in the order of the tree; `place` is where it stands first."""
    found: dict[tuple[str, PhiClass, Special | None, str | None], Read] = {}
    for one in _walk(node, lexicon):
        found.setdefault((one.field, one.phi_class, one.special, one.code), one)
    return tuple(found.values())


def lists(node: Node) -> frozenset[UUID]:
    """Return the static segments that `node` asks about."""
    match node:
        case All() | AnyOf():
            return frozenset().union(*(lists(one) for one in node.nodes))
        case Not() | Stage() | Member():
            return lists(node.node)
        case Listed():
            return frozenset({node.segment_id})
        case _:
            return frozenset()


def _walk(node: Node, lexicon: Lexicon) -> Iterator[Read]:
    match node:
        case All() | AnyOf():
            for one in node.nodes:
                yield from _walk(one, lexicon)
        case Not() | Stage() | Member():
            yield from _walk(node.node, lexicon)
        case Field():
            yield from _field(node, lexicon)
        case Record() | Latest():
            attribute = node.attribute
            codes: tuple[str | None, ...] = node.match.codes or (_unasked(node),)
            for code in codes:
                yield from _coded(
                    attribute.key, attribute.phi_class, attribute.special, code, node.place, lexicon
                )
        case Event():
            for kind in node.kinds:
                yield from _event(node, kind, lexicon)
        case Listed():
            yield from _listed(node)
        case Standing():
            yield _standing(node)
        case Near():
            yield Read("postal_code", PhiClass.DEMOGRAPHIC, None, ORIGIN, node.place)


def _event(node: Event, kind: EventKind, lexicon: Lexicon) -> Iterator[Read]:
    """Yield that it happened and, when its code or words are asked for, what those tell as a record's would."""
    phi_class = _EVENT_CLASS.get(kind, PhiClass.ENGAGEMENT)
    yield Read(f"event:{kind.value}", phi_class, None, ORIGIN, node.place)
    for name, test in node.where if kind in _RECORD_OF else ():
        asked = {Op.EQUAL: (test.operand,), Op.IN: test.operand}.get(test.op, (None,))
        for code in {"code": asked, "text": (None,)}.get(name, ()):
            yield from _coded(_RECORD_OF[kind], phi_class, None, code, node.place, lexicon)


def _unasked(node: Record | Latest) -> str | None:
    """Return the code of a question that names none: "" when only dates, values or counts are asked.

    Then nothing shows but that there is such a record. Words in the text of a record may tell any code.
    """
    return None if any(name == "text" for name, _ in node.tests) else NO_CODE


def _field(node: Field, lexicon: Lexicon) -> Iterator[Read]:
    codes: tuple[str | None, ...] = (NO_CODE if node.test.kind in _CODED else None,)
    if node.test.op is Op.HAS:
        codes = node.test.operand
    elif node.key not in lexicon.attributes:
        key = "birth_date" if node.key == "age" else node.key
        yield Read(key, node.phi_class, node.special, ORIGIN, node.place)
        return
    for code in codes:
        yield from _coded(node.key, node.phi_class, node.special, code, node.place, lexicon)


def _coded(
    key: str, phi_class: PhiClass, own: Special | None, code: str | None, place: str, lexicon: Lexicon
) -> Iterator[Read]:
    """Yield one read for each special category that the question can reveal, or one without."""
    specials = {own} if own is not None else lexicon.specials(key, code)
    reveals: list[Special | None] = [*sorted(specials, key=str)]
    for special in reveals or [None]:
        yield Read(key, phi_class, special, ORIGIN, place, code)


def _listed(node: Listed) -> Iterator[Read]:
    for phi_class in node.classes:
        yield Read(LIST, phi_class, None, ORIGIN, node.place)
    for special in node.specials:
        yield Read(LIST, node.classes[0], special, ORIGIN, node.place)


def _standing(node: Standing) -> Read:
    special = node.special
    phi_class = PhiClass.ENGAGEMENT
    if node.consent is Consent.DECEASED:
        phi_class = PhiClass.DEMOGRAPHIC
    return Read(f"consent:{node.consent.value}", phi_class, special, ORIGIN, node.place)
