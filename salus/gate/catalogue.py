"""What `contacts` knows of clinical codes and categories, as the rules ask for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from salus.contacts import api as contacts
from salus.contacts.contracts import AttributeType, Read
from salus.kernel.errors import BadInput
from salus.kernel.vocabulary import Special

_MANY_CODES = frozenset({AttributeType.RECORDS, AttributeType.CODES})
_TELLING_TEXT = frozenset({"department", "physician"})
"""Plain texts whose words may tell a special category ("Behavioral Health")."""


class ContactCodes:
    """The port `rules.codes.Codes`, filled."""

    def covers(self, asked: str, record: str) -> bool:
        """Return whether a record with code `record` answers a question for `asked`."""
        return _covers(asked, record)

    def specials_of(self, field: str, code: str) -> frozenset[Special]:
        """Return the categories that `code` tells in `field`; raises `BadInput` for an unknown value set."""
        try:
            return contacts.specials_asked(field, code)
        except KeyError:
            raise BadInput("names a value set that does not exist", place=code) from None


@lru_cache(maxsize=65536)
def _covers(asked: str, record: str) -> bool:
    try:
        return contacts.covers(asked, record)
    except KeyError:
        raise BadInput("names a value set that does not exist", place=asked) from None


CODES = ContactCodes()


def joined(reads: Iterable[Read]) -> tuple[Read, ...]:
    """Return the reads of segment and template without doubles, in a fixed order.

    A read of coded records without a code may show any code. Whether that is special depends on the
    person (`own_specials`), so the categories that it could tell of somebody are dropped here.
    """
    found: dict[tuple[object, ...], tuple[Read, Special | None]] = {}
    for read in reads:
        special = None if reads_any_code(read) else read.special
        found.setdefault((read.field, read.phi_class, special, read.code), (read, special))
    return tuple(
        Read(read.field, read.phi_class, special, read.origin, read.place, read.code)
        for _, (read, special) in sorted(found.items(), key=lambda item: tuple(map(str, item[0])))
    )


def reads_any_code(read: Read) -> bool:
    """Return whether what a read tells of a special category depends on the person's own records."""
    attribute = contacts.dictionary().get(read.field)
    return (
        read.code is None
        and attribute is not None
        and attribute.special is None
        and (attribute.type in _MANY_CODES or read.field in _TELLING_TEXT)
    )


def own_specials(values: Mapping[str, Any]) -> frozenset[Special]:
    """Return the special categories that occur in these fields of a person."""
    return contacts.specials_of(values) if values else frozenset()
