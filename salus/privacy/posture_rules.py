"""The checks of the posture: what each looks at, why (which law), how bad it is, how it is mended. Pure.

Law in force: the Security Rule (45 CFR Part 164 Subpart C) and the Privacy Rule's administrative
requirements. Checks marked `proposed` come from the proposed Security Rule of 6 January 2025 (90 FR 898), which
is proposed, not law; they are a stricter set that can be left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from salus.privacy.posture import Facts, Finding, Found, Passed, Record, Report, Ruleset, Severity

PROPOSED = "90 FR 898 (6 January 2025)"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
GIGABYTE = 1_000_000_000
FREE = 2 * GIGABYTE
"""Below it a database stops soon."""
LOG_SILENT = timedelta(hours=24)
"""The worker verifies the log much more often: a day without means that nobody looks."""
BACKUP_OLD, BACKUP_OLD_PROPOSED = timedelta(days=7), timedelta(hours=48)
DRILL_OLD, DRILL_OLD_PROPOSED = timedelta(days=366), timedelta(days=31)
ENDS_SOON = timedelta(days=30)
KEY_OLD = timedelta(days=366)
REVIEW_OLD = timedelta(days=45)
"""A month is reviewed within two weeks of its end; "regularly" is the law's word."""

Look = Callable[[Facts], str | None]


@dataclass(frozen=True, slots=True)
class Check:
    """One check; `look` returns what is wrong, in a sentence without PHI, or None."""

    name: str
    title: str
    """What holds when nothing is found."""
    severity: Severity
    citation: str
    mend: str
    look: Look
    proposed: bool = False


def judge(facts: Facts, ruleset: Ruleset) -> Report:
    """Return what `ruleset` finds in the facts, the worst first, and what it finds in order."""
    asked = [each for each in CHECKS if ruleset is Ruleset.PROPOSED or not each.proposed]
    found, passed = [], []
    for check in asked:
        what = check.look(facts)
        if what is None:
            passed.append(Passed(check.name, check.title, check.citation, check.proposed))
        else:
            found.append(
                Finding(check.name, check.severity, what, check.mend, check.citation, check.proposed)
            )
    found.sort(key=lambda each: (each.severity.rank, each.proposed))
    return Report(facts.at, tuple(found), tuple(passed))


def _https(facts: Facts) -> str | None:
    parts = urlsplit(facts.machine.public_url)
    if parts.scheme == "https" or (facts.demo and parts.hostname in LOOPBACK):
        return None
    if parts.hostname in LOOPBACK:
        return "Patients and staff can reach Salus from this machine only: there is no public address yet."
    return "The public address is plain http: what is read there can be read on the way."


def _database(facts: Facts) -> str | None:
    if facts.machine.database_verified:
        return None
    return f"The connection to the database on {facts.machine.database} does not verify its certificate."


def _files(facts: Facts) -> str | None:
    names = facts.machine.open_files
    return f"Others on this machine can read: {', '.join(names)}." if names else None


def _space(facts: Facts) -> str | None:
    free = facts.machine.free_bytes
    return (
        f"The disk has {free / GIGABYTE:.1f} GB left; the database stops when it is full."
        if free < FREE
        else None
    )


def _processes(facts: Facts) -> str | None:
    missing = [
        word
        for word, count in (("worker", facts.machine.workers), ("sender", facts.machine.senders))
        if not count
    ]
    return (
        f"On this machine no {' and no '.join(missing)} runs: nothing is sent or looked after."
        if missing
        else None
    )


def _laboratory(facts: Facts) -> str | None:
    if facts.demo or not facts.machine.laboratory:
        return None
    return "Mail goes to a development relay: no patient gets any."


def _shaping(facts: Facts) -> str | None:
    if facts.machine.shaping_fault:
        return f"No sender starts with this plan of destinations. {facts.machine.shaping_fault}"
    return None


def _addresses(facts: Facts) -> str | None:
    away = facts.machine.addresses_away
    return (
        f"Mail is to leave from addresses that this machine does not have: {', '.join(away)}."
        if away
        else None
    )


def _kit(facts: Facts) -> str | None:
    if facts.machine.kit_made:
        return None
    return "Nobody can bring the key file back: whoever loses it loses every record."


def _privacy_officer(facts: Facts) -> str | None:
    if facts.office.privacy_officers:
        return None
    return "No privacy officer can sign in: there is none, or none has set up a second factor."


