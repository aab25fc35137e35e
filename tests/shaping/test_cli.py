"""`salus delivery sites`, and that a plan that cannot be lets nothing start."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from salus.identity.contracts import Organization
from salus.kernel.ids import new_id
from salus.shaping import api, store
from salus.shaping.contracts import Act, Measure, Rate, Whose
from salus.wiring.setup import facts
from tests.delivery.conftest import open_clinic


def salus(world: Any, *words: str, role: str = "app") -> subprocess.CompletedProcess[str]:
    environment = {
        **world.environment,
        "SALUS_DATABASE_ROLE": role,
        "SALUS_PUBLIC_URL": "http://localhost:8480",
    }
    command = [sys.executable, "-m", "salus.wiring", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def bad(database: Any) -> Iterator[Path]:
    path = Path(database.home.path) / api.FILE
    path.write_text('[[site.google.on]]\nid = "x"\nmatch = "(x"\ndo = "suspend"\nfor = "1 h"\n')
    yield path
    path.unlink()


@pytest.fixture
def clinic(database: Any, fast_passwords: None) -> Organization:
    return open_clinic()


@pytest.mark.parametrize(
    "words", [("start",), ("sender", "--until-idle"), ("delivery", "sites")], ids=" ".join
)
def test_nothing_starts_with_a_plan_that_cannot_be(database: Any, bad: Path, words: tuple[str, ...]) -> None:
    found = salus(database, *words, role="sender" if words[0] == "sender" else "app")
    assert found.returncode == 2
    assert f"{bad}: site.google.on[1].match: That is not a pattern of RE2" in found.stderr


def test_the_posture_sees_it_too_and_addresses_that_are_not_here(clinic: Organization, bad: Path) -> None:
    found: dict[str, Any] = facts._shaping(bad.parent)
    assert "site.google.on[1].match" in found["shaping_fault"]
    bad.write_text(
        '[pool.main]\n[[pool.main.source]]\nname = "a.example"\naddresses = ["127.0.0.2"]\n'
        '[[pool.main.source]]\nname = "b.example"\naddresses = ["203.0.113.9", "2001:db8::9"]\n'
    )
    assert facts._shaping(bad.parent) == {"addresses_away": ("203.0.113.9", "2001:db8::9")}


def test_what_is_in_force_is_listed_for_people_and_programs(database: Any, clinic: Organization) -> None:
    at = datetime.now(UTC)
    slow = Measure(
        new_id(),
        clinic.id,
        "yahoo",
        Act.THROTTLE,
        Whose.EVERYBODY,
        at + timedelta(hours=1),
        Rate(10, 60.0),
        1,
    )
    over = Measure(new_id(), clinic.id, "google", Act.SUSPEND, Whose.ORGANIZATION, at - timedelta(hours=1))
    store.take(slow, "yahoo", "yahoo-unusual-traffic", "421 4.7.0", at)
    store.take(over, "google", "google-low-reputation", "421 4.7.28", at - timedelta(hours=2))
    said = salus(database, "delivery", "sites", "--organization", clinic.slug)
    assert said.returncode == 0, said.stderr
    assert "yahoo: throttle 10/min 1 connections for everybody until" in said.stdout
    assert "421 4.7.0 [yahoo-unusual-traffic]" in said.stdout
    assert "google" not in said.stdout
    [found] = json.loads(
        salus(database, "delivery", "sites", "--organization", clinic.slug, "--all", "--json").stdout
    )["organizations"]
    assert [(each["destination"], each["stands"]) for each in found["measures"]] == [
        ("yahoo", True),
        ("google", False),
    ]
    assert salus(database, "delivery", "sites", "--organization", "nobody-here").returncode == 1
