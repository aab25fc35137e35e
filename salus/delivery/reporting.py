"""Sends a report about TLS to the domain that asked for it (RFC 8460): numbers and words of the standard, nothing of a person.

It can say nothing else: what is written is a `TlsReport`, and every word of that is checked here.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import re
import textwrap
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from uuid import UUID

import orjson

from salus.delivery import process, published, trial
from salus.delivery.addresses import ascii_address, ascii_domain
from salus.delivery.contracts import PolicyReport, TlsReport
from salus.delivery.protection.dkim import Signer
from salus.delivery.transports.dns import Resolver
from salus.delivery.transports.fetch import Fetch, Request
from salus.delivery.transports.handover import Fate, HandOver
from salus.identity import api as identity
from salus.kernel.errors import BadInput
from salus.kernel.ids import new_id
from salus.kernel.outbound import TLS_REPORTS, ServiceKind
from salus.kernel.phi import Phi
from salus.kernel.time import Clock
from salus.kernel.vocabulary import Protection
from salus.keys import api as keys
from salus.platform import outbound
from salus.platform.reach import laboratory
from salus.platform.tenancy import acting_for

LOCAL_PART = "tls-reports"
KIND = "application/tlsrpt+gzip"
_WORD = re.compile(r"[a-z0-9-]{0,64}")
_REASON = re.compile(r"[a-z_]{0,64}")


def send(
    organization_id: UUID, uri: str, report: TlsReport, *, laboratory_routes: Path | None, clock: Clock
) -> str:
    """Send a report to one place that a domain named; return "", or a word for why it is not there.

    Call it outside `acting_for`. Raises `OutOfScope` when the register does not allow reports, `BadInput` for a
    place that is none or a report that says something else.
    """
    scheme, _, rest = uri.partition(":")
    now = clock.now()
    with acting_for(organization_id):
        outbound.ask(ServiceKind.TLS_REPORTS, TLS_REPORTS, at=now)
        submitter = identity.organization().sending_domain
        told = replace(report, policies=tuple(_with_lines(report.domain, each) for each in report.policies))
        body = gzip.compress(orjson.dumps(document(told, submitter)), mtime=0)
        if scheme.lower() == "https":
            return _post(uri, body, now)
        if scheme.lower() != "mailto":
            raise BadInput("A report goes by mail or by https.", place="rua")
        mailbox = rest.partition("?")[0].partition("!")[0]
        make = process.ways_out(laboratory_routes)(organization_id)
        sender = f"{LOCAL_PART}@{submitter}"
        message = letter(sender, mailbox, report, submitter, body, now)
        data = Signer(submitter, keys.dkim_keys(submitter)).sign(message, now)
    begun = time.monotonic()
    item = HandOver(
        message_id=new_id(),
        envelope_from=sender,
        recipient=Phi(mailbox),
        data=Phi(data),
        floor=Protection.NAMED,
        checked_at=begun,
        lease_until=begun + 3600.0,
    )
    outcome = asyncio.run(trial.hand_over(make, item))
    return "" if outcome.fate is Fate.ACCEPTED else outcome.reason or str(outcome.fate)


def document(report: TlsReport, submitter: str) -> dict[str, object]:
    """Return a report as RFC 8460, 4.4 has it; the organization is called as its domain, which they know anyway."""
    end = report.begin + timedelta(days=1, seconds=-1)
    policies = []
    for each in report.policies:
        policy: dict[str, object] = {
            "policy-type": _checked(_WORD, each.path.kind),
            "policy-domain": ascii_domain(report.domain),
        }
        if each.path.strings:
            policy["policy-string"] = list(each.path.strings)
        if each.path.hosts:
            policy["mx-host"] = list(each.path.hosts)
        failures = [
            {
                "result-type": _checked(_WORD, result),
                **({"receiving-mx-hostname": ascii_domain(host)} if host else {}),
                "failed-session-count": count,
                **({"failure-reason-code": _checked(_REASON, reason)} if reason else {}),
            }
            for (result, reason, host), count in sorted(each.counts.items())
            if result
        ]
        summary = {
            "total-successful-session-count": sum(n for key, n in each.counts.items() if not key[0]),
            "total-failure-session-count": sum(n for key, n in each.counts.items() if key[0]),
        }
        policies.append({"policy": policy, "summary": summary, "failure-details": failures})
    return {
        "organization-name": submitter,
        "date-range": {"start-datetime": _time(report.begin), "end-datetime": _time(end)},
        "contact-info": f"{LOCAL_PART}@{submitter}",
        "report-id": f"{report.id}@{submitter}",
        "policies": policies,
    }


def _with_lines(domain: str, policy: PolicyReport) -> PolicyReport:
    if policy.path.kind != "sts":
        return policy
    return replace(policy, path=replace(policy.path, strings=published.lines(domain)))


def _checked(pattern: re.Pattern[str], text: str) -> str:
    if not pattern.fullmatch(text):
        raise BadInput("A report has words of the standard only.", place="report")
    return text


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _post(uri: str, body: bytes, at: datetime) -> str:
    fetch = Fetch(Resolver(), laboratory=laboratory(), seconds=30.0)
    found = asyncio.run(fetch.fetch(Request(uri, at, body=body, accept="*/*", kind=KIND)))
    return "" if 200 <= found.status < 300 else found.reason or f"status_{found.status}"


def letter(sender: str, mailbox: str, report: TlsReport, submitter: str, body: bytes, at: datetime) -> bytes:
    """Return the mail of RFC 8460, 5.3: a multipart/report with the file, ASCII throughout.

    Raises `BadInput` for an address or a domain that cannot be, or an address that is not ASCII.
    """
    to, domain = ascii_address(mailbox, place="rua"), ascii_domain(report.domain)
    if not to.isascii():
        raise BadInput("A report goes to an address in ASCII.", place="rua")
    begin = int(report.begin.timestamp())
    name = f"{submitter}!{domain}!{begin}!{begin + 86_399}!{report.id}.json.gz"
    edge = f"=_{report.id}"
    lines = (
        f"Date: {format_datetime(at)}",
        f"Message-ID: <{report.id}.{begin}@{submitter}>",
        f"From: <{sender}>",
        f"To: <{to}>",
        f"Subject: Report Domain: {domain}",
        f" Submitter: {submitter}",
        f" Report-ID: <{report.id}@{submitter}>",
        f"TLS-Report-Domain: {domain}",
        f"TLS-Report-Submitter: {submitter}",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type="tlsrpt"; boundary="{edge}"',
        "",
        f"--{edge}",
        'Content-Type: text/plain; charset="us-ascii"',
        "Content-Transfer-Encoding: 7bit",
        "",
        f"This is a report of {submitter} about TLS to the mail hosts of {domain} (RFC 8460).",
        "",
        f"--{edge}",
        f"Content-Type: {KIND}",
        "Content-Transfer-Encoding: base64",
        "Content-Disposition: attachment;",
        f' filename="{name}"',
        "",
        *textwrap.wrap(base64.b64encode(body).decode("ascii"), 76),
        f"--{edge}--",
        "",
    )
    return "\r\n".join(lines).encode("ascii")
