"""The live look at a sending domain, against a real name server: what counts as published, and what does not."""

from __future__ import annotations

import pytest

from salus.delivery import api as delivery
from salus.delivery.contracts import DomainRecord, Seen, SeenRecord
from tests.setup.names import name_server

DOMAIN = "mail.clinic.example"
KEY = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A" * 12
SPF = DomainRecord("SPF", DOMAIN, "v=spf1 include:spf.relay.example ip4:192.0.2.7 -all")
DKIM = DomainRecord("DKIM", f"s1._domainkey.{DOMAIN}", f"v=DKIM1; k=rsa; p={KEY}")
DMARC = DomainRecord("DMARC", f"_dmarc.{DOMAIN}", f"v=DMARC1; p=reject; rua=mailto:dmarc@{DOMAIN}")


def look(record: DomainRecord, texts: dict[str, list[str]]) -> SeenRecord:
    with name_server(texts) as address:
        (seen,) = delivery.look_up_domain([record], nameserver=address)
    return seen


@pytest.mark.parametrize(
    ("texts", "seen", "note"),
    [
        ([SPF.value], Seen.THERE, ""),
        (["v=spf1 ip4:192.0.2.7 mx +include:SPF.relay.example ~all"], Seen.THERE, ""),
        (["google-site-verification=x", SPF.value], Seen.THERE, ""),
        (["google-site-verification=x"], Seen.MISSING, ""),
        (["v=spf10 -all"], Seen.MISSING, ""),
        ([SPF.value, "v=spf1 mx -all"], Seen.WRONG, "several"),
        (["v=spf1 ip4:192.0.2.7 -all"], Seen.WRONG, "lacks include:spf.relay.example"),
        (["v=spf1 -all include:spf.relay.example ip4:192.0.2.7"], Seen.WRONG, "lacks"),
        (["v=spf1 -include:spf.relay.example ip4:192.0.2.7 -all"], Seen.WRONG, "lacks"),
        (["v=spf1 include:spf.relay.example ip4:192.0.2.7 +all"], Seen.WRONG, "everybody"),
        (["v=spf1 include:spf.relay.example ip4:192.0.2.7 ?all"], Seen.WRONG, "everybody"),
        (["v=spf1 include:spf.relay.example ip4:192.0.2.7"], Seen.WRONG, "does not end"),
        (["v=spf1 redirect=spf.parent.example"], Seen.THERE, "spf.parent.example, which was not looked at"),
    ],
)
def test_spf(texts: list[str], seen: Seen, note: str) -> None:
    found = look(SPF, {DOMAIN: texts})
    assert (found.seen, note in found.note) == (seen, True), found
    assert bool(found.note) == bool(note)


@pytest.mark.parametrize(
    ("text", "seen", "note"),
    [
        (DKIM.value, Seen.THERE, ""),
        (f"k=rsa; p={KEY[:200]} {KEY[200:]}", Seen.THERE, ""),
        (f"v=DKIM1; k=rsa; p={KEY[:-4]}AAAA", Seen.WRONG, "Another key"),
        (f"v=DKIM1; k=rsa; p={KEY[:255]}", Seen.WRONG, "Another key"),
        ("v=DKIM1; p=", Seen.WRONG, "revoked"),
        ("something else", Seen.MISSING, ""),
    ],
)
def test_dkim(text: str, seen: Seen, note: str) -> None:
    assert len(DKIM.value) > 255, "it comes in several strings"
    found = look(DKIM, {DKIM.name: [text]})
    assert (found.seen, note in found.note) == (seen, True), found


@pytest.mark.parametrize(
    ("texts", "seen", "note"),
    [
        ({DMARC.name: [DMARC.value]}, Seen.THERE, ""),
        ({DMARC.name: ["v=DMARC1;p=Quarantine"]}, Seen.THERE, ""),
        ({DMARC.name: ["v=DMARC1; p=none"]}, Seen.THERE, "only watches"),
        ({DMARC.name: ["v=DMARC1; rua=mailto:a@b.example"]}, Seen.WRONG, "no policy"),
        ({DMARC.name: ["v=DMARC1; p=reject", "v=DMARC1; p=none"]}, Seen.WRONG, "several"),
        ({}, Seen.MISSING, ""),
        ({"_dmarc.clinic.example": ["v=DMARC1; p=reject"]}, Seen.THERE, ""),
        ({"_dmarc.clinic.example": ["v=DMARC1; p=reject; sp=none"]}, Seen.THERE, "only watches"),
        ({DMARC.name: ["v=DMARC1; p=reject; sp=none"]}, Seen.THERE, ""),
        ({"_dmarc.example": ["v=DMARC1; p=reject"]}, Seen.MISSING, ""),
    ],
)
def test_dmarc(texts: dict[str, list[str]], seen: Seen, note: str) -> None:
    found = look(DMARC, texts)
    assert (found.seen, note in found.note) == (seen, True), found
    assert bool(found.note) == bool(note)


@pytest.mark.parametrize("purpose", ["SPF", "DKIM", "DMARC"])
def test_trouble_of_dns_is_not_taken_for_a_missing_record(purpose: str) -> None:
    assert look(DomainRecord(purpose, "broken.example", "v=x; p=y"), {}).seen is Seen.UNKNOWN
    assert look(DomainRecord(purpose, "absent.example", "v=x; p=y"), {}).seen is Seen.MISSING


def test_a_policy_above_that_cannot_be_asked_for_is_unknown() -> None:
    record = DomainRecord("DMARC", "_dmarc.mail.broken.example", DMARC.value)
    with name_server({}) as address:
        (seen,) = delivery.look_up_domain([record], nameserver=address)
    assert seen.seen is Seen.UNKNOWN
