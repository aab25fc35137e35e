"""Announcements: portal notices, and sign-in codes by e-mail. A code is a message of its own that goes before all others, and only on a verified path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CODE, NOTICE = "code", "notice"
"""The kinds of the origins of sign-in codes and of portal notices."""
ANNOUNCEMENTS = frozenset({CODE, NOTICE})
"""Kinds of origins whose messages are no letters of their own."""

RENDERER = "salus/code/1"

_WORDS = {
    "en": (
        "Your sign-in code",
        "Your code is {code}. It works for 10 minutes.\n\nDid you not ask for it? Then you need do nothing.\n",
    ),
    "es": (
        "Su código de acceso",
        "Su código es {code}. Sirve durante 10 minutos.\n\n¿No lo pidió? Entonces no tiene que hacer nada.\n",
    ),
}


@dataclass(frozen=True, slots=True)
class Parts:
    """A rendered message, before it is built for the wire or put into the portal."""

    subject: str = field(repr=False)
    html: str = field(repr=False)
    text: str = field(repr=False)
    renderer: str


def code_parts(values: Mapping[str, Any], language: str) -> Parts:
    """Return the message that carries the code in `values`, in the reader's language."""
    subject, text = _WORDS.get(language, _WORDS["en"])
    return Parts(subject, "", text.format(code=values["code"]), RENDERER)
