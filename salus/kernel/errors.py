"""Errors that a person can act on: what happened, where, what was not lost, what to do next."""

from __future__ import annotations


class SalusError(Exception):
    """Something was refused or failed; the text is fit to be shown to staff and holds no PHI.

    `what` says what happened, `place` where (a line, a column, a JSON path), `kept` what was not
    lost, `next_step` what to do.
    """

    def __init__(self, what: str, *, place: str = "", kept: str = "", next_step: str = "") -> None:
        self.what, self.place, self.kept, self.next_step = what, place, kept, next_step
        super().__init__(self.__str__())

    def __str__(self) -> str:
        head = f"{self.place}: {self.what}" if self.place else self.what
        return " ".join(part for part in (head, self.kept, self.next_step) if part)


class BadInput(SalusError):
    """The caller gave something unusable; `place` names where. Nothing was changed."""


class NotFound(SalusError):
    """It is not there, or it is not for you: the two read the same on purpose."""

    def __init__(self, what: str = "There is nothing here, or it is not for you.") -> None:
        super().__init__(what)


class Conflict(SalusError):
    """The state does not allow this act (approved already, changed meanwhile, spent)."""


class Reused(Conflict):
    """A name that the caller gave to one thing (the key of a call, the id of a message) was given to another."""


class Unavailable(SalusError):
    """A part that is needed does not answer; trying again later is safe."""
