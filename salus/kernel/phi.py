"""`Phi[T]` keeps a protected value from being shown, logged, pickled or serialized by accident."""

from __future__ import annotations

from typing import Generic, NoReturn, TypeVar, final

T_co = TypeVar("T_co", covariant=True)

MASK = "•••••"


@final
class Phi(Generic[T_co]):
    """A value of protected health information; `reveal()` is the only way out.

    Every text form is the same fixed-length mask, so that neither the value nor its length shows
    in a log line, a traceback, an f-string or a debugger. Equality compares the values.
    """

    __slots__ = ("_value",)

    def __init__(self, value: T_co) -> None:
        self._value = value

    def reveal(self) -> T_co:
        """Return the plaintext. Call it at the last moment, never to build a message for a log."""
        return self._value

    def __repr__(self) -> str:
        return f"Phi({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Phi) and bool(self._value == other._value)

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("Phi is never pickled or copied: reveal it where it is sealed")

    def __bool__(self) -> bool:
        return bool(self._value)