def _security_officer(facts: Facts) -> str | None:
    if facts.office.security_officers:
        return None
    return "No security officer can sign in: there is none, or none has set up a second factor."


def _administrators(facts: Facts) -> str | None:
    count = facts.office.administrators
    if count >= 2:
        return None
    return f"{'Only one administrator' if count else 'No administrator'} can sign in: when they cannot, nobody lets others in."


def _second_factor(facts: Facts) -> str | None:
    count = facts.office.without_second_factor
    return f"{_people(count)} not set up a second factor, and cannot sign in before." if count else None


def _people(count: int) -> str:
    return "1 person with access has" if count == 1 else f"{count} people with access have"


def _endless_keys(facts: Facts) -> str | None:
    count = facts.office.endless_keys
    return f"{count} API {'key has' if count == 1 else 'keys have'} no end within a year." if count else None


def _sign_on_certificate(facts: Facts) -> str | None:
    end = facts.ways_in.certificates_end
    if end is None or end - facts.at > ENDS_SOON:
        return None
    if end <= facts.at:
        return f"The certificate of an identity provider ended on {end:%Y-%m-%d}: nobody comes in by it."
    return f"The certificate of an identity provider ends on {end:%Y-%m-%d}; nobody comes in by it then."


def _sign_on(facts: Facts) -> str | None:
    failing = facts.ways_in.failing
    if not failing:
        return None
    said = "; ".join(f"{word} ({number})" for word, number in sorted(failing.items()))
    return f"Nobody comes in by an identity provider: {said}."


def _directory_key(facts: Facts) -> str | None:
    end = facts.ways_in.directory_ends
    if not facts.ways_in.directory or end is None or end - facts.at > ENDS_SOON:
        return None
    if end <= facts.at:
        return "The key of the staff directory (SCIM) has ended: who leaves there keeps their access here."
    return f"The key of the staff directory (SCIM) ends on {end:%Y-%m-%d}; who leaves there keeps their access here then."


def _directory_silent(facts: Facts) -> str | None:
    count = facts.ways_in.directories_silent
    if not count:
        return None
    return f"{count} {'key' if count == 1 else 'keys'} of staff directories (SCIM) were not used for a month."


def _access_review(facts: Facts) -> str | None:
    examined = facts.ways_in.examined
    if examined is None or facts.at - examined <= REVIEW_OLD:
        return None
    return f"For {(facts.at - examined).days} days nobody has signed for examining who signed in and who looked at whom."


def _emergencies(facts: Facts) -> str | None:
    count = facts.ways_in.emergencies_overdue
    if not count:
        return None
    return f"{count} emergency {'access waits' if count == 1 else 'accesses wait'} for a review for more than a week."


def _data_key(facts: Facts) -> str | None:
    made = facts.office.data_key_made
    if made is None or facts.at - made <= KEY_OLD:
        return None
    return f"The key that seals patients' data is {(facts.at - made).days} days old."


def _log_verified(facts: Facts) -> str | None:
    office = facts.office
    if office.log_verified is None or facts.at - office.log_verified > LOG_SILENT:
        return "Nobody has verified the audit log for a day."
    return None


def _log_sound(facts: Facts) -> str | None:
    if facts.office.log_verified is None or facts.office.log_sound:
        return None
    return "The audit log does not match its signed checkpoints: someone changed it outside Salus."


def _log_apart(facts: Facts) -> str | None:
    if facts.machine.log_copies_apart:
        return None
    return (
        "The copies of the log's roots are on the disk of the database: who can rewrite one can rewrite both."
    )


def _services(facts: Facts) -> str | None:
    refused = facts.office.refused
    if not refused:
        return None
    count = sum(refused.values())
    said = " ".join(f"{word} ({number})" for word, number in sorted(refused.items()))
    return f"{count} {'service is' if count == 1 else 'services are'} switched on and may not be used: {said}"


def _log_outside(facts: Facts) -> str | None:
    failing = facts.office.copies_failing
    if not failing:
        return None
    said = "; ".join(f"{word} ({number})" for word, number in sorted(failing.items()))
    return f"Copies of the audit log do not get to those who keep them outside: {said}."


def _agreements(facts: Facts) -> str | None:
    end = facts.office.agreements_end
    if end is None or end - facts.at > ENDS_SOON:
        return None
    return f"An agreement with a vendor ends on {end:%Y-%m-%d}; what goes to its services pauses then."


