"""A CSV of very many invented people, written fast: what the benchmark of the audience imports."""

from __future__ import annotations

from pathlib import Path
from random import Random

from salus.intake.clinic import names
from salus.intake.clinic.people import STATES
from salus.intake.contracts import Column, CsvMapping

HEADINGS = (
    "MRN,Email,Phone,First name,Last name,Date of birth,Sex,State,ZIP,City,Language,Marital status,Insurance type,"
    "Employment,Income,Diagnoses,Diagnosed on,A1c,A1c on,Last visit"
)
MAPPING = CsvMapping(
    columns=(
        Column("MRN", "identifier:mrn"),
        Column("Email", "address:email"),
        Column("Phone", "address:phone"),
        Column("First name", "attribute:given_name"),
        Column("Last name", "attribute:family_name"),
        Column("Date of birth", "attribute:birth_date"),
        Column("Sex", "attribute:gender"),
        Column("State", "attribute:state"),
        Column("ZIP", "attribute:postal_code"),
        Column("City", "attribute:city"),
        Column("Language", "attribute:language"),
        Column("Marital status", "attribute:marital_status"),
        Column("Insurance type", "attribute:insurance_type"),
        Column("Employment", "attribute:employment_status"),
        Column("Income", "attribute:income"),
        Column("Diagnoses", "record:conditions", group="dx", constants={"system": "icd10"}),
        Column("Diagnosed on", "record:conditions", group="dx", part="date"),
        Column("A1c", "record:labs", group="a1c", part="value",
               constants={"code": "4548-4", "system": "loinc", "text": "Hemoglobin A1c", "unit": "%"}),
        Column("A1c on", "record:labs", group="a1c", part="date"),
        Column("Last visit", "record:encounters", part="date", constants={"text": "Office visit", "status": "finished"}),
    ),
)  # fmt: skip

_DIAGNOSES = ("E11.9", "E11.65;I10", "I10", "I10;E78.5", "J45.909", "M17.11", "F33.1", "N18.31", "E66.9")
_PIECE = 5_000


def generate_crowd(path: Path, *, people: int, seed: int) -> int:
    """Write a CSV of `people` to `path` (about 200,000 rows a second); return its size in bytes.

    Two in five have a diagnosis, one in ten an A1c; e-mail, phone and record number differ.
    """
    random = Random(f"salus/{seed}/crowd")  # noqa: S311 - invented people, not keys
    givens = [names.given_name(random, female=n % 2 == 0) for n in range(4_000)]
    families = [names.family_name(random, spanish=n % 5 == 0) for n in range(6_000)]
    plain = [name.lower().translate(str.maketrans("áéíóúñ", "aeioun")) for name in families]
    places = [place for place, weight in STATES for _ in range(int(weight))]
    domains = [f"mail{n:03d}.test" for n in range(400)]
    birth_dates = [
        f"{year}-{month:02d}-{day:02d}"
        for year in range(1932, 2008)
        for month in range(1, 13)
        for day in range(2, 29)
    ]
    days = [
        f"{year}-{month:02d}-{day:02d}"
        for year in (2023, 2024, 2025, 2026)
        for month in range(1, 11)
        for day in range(1, 29)
    ]
    size = 0
    with path.open("wb") as file:
        size += file.write(f"{HEADINGS}\n".encode())
        for start in range(0, people, _PIECE):
            lines = []
            for n in range(start, min(start + _PIECE, people)):
                r = random.getrandbits(96)
                given, f = givens[r % 4_000], (r >> 12) % 6_000
                state, city, zip_head = places[(r >> 25) % len(places)]
                sick, sweet = (r >> 32) % 5 < 2, (r >> 36) % 10 == 0
                lines.append(
                    f"M{seed % 100:02d}{n:08d},{given.lower()}.{plain[f]}{n}@{domains[(r >> 40) % 400]},"
                    f"{names.phone(state, n)},{given},{families[f]},{birth_dates[(r >> 49) % len(birth_dates)]},"
                    f"{'F' if n % 2 == 0 else 'M'},{state},{zip_head}{(r >> 64) % 100:02d},{city},"
                    f"{'es' if (r >> 70) % 4 == 0 else 'en'},{'MSDW'[(r >> 72) & 3]},"
                    f"{('commercial', 'medicare', 'medicaid', 'self_pay')[(r >> 74) & 3]},"
                    f"{('full_time', 'part_time', 'retired', 'student')[(r >> 76) & 3]},{(r >> 78) % 180 * 1000},"
                    f"{_DIAGNOSES[(r >> 80) % 9] if sick else ''},{days[(r >> 82) % 1120] if sick else ''},"
                    f"{5.5 + (r >> 84) % 55 / 10 if sweet else ''},{days[(r >> 86) % 1120] if sweet else ''},"
                    f"{days[(r >> 88) % 256 * 4]}\n"
                )
            size += file.write("".join(lines).encode())
    return size
