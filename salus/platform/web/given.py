"""Reads numbers and ids out of what a request gives, which may be anything at all."""

from __future__ import annotations

from uuid import UUID


def number_given(text: str, *, most_digits: int = 15) -> int | None:
    """Return the whole number that `text` is in plain digits, None when it is none or too long."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= most_digits else None


def id_given(text: str) -> UUID | None:
    """Return the id that `text` is, None when it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None
