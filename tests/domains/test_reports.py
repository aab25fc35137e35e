"""Reports that others send: read safely whatever they claim to be, kept once, shown as charts with tables."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import given
from hypothesis import strategies as st

from salus.delivery.contracts import Returned
from salus.delivery.inbound import Inbound
from salus.domains import api, reports
from salus.domains.contracts import BadReport, Became, Source
from salus.domains.models import ReportRow
from salus.domains.rules import aggregate, tls_report, unpacking
from salus.identity import api as identity
from salus.identity.contracts import Permission, Role
from salus.kernel.acting import system
from salus.kernel.errors import Unavailable
from salus.kernel.time import SystemClock
from salus.platform.tenancy import acting_for
from tests.browser import (
    NARROW,
    WIDE,
    Console,
    assert_accessible,
    assert_no_sideways_scroll,
    keep_picture,
    sign_in,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

PAGE = "/settings/sending-domain/reports/"
DOMAIN = "mail.cedar-row.example.org"
NOW = SystemClock().now()
XML = """<?xml version="1.0"?>
<feedback{space}><report_metadata><org_name>{org}</org_name><email>dmarc@lakepost.example</email>
<report_id>{id}</report_id><date_range><begin>{begin}</begin><end>{begin}</end></date_range></report_metadata>
<policy_published><domain>{domain}</domain><p>reject</p></policy_published>{records}</feedback>"""
RECORD = """<record><row><source_ip>{ip}</source_ip><count>{count}</count><policy_evaluated>
<disposition>{did}</disposition><dkim>{dkim}</dkim><spf>fail</spf></policy_evaluated></row>
<identifiers><envelope_to>family.example</envelope_to><header_from>{domain}</header_from></identifiers></record>"""


def xml(*, id: str = "r1", org: str = "Lakepost Mail", at: datetime = NOW, domain: str = DOMAIN, space: str = "",
        records: str | None = None) -> bytes:  # fmt: skip
    ours = RECORD.format(ip="192.0.2.7", count=120, did="none", dkim="pass", domain=domain)
    theirs = RECORD.format(ip="2001:db8::66", count=7, did="reject", dkim="fail", domain=domain)
    begin = int(at.timestamp())
    text = XML.format(
        id=id, org=org, begin=begin, domain=domain, space=space, records=records or ours + theirs
    )
    return text.encode()


def tls(
    changes: dict[str, Any] | None = None, *, id: str = "t1", at: datetime = NOW, domain: str = DOMAIN
) -> bytes:
    policy = {
        "policy": {"policy-type": "sts", "policy-domain": domain},
        "summary": {"total-successful-session-count": 50, "total-failure-session-count": 5},
        "failure-details": [{"result-type": "certificate-expired", "failed-session-count": 3}],
    }
    told = {
        "organization-name": "Lakepost, Inc.",
        "date-range": {"start-datetime": at.isoformat(), "end-datetime": at.isoformat()},
        "report-id": id,
        "policies": [policy],
    }
    return json.dumps({**told, **(changes or {})}).encode()


def mailed(body: bytes, subtype: str = "gzip") -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "reports@lakepost.example", f"dmarc@{DOMAIN}", "Report"
    mail.set_content("A report.")
    mail.add_attachment(body, maintype="application", subtype=subtype, filename="r")
    return mail.as_bytes()


def zipped(*bodies: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, body in enumerate(bodies):
            archive.writestr(f"../{place}.xml", body)
    return held.getvalue()


@pytest.mark.parametrize(
    "raw",
    [xml(), gzip.compress(xml()), zipped(xml()), mailed(gzip.compress(xml())), mailed(zipped(xml()), "zip")],
)
def test_a_report_is_found_in_whatever_it_came_in(raw: bytes) -> None:
    assert unpacking.reports(raw) == [xml()]


def test_a_report_says_who_sent_and_what_became_of_it_and_never_to_whom() -> None:
    for space in ("", ' xmlns="urn:ietf:params:xml:ns:dmarc-2.0"'):
        found = aggregate.read(xml(space=space))
        assert (found.reporter, found.id, found.domain) == ("Lakepost Mail", "r1", DOMAIN)
        assert found.sources == (
            Source("192.0.2.7", True, False, "none", 120),
            Source("2001:db8::66", False, False, "reject", 7),
        )
        assert "family.example" not in repr(found)
    told = tls_report.read(tls())
    assert (told.good, told.failures) == (50, {"certificate-expired": 3, "not-said": 2})


def test_bombs_cost_a_bounded_amount_of_memory() -> None:
    bomb = gzip.compress(b"<" + b"\0" * (unpacking.LONGEST + 1))
    for raw in (bomb, zipped(b"<" + b"\0" * (unpacking.LONGEST + 1)), mailed(bomb)):
        with pytest.raises(unpacking.TooLarge):
            unpacking.reports(raw)
    assert len(unpacking.reports(zipped(*[xml()] * 20))) == unpacking.MOST_FILES
    assert unpacking.reports(gzip.compress(xml())[:-9]) == [], "half a file"


@pytest.mark.parametrize(
    "body",
    [
        b'<?xml version="1.0"?><!DOCTYPE f [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><feedback>&c;</feedback>',
        b'<!DOCTYPE f SYSTEM "file:///etc/passwd"><feedback/>',
        b"<feedback/>",
        b"<other/>",
        b"<feedback><",
        xml(domain="not a domain"),
        xml(at=datetime(1990, 1, 1, tzinfo=NOW.tzinfo)),
        xml(records=RECORD.format(ip="x", count=1, did="none", dkim="pass", domain=DOMAIN)),
        xml(records=RECORD.format(ip="192.0.2.7", count=-1, did="none", dkim="pass", domain=DOMAIN)),
        xml(records=RECORD.format(ip="192.0.2.7", count="9" * 30, did="none", dkim="pass", domain=DOMAIN)),
        xml(records=RECORD.format(ip="192.0.2.7", count=1, did="eaten", dkim="pass", domain=DOMAIN)),
        xml(records=RECORD.format(ip="192.0.2.7", count=1, did="none", dkim="pass", domain=DOMAIN) * 2001),
    ],
)
def test_what_is_no_report_of_dmarc_is_refused(body: bytes) -> None:
    with pytest.raises(BadReport):
        aggregate.read(body)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"{}",
        b"[" * 5000,
        tls({"policies": []}),
        tls({"policies": [{}] * 101}),
        tls({"policies": "x"}),
        tls(domain="Not A Domain"),
        tls({"report-id": "a b"}),
        tls({"date-range": {"start-datetime": "yesterday"}}),
        tls({"organization-name": ""}),
    ],
)
def test_what_is_no_report_about_tls_is_refused(body: bytes) -> None:
    with pytest.raises(BadReport):
        tls_report.read(body)


@given(
    st.binary(max_size=2000)
    | st.binary(max_size=400).map(gzip.compress)
    | st.binary(max_size=400).map(zipped)
)
def test_no_octets_make_the_readers_fail_otherwise(raw: bytes) -> None:
    for body in [*unpacking.reports(raw), raw]:
        for read in (aggregate.read, tls_report.read):
            with contextlib.suppress(BadReport):
                read(body)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda each: st.lists(each) | st.dictionaries(
    st.sampled_from(["policies", "policy", "summary", "failure-details", "report-id", "date-range"]), each)))  # fmt: skip
def test_no_json_makes_the_reader_fail_otherwise(told: Any) -> None:
    with contextlib.suppress(BadReport):
        tls_report.read(json.dumps(told).encode())


def test_each_report_counts_once_and_those_of_others_not_at_all(console: Console) -> None:
    actor = system(console.organization.id, "test")
    with acting_for(console.organization.id):
        for raw, became in (
            (xml(), Became.TAKEN),
            (gzip.compress(xml()), Became.KNOWN),
            (xml(id="r2", domain="cedar-row.example.org"), Became.TAKEN),
            (xml(id="r3", domain="stranger.example"), Became.OF_OTHERS),
            (xml(id="r4", at=NOW + timedelta(days=3)), Became.UNREADABLE),
            (tls(), Became.TAKEN),
            (b"hello", Became.UNREADABLE),
            (gzip.compress(b"<" + b"\0" * (unpacking.LONGEST + 1)), Became.TOO_LARGE),
        ):
            assert reports.take(raw, actor=actor, at=NOW) == [became], raw[:80]
        found = api.overview(api.DMARC, NOW)
        assert (found.count, found.passed, found.failed) == (2, 240, 14)
        assert [each.address for each in found.sources] == ["2001:db8::66", "192.0.2.7"]
        assert api.overview(api.TLS, NOW).results == (("certificate-expired", 3), ("not-said", 2))
        assert b"Lakepost" not in b"".join(bytes(each.sealed) for each in ReportRow.objects.all())


def test_reports_come_in_by_mail_and_too_many_come_again_later(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbound = Inbound(SystemClock())
    for local in ("dmarc", "tls-reports"):
        meant = inbound._known(f"{local}@{DOMAIN}")
        assert meant is not None
        assert meant.is_for_reports
    with acting_for(console.organization.id):
        assert api.report_came(mailed(gzip.compress(xml(id="m1"))), NOW) is Returned.NOTED
        assert api.report_came(mailed(gzip.compress(xml(id="m1"))), NOW) is Returned.NOTED
        assert api.report_came(b"Subject: hello\r\n\r\nhello\r\n", NOW) is Returned.UNREADABLE
        monkeypatch.setattr(reports, "MOST_A_DAY", 1)
        with pytest.raises(Unavailable):
            api.report_came(mailed(gzip.compress(xml(id="m2"))), NOW)


@pytest.mark.parametrize("role", list(Role))
def test_who_may_change_the_settings_takes_a_report_from_a_file(console: Console, role: Role) -> None:
    may = identity.permissions_of([role])
    client = console.client(role)
    reads, edits = Permission.ORGANIZATION_SETTINGS_READ in may, Permission.ORGANIZATION_SETTINGS_EDIT in may
    assert client.get(PAGE).status_code == (200 if reads else 404)
    answer = client.post(f"{PAGE}take/", {"report": SimpleUploadedFile("r.zip", zipped(xml()))})
    assert answer.status_code == (302 if edits else 404)
    if edits:
        for raw in (b"hello", zipped(xml())):
            again = client.post(f"{PAGE}take/", {"report": SimpleUploadedFile("r", raw)})
            assert again.status_code == 422
            assert b"Nothing was kept" in again.content
        assert client.post(f"{PAGE}take/").status_code == 422


@pytest.mark.browser
def test_the_page_draws_what_others_report(console: Console, page_at: Callable[..., Page]) -> None:
    from playwright.sync_api import expect

    actor = system(console.organization.id, "test")
    with acting_for(console.organization.id):
        for day in range(20):
            at = NOW - timedelta(days=day)
            reports.take(xml(id=f"d{day}", at=at), actor=actor, at=NOW)
            reports.take(tls(id=f"t{day}", at=at), actor=actor, at=NOW)
    page = page_at(WIDE)
    sign_in(page, "administrator")
    page.goto(console.url + PAGE)
    expect(
        page.get_by_role("img", name="20 reports of the last 30 days: 2400 messages passed")
    ).to_be_visible()
    expect(page.get_by_role("cell", name="Failed").first).to_be_visible()
    page.get_by_text("Day by day").first.click()
    expect(page.get_by_role("columnheader", name="Did not pass").first).to_be_visible()
    for width in (WIDE, NARROW):
        page.set_viewport_size({"width": width, "height": 900})
        assert_accessible(page)
        assert_no_sideways_scroll(page)
        keep_picture(page, "domain-reports")
