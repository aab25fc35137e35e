"""PATCH of SCIM (RFC 7644 section 3.5.2): what a resource is after some operations."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from salus.identity import scim_filter
from salus.identity.scim_filter import Filter
from salus.kernel.errors import BadInput

MOST = 1_000
_PATH = re.compile(
    r"(?P<name>[A-Za-z$][\w$-]*)(?:\[(?P<filter>.*)\])?(?:\.(?P<sub>[A-Za-z$][\w$-]*))?\Z", re.DOTALL
)


class Refused(BadInput):
    """What SCIM has a word of its own for (`scim_type`, RFC 7644 table 9)."""

    def __init__(self, scim_type: str, what: str) -> None:
        super().__init__(what)
        self.scim_type = scim_type


@dataclass(frozen=True, slots=True)
class _Path:
    name: str
    filter: Filter | None
    sub: str


def apply(
    resource: Mapping[str, Any], operations: object, *, known: Sequence[str], fixed: Sequence[str]
) -> dict[str, Any]:
    """Return `resource` after `operations`; it is not changed itself.

    `known` are the attributes that exist here: others are passed over, as RFC 7643 section 3.3.1 asks.
    Raises `Refused` for an operation that cannot be read, one of a `fixed` attribute, or one that finds
    nothing.
    """
    if not isinstance(operations, list) or not 0 < len(operations) <= MOST:
        raise Refused("invalidSyntax", f"Operations is a list of 1 to {MOST}.")
    after = copy.deepcopy(dict(resource))
    names = {name.casefold(): name for name in known}
    for each in operations:
        if not isinstance(each, Mapping):
            raise Refused("invalidSyntax", "An operation is an object.")
        verb, path, value = str(each.get("op", "")).lower(), each.get("path"), each.get("value")
        if verb not in {"add", "replace", "remove"}:
            raise Refused("invalidSyntax", "An operation adds, replaces or removes.")
        for at, given in _parts(verb, path, value):
            name = names.get(at.name.casefold())
            if name is None:
                continue
            if name in fixed and given != after.get(name):
                raise Refused("mutability", f"{name} cannot be changed.")
            _one(after, name, at, verb, given)
    return after


def _parts(verb: str, path: object, value: Any) -> list[tuple[_Path, Any]]:
    """Return the paths and values of an operation; without a path each attribute of its value is one."""
    if isinstance(path, str) and path:
        return [(_read(path), value)]
    if verb == "remove":
        raise Refused("noTarget", "What is removed needs a path.")
    if path or not isinstance(value, Mapping):
        raise Refused("invalidPath", "Without a path the value is an object of attributes.")
    return [(_read(str(name)), inner) for name, inner in value.items() if str(name) != "schemas"]


def _read(path: str) -> _Path:
    plain = scim_filter.plain_name(path)
    if plain.startswith("urn:"):
        return _Path(plain, None, "")
    found = _PATH.match(plain)
    if found is None:
        raise Refused("invalidPath", "That is no path.")
    inner = scim_filter.parse(found["filter"]) if found["filter"] is not None else None
    return _Path(found["name"], inner, found["sub"] or "")


def _one(after: dict[str, Any], name: str, at: _Path, verb: str, value: Any) -> None:
    present = after.get(name)
    if isinstance(present, list):
        after[name] = _many(present, at, verb, value)
    elif at.filter is not None:
        raise Refused("invalidPath", f"{name} is one value, there is nothing to choose.")
    elif at.sub:
        inner = dict(present) if isinstance(present, Mapping) else {}
        inner = {key: kept for key, kept in inner.items() if key.casefold() != at.sub.casefold()}
        after[name] = inner if verb == "remove" else {**inner, at.sub: value}
    elif verb == "remove":
        after.pop(name, None)
    elif isinstance(present, Mapping) and isinstance(value, Mapping):
        after[name] = {**present, **value}
    else:
        after[name] = value


def _many(present: list[Any], at: _Path, verb: str, value: Any) -> list[Any]:
    if at.filter is not None:
        chosen = [isinstance(each, Mapping) and at.filter.fits(each) for each in present]
        if verb == "remove":
            return [each for each, out in zip(present, chosen, strict=True) if not out]
        if not any(chosen):
            raise Refused("noTarget", "Nothing fits the filter of the path.")
        change = {at.sub: value} if at.sub else value
        if not isinstance(change, Mapping):
            raise Refused("invalidValue", "The value is an object.")
        return [{**each, **change} if fits else each for each, fits in zip(present, chosen, strict=True)]
    given = value if isinstance(value, list) else [] if value is None else [value]
    given = [each if isinstance(each, Mapping) else {"value": each} for each in given]
    if verb == "replace":
        return given
    named = {str(each.get("value")) for each in given}
    if verb == "remove":  # with a value some directories take out only what it names
        return [each for each in present if given and str(each.get("value")) not in named]
    known = {str(each.get("value")) for each in present}
    return [*present, *(each for each in given if str(each.get("value")) not in known)]
