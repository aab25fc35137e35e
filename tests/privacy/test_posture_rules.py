"""Every check of the posture passes on good facts, fails on a fact of its own, and says why and how to mend it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from salus.privacy import api as privacy
from salus.privacy.contracts import (
    Backups,
    Facts,
    Found,
    Machine,
    Office,
    Ready,
    Record,
    Ruleset,
    Scanner,
    Severity,
    WaysIn,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DOMAIN = "mail.clinic.example"
RECORDS = (
    Record("SPF", DOMAIN, Found.THERE),
    Record("DKIM", f"one._domainkey.{DOMAIN}", Found.THERE),
    Record("DMARC", f"_dmarc.{DOMAIN}", Found.THERE),
    Record("MX", DOMAIN, Found.THERE),
    Record("MTA-STS", f"_mta-sts.{DOMAIN}", Found.THERE),
    Record("MTA-STS policy", f"https://mta-sts.{DOMAIN}/.well-known/mta-sts.txt", Found.THERE),
    Record("TLS-RPT", f"_smtp._tls.{DOMAIN}", Found.THERE),
    Record("PTR", "192.0.2.7", Found.THERE),
)
GOOD = Facts(
    at=NOW,
    machine=Machine(
        public_url="https://messages.clinic.example",
        database="",
        database_verified=True,
        open_files=(),
        free_bytes=50_000_000_000,
        workers=1,
        senders=1,
        kit_made=True,
        laboratory=False,
        log_copies_apart=True,
        scanner=Scanner(answers=True, signatures=NOW - timedelta(days=1)),
    ),
    office=Office(
        privacy_officers=Ready(1),
        security_officers=Ready(1),
        administrators=Ready(2),
        stranded=0,
        endless_keys=0,
        data_key_made=NOW - timedelta(days=30),
        log_verified=NOW - timedelta(minutes=5),
        log_sound=True,
        copies_failing={},
        refused={},
        agreements_end=NOW + timedelta(days=200),
        relay=True,
        mail_paused="",
        route_chosen=NOW - timedelta(days=30),
        proven=NOW - timedelta(days=29),
        records=RECORDS,
    ),
    ways_in=WaysIn(
        certificates_end=NOW + timedelta(days=200),
        directory=True,
        directory_ends=NOW + timedelta(days=200),
        examined=NOW - timedelta(days=8),
    ),
    backups=Backups(NOW - timedelta(hours=5), NOW - timedelta(days=10), drill_passed=True),
)
Change = Callable[[Facts], Facts]


def machine(**changes: Any) -> Change:
    return lambda facts: replace(facts, machine=replace(facts.machine, **changes))


def office(**changes: Any) -> Change:
    return lambda facts: replace(facts, office=replace(facts.office, **changes))


def backups(**changes: Any) -> Change:
    def change(facts: Facts) -> Facts:
        assert facts.backups is not None
        return replace(facts, backups=replace(facts.backups, **changes))

    return change


def ways_in(**changes: Any) -> Change:
    return lambda facts: replace(facts, ways_in=replace(facts.ways_in, **changes))


def record(purpose: str, found: Found, note: str = "") -> Change:
    return office(
        records=tuple(
            replace(each, found=found, note=note) if each.purpose == purpose else each for each in RECORDS
        )
    )


FAULTS: dict[str, tuple[Change, str]] = {
    "public-https": (machine(public_url="http://messages.clinic.example"), "plain http"),
    "database-tls": (machine(database="db.clinic.example", database_verified=False), "db.clinic.example"),
    "key-files": (machine(open_files=("keys", "keys/django-secret")), "keys/django-secret"),
    "recovery-kit": (machine(kit_made=False), "key file"),
    "disk-space": (machine(free_bytes=900_000_000), "0.9 GB"),
    "processes": (machine(senders=0), "no sender"),
    "real-mail": (machine(laboratory=True), "development relay"),
    "shaping-plan": (machine(shaping_fault="shaping.toml: default.on[1]: Bad."), "default.on[1]"),
    "source-addresses": (machine(addresses_away=("203.0.113.9",)), "203.0.113.9"),
    "privacy-officer": (office(privacy_officers=Ready(0)), "No privacy officer can sign in: there is none"),
    "security-officer": (
        office(security_officers=Ready(0)),
        "No security officer can sign in: there is none",
    ),
    "administrators": (office(administrators=Ready(1)), "Only one administrator"),
    "second-factor": (office(stranded=2), "2 people"),
    "api-keys": (office(endless_keys=1), "1 API key has"),
    "sign-on": (ways_in(failing={"the provider cannot be reached": 1}), "cannot be reached (1)"),
    "sign-on-certificate": (ways_in(certificates_end=NOW + timedelta(days=12)), "ends on 2026-12-06"),
    "directory-key": (ways_in(directory_ends=NOW), "has ended"),
    "directory-silent": (ways_in(directories_silent=1), "not used for a month"),
    "access-review": (ways_in(examined=NOW - timedelta(days=46)), "For 46 days"),
    "emergency-review": (ways_in(emergencies_overdue=2), "2 emergency accesses wait"),
    "data-key": (office(data_key_made=NOW - timedelta(days=400)), "400 days"),
    "log-sound": (office(log_sound=False), "does not match"),
    "log-verified": (office(log_verified=NOW - timedelta(hours=30)), "for a day"),
    "log-copies": (machine(log_copies_apart=False), "on the disk of the database"),
    "log-outside": (office(copies_failing={"Their server offers no encryption": 1}), "no encryption"),
    "vendors": (office(refused={"The agreement has expired.": 2}), "2 services are"),
    "mail-signing": (office(mail_signing_ends=NOW + timedelta(days=3)), "ends on 2026-11-27"),
    "mail-signing-vouched": (office(mail_signing_alone=True), "laboratory"),
    "agreements": (office(agreements_end=NOW + timedelta(days=12)), "2026-12-06"),
    "mail-goes": (office(mail_paused="The agreement has expired."), "expired"),
    "test-message": (office(proven=None), "Nobody has seen"),
    "spf": (record("SPF", Found.MISSING), f"{DOMAIN} has no SPF record"),
    "dkim": (record("DKIM", Found.WRONG, "Another key stands there."), "Another key"),
    "dmarc": (record("DMARC", Found.MISSING), "no DMARC record"),
    "dmarc-strict": (record("DMARC", Found.THERE, "DMARC only watches (p=none)."), "only watches"),
    "mx": (record("MX", Found.MISSING), f"{DOMAIN} has no MX record"),
    "mta-sts": (record("MTA-STS policy", Found.MISSING), "has no policy file"),
    "tls-rpt": (record("TLS-RPT", Found.MISSING), "has no TLS-RPT record"),
    "ptr": (record("PTR", Found.WRONG, "It does not lead back."), "lead back"),
    "dns-answers": (record("SPF", Found.UNKNOWN), "did not answer"),
    "virus-scanner-answers": (machine(scanner=Scanner(False, None)), "no attached file is taken"),
    "virus-signatures": (machine(scanner=Scanner(True, NOW - timedelta(days=9))), "9 days old"),
    "virus-scanner": (machine(scanner=None), "No virus scanner is set"),
    "backup": (backups(last=None), "no backup"),
    "restore-drill": (backups(drill_passed=False), "failed"),
    "backup-48h": (backups(last=NOW - timedelta(hours=50)), "50 hours"),
    "drill-month": (backups(drilled=NOW - timedelta(days=40)), "40 days"),
}


def found(facts: Facts, ruleset: Ruleset = Ruleset.PROPOSED) -> dict[str, str]:
    return {each.check: each.what for each in privacy.judge(facts, ruleset).findings}


def test_good_facts_pass_every_check() -> None:
    report = privacy.judge(GOOD, Ruleset.PROPOSED)
    assert report.findings == ()
    assert report.worst is None
    assert {each.check for each in report.passed} == {each.name for each in privacy.CHECKS}


def test_every_check_has_a_fault_that_makes_it_fail() -> None:
    assert set(FAULTS) == {each.name for each in privacy.CHECKS}


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_check_fails_on_its_fault_and_says_what_is_so(name: str) -> None:
    change, words = FAULTS[name]
    assert words in found(change(GOOD))[name]


@pytest.mark.parametrize("check", privacy.CHECKS, ids=lambda each: each.name)
def test_a_check_says_by_which_law_and_how_to_mend_it(check: Any) -> None:
    law = "90 FR 898" if check.proposed else "45 CFR 164."
    assert check.citation.startswith(law)
    assert check.mend.endswith(".")
    assert check.title


def test_the_law_alone_leaves_out_what_was_only_proposed() -> None:
    facts = FAULTS["drill-month"][0](FAULTS["backup-48h"][0](GOOD))
    assert set(found(facts, Ruleset.LAW)) == set()
    proposed = [each for each in privacy.judge(facts, Ruleset.PROPOSED).findings if each.proposed]
    assert {each.check for each in proposed} == {"drill-month", "backup-48h"}
    assert all("90 FR 898" in each.citation for each in proposed)


def test_what_the_law_finds_is_not_said_a_second_time_by_what_was_only_proposed() -> None:
    facts = backups(last=None, drilled=None)(GOOD)
    report = privacy.judge(facts, Ruleset.PROPOSED)
    assert {each.check for each in report.findings} == {"backup", "restore-drill"}
    assert not {"backup-48h", "drill-month"} & {each.check for each in report.passed}


@pytest.mark.parametrize(
    ("change", "check", "words"),
    [
        (office(privacy_officers=Ready(0, 1)), "privacy-officer", "yet: an invitation waits to be followed."),
        (
            office(security_officers=Ready(0, 2)),
            "security-officer",
            "yet: 2 invitations wait to be followed.",
        ),
        (office(administrators=Ready(1, 1)), "administrators", "; an invitation waits to be followed."),
        (
            office(stranded=1),
            "second-factor",
            "1 person has access, but neither a second factor nor an invitation",
        ),
    ],
)
def test_whoever_was_invited_is_said_to_be_waited_for(change: Change, check: str, words: str) -> None:
    assert words in found(change(GOOD))[check]
    (finding,) = privacy.judge(change(GOOD), Ruleset.LAW).findings
    assert "invitation" in finding.mend


def test_the_worst_comes_first() -> None:
    facts = FAULTS["second-factor"][0](FAULTS["api-keys"][0](FAULTS["recovery-kit"][0](GOOD)))
    report = privacy.judge(facts, Ruleset.LAW)
    assert [each.severity for each in report.findings] == [Severity.HIGH, Severity.MEDIUM, Severity.LOW]
    assert report.worst is Severity.HIGH


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (machine(public_url="http://localhost:8480"), "public-https"),
        (office(administrators=Ready(0)), "administrators"),
        (office(log_verified=None), "log-verified"),
        (office(proven=NOW - timedelta(days=31)), "test-message"),
        (backups(drilled=None), "restore-drill"),
        (backups(last=NOW - timedelta(days=9)), "backup"),
        (machine(workers=0, senders=0), "processes"),
        (ways_in(certificates_end=NOW), "sign-on-certificate"),
        (ways_in(directory_ends=NOW + timedelta(days=9)), "directory-key"),
        (machine(scanner=Scanner(True, None)), "virus-signatures"),
    ],
)
def test_the_other_ways_to_fail(change: Change, check: str) -> None:
    assert check in found(change(GOOD))


def test_a_demo_on_this_machine_needs_no_public_address_and_sends_to_nobody() -> None:
    here = machine(public_url="http://localhost:8480", laboratory=True, scanner=None)
    demo = replace(here(GOOD), demo=True)
    assert found(demo) == {}


@pytest.mark.parametrize("check", ["virus-scanner-answers", "virus-signatures", "virus-scanner"])
def test_a_virus_scanner_is_found_wanting_once(check: str) -> None:
    (finding,) = privacy.judge(FAULTS[check][0](GOOD), Ruleset.LAW).findings
    assert (finding.check, finding.citation) == (check, "45 CFR 164.308(a)(5)(ii)(B)")


def test_signatures_of_a_week_are_new_enough() -> None:
    assert found(machine(scanner=Scanner(True, NOW - timedelta(days=7)))(GOOD)) == {}


def test_backups_that_nobody_looks_after_are_not_judged() -> None:
    assert found(replace(GOOD, backups=None)) == {}
