"""The live look at a sending domain, against a real name server: what counts as published, and what does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

import pytest

from salus.delivery import api as delivery
from salus.delivery.contracts import PolicyFile
from salus.domains.contracts import Installation, Purpose, Seen, SeenRecord, Signing, Wanted, Weight
from salus.domains.looking import look as look_at
from salus.domains.rules import dmarc
from salus.domains.rules.wanted import policy, policy_id, wanted
from tests.setup.names import name_server

DOMAIN = "mail.clinic.example"
RUA = "rua=mailto:dmarc@clinic.example"
HOST = "bounces.clinic.example"
KEY = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A" * 12
HERE = Installation(
    spf="include:spf.relay.example ip4:192.0.2.7",
    inbound_host=HOST,
    takes_mail=True,
    has_certificate=True,
    addresses=("192.0.2.7", "2001:db8::7"),
)
KEYS = (Signing("s1", f"v=DKIM1; k=rsa; p={KEY}"), Signing("s2", "v=DKIM1; k=ed25519; p=AAAA", waits=True))
WANTED = {each.purpose: each for each in wanted(DOMAIN, KEYS, HERE)}
SPF, DKIM, DMARC = WANTED[Purpose.SPF], WANTED[Purpose.DKIM], WANTED[Purpose.DMARC]
AT = datetime(2026, 11, 24, 18, tzinfo=UTC)
FILE = PolicyFile("enforce", 604_800, (HOST,))
Zone = Mapping[str, Sequence[str]]
WHOLE: Zone = {
    DOMAIN: [SPF.value],
    "spf.relay.example": ["v=spf1 ip4:198.51.100.0/24 -all"],
    DKIM.name: [DKIM.value],
    WANTED[Purpose.NEXT_DKIM].name: [WANTED[Purpose.NEXT_DKIM].value],
    DMARC.name: [DMARC.value],
    f"{DOMAIN} MX": [f"10 {HOST}."],
    f"{HOST} A": ["192.0.2.7"],
    f"{HOST} AAAA": ["2001:db8::7"],
    f"_mta-sts.{DOMAIN}": [WANTED[Purpose.MTA_STS].value],
    f"_smtp._tls.{DOMAIN}": [WANTED[Purpose.TLS_RPT].value],
    "7.2.0.192.in-addr.arpa PTR": [f"{HOST}."],
    "7.0.0.0." + "0." * 20 + "8.b.d.0.1.0.0.2.ip6.arpa PTR": [f"{HOST}."],
    f"default._bimi.{DOMAIN}": [WANTED[Purpose.BIMI].value],
}


def look_at_all(
    zone: Zone, asked: Sequence[Wanted], here: Installation = HERE, file: PolicyFile = FILE
) -> tuple[SeenRecord, ...]:
    with name_server(zone) as address:
        ask = partial(delivery.ask_dns, nameserver=address)
        return look_at(DOMAIN, asked, here, ask, lambda *_: file, AT)


def look(record: Wanted, texts: Zone) -> SeenRecord:
    (seen,) = look_at_all(texts, [record])
    return seen


def changed(**more: list[str]) -> dict[Purpose, SeenRecord]:
    """Return how all records are found when some names of the whole zone say something else."""
    zone = {**WHOLE, **more}
    return {each.record.purpose: each for each in look_at_all(zone, wanted(DOMAIN, KEYS, HERE))}


def test_a_domain_that_is_as_it_should_be_has_nothing_to_mend() -> None:
    found = look_at_all(WHOLE, wanted(DOMAIN, KEYS, HERE))
    assert {each.record.purpose for each in found} == set(Purpose)
    assert [each for each in found if each.seen is not Seen.THERE or each.note or each.mend] == []
    assert all(each.record.why for each in found)


def test_a_domain_of_nothing_lacks_all_that_is_not_optional() -> None:
    found = look_at_all({}, wanted(DOMAIN, KEYS, HERE), file=PolicyFile(reason="no_such_host"))
    seen = {each.record.purpose: each for each in found}
    assert seen.pop(Purpose.ALIGNMENT).seen is Seen.WRONG
    assert {each.seen for each in seen.values()} == {Seen.MISSING}
    assert [each.record.purpose for each in found if each.is_fine] == [Purpose.BIMI]
    assert all(each.mend for each in found if not each.is_fine)


def test_a_dns_that_is_broken_is_not_taken_for_missing_records() -> None:
    asked = wanted("mail.broken.example", KEYS, HERE)
    with name_server({}) as address:
        ask = partial(delivery.ask_dns, nameserver=address)
        found = look_at("mail.broken.example", asked, HERE, ask, lambda *_: PolicyFile(reason="timeout"), AT)
    seen = {each.record.purpose: each.seen for each in found}
    assert {purpose for purpose, each in seen.items() if each is not Seen.UNKNOWN} == {
        Purpose.STS_FILE,
        Purpose.PTR,
    }


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
        (f"{DKIM.value}; t=y", Seen.THERE, "marked as a test"),
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
        ({DMARC.name: [f"v=DMARC1;p=Quarantine;{RUA}"]}, Seen.THERE, ""),
        ({DMARC.name: [f"v=DMARC1; p=none; {RUA}"]}, Seen.THERE, "only watches"),
        ({DMARC.name: ["v=DMARC1; p=reject"]}, Seen.THERE, "no reports"),
        ({DMARC.name: [f"v=DMARC1; {RUA}"]}, Seen.THERE, "only watches"),
        ({DMARC.name: ["v=DMARC1; adkim=s"]}, Seen.WRONG, "no policy"),
        ({DMARC.name: [f"v=DMARC1; p=sometimes; {RUA}"]}, Seen.THERE, "only watches"),
        ({DMARC.name: ["v=DMARC1; p=reject", "v=DMARC1; p=none"]}, Seen.WRONG, "several"),
        ({DMARC.name: [f"v=DMARC1; p=reject; pct=50; {RUA}"]}, Seen.THERE, "pct: no more since RFC 9989"),
        ({DMARC.name: [f"v=DMARC1; p=reject; t=y; {RUA}"]}, Seen.THERE, "Test mode"),
        ({DMARC.name: [f"v=DMARC1; p=quarantine; t=y; {RUA}"]}, Seen.THERE, "none of quarantine"),
        ({}, Seen.MISSING, ""),
        ({DMARC.name: ["v=dmarc1; p=reject"]}, Seen.MISSING, ""),
        ({DMARC.name: ["p=reject; v=DMARC1"]}, Seen.MISSING, ""),
        ({"_dmarc.clinic.example": [f"v=DMARC1; p=reject; {RUA}"]}, Seen.THERE, ""),
        (
            {"_dmarc.clinic.example": [f"v=DMARC1; p=reject; sp=none; {RUA}"]},
            Seen.THERE,
            "record of clinic.example counts",
        ),
        ({DMARC.name: [f"v=DMARC1; p=reject; sp=none; {RUA}"]}, Seen.THERE, ""),
        ({"_dmarc.example": [f"v=DMARC1; p=reject; {RUA}"]}, Seen.THERE, ""),
        ({DMARC.name: ["v=DMARC1; p=reject; rua=mailto:d@reports.example!10m"]}, Seen.THERE, "has not said"),
        (
            {
                DMARC.name: ["v=DMARC1; p=reject; rua=mailto:d@reports.example"],
                f"{DOMAIN}._report._dmarc.reports.example": ["v=DMARC1"],
            },
            Seen.THERE,
            "",
        ),
    ],
)
def test_dmarc(texts: dict[str, list[str]], seen: Seen, note: str) -> None:
    found = look(DMARC, texts)
    assert (found.seen, note in found.note) == (seen, True), found
    assert bool(found.note) == bool(note)


def test_an_spf_record_that_makes_receivers_ask_too_often_is_wrong() -> None:
    zone = {
        f"spf{at}.relay.example": [f"v=spf1 include:spf{at + 1}.relay.example a mx -all"] for at in range(9)
    }
    zone["spf.relay.example"] = ["v=spf1 include:spf0.relay.example -all"]
    seen = changed(**zone)[Purpose.SPF]
    assert (seen.seen, "times" in seen.note) == (Seen.WRONG, True)
    circle = {"spf.relay.example": [f"v=spf1 include:{DOMAIN} -all"]}
    assert changed(**circle)[Purpose.SPF].seen is Seen.THERE


@pytest.mark.parametrize(
    ("purpose", "name", "texts", "seen", "note"),
    [
        (Purpose.MX, f"{DOMAIN} MX", ["0 ."], Seen.WRONG, "takes no mail"),
        (Purpose.MX, f"{DOMAIN} MX", ["10 mx.elsewhere.example."], Seen.WRONG, "no address"),
        (Purpose.MX, f"{DOMAIN} MX", ["10 spf.relay.example."], Seen.WRONG, "no address"),
        (Purpose.MX, f"{HOST} A", [], Seen.THERE, ""),
        (Purpose.MTA_STS, f"_mta-sts.{DOMAIN}", ["v=STSv1; id=20260101"], Seen.THERE, "another than"),
        (Purpose.MTA_STS, f"_mta-sts.{DOMAIN}", ["v=STSv1; id=not-alnum"], Seen.WRONG, "letters and digits"),
        (Purpose.MTA_STS, f"_mta-sts.{DOMAIN}", ["v=STSv1; id=1", "v=STSv1; id=2"], Seen.WRONG, "several"),
        (
            Purpose.TLS_RPT,
            f"_smtp._tls.{DOMAIN}",
            ["v=TLSRPTv1; rua=https://r.example/x"],
            Seen.THERE,
            "elsewhere",
        ),
        (
            Purpose.TLS_RPT,
            f"_smtp._tls.{DOMAIN}",
            ["v=TLSRPTv1; rua=ftp://r.example/x"],
            Seen.WRONG,
            "no place",
        ),
        (
            Purpose.TLS_RPT,
            f"_smtp._tls.{DOMAIN}",
            ["v=TLSRPTv1; rua=mailto:a@b.example", "v=TLSRPTv1; rua=mailto:c@b.example"],
            Seen.WRONG,
            "several",
        ),
        (Purpose.PTR, "7.2.0.192.in-addr.arpa PTR", ["spf.relay.example."], Seen.WRONG, "does not lead back"),
        (Purpose.PTR, "7.2.0.192.in-addr.arpa PTR", ["mail.broken.example."], Seen.UNKNOWN, "did not answer"),
        (Purpose.PTR, "7.2.0.192.in-addr.arpa PTR", [], Seen.MISSING, ""),
        (
            Purpose.BIMI,
            f"default._bimi.{DOMAIN}",
            ["v=BIMI1; l=http://x.example/l.svg"],
            Seen.WRONG,
            "no https",
        ),
        (
            Purpose.BIMI,
            f"default._bimi.{DOMAIN}",
            ["v=BIMI1; l=https://x.example/l.svg"],
            Seen.THERE,
            "certificate",
        ),
        (Purpose.BIMI, f"default._bimi.{DOMAIN}", ["v=BIMI1; l=; a="], Seen.THERE, "no mark"),
        (Purpose.BIMI, f"_dmarc.{DOMAIN}", ["v=DMARC1; p=none"], Seen.WRONG, "not enforced"),
        (Purpose.ALIGNMENT, DOMAIN, ["v=spf1 -all"], Seen.THERE, ""),
    ],
)
def test_every_other_record_is_judged(
    purpose: Purpose, name: str, texts: list[str], seen: Seen, note: str
) -> None:
    zone = {**WHOLE, name: texts}
    asked = [each for each in wanted(DOMAIN, KEYS, HERE) if each.name != "2001:db8::7"]
    found = {each.record.purpose: each for each in look_at_all(zone, asked)}[purpose]
    assert (found.seen, note in found.note) == (seen, True), found
    assert found.seen is Seen.THERE or found.mend


@pytest.mark.parametrize(
    ("file", "seen", "note"),
    [
        (FILE, Seen.THERE, ""),
        (PolicyFile("enforce", 604_800, ("*.clinic.example",)), Seen.THERE, ""),
        (PolicyFile("enforce", 604_800, ("*.bounces.clinic.example",)), Seen.WRONG, "leaves out"),
        (PolicyFile("enforce", 604_800, ("mx.other.example",)), Seen.WRONG, "leaves out"),
        (PolicyFile("testing", 604_800, (HOST,)), Seen.THERE, "only watches"),
        (PolicyFile("none", 604_800, ()), Seen.THERE, "only watches"),
        (PolicyFile("enforce", 60, (HOST,)), Seen.THERE, "forgotten"),
        (PolicyFile(reason="no_such_host"), Seen.MISSING, ""),
        (PolicyFile(reason="status_404"), Seen.MISSING, ""),
        (PolicyFile(reason="status_301"), Seen.WRONG, "301"),
        (PolicyFile(reason="certificate_expired"), Seen.WRONG, "expired"),
        (PolicyFile(reason="no_policy"), Seen.WRONG, "no policy"),
    ],
)
def test_the_policy_file_is_judged_with_the_mail_hosts(file: PolicyFile, seen: Seen, note: str) -> None:
    (found,) = look_at_all(WHOLE, [WANTED[Purpose.STS_FILE]], file=file)
    assert (found.seen, note in found.note) == (seen, True), found


def test_a_listener_without_a_certificate_is_no_reason_to_refuse_it_mail() -> None:
    assert "mode: testing" in policy(HOST, enforce=False)
    assert "mode: enforce" in policy(HOST, enforce=True)
    assert policy_id(policy(HOST, enforce=True)) != policy_id(policy(HOST, enforce=False))


def test_what_takes_no_mail_is_told_so_and_a_relay_has_the_addresses_of_others() -> None:
    here = Installation(by_relay=True, addresses=("192.0.2.7",))
    asked = wanted(DOMAIN, KEYS, here)
    assert Purpose.PTR not in {each.purpose for each in asked}
    seen = {each.record.purpose: each for each in look_at_all(WHOLE, asked, here)}
    assert "unread" in seen[Purpose.MX].note
    assert [each.purpose for each in asked if each.weight is Weight.OPTIONAL] == [Purpose.BIMI]


POOLS = Installation(
    inbound_host=HOST,
    addresses=("192.0.2.7",),
    sources=(
        ("192.0.2.7", HOST),
        ("192.0.2.8", "mta1.clinic.example"),
        ("2001:db8::8", "mta1.clinic.example"),
    ),
)
AT_8 = "8.2.0.192.in-addr.arpa PTR"
AT_IPV6 = "8.0.0.0." + "0." * 20 + "8.b.d.0.1.0.0.2.ip6.arpa PTR"


@pytest.mark.parametrize(
    ("zone", "seen", "note"),
    [
        ({AT_8: ["mta1.clinic.example."], "mta1.clinic.example A": ["192.0.2.8"]}, Seen.THERE, ""),
        (
            {AT_8: ["pool.clinic.example."], "pool.clinic.example A": ["192.0.2.8"]},
            Seen.THERE,
            "is called pool.clinic.example, and says mta1.clinic.example of itself",
        ),
        (
            {AT_8: ["mta1.clinic.example."], "mta1.clinic.example A": ["192.0.2.9"]},
            Seen.WRONG,
            "does not lead back",
        ),
        ({AT_8: ["mta1.clinic.example."]}, Seen.WRONG, "does not lead back"),
        ({}, Seen.MISSING, ""),
    ],
)
def test_every_source_address_of_the_pools_has_its_name_and_the_name_leads_back(
    zone: Zone, seen: Seen, note: str
) -> None:
    asked = [each for each in wanted(DOMAIN, KEYS, POOLS) if each.purpose is Purpose.PTR]
    assert [(each.name, each.value) for each in asked] == list(POOLS.sources), "each address once"
    rest = {
        "7.2.0.192.in-addr.arpa PTR": [f"{HOST}."],
        f"{HOST} A": ["192.0.2.7"],
        AT_IPV6: ["mta1.clinic.example."],
        "mta1.clinic.example AAAA": ["2001:db8::8"],
    }
    first, second, third = look_at_all({**rest, **zone}, asked, POOLS)
    assert (first.seen, third.seen) == (Seen.THERE, Seen.THERE)
    assert (second.seen, note in second.note) == (seen, True), second


def test_the_walk_up_the_tree_leaves_the_middle_of_long_names_out() -> None:
    assert dmarc.walk("a.b.example") == ["a.b.example", "b.example", "example"]
    long = "a.b.c.d.e.f.g.h.i.mail.example.com"
    assert dmarc.walk(long)[:3] == [long, "f.g.h.i.mail.example.com", "g.h.i.mail.example.com"]
    assert len(dmarc.walk(long)) == dmarc.MOST


@pytest.mark.parametrize(
    ("zone", "domain", "asked"),
    [
        ({"c.example": "p=none", "example": "p=reject"}, "example", "reject"),
        ({"c.example": "p=none; psd=n", "example": "p=reject"}, "c.example", "none"),
        ({"c.example": "p=quarantine", "example": "p=reject; psd=y"}, "c.example", "quarantine"),
        ({"example": "p=reject; psd=y"}, "example", "reject"),
        ({"c.example": "p=reject; sp=none"}, "c.example", "none"),
        ({"m.c.example": "p=quarantine; sp=none", "c.example": "p=reject"}, "m.c.example", "quarantine"),
    ],
)
def test_which_record_counts(zone: dict[str, str], domain: str, asked: str) -> None:
    """RFC 9989, 4.10.1 and 4.10.2."""
    found = dmarc.discover("m.c.example", lambda at: [f"v=DMARC1; {zone[at]}"] if at in zone else [])
    assert found is not None
    assert (found.domain, found.policy) == (domain, asked)
