"""The page of backups: says what is missing, shows the evidence, and is not there for others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from salus.audit import api as audit
from salus.kernel.ids import new_id
from salus.platform.tenancy import acting_for
from salus.recovery import api as recovery
from salus.recovery import operations, rules
from salus.recovery.contracts import Backup, Drill, Event, Examined, Kind, Restoring, Run, Table
from tests.browser import (
    NARROW,
    WIDE,
    Console,
    assert_accessible,
    assert_no_sideways_scroll,
    keep_picture,
    sign_in,
)

NOW = datetime.now(UTC)
BACKUP = Backup("20261124T080000.000000Z", Kind.PHYSICAL, NOW, NOW, NOW, 262_700_000, 12, "0.1.0", "18.4")


def file_evidence(console: Console, *, faults: tuple[str, ...] = ()) -> None:
    mine = console.organization.id
    log = Examined(mine, 1_284, "ab" * 32, not faults, faults, contacts=214, engine_people=214)
    table = Table("contacts_contact", 214, 214, "1", 214, "1")
    with acting_for(mine):
        operations.record_restore(log, Restoring(BACKUP.id, NOW, {mine: 31}), NOW - timedelta(days=3))
    operations.record_backup(BACKUP, NOW)
    operations.record_drill(Drill(NOW, 12.3, BACKUP.id, (table,), (log,), faults))


def test_it_says_what_is_missing_until_there_is_evidence(console: Console) -> None:
    officer = console.client("security_officer")
    shown = officer.get("/backups/").content.decode()
    assert "what is here exists once" in shown
    assert "ever brought back to see that it works" in shown
    file_evidence(console)
    shown = officer.get("/backups/").content.decode()
    assert "what is here exists once" not in shown
    assert "Backed up" in shown
    assert "31 later ones given up" in shown
    assert "164.308(a)(7)(ii)" in shown


def test_a_drill_that_failed_is_not_hidden(console: Console) -> None:
    file_evidence(console, faults=("contacts_contact: 213 rows were restored of 214",))
    shown = console.client("administrator").get("/backups/").content.decode()
    assert "does not bring everything back" in shown
    assert "Faults found" in shown


def test_others_do_not_see_it(console: Console) -> None:
    assert console.client("author").get("/backups/").status_code == 404


def test_another_clinic_sees_its_own_evidence_only(console: Console, make_clinic: object) -> None:
    file_evidence(console)
    assert callable(make_clinic)
    other = make_clinic("Birch Street Clinic")
    with acting_for(other.id):
        assert recovery.runs() == ()


def test_evidence_cannot_be_changed(console: Console) -> None:
    from django.db import IntegrityError, transaction

    from salus.recovery.models import RunRow

    file_evidence(console)
    with acting_for(console.organization.id):
        row = RunRow.objects.order_by("at").first()
        assert row is not None
        with pytest.raises(IntegrityError), transaction.atomic():
            RunRow.objects.filter(id=row.id).update(passed=False)
        assert len(audit.entries(limit=10)) > 2


@pytest.mark.parametrize(
    ("event", "days", "passed", "overdue"),
    [
        (Event.BACKUP, 1, True, False),
        (Event.BACKUP, 3, True, True),
        (Event.DRILL, 89, True, False),
        (Event.DRILL, 91, True, True),
        (Event.DRILL, 1, False, True),
    ],
)
def test_evidence_grows_old(event: Event, days: int, passed: bool, overdue: bool) -> None:
    run = Run(new_id(), event, NOW - timedelta(days=days), passed, {})
    assert rules.overdue(run, event, NOW) is overdue
    assert rules.overdue(None, event, NOW)


@pytest.mark.browser
@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_it_reads_well(console: Console, page_at: Callable[[int], Page], width: int) -> None:
    file_evidence(console)
    page = page_at(width)
    sign_in(page, "security_officer")
    page.goto(f"{console.url}/backups/")
    expect(page.get_by_role("heading", name="Backups", exact=True)).to_be_visible()
    expect(page.get_by_text("Sound").first).to_be_visible()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    keep_picture(page, "backups")
