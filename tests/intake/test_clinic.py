"""The synthetic clinic is the same for the same seed, holds what the product must cope with, and imports."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest

from salus.contacts import api as contacts
from salus.intake import api
from salus.intake.contracts import ImportStatus
from salus.kernel.acting import system
from salus.kernel.time import FakeClock
from salus.kernel.vocabulary import Special
from salus.platform.tenancy import acting_for

CLOCK = FakeClock(datetime(2026, 11, 24, 9, tzinfo=UTC))
PATIENTS = 250


def make(directory: Path, **more: Any) -> api.Clinic:
    return api.generate_clinic(directory, **{"patients": PATIENTS, "seed": 7, "clock": CLOCK, **more})


def digest(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in directory.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> api.Clinic:
    return make(tmp_path_factory.mktemp("clinic"))


def patients(clinic: api.Clinic) -> list[dict[str, Any]]:
    lines = (clinic.directory / "fhir" / "Patient.ndjson").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_the_same_seed_writes_the_same_bytes_and_another_seed_other_people(
    clinic: api.Clinic, tmp_path: Path
) -> None:
    assert digest(make(tmp_path / "again").directory) == digest(clinic.directory)
    assert digest(make(tmp_path / "other", seed=8).directory) != digest(clinic.directory)


def test_more_patients_leave_the_first_ones_as_they_are(clinic: api.Clinic, tmp_path: Path) -> None:
    more = make(tmp_path, patients=PATIENTS + 20)

    assert patients(more)[:PATIENTS] == patients(clinic)[:PATIENTS]


def test_names_can_be_searched_for_and_addresses_differ(clinic: api.Clinic) -> None:
    names = [one["name"][0] for one in patients(clinic)[:PATIENTS]]
    with (clinic.directory / "people.csv").open(encoding="utf-8", errors="replace") as file:
        emails = [row[1] for row in csv.reader(file) if len(row) == 10 and row[0].startswith("CR-07")]

    assert all(len(one["given"][0]) >= 7 and len(one["family"]) >= 7 for one in names)
    assert not any(one["birthDate"].endswith("-01") for one in patients(clinic)[:PATIENTS])
    assert max(Counter(emails[1 : PATIENTS - 30]).values()) == 1


def test_domains_can_be_given(tmp_path: Path) -> None:
    clinic = make(tmp_path, patients=60, domains=(("plain.test", 1), ("broken.test", 1)))
    found = Counter(
        line.split(",")[1].rpartition("@")[2]
        for line in (clinic.directory / "people.csv").read_text("cp1252").splitlines()[1:50]
    )

    assert set(found) == {"plain.test", "broken.test"}


def test_the_whole_clinic_comes_in_and_has_what_the_demo_needs(
    clinic: api.Clinic, organization: UUID
) -> None:
    actor = system(organization, "test")
    faults = 0
    for planned in clinic.imports:
        with acting_for(organization):
            import_id = api.start_planned(planned, actor=actor, queue=False, clock=CLOCK)
        facts = api.run(organization, import_id, actor=actor, clock=CLOCK)
        assert facts.status is ImportStatus.DONE
        faults += facts.counts.rejected
    with acting_for(organization):
        documents = [orjson.loads(raw) for *_, raw in contacts.open_documents_after(0, 1000)]

    assert faults == clinic.faults
    assert len(documents) == clinic.patients + clinic.prospects + 2  # one has no name, one no birth date
    specials = Counter(special for one in documents for special in contacts.specials_of(one))
    assert {Special.MENTAL_HEALTH, Special.REPRODUCTIVE, Special.PART2_SUD} <= set(specials)
    diabetic = [one for one in documents if has(one, "vs:diabetes")]
    assert 0.06 < len(diabetic) / len(documents) < 0.16
    assert 0.4 < sum(overdue(one) for one in diabetic) / len(diabetic) < 0.8
    assert sum(recently_seen(one) for one in diabetic) / len(diabetic) > 0.8
    assert {"CA", "TX", "NY", "WA", "IL", "MA"} <= {one.get("state") for one in documents}
    assert {"en", "es"} <= {one.get("language") for one in documents}
    assert any(one.get("deceased") for one in documents)
    assert any(one.get("birth_date", "") > "2010" for one in documents)


def has(document: dict[str, Any], asked: str) -> bool:
    return any(contacts.covers(asked, one.get("code", "")) for one in document.get("conditions", ()))


def overdue(document: dict[str, Any]) -> bool:
    dates = [
        one["date"] for one in document.get("labs", ()) if contacts.covers("vs:hba1c", one.get("code", ""))
    ]
    return bool(dates) and max(dates) < "2026-05-24"


def recently_seen(document: dict[str, Any]) -> bool:
    return any(one["date"] > "2025-11-24" for one in document.get("encounters", ()))


def test_a_crowd_is_written_fast_enough_to_measure_with_and_comes_in(
    tmp_path: Path, organization: UUID
) -> None:
    path = tmp_path / "crowd.csv"
    size = api.generate_crowd(path, people=300, seed=3)
    actor = system(organization, "test")
    with acting_for(organization):
        import_id = api.start_csv(
            api.read_file(path),
            mapping=api.CROWD_MAPPING,
            declaration=clinic_desk(),
            actor=actor,
            queue=False,
        )
    facts = api.run(organization, import_id, actor=actor)

    assert path.stat().st_size == size
    assert (facts.counts.created, facts.counts.rejected) == (300, 0)


def clinic_desk() -> Any:
    from .clinicfiles import DESK

    return DESK
