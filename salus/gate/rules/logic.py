"""How conditions combine, and how much of one is settled by the message alone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from salus.gate.rules.cases import Age, Case, Message, Traits
from salus.kernel.vocabulary import AddressSource


class About(Enum):
    """What a condition looks at."""

    MESSAGE = "message"
    PERSON = "person"
    GATES = "gates"
    PARTS = "parts"


@dataclass(frozen=True, slots=True)
class Condition:
    """The base of all conditions; a condition says what it is true of in `_answer`."""

    about: ClassVar[About] = About.MESSAGE

    def holds(self, case: Case) -> bool:
        """Return whether the condition is true in `case`."""
        return self._answer(case)

    def _answer(self, case: Case) -> bool:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Always(Condition):
    """True of everything."""

    def _answer(self, case: Case) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Never(Condition):
    """True of nothing."""

    def _answer(self, case: Case) -> bool:
        return False


ALWAYS, NEVER = Always(), Never()


@dataclass(frozen=True, slots=True)
class AllOf(Condition):
    """Every part holds."""

    about: ClassVar[About] = About.PARTS
    parts: tuple[Condition, ...]

    def __init__(self, *parts: Condition) -> None:
        object.__setattr__(self, "parts", parts)

    def _answer(self, case: Case) -> bool:
        return all(part.holds(case) for part in self.parts)


@dataclass(frozen=True, slots=True)
class AnyOf(Condition):
    """At least one part holds."""

    about: ClassVar[About] = About.PARTS
    parts: tuple[Condition, ...]

    def __init__(self, *parts: Condition) -> None:
        object.__setattr__(self, "parts", parts)

    def _answer(self, case: Case) -> bool:
        return any(part.holds(case) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Not(Condition):
    """The part does not hold."""

    about: ClassVar[About] = About.PARTS
    part: Condition

    def _answer(self, case: Case) -> bool:
        return not self.part.holds(case)


def specialise(condition: Condition, message: Message) -> Condition:
    """Return `condition` with all that depends only on the message already answered."""
    match condition:
        case Not(part):
            inner = specialise(part, message)
            if inner is ALWAYS:
                return NEVER
            return ALWAYS if inner is NEVER else Not(inner)
        case AllOf() | AnyOf():
            return _specialise_parts(condition, message)
        case _ if condition.about is About.MESSAGE:
            return ALWAYS if condition.holds(Case(message, NOBODY)) else NEVER
        case _:
            return condition


def _specialise_parts(condition: AllOf | AnyOf, message: Message) -> Condition:
    settles, neutral = (NEVER, ALWAYS) if isinstance(condition, AllOf) else (ALWAYS, NEVER)
    parts = [specialise(part, message) for part in condition.parts]
    if any(part is settles for part in parts):
        return settles
    open_parts = [part for part in parts if part is not neutral]
    if len(open_parts) <= 1:
        return open_parts[0] if open_parts else neutral
    return type(condition)(*open_parts)


NOBODY = Traits(
    None,
    AddressSource.UNKNOWN,
    frozenset(),
    False,
    frozenset(),
    False,
    False,
    Age.UNKNOWN,
    False,
    False,
    False,
)
"""Traits for a question that no trait answers."""
