"""One invented person: who they are, and what is wrong with them, drawn from a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import accumulate
from random import Random
from typing import TypeVar

from salus.intake.clinic import names
from salus.intake.clinic.catalog import CONDITIONS, Diagnosis

T = TypeVar("T")
Weighted = Sequence[tuple[T, float]]

DEFAULT_DOMAINS: Weighted[str] = (
    ("lakepost.test", 42),
    ("harborline.test", 26),
    ("pinevale.test", 16),
    ("quillmail.test", 10),
    ("oldtown.test", 6),
)
"""Mailbox domains and their shares."""

STATES: Weighted[tuple[str, str, str]] = (
    (("CA", "Sacramento", "958"), 22),
    (("TX", "Houston", "770"), 19),
    (("WA", "Spokane", "992"), 16),
    (("NY", "Albany", "122"), 14),
    (("IL", "Peoria", "616"), 10),
    (("MA", "Lowell", "018"), 8),
    (("FL", "Ocala", "344"), 4),
    (("NV", "Reno", "895"), 3),
    (("CT", "Hartford", "061"), 2),
    (("CO", "Pueblo", "810"), 2),
)
"""State, city and the first digits of its ZIP codes."""

YOUNGEST, ADULT, OLDEST = 6, 18, 96


@dataclass(slots=True)
class Person:
    """One invented patient."""

    index: int
    id: str
    record_number: str
    given: str
    family: str
    female: bool
    born: date
    age: int
    language: str
    state: str
    city: str
    postal_code: str
    care_state: str
    phone: str
    email: str
    deceased: date | None
    race: str
    hispanic: bool
    diagnoses: list[Diagnosis] = field(default_factory=list)

    @property
    def minor(self) -> bool:
        """Return whether the person is a child."""
        return self.age < ADULT

    def has(self, name: str) -> bool:
        """Return whether the person has the diagnosis called `name`."""
        return any(one.name == name for one in self.diagnoses)


def pick(random: Random, weighted: Weighted[T]) -> T:
    """Return one of the things, by weight."""
    totals = list(accumulate(weight for _, weight in weighted))
    return random.choices([thing for thing, _ in weighted], cum_weights=totals)[0]


def person(seed: int, index: int, today: date, domains: Weighted[str]) -> tuple[Person, Random]:
    """Return person `index` of the clinic of `seed`, and the randomness for what happens to them.

    The same seed, index and day give the same person, however many others are made.
    """
    random = Random(f"salus/{seed}/{index}")  # noqa: S311 - invented people, not keys
    female = random.random() < 0.53
    state, city, zip_head = pick(random, STATES)
    hispanic = random.random() < (0.36 if state in {"CA", "TX", "NV"} else 0.16)
    language = _language(random, hispanic)
    age = _age(random)
    born = _birth_date(random, today, age)
    given = names.given_name(random, female=female)
    family = names.family_name(random, spanish=hispanic)
    found = Person(
        index=index,
        id=f"pt-{seed:x}-{index:07d}",
        record_number=f"CR-{seed % 97:02d}{index:07d}",
        given=given,
        family=family,
        female=female,
        born=born,
        age=age,
        language=language,
        state=state,
        city=city,
        postal_code=f"{zip_head}{random.randrange(100):02d}",
        care_state=state if random.random() < 0.8 else "WA",
        phone=names.phone(state, index),
        email=f"{names.local_part(given, family, index)}@{pick(random, domains)}",
        deceased=None,
        race=random.choices(("2106-3", "2054-5", "2028-9", "1002-5", "2131-1"), (62, 14, 9, 2, 13))[0],
        hispanic=hispanic,
    )
    if age > 60 and random.random() < 0.05:
        found.deceased = today - timedelta(days=random.randrange(30, 700))
    found.diagnoses = [one for one in CONDITIONS if one.fits(age, female) and random.random() < one.share]
    return found, random


def _language(random: Random, hispanic: bool) -> str:
    if hispanic:
        return "es" if random.random() < 0.62 else "en"
    return random.choices(("en", "es", "zh", "vi"), (95, 1, 2, 2))[0]


def _age(random: Random) -> int:
    kind = random.random()
    if kind < 0.12:
        return random.randrange(YOUNGEST, ADULT)
    if kind < 0.68:
        return random.randrange(ADULT, 60)
    return random.randrange(60, OLDEST)


def _birth_date(random: Random, today: date, age: int) -> date:
    """Return a birth date of somebody of `age`; never the first of a month, which means "unknown"."""
    while True:
        born = today - timedelta(days=int(age * 365.2425) + random.randrange(1, 364))
        if (
            born.day != 1
            and today.year - born.year - ((today.month, today.day) < (born.month, born.day)) == age
        ):
            return born