def _mail_signing(facts: Facts) -> str | None:
    end = facts.office.mail_signing_ends
    if end is None or end - facts.at > ENDS_SOON:
        return None
    said = "ended" if end <= facts.at else "ends"
    return f"The certificate that encrypted mail is signed with {said} on {end:%Y-%m-%d}."


def _mail_signing_vouched(facts: Facts) -> str | None:
    if facts.demo or not facts.office.mail_signing_alone:
        return None
    return "Nobody vouches for the certificate that encrypted mail is signed with: it is a laboratory's."


def _mail_goes(facts: Facts) -> str | None:
    paused = facts.office.mail_paused
    return f"Mail is paused. {paused}" if paused else None


def _test_message(facts: Facts) -> str | None:
    proven, chosen = facts.office.proven, facts.office.route_chosen
    if proven is None:
        return "Nobody has seen a test message arrive."
    if chosen is not None and proven < chosen:
        return "Nobody has seen a test message arrive since the way of the mail was changed."
    return None


def _record(*purposes: str) -> Look:
    def look(facts: Facts) -> str | None:
        wrong = [
            each
            for purpose in purposes
            for each in _of(facts, purpose)
            if each.found in (Found.MISSING, Found.WRONG)
        ]
        return " ".join(_said(each) for each in wrong) or None

    return look


def _said(record: Record) -> str:
    if record.found is Found.MISSING:
        lacking = f"no {record.purpose} record" if record.purpose != "MTA-STS policy" else "no policy file"
        return f"{record.name} has {lacking}."
    return f"The {record.purpose} record of {record.name} is not the right one. {record.note}".strip()


def _dns_known(facts: Facts) -> str | None:
    silent = [each.name for each in facts.office.records if each.found is Found.UNKNOWN]
    return f"DNS did not answer for {', '.join(silent)}: nobody knows what stands there." if silent else None


def _dmarc_strict(facts: Facts) -> str | None:
    loose = [
        each for each in _of(facts, "DMARC") if each.found is Found.THERE and "only watches" in each.note
    ]
    return loose[0].note if loose else None


def _of(facts: Facts, purpose: str) -> list[Record]:
    return [each for each in facts.office.records if each.purpose == purpose]


def _backup(limit: timedelta) -> Look:
    def look(facts: Facts) -> str | None:
        if facts.backups is None:
            return None
        if facts.backups.last is None:
            return "There is no backup."
        age = facts.at - facts.backups.last
        return f"The last backup is {_hours(age)} old." if age > limit else None

    return look


def _drill(limit: timedelta) -> Look:
    def look(facts: Facts) -> str | None:
        if facts.backups is None:
            return None
        if facts.backups.drilled is None:
            return "Nobody has tried to restore a backup."
        if not facts.backups.drill_passed:
            return "The last trial of a restore failed."
        age = facts.at - facts.backups.drilled
        return f"The last trial of a restore is {age.days} days ago." if age > limit else None

    return look


