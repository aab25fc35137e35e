"""Which known person a patch speaks of: pure decisions on what the blind indexes found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from salus.contacts.document import Prepared
from salus.kernel.vocabulary import Channel

T = TypeVar("T")

MOST_SHARING = 20
"""An address that more people than this share tells nobody apart."""

TWO_PEOPLE = "its identifiers belong to more than one person"
SHARED_ADDRESS = "more than one person has this address"
NOBODY = "nobody here has this identifier"
UNFINDABLE = "no record number, e-mail or phone: this person could not be found again"
NOTHING = "says nothing about anyone"


@dataclass(frozen=True, slots=True)
class Match(Generic[T]):
    """What was decided: `person` when it is someone known, `reason` when it is refused, else new."""

    person: T | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Candidate(Generic[T]):
    """Someone known that the indexes found, with the document to compare."""

    person: T
    document: Mapping[str, Any]


def match(
    patch: Prepared,
    by_identifier: Sequence[Candidate[T]],
    by_address: Callable[[], Sequence[Candidate[T]]],
) -> Match[T]:
    """Decide whose the patch is.

    `by_identifier` are those who have any of its identifiers; `by_address()` those who have its first
    e-mail address (or, when it has none, its first phone number), asked for only if the former is
    empty. An identifier decides. An address decides together with the birth date, or with the name
    when a birth date is missing on either side, or alone when the patch tells neither.
    """
    if by_identifier:
        if len(by_identifier) > 1:
            return Match(reason=TWO_PEOPLE)
        return Match(by_identifier[0].person)
    if not patch.create:
        return Match(reason=NOBODY)
    address = patch.first(Channel.EMAIL) or patch.first(Channel.SMS)
    if address is None:
        return Match(reason="" if patch.identifiers else UNFINDABLE)
    sharing = by_address()
    if len(sharing) > MOST_SHARING:
        return Match(reason="" if patch.identifiers else SHARED_ADDRESS)
    same = [one for one in sharing if not _other_record_number(patch, one.document)]
    alike = [one for one in same if _alike(patch, one.document)]
    if len(alike) > 1:
        exact = [one for one in alike if _exact(patch, one.document)]
        if len(exact) != 1:
            return Match(reason=SHARED_ADDRESS)
        alike = exact
    return Match(alike[0].person) if alike else Match()


def _other_record_number(patch: Prepared, document: Mapping[str, Any]) -> bool:
    """Return whether both have an identifier of one system and the values differ: other people then."""
    theirs: dict[str, set[str]] = {}
    for one in document.get("identifiers", ()):
        theirs.setdefault(one["system"], set()).add(one["value"])
    return any(system in theirs and value not in theirs[system] for system, value in patch.identifiers)


def _said(source: Mapping[str, Any], key: str) -> str | None:
    value = source.get(key)
    return value.casefold() if isinstance(value, str) else None


def _alike(patch: Prepared, document: Mapping[str, Any]) -> bool:
    """Return whether nothing tells the two apart, and something more than the address joins them.

    With only an address on the patch's side, the address has to do.
    """
    birth = (_said(patch.values, "birth_date"), _said(document, "birth_date"))
    if None not in birth:
        return birth[0] == birth[1] and _same_where_known(patch.values, document, "given_name")
    names = [_same_where_known(patch.values, document, key) for key in ("given_name", "family_name")]
    return all(names)


def _same_where_known(values: Mapping[str, Any], document: Mapping[str, Any], key: str) -> bool:
    ours, theirs = _said(values, key), _said(document, key)
    return ours is None or theirs is None or ours == theirs


def _exact(patch: Prepared, document: Mapping[str, Any]) -> bool:
    return all(
        _said(patch.values, key) == _said(document, key)
        for key in ("birth_date", "given_name", "family_name")
    )
