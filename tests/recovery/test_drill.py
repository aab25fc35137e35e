"""The drill: passes on a running system, files its evidence, and fails when anything is not as it was."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.kernel.errors import BadInput
from salus.keys.contracts import Damaged
from salus.platform.tenancy import acting_for
from salus.recovery import api as recovery
from salus.recovery import comparing
from salus.recovery.contracts import Event, Examined, Restoring, Retention, Site

from .conftest import admit, flip


def test_the_drill_brings_everything_back_and_files_the_evidence(
    site: Site, clinic: UUID, vault: Path, tmp_path: Path
) -> None:
    admit(clinic, 3)
    found, report = recovery.drill(site, vault, tmp_path / "evidence")
    assert found.faults == ()
    log = next(each for each in found.logs if each.organization_id == clinic)
    assert (log.contacts, log.engine_people, log.verified) == (8, 8, True)
    tables = {each.name: each for each in found.tables}
    assert tables["contacts_contact"].restored >= 8
    assert all(each.fingerprint == each.restored_fingerprint for each in found.tables)
    facts = json.loads(report.read_text())
    assert facts["passed"] is True
    assert "164.308(a)(7)(ii)(D)" in facts["what"]
    assert "164.316(b)(2)(i)" in facts["keep"]
    assert report.stat().st_mode & 0o077 == 0
    with acting_for(clinic):
        run = recovery.last_run(Event.DRILL)
        assert run is not None
        assert run.passed
        assert run.facts["root"] == log.root == audit.root_at(log.entries).hex()
        (entry, *_) = audit.entries(Filters(action=Action.RECOVERY_DRILL))
        assert entry.details["entries"] == log.entries
    assert not (site.home / "recovery" / "restored").exists()


def test_a_drill_fails_when_the_engine_or_the_log_is_not_what_it_was(
    site: Site, clinic: UUID, vault: Path, tmp_path: Path
) -> None:
    def worse(home: Path, restoring: Restoring | None) -> tuple[Examined, ...]:
        return (Examined(clinic, 1, "00" * 32, False, ("cut",), contacts=5, engine_people=4),)

    found, _ = recovery.drill(replace(site, examine=worse), vault, tmp_path / "evidence")
    assert [each.partition(": ")[0] for each in found.faults] == [
        f"organization {clinic}, audit log",
        f"organization {clinic}, audit log",
        f"organization {clinic}",
    ]
    with acting_for(clinic):
        run = recovery.last_run(Event.DRILL)
    assert run is not None
    assert not run.passed


@pytest.mark.parametrize(
    ("before", "after", "restored", "agrees"),
    [
        ((3, "7"), (3, "7"), (3, "7"), True),
        ((3, "7"), (3, "7"), (3, "8"), False),
        ((3, "7"), (3, "7"), (2, "7"), False),
        ((3, "7"), (4, "9"), (4, "9"), True),
        ((3, "7"), (4, "9"), (5, "9"), False),
    ],
)
def test_what_did_not_change_must_be_the_same(
    before: tuple[int, str], after: tuple[int, str], restored: tuple[int, str], agrees: bool
) -> None:
    (found,) = comparing.tables({"a": before}, {"a": after}, {"a": restored})
    assert found.agrees is agrees


def test_a_table_that_did_not_come_back_is_found() -> None:
    (found,) = comparing.tables({"a": (3, "7")}, {"a": (3, "7")}, {})
    assert not found.agrees


def test_a_hold_keeps_what_the_rules_would_remove(site: Site, clinic: UUID, vault: Path) -> None:
    first = recovery.back_up(site, vault)
    second = recovery.back_up(site, vault, base=True)
    strict = Retention(daily=1, weekly=0, monthly=0)
    hold = recovery.hold(vault, "Ana Lark against the clinic")
    assert recovery.prune(vault, strict) == ()
    assert recovery.holds(vault) == (hold,)
    assert b"Lark" not in b"".join(each.read_bytes() for each in (vault / "holds").iterdir())
    with pytest.raises(BadInput, match="no such hold"):
        recovery.release(vault, "../" + first.id)
    recovery.release(vault, hold.id)
    assert [each.id for each in recovery.prune(vault, strict, dry=True)] == [first.id]
    assert [each.id for each in recovery.prune(vault, strict)] == [first.id]
    assert [each.id for each in recovery.backups(vault)] == [second.id]
    with acting_for(clinic):
        actions = [each.action for each in audit.entries(Filters(action="recovery:"))]
    assert actions == [
        Action.RECOVERY_REMOVE,
        Action.RECOVERY_RELEASE,
        Action.RECOVERY_HOLD,
        Action.RECOVERY_BACKUP,
        Action.RECOVERY_BACKUP,
    ]


def test_a_hold_that_does_not_open_holds_all_the_same(site: Site, clinic: UUID, vault: Path) -> None:
    recovery.back_up(site, vault)
    recovery.back_up(site, vault, base=True)
    hold = recovery.hold(vault, "a request of the court")
    flip(vault / "holds" / f"{hold.id}.sealed")
    assert recovery.prune(vault, Retention(1, 0, 0)) == ()
    with pytest.raises(Damaged):
        recovery.holds(vault)


def test_a_hold_needs_a_reason(vault: Path) -> None:
    with pytest.raises(BadInput):
        recovery.hold(vault, "  ")
