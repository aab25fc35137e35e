"""Bounces: the standard ones, the common ones without a standard, and what only looks like one."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salus.delivery.dsn import MAX_RECIPIENTS, Action, Dsn, Form, NoReport, parse
from salus.delivery.status import Kind

STANDARD = b"""Return-Path: <>
From: MAILER-DAEMON@mx.example.org (Mail Delivery System)
To: bounces+018f7a@clinic.example
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="9B095B5ADSN=_01"

This is a MIME-encapsulated message.

--9B095B5ADSN=_01
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--9B095B5ADSN=_01
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org
Original-Envelope-Id: QQ314159
Arrival-Date: Sun, 1 Mar 2026 09:30:05 +0000 (UTC)

Final-Recipient: rfc822; ana@example.org
Original-Recipient: rfc822;Ana@example.org
Action: failed
Status: 5.1.1
Remote-MTA: dns; mail.example.org
Diagnostic-Code: smtp; 550 5.1.1 <ana@example.org>:
    Recipient address rejected: User unknown

--9B095B5ADSN=_01
Content-Type: message/rfc822

Received: from us
Message-ID: <018f.7a@clinic.example>
Subject: Your visit

Hello
--9B095B5ADSN=_01--
"""

DELAYED = STANDARD.replace(b"Action: failed", b"Action: delayed").replace(b"5.1.1", b"4.4.1")

EXIM = b"""Return-path: <>
From: Mail Delivery System <Mailer-Daemon@mx.example.org>
To: bounces@clinic.example
X-Failed-Recipients: ana@example.org
Subject: Mail delivery failed: returning message to sender

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its recipients.

  ana@example.org
    host mail.example.org [192.0.2.1]
    SMTP error from remote mail server after RCPT TO:<ana@example.org>:
    550 5.1.1 User unknown

------ This is a copy of the message, including all the headers. ------
"""

QMAIL = b"""Return-Path: <>
From: MAILER-DAEMON@example.org
To: bounces@clinic.example
Subject: failure notice

Hi. This is the qmail-send program at example.org.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<ana@example.org>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.
"""

PLAIN = b"""From: postmaster@example.org
Subject: Undeliverable: Your visit

The mail system reports for <ana@example.org>:
552 5.2.2 Mailbox full
"""

AWAY = b"""From: ana@example.org
Auto-Submitted: auto-replied (vacation)
Subject: Re: Your visit

