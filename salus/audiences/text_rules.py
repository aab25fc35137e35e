"""How text is compared: case does not count, by the simple mapping that SQL's lower() has too."""

from __future__ import annotations


def fold(text: str) -> str:
    """Return `text` in lower case, one character for one ("İ" becomes "i", "ß" stays)."""
    return text.lower() if text.isascii() else "".join(_lower(one) for one in text)


def _lower(one: str) -> str:
    if one == "\u0130":
        return "i"
    low = one.lower()
    return low if len(low) == 1 else one
