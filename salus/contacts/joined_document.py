"""Two documents of one person made one, and taken apart again: pure.

What both say differently is for a person to choose; nothing that leads to a person is lost: identifiers are
all kept, and addresses that were not chosen stay as `former`, by which a file still finds who it means.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from salus.contacts.contracts import AttributeType, Side
from salus.contacts.dictionary import DICTIONARY
from salus.contacts.document import CLOSEST_FIRST, Document, named
from salus.kernel.errors import BadInput
from salus.kernel.vocabulary import Channel

ADDRESSES: Mapping[str, str] = {"email": Channel.EMAIL, "phone": Channel.SMS}
"""What a choice may name beside attributes: the addresses of a channel, together."""
FORMER = "former"
ALWAYS = frozenset({"deceased_date"})
"""Whoever says it is believed: nobody writes to the dead because the other record did not know."""
_SINGLE = frozenset(
    key
    for key, each in DICTIONARY.items()
    if each.type not in (AttributeType.RECORDS, AttributeType.CODES) and key not in ALWAYS
)
_RANK = {source: rank for rank, source in enumerate(CLOSEST_FIRST)}


def differing(kept: Document, gone: Document) -> list[str]:
    """Return what both say and say differently, in the order of the dictionary; "email" and "phone" last."""
    found = [key for key in DICTIONARY if key in _SINGLE and key in kept and key in gone]
    found = [key for key in found if kept[key] != gone[key]]
    for name in ADDRESSES:
        ours, theirs = _values(kept, name), _values(gone, name)
        if ours and theirs and ours != theirs:
            found.append(name)
    return found


def joined(kept: Document, gone: Document, choices: Mapping[str, Side]) -> Document:
    """Return the document of the person that both are.

    `choices` says for each of `differing` whose word counts; "both" is for addresses alone. Without a choice
    the kept record's does. Raises `BadInput` for a choice that is none.
    """
    _check(choices)
    result = dict(kept)
    for key, value in gone.items():
        if key in ("addresses", "identifiers", FORMER):
            continue
        kind = DICTIONARY[key].type if key in DICTIONARY else None
        if kind is AttributeType.CODES:
            result[key] = list(dict.fromkeys((*kept.get(key, ()), *value)))
        elif kind is AttributeType.RECORDS:
            by_id = {one["id"]: one for one in (*value, *kept.get(key, ()))}
            result[key] = sorted(by_id.values(), key=lambda one: (one.get("date", ""), one["id"]))
        elif key not in kept or choices.get(key) == "gone":
            result[key] = value
    _put(
        result, "identifiers", _distinct(kept, gone, "identifiers", lambda one: (one["system"], one["value"]))
    )
    chosen = [one for name in ADDRESSES for one in _chosen(kept, gone, name, choices.get(name, "kept"))]
    _put(result, "addresses", sorted(chosen, key=lambda one: (one["channel"], _RANK[one["source"]])))
    used = {(one["channel"], one["value"]) for one in chosen}
    all_known = [
        {"channel": one["channel"], "value": one["value"]}
        for document in (kept, gone)
        for one in (*document.get("addresses", ()), *document.get(FORMER, ()))
    ]
    former = {(one["channel"], one["value"]): one for one in all_known}
    _put(result, FORMER, [one for key, one in former.items() if key not in used])
    return result


def parted(before: Document, after: Document, now: Document) -> Document:
    """Return the kept record's own document: as it was before the merge, with what came since.

    `after` is what the merge made, `now` what it has become: what changed between the two stays with the
    kept record. Of lists, each record and address is looked at alone.
    """
    result: Document = {}
    for key in dict.fromkeys((*before, *now)):
        if key in ("addresses", "identifiers", FORMER) or _is_records(key):
            _put(result, key, _parted_list(before.get(key, []), after.get(key, []), now.get(key, [])))
        elif now.get(key) == after.get(key):
            if key in before:
                result[key] = before[key]
        elif key in now:
            result[key] = now[key]
    return result


def _parted_list(before: list[Any], after: list[Any], now: list[Any]) -> list[Any]:
    if now == after:
        return before
    since = [one for one in now if one not in after]
    dropped = [one for one in after if one not in now]
    return [one for one in before if one not in dropped and one not in since] + since


def _is_records(key: str) -> bool:
    return key in DICTIONARY and DICTIONARY[key].type in (AttributeType.RECORDS, AttributeType.CODES)


def _check(choices: Mapping[str, str]) -> None:
    for key, side in choices.items():
        allowed = ("kept", "gone", "both") if key in ADDRESSES else ("kept", "gone")
        if (key not in ADDRESSES and key not in _SINGLE) or side not in allowed:
            raise BadInput("is no choice between two records", place=key)


def _values(document: Document, name: str, *also: str) -> list[str]:
    return sorted(
        one["value"]
        for where in ("addresses", *also)
        for one in document.get(where, ())
        if one["channel"] == ADDRESSES[name]
    )


def _chosen(kept: Document, gone: Document, name: str, side: Side) -> list[Document]:
    """Return the addresses of one channel to go on with; the one that has any, when only one has."""
    ours, theirs = (
        [one for one in document.get("addresses", ()) if one["channel"] == ADDRESSES[name]]
        for document in (kept, gone)
    )
    if side == "both":
        known = {one["value"] for one in ours}
        return ours + [one for one in theirs if one["value"] not in known]
    first, second = (ours, theirs) if side == "kept" else (theirs, ours)
    return first or second


def _distinct(kept: Document, gone: Document, key: str, of: Callable[[Document], Any]) -> list[Document]:
    found = {of(one): one for document in (gone, kept) for one in document.get(key, ())}
    ours = list(kept.get(key, ()))
    return ours + [one for one in found.values() if one not in ours]


def _put(document: Document, key: str, value: list[Any]) -> None:
    if value:
        document[key] = value
    else:
        document.pop(key, None)


def reasons(one: Document, other: Document) -> tuple[str, ...]:
    """Return in words, without values, why two records may be one person; the strongest reason first."""
    found = []
    systems = [each["system"] for each in one.get("identifiers", ()) if each in other.get("identifiers", ())]
    found += [f"same record number ({system})" for system in dict.fromkeys(systems)]
    if named(one) and named(one) == named(other):
        found.append("same name and birth date")
    for name, words in (("email", "same e-mail address"), ("phone", "same phone number")):
        if set(_values(one, name, FORMER)) & set(_values(other, name, FORMER)):
            found.append(words)
    return tuple(found)


def against(one: Document, other: Document) -> tuple[str, ...]:
    """Return in words, without values, what tells two records apart."""
    found = [words for key, words in _APART if key in one and key in other and not _same(one, other, key)]
    numbers = [
        {each["value"] for each in record.get("identifiers", ()) if each["system"] == "mrn"}
        for record in (one, other)
    ]
    if all(numbers) and not numbers[0] & numbers[1]:
        found.append("other record number")
    return tuple(found)


_SHARED = ("same e-mail address", "same phone number")
_APART = (
    ("birth_date", "other birth date"),
    ("given_name", "other given name"),
    ("family_name", "other family name"),
)


def plausible(one: Document, other: Document) -> bool:
    """Return whether two records are worth showing: a family that shares an address is not one person.

    Another birth date and another given name outweigh an address, and nothing else.
    """
    apart = against(one, other)
    family = "other birth date" in apart and "other given name" in apart
    return any(not family or why not in _SHARED for why in reasons(one, other))


def _same(one: Document, other: Document, key: str) -> bool:
    return str(one[key]).casefold() == str(other[key]).casefold()


def beside(one: Document, other: Document) -> list[tuple[str, str, str]]:
    """Return what either says as (field, text, text), fields of the dictionary first; "" where one says nothing."""
    keys = [key for key in DICTIONARY if key in one or key in other]
    rows = [(key, _text(one.get(key)), _text(other.get(key))) for key in keys]
    rows += [(name, ", ".join(_values(one, name)), ", ".join(_values(other, name))) for name in ADDRESSES]
    rows.append(("identifiers", _identifiers(one), _identifiers(other)))
    return [row for row in rows if row[1] or row[2]]


def _identifiers(document: Document) -> str:
    return ", ".join(f"{each['value']} ({each['system']})" for each in document.get("identifiers", ()))


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        whole = [each if isinstance(each, str) else "" for each in value]
        return ", ".join(whole) if all(whole) else f"{len(value)} record{'s' if len(value) > 1 else ''}"
    return str(value)