I am away until Monday. In urgent cases call 550 1234.
"""


def report_of(raw: bytes) -> Dsn:
    found = parse(raw)
    assert isinstance(found, Dsn)
    return found


def test_a_standard_report_is_read_whole() -> None:
    found = report_of(STANDARD)
    (report,) = found.reports
    assert found.form is Form.STANDARD
    assert found.message_id == "018f.7a@clinic.example"
    assert found.envelope_id == "QQ314159"
    assert report.action is Action.FAILED
    assert (report.code, report.status, report.verdict.kind) == (550, "5.1.1", Kind.HARD)
    assert report.recipient.reveal() == "Ana@example.org"
    assert "ana" not in repr(found).lower()


def test_line_ends_do_not_matter() -> None:
    assert parse(STANDARD) == parse(STANDARD.replace(b"\n", b"\r\n"))


def test_a_delay_is_not_a_failure() -> None:
    (report,) = report_of(DELAYED).reports
    assert report.action is Action.DELAYED
    assert report.verdict.kind is Kind.SOFT


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
def test_a_report_that_is_encoded_is_decoded(encoding: str) -> None:
    import base64
    import quopri

    head, middle = STANDARD.split(b"Content-Type: message/delivery-status\n\n")
    status, rest = middle.split(b"\n--9B095B5ADSN=_01\nContent-Type: message/rfc822")
    encoded = base64.encodebytes(status) if encoding == "base64" else quopri.encodestring(status)
    raw = (
        head
        + f"Content-Type: message/delivery-status\nContent-Transfer-Encoding: {encoding}\n\n".encode()
        + encoded
        + b"\n--9B095B5ADSN=_01\nContent-Type: message/rfc822"
        + rest
    )
    assert report_of(raw).reports == report_of(STANDARD).reports


def test_a_report_inside_another_multipart_is_found() -> None:
    head, _, body = STANDARD.partition(b"\n\n")
    inner = head.split(b"MIME-Version")[1].split(b"\n", 1)[1] + b"\n\n" + body
    raw = (
        b'From: a@b.example\nContent-Type: multipart/mixed; boundary="outer"\n\n--outer\n'
        + inner
        + b"\n--outer--\n"
    )
    assert report_of(raw).reports == report_of(STANDARD).reports


@pytest.mark.parametrize(
    ("raw", "form", "code", "status", "kind"),
    [
        (EXIM, Form.EXIM, 550, "5.1.1", Kind.HARD),
        (QMAIL, Form.QMAIL, 0, "5.1.1", Kind.HARD),
        (PLAIN, Form.TEXT, 552, "5.2.2", Kind.SOFT),
    ],
)
def test_common_bounces_without_the_standard_are_read_too(
    raw: bytes, form: Form, code: int, status: str, kind: Kind
) -> None:
    found = report_of(raw)
    (report,) = found.reports
    assert (found.form, report.code, report.status, report.verdict.kind) == (form, code, status, kind)
    assert report.recipient.reveal() == "ana@example.org"


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", NoReport.EMPTY),
        (b" \r\n\r\n", NoReport.EMPTY),
        (AWAY, NoReport.AUTO_REPLY),
        (b"From: ana@example.org\nSubject: Hi\n\n550 5.1.1 is my number\n", NoReport.NOT_A_REPORT),
        (b"From: ana@example.org\nSubject: Undelivered Mail\n\n550 5.1.1\n", NoReport.NOT_A_REPORT),
        (
            STANDARD.replace(b"Action: failed\nStatus: 5.1.1\n", b"").split(b"Diagnostic")[0],
            NoReport.UNREADABLE,
        ),
        (b"From: MAILER-DAEMON@a.example\nSubject: failure notice\n\nSorry.\n", NoReport.UNREADABLE),
        (b"\xff\xfe\x00garbage" * 50, NoReport.NOT_A_REPORT),
    ],
    ids=["nothing", "blank", "away", "a letter", "a forged subject", "no status", "no reason", "garbage"],
)
def test_what_is_no_report_is_said_to_be_none(raw: bytes, why: NoReport) -> None:
    assert parse(raw) is why


def test_a_patient_who_writes_the_words_of_a_bounce_suppresses_nobody() -> None:
    forged = PLAIN.replace(b"postmaster@example.org", b"ana@example.org")
    assert parse(forged) is NoReport.NOT_A_REPORT


HOSTILE = {
    "many recipients": STANDARD.replace(
        b"Final-Recipient",
        b"Final-Recipient: rfc822; x@y.example\nAction: failed\nStatus: 5.0.0\n\n" * 20_000
        + b"Final-Recipient",
        1,
    ),
    "many parts": b'Content-Type: multipart/mixed; boundary="x"\n\n' + b"--x\n\na\n" * 100_000,
    "deep parts": b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (level, level) for level in range(5000)
    ),
    "one endless line": b"From: " + b"a" * 3_000_000,
    "endless folding": b"Subject: a\n" + b" b\n" * 500_000,
    "endless header": b"".join(b"X-%d: y\n" % number for number in range(200_000)),
    "many addresses": EXIM.replace(b"ana@example.org\n", b"a@b.example, " * 100_000 + b"\n", 1),
    "many digits": b"From: mailer-daemon\nSubject: failure notice\n\n" + b"5" * 400_000,
    "many dots": b"From: mailer-daemon\nSubject: failure notice\n\n" + b"5.1." * 100_000,
    "many brackets": b"From: mailer-daemon\nSubject: failure notice\n\n" + b"<a@" * 100_000,
    "many daemons": b"From: mailer-daemon\nSubject: failure notice\n\n" + b"postmaster@" * 50_000,
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_input_costs_little_and_raises_nothing(raw: bytes) -> None:
    started = time.process_time()
    found = parse(raw)
    assert time.process_time() - started < 1.0
    if isinstance(found, Dsn):
        assert len(found.reports) <= MAX_RECIPIENTS


@given(
    st.lists(st.sampled_from(STANDARD.split(b"\n") + EXIM.split(b"\n") + [b"", b"--x", b"\xff"]), max_size=60)
)
@settings(max_examples=200, deadline=None)
def test_any_mixture_of_lines_is_a_report_or_a_reason(lines: list[bytes]) -> None:
    assert isinstance(parse(b"\n".join(lines)), Dsn | NoReport)
