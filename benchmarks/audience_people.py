"""Invented people for the audience benchmark: how many of what, so that segments have sensible sizes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from salus.contacts.contracts import Address, ContactPatch, Identifier
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import AddressSource, Channel

CONDITIONS = (
    ("I10", 28), ("E78.5", 20), ("M54.50", 15), ("E11.9", 9), ("J45.909", 8), ("F32.9", 7), ("N18.30", 4),
    ("E11.65", 3), ("F10.20", 2), ("Z34.90", 2), ("E10.9", 1), ("C50.919", 1), ("B20", 0.4),
    *((f"{letter}{n:02d}.{n % 10}", 0.05) for letter in "GHKLMRS" for n in range(0, 100, 2)),
)  # fmt: skip
LABS = ("4548-4", "2339-0", "2093-3", "8480-6", "39156-5", "718-7", "2160-0", "13457-7")
DRUGS = tuple(str(100_000 + 37 * n) for n in range(300))
PROCEDURES = tuple(str(10_000 + 13 * n) for n in range(200))
VACCINES = ("140", "141", "150", "207", "208", "115", "33", "121", "21", "08")
STATES = ("IL", "WI", "IN", "IA", "MI", "MO", "MN", "OH")
ZONES = ("America/Chicago",) * 7 + ("America/New_York",) * 3
CITIES = tuple(f"Lake {letter}{n}" for letter in "ABCDEFGH" for n in range(60))
MAKE = {
    "medications": ("rxnorm", DRUGS, 4, 2_000, ("active", "stopped")),
    "procedures": ("cpt", PROCEDURES, 3, 2_000, ("completed",)),
    "vaccinations": ("cvx", VACCINES, 4, 3_000, ("completed",)),
}
_CODES = tuple(code for code, _ in CONDITIONS)
_WEIGHTS: list[float] = []
for _, _weight in CONDITIONS:
    _WEIGHTS.append(_weight + (_WEIGHTS[-1] if _WEIGHTS else 0.0))


def people(count: int, today: date, seed: int = 7) -> Iterator[ContactPatch]:
    """Yield `count` invented patients, the same ones for the same seed."""
    chance = random.Random(seed)
    days = [(today - timedelta(n)).isoformat() for n in range(-120, 33_000)]
    for number in range(count):
        yield _person(number, chance, days)


def _person(number: int, chance: random.Random, days: list[str]) -> ContactPatch:
    roll, below = chance.random, chance.randrange

    def record(kind: str, index: int, code: str, system: str, day: int, **more: Any) -> dict[str, Any]:
        coded = {"code": code, "system": system} if system else {}
        return {"id": f"{kind}{index}", **coded, "date": days[120 + day], **more}

    records: dict[str, tuple[dict[str, Any], ...]] = {
        "conditions": tuple(
            record("c", i, code, "icd10", below(4_000), status="active" if roll() < 0.8 else "resolved")
            for i, code in enumerate(chance.choices(_CODES, cum_weights=_WEIGHTS, k=below(7)))
        ),
        "labs": tuple(
            record("l", i, LABS[below(8)], "loinc", below(1_500), status="final", value=round(4 + roll() * 8, 1), unit="%")
            for i in range(below(7))
        ),
        "encounters": tuple(
            record("e", i, "99213", "cpt", below(1_500), status="finished") for i in range(below(8))
        ),
    }  # fmt: skip
    for key, (system, codes, most, back, statuses) in MAKE.items():
        records[key] = tuple(
            record(
                key[0],
                i,
                codes[below(len(codes))],
                system,
                below(back),
                status=statuses[below(len(statuses))],
            )
            for i in range(below(most))
        )
    if roll() < 0.3:
        records["appointments"] = (record("a", 0, "", "", -below(90), status="booked", text="Check-up"),)
    values: dict[str, Any] = {
        "given_name": f"Given{below(4_000)}",
        "family_name": f"Family{below(50_000)}",
        "birth_date": days[120 + below(32_800)],
        "gender": "female" if roll() < 0.52 else "male",
        "postal_code": f"{60_000 + below(1_500):05d}",
        "city": CITIES[below(len(CITIES))],
        "state": STATES[below(8)],
        "care_state": "IL",
        "country": "US",
        "time_zone": ZONES[below(10)],
        "language": "en" if roll() < 0.8 else "es",
        "insurance_type": ("commercial", "medicare", "medicaid", "self_pay")[below(4)],
        "relation": "patient",
    }
    if roll() < 0.1:
        values["risk_factors"] = [("smoking", "obesity", "falls")[below(3)]]
    return ContactPatch(
        identifiers=(Identifier("mrn", Phi(f"B{number:08d}")),),
        addresses=(
            Address(
                Channel.EMAIL,
                Phi(f"p{number}@mail{number % 97}.example.org"),
                AddressSource.CLINICAL_ENCOUNTER,
                "benchmark",
                None,
            ),
        ),
        values=values,
        records={key: some for key, some in records.items() if some},
        place=f"person {number + 1}",
    )
