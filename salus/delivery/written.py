"""Words written for one message by a program: kept sealed in the message's own row, and the same ones only once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from salus.content import api as content
from salus.content.api import Compiled
from salus.delivery.models import MessageRow
from salus.delivery.sealing import message_binding, open_content
from salus.kernel.errors import Reused
from salus.keys import api as keys
from salus.platform.tenancy import current_organization


@dataclass(frozen=True, slots=True)
class Words:
    """What one message says; `html` is what stands inside the body of the page, empty for a plain text."""

    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(default="", repr=False)

    def values(self) -> Mapping[str, str]:
        """Return the words as a row keeps them."""
        return asdict(self)


def words_of(values: Mapping[str, Any]) -> Words:
    """Return the words that a row keeps."""
    return Words(**values)


def check_same(row: MessageRow, words: Words) -> None:
    """Raise `Reused` when a row that is there already says something else; a refused or erased one says nothing."""
    opened = open_content(keys.sealer(), message_binding(current_organization(), row.id), row.sealed)
    if opened.values and words_of(opened.values) != words:
        raise Reused("A message with this id says something else.", next_step="Give each message its own id.")


def renderer(values: Mapping[str, Any], language: str, elements: tuple[str, ...], payer: str) -> Compiled:
    """Return what renders the words that a row keeps, under them what the law wants there."""
    words = words_of(values)
    return content.letter(
        words.subject, words.html, words.text, language=language, elements=elements, payer=payer
    )
