"""What a file of facts may leave out, and what is then assumed: never anything that opens a gate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from salus.contacts.contracts import Address, Read
from salus.gate.contracts import MessageFacts, PersonFacts
from salus.kernel.time import FAR
from salus.kernel.vocabulary import AddressSource, Profile
from salus.permissions.contracts import Authorization, Standing, TopicChoice


@dataclass(frozen=True, slots=True)
class Context:
    """Where the reader is: the JSON path, and the moment that the case is decided for."""

    path: str
    at: datetime


Default = Callable[[Context], Any]


def evidence_at(path: str) -> UUID:
    """Return a stable id for evidence that a file mentions without one: it follows from its place."""
    return uuid5(NAMESPACE_OID, f"salus facts {path}")


def _now(context: Context) -> datetime:
    return context.at


def _just(value: Any) -> Default:
    return lambda context: value


_OPTIONAL: Mapping[type, Mapping[str, Default]] = {
    MessageFacts: {"payer": _just(""), "conditions": _just(()), "individual": _just(False), "profile": _just(Profile.STRICT)},
    PersonFacts: {
        "contact_id": lambda context: evidence_at(context.path), "version": _just(0), "address": _just(None),
        "address_blind": _just(None), "address_source": _just(AddressSource.UNKNOWN), "relation": _just(None),
        "birth_date": _just(None), "states": _just(frozenset()), "treatments": _just(()), "specials": _just(frozenset()),
        "standing": _just(None),
    },
    Standing: {
        "contact_id": lambda context: evidence_at(context.path), "version": _just(0), "at": _now, "valid_until": _just(FAR),
    },
    Address: {"source": _just(AddressSource.UNKNOWN), "evidence": _just(""), "obtained": _just(None)},
    Read: {},
    TopicChoice: {"at": _just(datetime(1970, 1, 1, tzinfo=UTC))},
    Authorization: {
        "classes": _just(frozenset()), "specials": _just(frozenset()), "remuneration_stated": _just(False),
        "sale_stated": _just(False), "valid_from": _just(datetime(1970, 1, 1, tzinfo=UTC)),
    },
}  # fmt: skip
"""Fields without a default of their own that a file may leave out. The dates of old entries are set so
that they do not matter; what is not known about a person is then not known, which blocks."""


def defaults_of(shape: type) -> dict[str, Default | None]:
    """Return every field of a dataclass with its default, None for one that must be there."""
    found: dict[str, Default | None] = {}
    for one in fields(shape):
        chosen = _OPTIONAL.get(shape, {}).get(one.name)
        if chosen is None and one.name == "evidence_id":
            chosen = lambda context: evidence_at(context.path)  # noqa: E731
        if chosen is None and one.default is not MISSING:
            chosen = _just(one.default)
        if chosen is None and one.default_factory is not MISSING:
            chosen = _just(one.default_factory())
        found[one.name] = chosen
    return found
