"""Writes the synthetic clinic to a directory: FHIR NDJSON, CSVs, the mappings, and faults on purpose."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import BinaryIO, Protocol

import orjson

from salus.intake.clinic import ledger, names
from salus.intake.clinic.people import DEFAULT_DOMAINS, Person, Weighted, person, pick
from salus.intake.clinic.resources import Chart
from salus.intake.contracts import Column, CsvMapping, Declaration, ImportKind
from salus.intake.mapping import to_json
from salus.kernel.vocabulary import AddressSource

RESOURCES = (
    "Patient", "Coverage", "Condition", "AllergyIntolerance", "MedicationRequest", "Immunization", "Procedure",
    "CarePlan", "Observation", "Encounter", "Appointment",
)  # fmt: skip

PEOPLE_HEADINGS = (
    "Record number", "E-mail", "State of care", "Household income", "Education", "Employment", "Family",
    "Religion", "Interests", "With us since",
)  # fmt: skip
PEOPLE_MAPPING = CsvMapping(
    columns=(
        Column("Record number", "identifier:mrn"),
        Column("E-mail", "address:email"),
        Column("State of care", "attribute:care_state"),
        Column("Household income", "attribute:income"),
        Column("Education", "attribute:education_level"),
        Column("Employment", "attribute:employment_status"),
        Column("Family", "attribute:family_status"),
        Column("Religion", "attribute:religion"),
        Column("Interests", "attribute:health_interests"),
        Column("With us since", "attribute:member_since"),
    ),
    existing_only=True,
)
PROSPECT_MAPPING = CsvMapping(
    columns=(
        Column("First name", "attribute:given_name"),
        Column("Email", "address:email"),
        Column("State", "attribute:state"),
        Column("Language", "attribute:language"),
        Column("Interests", "attribute:health_interests"),
    ),
    defaults={"attribute:relation": "prospect"},
)
NAMELESS = "CR-NAMELESS"
"""The record number of a patient of whom the export has no name."""
_EDUCATION = ("high_school", "some_college", "associate", "bachelor", "graduate")
_EMPLOYMENT = ("full_time", "part_time", "self_employed", "unemployed", "homemaker")
_FAMILY = ("no_children", "children", "single_parent", "grown_children", "lives_alone")
_INTERESTS = ("nutrition", "fitness", "sleep", "heart_health", "stress", "healthy_aging")


@dataclass(frozen=True, slots=True)
class PlannedImport:
    """One import of the clinic: what to read, and what to declare of it."""

    kind: ImportKind
    paths: tuple[Path, ...]
    declaration: Declaration
    mapping: CsvMapping | None = None


@dataclass(frozen=True, slots=True)
class Clinic:
    """What was written."""

    directory: Path
    patients: int
    """People in the health record."""
    prospects: int
    """People who only signed up for the newsletter."""
    faults: int
    """Rows and resources that are broken on purpose."""
    imports: tuple[PlannedImport, ...]
    """How to import it all, in this order."""


def generate_clinic(
    directory: Path, *, patients: int, seed: int, today: date, domains: Weighted[str] = DEFAULT_DOMAINS
) -> Clinic:
    """Write a clinic of `patients` people to `directory`; the same arguments write the same bytes."""
    record = directory / "fhir"
    record.mkdir(parents=True, exist_ok=True)
    faults = 0
    with ExitStack() as stack:
        out = {kind: stack.enter_context((record / f"{kind}.ndjson").open("wb")) for kind in RESOURCES}
        people = _Csv(stack.enter_context((directory / "people.csv").open("wb")), PEOPLE_HEADINGS)
        permissions = _Csv(stack.enter_context((directory / "permissions.csv").open("wb")), ledger.HEADINGS)
        for index in range(patients):
            who, random = person(seed, index, today, domains)
            _write_chart(who, random, today, out)
            if random.random() < 0.96:
                people.write(_people_row(who, random, today))
            for row in ledger.rows(who, random, today):
                permissions.write([row.get(heading, "") for heading in ledger.HEADINGS])
        first = person(seed, 0, today, domains)[0]
        faults += _broken_resources(out, first, seed)
        faults += _broken_people(people, first)
        faults += _broken_permissions(permissions, first, today)
    prospects = _write_prospects(directory / "newsletter.csv", seed, patients // 25 + 1, domains)
    for name, mapping in (("people", PEOPLE_MAPPING), ("newsletter", PROSPECT_MAPPING)):
        (directory / f"{name}.mapping.json").write_text(json.dumps(to_json(mapping), indent=1), "utf-8")
    return Clinic(directory, patients, prospects, faults, _plan(directory, today))


def _plan(directory: Path, today: date) -> tuple[PlannedImport, ...]:
    desk = Declaration(
        AddressSource.CLINICAL_ENCOUNTER, "registration desk, form R-2", today - timedelta(days=30)
    )
    web = Declaration(AddressSource.WEBSITE_SIGNUP, "newsletter form on our site", today - timedelta(days=9))
    return (
        PlannedImport(ImportKind.FHIR, (directory / "fhir",), desk),
        PlannedImport(ImportKind.CONTACTS_CSV, (directory / "people.csv",), desk, PEOPLE_MAPPING),
        PlannedImport(ImportKind.CONTACTS_CSV, (directory / "newsletter.csv",), web, PROSPECT_MAPPING),
        PlannedImport(ImportKind.PERMISSIONS_CSV, (directory / "permissions.csv",), desk),
    )


class _Sink(Protocol):
    def write(self, data: bytes, /) -> object: ...


class _Csv:
    """Writes rows of a CSV as UTF-8."""

    def __init__(self, sink: _Sink, headings: Iterable[str]) -> None:
        self._sink = sink
        self.write(headings)

    def write(self, cells: Iterable[object]) -> None:
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="\n").writerow(cells)
        self._sink.write(buffer.getvalue().encode())

    def raw(self, line: bytes) -> None:
        self._sink.write(line)


def _write_chart(who: Person, random: Random, today: date, out: Mapping[str, BinaryIO]) -> None:
    for resource in Chart(who, random, today).resources():
        out[resource["resourceType"]].write(orjson.dumps(resource) + b"\n")


def _people_row(who: Person, random: Random, today: date) -> list[object]:
    minor = who.minor
    return [
        who.record_number,
        who.email,
        who.care_state,
        "" if minor else random.randrange(18, 190) * 1000,
        "" if minor else random.choice(_EDUCATION),
        "student" if minor else ("retired" if who.age >= 67 else random.choice(_EMPLOYMENT)),
        "" if minor else random.choice(_FAMILY),
        random.choice(("", "", "", "Catholic", "Protestant", "Jewish", "Muslim", "Buddhist")),
        ";".join(random.sample(_INTERESTS, random.randrange(0, 3))),
        max(who.born, today - timedelta(days=30 + who.index * 53 % 2900)).isoformat(),
    ]


def _write_prospects(path: Path, seed: int, count: int, domains: Weighted[str]) -> int:
    random = Random(f"salus/{seed}/prospects")  # noqa: S311 - invented people, not keys
    with path.open("wb") as file:
        rows = _Csv(file, ("First name", "Email", "State", "Language", "Interests"))
        for index in range(count):
            given = names.given_name(random, female=random.random() < 0.5)
            family = names.family_name(random, spanish=random.random() < 0.2)
            local = names.local_part(given, family, index)
            state = random.choice(("CA", "TX", "WA", "NY", "IL", "MA"))
            interest = random.choice(_INTERESTS)
            rows.write(
                (
                    given,
                    f"{local}@{pick(random, domains)}",
                    state,
                    random.choice(["en", "en", "en", "es"]),
                    interest,
                )
            )
    return count


def _broken_resources(out: Mapping[str, BinaryIO], first: Person, seed: int) -> int:
    """Write what goes wrong in real exports; return how many of them are refused."""
    subject = {"reference": f"Patient/{first.id}"}
    repeated = {
        "resourceType": "Patient",
        "id": first.id,
        "name": [{"use": "official", "family": first.family, "given": [first.given]}],
    }
    nameless = {
        "resourceType": "Patient",
        "id": f"pt-{seed:x}-nameless",
        "identifier": [{"type": {"coding": [{"code": "MR"}]}, "value": NAMELESS}],
        "birthDate": "1972-08-19",
        "gender": "male",
    }
    undated = {
        "resourceType": "Patient",
        "id": f"pt-{seed:x}-undated",
        "name": [{"family": "Graveholm", "given": ["Ulvastan"]}],
        "telecom": [{"system": "email", "value": "ulvastan.graveholm.lakepost.test"}],
        "birthDate": "1972",
    }
    stranger = {
        "resourceType": "Condition",
        "id": f"dx-{seed:x}-stranger",
        "code": {"text": "Sprain of ankle"},
        "subject": {"reference": f"Patient/pt-{seed:x}-stranger"},
    }
    for resource in (repeated, nameless, undated):
        out["Patient"].write(orjson.dumps(resource) + b"\n")
    out["Condition"].write(orjson.dumps(stranger) + b"\n")
    cut = {"resourceType": "Observation", "id": f"ob-{seed:x}-cut", "status": "final", "subject": subject}
    out["Observation"].write(orjson.dumps(cut)[:-20])
    return 2


def _broken_people(people: _Csv, first: Person) -> int:
    """Write rows that are refused; return how many."""
    number = first.record_number
    people.write((number, first.email, first.care_state, "", "", "", "", "", "", ""))  # repeats a person
    people.write((number, "no address at all", "WA", "", "", "", "", "", "", ""))
    people.write((number, first.email, "Atlantis", "", "", "", "", "", "", ""))
    people.write((number, first.email, "WA", "a lot", "", "", "", "", "", ""))
    people.write(("CR-0000000000", "nobody@lakepost.test", "WA", "", "", "", "", "", "", ""))
    people.raw(f"{number},{first.email},WA\n".encode())
    people.raw(f'{number},"{first.email},WA,,,,,,,\n'.encode())
    # From an old spreadsheet, which is read all the same.
    people.raw(f"{NAMELESS},nemo.nameless@lakepost.test,WA,,,,,Católica,,\n".encode("cp1252"))
    return 6


def _broken_permissions(permissions: _Csv, first: Person, today: date) -> int:
    """Write rows that are refused; return how many."""
    base = {"record_number": first.record_number, "date": today.isoformat(), "evidence": "front desk"}
    for row in (
        {**base, "kind": "opt_in", "topic": "clinic news"},
        {**base, "kind": "perhaps", "topic": "clinic news", "channel": "email"},
        {**base, "kind": "opt_in", "topic": "clinic news", "channel": "email", "date": "next week"},
        {
            **base,
            "kind": "opt_in",
            "topic": "clinic news",
            "channel": "email",
            "record_number": "CR-0000000000",
        },
    ):
        permissions.write([row.get(heading, "") for heading in ledger.HEADINGS])
    return 4
