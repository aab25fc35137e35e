"""The expressions inside a journey, as `audiences` reads them: conditions, events, filters on a record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from salus.contacts.contracts import AttributeType
from salus.journeys.contracts import Finding, Tree
from salus.journeys.rules.findings import error, warning
from salus.journeys.rules.known import Known
from salus.timeline.contracts import EventKind

VERSION = 1
DATE_PARTS = ("date", "end")
"""The parts of a record that are dates."""
OF_MESSAGES = frozenset(kind for kind in EventKind if kind.value.startswith("message_"))


def as_condition(event: Tree) -> Tree:
    """Return an event expression as a segment expression."""
    return {"version": VERSION, "where": event}


def as_filter(records: str, where: Tree) -> Tree:
    """Return a filter on the records of an attribute as a segment expression."""
    return {"version": VERSION, "where": {**where, "record": records}}


def kinds_in(tree: Any) -> frozenset[str]:
    """Return the kinds of events that an expression asks for ("did"), as they are written."""
    return frozenset(_kinds(tree))


def _kinds(tree: Any) -> Iterator[str]:
    if isinstance(tree, Mapping):
        did = tree.get("did")
        named = did if isinstance(did, list | tuple) else [did]
        yield from (one for one in named if isinstance(one, str))
        for inner in tree.values():
            yield from _kinds(inner)
    elif isinstance(tree, list | tuple):
        for inner in tree:
            yield from _kinds(inner)


def check_condition(step: str, tree: Tree, known: Known, *, port: str = "") -> Iterator[Finding]:
    """Yield what is wrong with a segment expression; an event in it that nobody produces is a warning."""
    fault = known.faults_of(tree)
    if fault:
        what = f"The condition does not hold together: {fault}"
        yield error("bad_condition", step, what, "Mend the condition.", port=port)
        return
    missing = _unproduced(kinds_in(tree), known)
    if missing:
        what = f"The condition asks for what nobody tells Salus of: {_words(missing)}."
        yield warning("nobody_produces", step, what, PRODUCE, port=port)


PRODUCE = "Let a system report it (POST /api/v1/events), import it, or ask for something else."


def form_sent(key: str) -> Tree:
    """Return the event expression of a form that was filled in, by its key."""
    return {"did": EventKind.FORM_COMPLETED.value, "where": {"form": {"equal": key}}}


def check_event(step: str, event: Tree, known: Known) -> Iterator[Finding]:
    """Yield what is wrong with an event expression; one that nobody produces is an error."""
    kinds = kinds_in({"did": event.get("did")})
    fault = ""
    if not kinds or not set(event) <= {"did", "where"}:
        fault = 'it has to be {"did": kind}, with "where" for its details.'
    fault = fault or known.faults_of(as_condition(event))
    if fault:
        what = f"The event does not hold together: {fault}"
        yield error("bad_event", step, what, "Choose an event, and mend what its details must be.")
    elif kinds == _unproduced(kinds, known):
        what = f"Nobody tells Salus of this: {_words(kinds)}."
        yield error("nobody_produces", step, what, PRODUCE)


def check_date(step: str, attribute: str, where: Tree, known: Known) -> Iterator[Finding]:
    """Yield what is wrong with a date to wait for: "birth_date", or "appointments.date" with a filter."""
    key, _, part = attribute.partition(".")
    found = known.attributes.get(key)
    if found is None:
        what = "The date that it goes by is not known of anybody." if key else "It does not say which date."
        yield error("no_such_attribute", step, what, "Choose a date from the dictionary.")
    elif part and (found.type is not AttributeType.RECORDS or part not in DATE_PARTS):
        what = f"“{attribute}” is not the date of a record."
        yield error("not_a_date", step, what, f"Choose {found.key}.{DATE_PARTS[0]}, or another date.")
    elif not part and found.type is not AttributeType.DATE:
        what = f"“{found.label}” is not a date."
        yield error("not_a_date", step, what, "Choose a date, or the date of a record.")
    elif where and not part:
        what = "It filters records, but goes by a date that is no record’s."
        yield error("bad_filter", step, what, "Take the filter away.")
    elif where and (fault := known.faults_of(as_filter(key, where))):
        yield error("bad_filter", step, f"The filter does not hold together: {fault}", "Mend the filter.")


def _unproduced(kinds: Iterable[str], known: Known) -> frozenset[str]:
    return frozenset(kinds) - known.produced


def _words(kinds: Iterable[str]) -> str:
    return ", ".join(sorted(kind.replace("_", " ") for kind in kinds))
