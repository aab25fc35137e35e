"""The checks of what DNS says about the sending domain."""

from __future__ import annotations

from salus.privacy.checks.check import Check, Look
from salus.privacy.posture import Facts, Found, Record, Severity


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


_H, _M, _L = Severity.HIGH, Severity.MEDIUM, Severity.LOW

CHECKS = (
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
)  # fmt: skip
