"""How vendors keep their word: subcontractors with proof, verifications, who does what, clocks, calendar, findings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as some

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.identity.contracts import Organization, Role
from salus.inbox import api as inbox
from salus.kernel.acting import system
from salus.kernel.errors import BadInput, NotFound
from salus.kernel.ids import new_id
from salus.kernel.phi import Phi
from salus.platform.tenancy import acting_for, current_organization
from salus.vendors import api as vendors
from salus.vendors import rules
from salus.vendors.contracts import (
    Clause,
    Due,
    DueKind,
    Duty,
    Finding,
    Kind,
    Owner,
    Relation,
    Responsibility,
    Severity,
)
from salus.vendors.due import reminders
from salus.wiring.reminding import remind_of_vendors
from tests.registered import attest

from ..conftest import World

AT = datetime(2026, 11, 24, 18, tzinfo=UTC)
TODAY = AT.date()
MONTH = timedelta(days=30)


@pytest.fixture
def made(make_clinic: Callable[..., Organization]) -> Iterator[dict[str, Any]]:
    """Be inside a fresh clinic; return who acts, and when."""
    clinic = make_clinic()
    with acting_for(clinic.id):
        yield {"actor": system(clinic.id, "test"), "at": AT}


def vendor(made: dict[str, Any], *, in_use: bool = True, **facts: Any) -> UUID:
    """Return a vendor with an agreement, and a service that is attested, if it is `in_use`."""
    vendor_id = vendors.create_vendor("Harbor", **made)
    given = {"signed_on": TODAY, "report_hours": 24, "clauses": frozenset(Clause), **facts}
    vendors.record_agreement(vendor_id, **given, **made)
    if in_use:
        service: dict[str, Any] = {"kind": Kind.SMS, "name": "Texts", "address": "https://sms.harbor.example"}
        attest(vendors.create_service(vendor_id, may_carry=["contact"], **service, **made), **made)
    return vendor_id


SEEN: dict[str, Any] = {"proof": "Agreement of May, section 4", "seen_on": TODAY, "next_on": TODAY + MONTH}
WHO: dict[str, Any] = {"name": "Tern Cloud", "does": "Keeps the servers"}


def test_a_subcontractor_stands_with_its_proof_until_somebody_must_look_again(made: dict[str, Any]) -> None:
    vendor_id = vendor(made)
    id = vendors.record_subcontractor(vendor_id, **WHO, **made)
    [found] = vendors.vendor(vendor_id, AT).subcontractors
    assert (found.name.reveal(), found.proof.reveal(), found.holds) == ("Tern Cloud", "", False)
    vendors.record_subcontractor(vendor_id, id, **WHO, **SEEN, **made)
    for days, holds in ((0, True), (30, True), (31, False)):
        [found] = vendors.vendor(vendor_id, AT + timedelta(days=days)).subcontractors
        assert found.holds is holds
    vendors.drop_subcontractor(vendor_id, id, **made)
    assert vendors.vendor(vendor_id, AT).subcontractors == ()
    with pytest.raises(NotFound):
        vendors.drop_subcontractor(vendor_id, id, **made)
    with pytest.raises(NotFound):
        vendors.record_subcontractor(vendors.create_vendor("Other", **made), id, **WHO, **made)
    words = [each.outcome for each in audit.entries(Filters(action=Action.VENDOR_CHANGE))]
    assert words[1:4] == ["subcontractor_left", "subcontractor_changed", "subcontractor_added"]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"name": ""}, "name"),
        ({"does": " "}, "does"),
        ({"proof": ""}, "proof"),
        ({"seen_on": None}, "seen_on"),
        ({"next_on": None}, "next_on"),
        ({"seen_on": TODAY + timedelta(days=1)}, "seen_on"),
        ({"next_on": TODAY - timedelta(days=1)}, "next_on"),
        ({"next_on": TODAY + timedelta(days=367)}, "next_on"),
    ],
)
def test_a_proof_is_whole_or_none(made: dict[str, Any], change: dict[str, Any], place: str) -> None:
    vendor_id = vendor(made)
    with pytest.raises(BadInput) as refused:
        vendors.record_subcontractor(vendor_id, **(WHO | SEEN | change), **made)
    assert refused.value.place == place


def test_the_newest_verification_counts(made: dict[str, Any]) -> None:
    vendor_id = vendor(made)
    assert vendors.vendor(vendor_id, AT).verification is None
    text: dict[str, Any] = {"by": "Ida Brandt, auditor", "evidence": "Report 12"}
    for minute, days in enumerate((300, 20)):
        when = made | {"at": AT + timedelta(minutes=minute)}
        vendors.verify(vendor_id, **text, verified_on=TODAY, next_on=TODAY + timedelta(days=days), **when)
    found = vendors.vendor(vendor_id, AT).verification
    assert found
    assert (found.next_on, found.by.reveal()) == (TODAY + timedelta(days=20), "Ida Brandt, auditor")
    for wrong, place in (({"by": ""}, "by"), ({"verified_on": TODAY + MONTH}, "verified_on")):
        given: dict[str, Any] = {**text, "verified_on": TODAY, "next_on": TODAY + MONTH, **wrong}
        with pytest.raises(BadInput) as refused:
            vendors.verify(vendor_id, **given, **made)
        assert refused.value.place == place
    with pytest.raises(NotFound):
        vendors.verify(new_id(), **text, verified_on=TODAY, next_on=TODAY + MONTH, **made)


def test_every_duty_has_its_section_and_an_owner_or_is_a_gap(made: dict[str, Any]) -> None:
    assert set(vendors.DUTIES) == set(Duty)
    assert all(asked.citation.startswith("45 CFR 164.") for asked in vendors.DUTIES.values())
    vendor_id = vendor(made)
    assert vendors.gaps(vendors.vendor(vendor_id, AT).responsibilities) == tuple(vendors.DUTIES)
    vendors.assign(
        vendor_id,
        {
            Duty.KEYS: (Owner.WE, "Ida Brandt"),
            Duty.LOGGING: (Owner.VENDOR, ""),
            Duty.BACKUPS: (Owner.BOTH, ""),
            Duty.PEOPLE: (Owner.WE, ""),
        },
        **made,
    )
    known = vendors.vendor(vendor_id, AT).responsibilities
    assert not {Duty.KEYS, Duty.LOGGING} & set(vendors.gaps(known))
    assert {Duty.BACKUPS, Duty.PEOPLE} <= set(vendors.gaps(known)), "ours, and nobody is named"
    vendors.assign(vendor_id, {Duty.KEYS: (None, "")}, **made)
    assert Duty.KEYS not in vendors.vendor(vendor_id, AT).responsibilities
    with pytest.raises(BadInput) as refused:
        vendors.assign(vendor_id, {Duty.KEYS: (None, "Ida")}, **made)
    assert refused.value.place == Duty.KEYS
    with pytest.raises(NotFound):
        vendors.assign(new_id(), {}, **made)


@given(
    some.dictionaries(
        some.sampled_from(Duty), some.tuples(some.sampled_from(Owner), some.sampled_from(["", "Ida"]))
    )
)
def test_a_gap_is_a_duty_without_owner_or_ours_without_a_person(
    assigned: dict[Duty, tuple[Owner, str]],
) -> None:
    known = {duty: Responsibility(duty, owner, Phi(who)) for duty, (owner, who) in assigned.items()}
    held = {duty for duty, (owner, who) in assigned.items() if owner is Owner.VENDOR or who}
    assert set(vendors.gaps(known)) == set(Duty) - held


# Clocks of a breach


def test_what_our_agent_discovers_we_have_discovered(made: dict[str, Any]) -> None:
    """45 CFR 164.404(a)(2): for an agent the 60 days begin with it, for an independent vendor when it tells us."""
    told = AT + timedelta(hours=20)
    agent = vendors.breach_clock(vendor(made, agent=True), discovered=AT, told=told)
    assert (agent.starts_at, agent.vendor_tells_by, agent.agent) == (AT, AT + timedelta(hours=24), True)
    assert agent.notice_by == AT + timedelta(days=60)
    independent = vendor(
        made, agent=False, agency="R. Poe, counsel, 3 May: no right of control", report_hours=48
    )
    clock = vendors.breach_clock(independent, discovered=AT, told=told)
    assert (clock.starts_at, clock.notice_by) == (told, told + timedelta(days=60))
    assert clock.vendor_tells_by == AT + timedelta(hours=48)
    silent = vendors.breach_clock(independent, discovered=AT, told=None)
    assert (silent.starts_at, silent.notice_by) == (None, None)
    nobody = vendors.breach_clock(vendors.create_vendor("No paper", **made), discovered=AT, told=told)
    assert (nobody.starts_at, nobody.agent) == (AT, True)
    assert nobody.vendor_tells_by == AT + timedelta(days=60)


def test_nobody_is_independent_until_somebody_signed_off_on_it(made: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as refused:
        vendor(made, agent=False, agency=" ")
    assert refused.value.place == "agency"
    unsigned = rules.breach_clock(
        agent=False, signed_off=False, report_hours=24, discovered=AT, told=AT + MONTH
    )
    assert (unsigned.starts_at, unsigned.agent) == (AT, True)


@given(some.booleans(), some.booleans(), some.integers(1, 5000), some.integers(0, 3000))
def test_our_time_never_begins_later_than_the_day_we_were_told(
    agent: bool, signed_off: bool, hours: int, later: int
) -> None:
    told = AT + timedelta(hours=later)
    clock = rules.breach_clock(
        agent=agent, signed_off=signed_off, report_hours=hours, discovered=AT, told=told
    )
    assert clock.starts_at
    assert AT <= clock.starts_at <= told
    assert clock.vendor_tells_by <= AT + timedelta(days=60), "45 CFR 164.410(b)"


# Calendar and findings


def due(at: datetime = AT) -> list[tuple[DueKind, int]]:
    return [(each.kind, (each.on - TODAY).days) for each in vendors.calendar(at)]


def codes(at: datetime = AT) -> dict[str, Severity]:
    return {each.code: each.severity for each in vendors.findings(at)}


def test_the_calendar_knows_what_comes_and_what_is_missing(made: dict[str, Any]) -> None:
    vendor_id = vendor(made, valid_until=TODAY + timedelta(days=90))
    vendors.record_subcontractor(vendor_id, **WHO, **SEEN, **made)
    vendors.record_subcontractor(vendor_id, name="Heron", does="Prints", **made)
    assert due() == [
        (DueKind.SUBCONTRACTOR, 0),
        (DueKind.VERIFICATION, 0),
        (DueKind.SUBCONTRACTOR, 30),
        (DueKind.AGREEMENT_ENDS, 90),
        (DueKind.ATTESTATION, 179),
    ]
    assert [each.words for each in vendors.calendar(AT)][1] == "Verify that the vendor keeps its agreement"
    late = AT + timedelta(days=200)
    assert {(kind, days) for kind, days in due(late) if days == 200} == {
        (DueKind.AGREEMENT_MISSING, 200),
        (DueKind.ATTESTATION, 200),
        (DueKind.SUBCONTRACTOR, 200),
        (DueKind.VERIFICATION, 200),
    }


def test_who_is_no_associate_and_what_is_switched_off_is_asked_for_nothing_it_needs_not(
    made: dict[str, Any],
) -> None:
    own = vendors.create_vendor("Ourselves", relation=Relation.OURS, **made)
    relay = vendors.create_service(
        own,
        kind=Kind.SMTP_ROUTE,
        name="Relay",
        address="smtp://relay.internal",
        may_carry=["contact"],
        **made,
    )
    assert due() == [(DueKind.ATTESTATION, 0)]
    vendors.switch_service(relay, active=False, **made)
    vendor(made, in_use=False)
    assert due() == []
    assert codes() == {}


def test_findings_say_what_stops_and_what_will(made: dict[str, Any]) -> None:
    vendor_id = vendor(made, valid_until=TODAY + timedelta(days=20), clauses=frozenset(Clause))
    vendors.record_subcontractor(vendor_id, **WHO, **made)
    assert codes() == {
        "agreement_ends_soon": Severity.WARNING,
        "subcontractor_unproven": Severity.WARNING,
        "not_verified": Severity.NOTE,
        "duty_without_owner": Severity.NOTE,
    }
    found = vendors.findings(AT + timedelta(days=21))
    assert (found[0].code, found[0].severity) == ("agreement_expired", Severity.ERROR)
    assert codes(AT + timedelta(days=160))["agreement_expired"] is Severity.ERROR
    assert all(each.next_step and each.citation and "Harbor" not in text_of(each) for each in found)
    assert next(each for each in found if each.code == "not_verified").citation.endswith("proposed, not law")


def test_attestations_are_found_before_they_end_and_after(made: dict[str, Any]) -> None:
    vendor(made)
    assert "attestation_ends_soon" not in codes(AT + timedelta(days=140))
    assert codes(AT + timedelta(days=155))["attestation_ends_soon"] is Severity.WARNING
    assert codes(AT + timedelta(days=180))["not_attested"] is Severity.ERROR


def test_without_the_clause_an_unproven_subcontractor_is_a_note(made: dict[str, Any]) -> None:
    vendor_id = vendor(made, clauses=frozenset(Clause) - {Clause.SUBCONTRACTOR_PROOF})
    vendors.record_subcontractor(vendor_id, **WHO, **made)
    assert codes()["subcontractor_unproven"] is Severity.NOTE


def text_of(finding: Finding) -> str:
    return f"{finding.words} {finding.next_step} {finding.citation}"


def test_what_was_recorded_is_sealed_and_nobody_elses(
    make_clinic: Callable[..., Organization], world: World
) -> None:
    clinic = make_clinic()
    made: dict[str, Any] = {"actor": system(clinic.id, "test"), "at": AT}
    with acting_for(clinic.id):
        vendor_id = vendor(made)
        id = vendors.record_subcontractor(vendor_id, name="kestrel-one", does="kestrel-two", **made)
        text: dict[str, Any] = {"by": "kestrel-three", "evidence": "kestrel-four"}
        vendors.verify(vendor_id, **text, verified_on=TODAY, next_on=TODAY, **made)
        vendors.assign(vendor_id, {Duty.KEYS: (Owner.WE, "kestrel-five")}, **made)
    with psycopg.connect(world.superuser_dsn) as superuser:
        stored = [
            superuser.execute(f"SELECT t::text || encode(sealed, 'escape') FROM {table} t").fetchall()
            for table in ("vendors_subcontractor", "vendors_verification", "vendors_responsibility")
        ]
    assert all(stored)
    assert "kestrel" not in str(stored)
    other = make_clinic("Somebody Else")
    made = {"actor": system(other.id, "test"), "at": AT}
    with acting_for(other.id):
        assert vendors.calendar(AT) == []
        assert vendors.findings(AT) == ()
        for act in (
            lambda: vendors.record_subcontractor(vendor_id, **WHO, **made),
            lambda: vendors.drop_subcontractor(vendor_id, id, **made),
            lambda: vendors.assign(vendor_id, {}, **made),
            lambda: vendors.breach_clock(vendor_id, discovered=AT, told=None),
        ):
            with pytest.raises(NotFound):
                act()


# Tasks


def tasks() -> list[tuple[str, str]]:
    """Return title and key of open tasks, the first due first."""
    everybody = system(current_organization(), "test")
    return [(each.title.reveal(), each.key) for each in inbox.tasks(everybody)]


def test_what_is_due_becomes_a_task_once_and_goes_when_it_is_seen_to(made: dict[str, Any]) -> None:
    vendor_id = vendor(made, valid_until=TODAY + timedelta(days=40))
    vendors.verify(
        vendor_id, by="Ida", evidence="Report", verified_on=TODAY, next_on=TODAY + 9 * MONTH, **made
    )
    for days in (0, 9):
        remind_of_vendors(actor=made["actor"], at=AT + timedelta(days=days))
        assert tasks() == [], "nothing is due within thirty days"
    for hour in (0, 1, 24):
        remind_of_vendors(actor=made["actor"], at=AT + timedelta(days=10, hours=hour))
    [(title, _)] = tasks()
    assert title == "The agreement ends: 3 Jan 2027"
    assert "Harbor" not in title
    [task] = inbox.tasks(made["actor"])
    assert (task.contact_id, task.role, task.due_at.date()) == (None, Role.PRIVACY_OFFICER, date(2027, 1, 4))
    vendors.record_agreement(vendor_id, signed_on=TODAY, report_hours=24, clauses=frozenset(Clause), **made)
    remind_of_vendors(actor=made["actor"], at=AT + timedelta(days=12))
    assert tasks() == []


def test_what_is_overdue_is_asked_for_anew_every_week(made: dict[str, Any]) -> None:
    vendor_id = vendor(made)
    vendors.end_agreement(vendors.vendor(vendor_id, AT).agreements[0].id, **made)
    keys = set()
    for days in range(15):
        remind_of_vendors(actor=made["actor"], at=AT + timedelta(days=days))
        open_now = [key for title, key in tasks() if title == "An agreement is missing"]
        assert len(open_now) == 1
        keys.update(open_now)
    assert len(keys) == 3, "from a Tuesday, two weeks and a day"


@given(some.integers(0, 400), some.integers(0, 6))
def test_a_reminder_is_due_after_it_is_made_and_has_a_key_that_the_inbox_takes(days: int, kind: int) -> None:
    found = Due(
        list(DueKind)[kind % len(DueKind)],
        TODAY,
        new_id(),
        new_id(),
        Phi("Harbor"),
        Phi("Texts"),
        "Words",
        "Law",
    )
    at = AT + timedelta(days=days - 30)
    for each in reminders([found], at, ZoneInfo("America/Los_Angeles")):
        assert each.due_at > at
        assert re.fullmatch(r"[A-Za-z0-9_.:-]{1,120}", each.key)
