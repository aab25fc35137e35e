"""What content asks of `contacts`: the dictionary, codes and their words, opened values of one person."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from salus.contacts import api as contacts
from salus.contacts.contracts import Attribute, Opened
from salus.content.contracts import Need
from salus.content.fields import OPENS, readable
from salus.content.formatting import Formatter
from salus.kernel.vocabulary import Channel, Special

_WORD = {"en": 0, "es": 1}


@functools.cache
def attributes() -> Mapping[str, Attribute]:
    """Return everything that a template may read of a contact."""
    return readable(contacts.dictionary())


def special_of(field: str, code: str) -> Special | None:
    """Return the strictest special category of a code or value set that is asked for; `KeyError` if unknown."""
    return contacts.special_of(field, "", code)


@functools.lru_cache(maxsize=4096)
def label_of(field: str, code: str, language: str) -> str:
    """Return the word for a code: from the closed lists, from the languages, else the code made readable."""
    known = contacts.CODE_LISTS.get(field)
    if known is not None and code in known.labels:
        return known.labels[code][_WORD[language]]
    if field in {"language", "spoken_languages"} and code in contacts.LANGUAGES:
        return contacts.LANGUAGES[code][_WORD[language]]
    if field in {"state", "care_state"}:
        return contacts.STATES.get(code, code)
    return code.replace("_", " ")


@functools.cache
def formatter() -> Formatter:
    """Return the formatter of this installation's dictionary."""
    return Formatter(attributes(), contacts.covers, label_of)


def fields_to_open(needs: Mapping[str, Need]) -> tuple[str, ...]:
    """Return the fields that `contacts.open_fields` must open for `needs`."""
    return tuple(sorted({OPENS.get(key, key) for key in needs}))


def plain_values(opened: Opened) -> dict[str, Any]:
    """Return the opened values of a person, revealed, with the first address of each channel."""
    values: dict[str, Any] = {key: value.reveal() for key, value in opened.values.items()}
    for name, channel in (("phone", Channel.SMS), ("email", Channel.EMAIL)):
        address = next((one for one in opened.addresses if one.channel is channel), None)
        if address is not None:
            values[name] = address.value.reveal()
    return values
