"""What audiences is told from above, by wiring: how the gate would see a message to a segment."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from salus.audiences.contracts import Asked
from salus.contacts.contracts import Read

Preview = Callable[[tuple[Read, ...]], Sequence[Asked]]


def _nothing(_: tuple[Read, ...]) -> Sequence[Asked]:
    return ()


_preview: Preview = _nothing


def use_gate_preview(preview: Preview) -> None:
    """Say who answers what the gate would ask; it is called inside `acting_for`."""
    global _preview
    _preview = preview


def gate_preview(reads: tuple[Read, ...]) -> Sequence[Asked]:
    """Return what the gate would ask of messages to people of whom `reads` is told."""
    return _preview(reads)