def _hours(age: timedelta) -> str:
    hours = int(age.total_seconds() // 3600)
    return f"{hours} hours" if hours < 96 else f"{age.days} days"


_H, _M, _L = Severity.HIGH, Severity.MEDIUM, Severity.LOW

CHECKS = (
    Check(
        "public-https", "Patients and staff reach Salus over https", _H, "45 CFR 164.312(e)(1), (e)(2)(ii)",
        "Put a TLS proxy in front and name its https address: salus setup.", _https,
    ),
    Check(
        "database-tls", "The way to the database is protected", _H, "45 CFR 164.312(e)(1), (e)(2)(i)",
        "Add sslmode=verify-full and sslrootcert=FILE to DATABASE_URL.", _database,
    ),
    Check(
        "key-files", "Keys and data are closed to others on this machine", _H, "45 CFR 164.312(a)(1)",
        "Run chmod -R go-rwx on the home folder, and ask who could read it until now.", _files,
    ),
    Check(
        "recovery-kit", "The key file can be brought back", _H, "45 CFR 164.308(a)(7)(ii)(A), (B)",
        "Run salus keys recovery-kit, and give each sheet to another person.", _kit,
    ),
    Check(
        "disk-space", "The disk has room", _H, "45 CFR 164.306(a)(1)",
        "Make room, or move the home folder to a larger disk.", _space,
    ),
    Check(
        "processes", "Worker and sender run", _H, "45 CFR 164.306(a)(1)",
        "Start everything with salus start, and let your system start it after a reboot.", _processes,
    ),
    Check(
        "real-mail", "Mail goes to real mailboxes", _H, "45 CFR 164.306(a)(1)",
        "Unset SALUS_LABORATORY_ROUTES and start Salus again.", _laboratory,
    ),
    Check(
        "shaping-plan", "The plan of destinations can be read", _H, "45 CFR 164.306(a)(1)",
        "Mend shaping.toml in the home folder at that place, or take it away; docs/shaping.md says what it may say.", _shaping,
    ),
    Check(
        "source-addresses", "Mail can leave from the addresses in the plan", _M, "45 CFR 164.306(a)(1)",
        "Give this machine the addresses, or take them out of shaping.toml. Where senders run elsewhere, look there.", _addresses,
    ),
    Check(
        "privacy-officer", "There is a privacy officer", _H, "45 CFR 164.530(a)(1)(i)",
        "Add one under Staff, and let them follow their invitation.", _privacy_officer,
    ),
    Check(
        "security-officer", "There is a security officer", _H, "45 CFR 164.308(a)(2)",
        "Add one under Staff, and let them follow their invitation.", _security_officer,
    ),
    Check(
        "administrators", "More than one person can let others in", _L, "45 CFR 164.308(a)(7)(ii)(C)",
        "Add a second administrator under Staff.", _administrators,
    ),
    Check(
        "second-factor", "Everybody with access has a second factor", _L, "45 CFR 164.312(d)",
        "Send them a new invitation under Staff, or take their access away.", _second_factor,
    ),
    Check(
        "api-keys", "Keys for programs end within a year", _M, "45 CFR 164.308(a)(4)(ii)(C)",
        "Revoke them under API keys and make new ones with an end.", _endless_keys,
    ),
    Check(
        "sign-on", "People come in by the identity providers", _M, "45 CFR 164.308(a)(7)(ii)(C), 164.312(d)",
        "Look at the provider under Sign-on; the log says of each refusal why. Passwords of staff go on working.", _sign_on,
    ),
    Check(
        "sign-on-certificate", "No certificate of an identity provider ends within 30 days", _M, "45 CFR 164.312(d)",
        "Give the provider's new metadata under Sign-on; both certificates hold meanwhile.", _sign_on_certificate,
    ),
    Check(
        "directory-key", "The key of the staff directory holds", _H, "45 CFR 164.308(a)(3)(ii)(C)",
        "Make a new key for it under API keys; until then take access away by hand under Staff.", _directory_key,
    ),
    Check(
        "directory-silent", "The staff directory is heard", _M, "45 CFR 164.308(a)(3)(ii)(C)",
        "Look at the directory's own log, or revoke the key under API keys.", _directory_silent,
    ),
    Check(
        "access-review", "Records of access are examined every month", _M, "45 CFR 164.308(a)(1)(ii)(D)",
        "Open Access review, look at what stands out, and sign for it.", _access_review,
    ),
    Check(
        "emergency-review", "Emergency access is reviewed within a week", _M, "45 CFR 164.308(a)(1)(ii)(D), 164.312(a)(2)(ii)",
        "Open Emergency reviews and say of each what you found.", _emergencies,
    ),
    Check(
        "data-key", "The key that seals data is not older than a year", _L, "45 CFR 164.312(a)(2)(iv)",
        "Run salus keys rotate data.", _data_key,
    ),
    Check(
        "log-sound", "The audit log is as it was signed", _H, "45 CFR 164.312(b), (c)(1)",
        "Tell your security officer now; salus audit verify names each place.", _log_sound,
    ),
    Check(
        "log-verified", "The audit log is verified every day", _H, "45 CFR 164.312(b), 164.308(a)(1)(ii)(D)",
        "Look at the log of the worker; run salus audit verify.", _log_verified,
    ),
    Check(
        "log-copies", "Copies of the log's roots are kept apart", _M, "45 CFR 164.312(c)(1)",
        "Put the witness folder on another disk (SALUS_WITNESS), or let another machine collect it.", _log_apart,
    ),
    Check(
        "log-outside", "Witnesses and log servers get their copies of the log", _M, "45 CFR 164.312(b), (c)(1)",
        "The page of the log says which; mend it, or switch the service off in the vendor register.", _log_outside,
    ),
    Check(
        "vendors", "Every service in use has its agreement", _H, "45 CFR 164.308(b)(1), 164.314(a), 164.504(e)",
        "The vendor register says of each what is missing; mend that, or switch the service off.", _services,
    ),
    Check(
        "agreements", "No agreement ends within 30 days", _M, "45 CFR 164.308(b)(1)",
        "Record the renewed agreement in the vendor register.", _agreements,
    ),
    Check(
        "mail-signing", "The certificate for signed mail does not end within 30 days", _M, "45 CFR 164.312(c)(1), (e)(2)(i)",
        "Put a new one in place under Mail keys; until then mail is encrypted and not signed.", _mail_signing,
    ),
    Check(
        "mail-signing-vouched", "An authority vouches for the certificate for signed mail", _L, "45 CFR 164.312(d)",
        "Get one of an authority that mail programs know, and put it in place under Mail keys.", _mail_signing_vouched,
    ),
    Check(
        "mail-goes", "Mail goes out", _H, "45 CFR 164.306(a)(1)",
        "Mend the service in the vendor register; mail goes on within a minute.", _mail_goes,
    ),
    Check(
        "test-message", "A test message arrived", _M, "45 CFR 164.308(a)(8)",
        "Run salus setup --test ADDRESS, and give the word that arrives: salus setup --word WORD.", _test_message,
    ),
    Check(
        "spf", "SPF says who may send for the domain", _M, "45 CFR 164.312(c)(1), (d); RFC 7208",
        "Publish the record that salus domain check shows.", _record("SPF"),
    ),
    Check(
        "dkim", "Messages are signed with published keys", _H, "45 CFR 164.312(c)(2), (e)(2)(i); RFC 6376",
        "Publish the records that salus domain check shows.", _record("DKIM"),
    ),
    Check(
        "dmarc", "DMARC says what to do with forged mail", _M, "45 CFR 164.312(d); RFC 9989",
        "Publish the record that salus domain check shows.", _record("DMARC"),
    ),
    Check(
        "dmarc-strict", "Forged mail is refused", _L, "45 CFR 164.312(d); RFC 9989",
        "When the reports show that all your mail passes, publish p=reject.", _dmarc_strict,
    ),
    Check(
        "mx", "What comes back has somewhere to go", _M, "45 CFR 164.306(a)(1); RFC 5321, 5.1",
        "Publish the record that salus domain check shows.", _record("MX"),
    ),
    Check(
        "mta-sts", "Others hand mail over to you only over verified TLS", _L, "45 CFR 164.312(e)(1); RFC 8461",
        "Publish the record and the file that salus domain check shows.", _record("MTA-STS", "MTA-STS policy"),
    ),
    Check(
        "tls-rpt", "Others report how TLS to you went", _L, "45 CFR 164.308(a)(8); RFC 8460",
        "Publish the record that salus domain check shows.", _record("TLS-RPT"),
    ),
    Check(
        "ptr", "The addresses that mail leaves from have names", _M, "45 CFR 164.306(a)(1); RFC 1912, 2.1",
        "Whoever gave you the address publishes the name; salus domain check looks at both ways.", _record("PTR"),
    ),
    Check(
        "dns-answers", "DNS answers for the sending domain", _L, "45 CFR 164.306(a)(1)",
        "Look at this machine's resolver; try again in a minute.", _dns_known,
    ),
    Check(
        "backup", "There is a backup of the last week", _H, "45 CFR 164.308(a)(7)(ii)(A)",
        "Run salus backup, and have it run every day.", _backup(BACKUP_OLD),
    ),
    Check(
        "restore-drill", "A restore was tried within a year", _M, "45 CFR 164.308(a)(7)(ii)(B), (D)",
        "Run the drill of salus backup; it restores beside the live system.", _drill(DRILL_OLD),
    ),
    Check(
        "backup-48h", "There is a backup of the last 48 hours", _M, PROPOSED,
        "Have salus backup run every day.", _backup(BACKUP_OLD_PROPOSED), proposed=True,
    ),
    Check(
        "drill-month", "A restore was tried within a month", _L, PROPOSED,
        "Have the drill run every month.", _drill(DRILL_OLD_PROPOSED), proposed=True,
    ),
    Check(
        "mfa-everywhere", "Nobody has access without a second factor", _M, PROPOSED,
        "Send them a new invitation under Staff, or take their access away.", _second_factor, proposed=True,
    ),
)  # fmt: skip
"""In the order of a page. What has no fact (backups that nobody looks after yet) is not checked."""
