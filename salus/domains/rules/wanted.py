"""The records to publish for a domain that mail comes from, and what each is for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from salus.domains.contracts import Installation, Purpose, Signing, Wanted, Weight

DMARC_REPORTS, TLS_REPORTS = "dmarc", "tls-reports"
"""Local parts at a sending domain that our listener takes reports at."""
A_NAME = "a name of yours"
"""Of an address that nobody gave a name."""
POLICY_SECONDS = 604_800
"""A week: RFC 8461, 3.2 wants weeks, and an error is to be over in days."""


def wanted(domain: str, signing: Sequence[Signing], here: Installation) -> tuple[Wanted, ...]:
    """Return every record of `domain`, in the order of a page."""
    return (
        *_sending(domain, signing, here),
        *_receiving(domain, here),
        *_addresses(here),
        Wanted(
            Purpose.BIMI,
            "TXT",
            f"default._bimi.{domain}",
            f"v=BIMI1; l=https://{domain}/logo.svg; a=https://{domain}/logo.pem",
            "May be left out. It shows your mark beside your mail in some inboxes: an SVG Tiny PS picture and a certificate "
            "for it, where DMARC is enforced.",
            Weight.OPTIONAL,
        ),
    )


def _sending(domain: str, signing: Sequence[Signing], here: Installation) -> Iterator[Wanted]:
    yield Wanted(
        Purpose.SPF,
        "TXT",
        domain,
        f"v=spf1 {here.spf} -all",
        "Says which hosts may send for the domain (RFC 7208).",
        Weight.MEDIUM,
    )
    for key in signing:
        purpose = Purpose.NEXT_DKIM if key.waits else Purpose.DKIM
        yield Wanted(
            purpose,
            "TXT",
            f"{key.selector}._domainkey.{domain}",
            key.txt,
            "The next key: publish it, then salus keys activate-dkim. Until then mail is signed with the present ones."
            if key.waits
            else "The key that your mail is signed with (RFC 6376, RFC 8463).",
            Weight.LOW if key.waits else Weight.HIGH,
        )
    yield Wanted(
        Purpose.DMARC,
        "TXT",
        f"_dmarc.{domain}",
        f"v=DMARC1; p=reject; np=reject; rua=mailto:{DMARC_REPORTS}@{domain}",
        f"Says that forged mail is to be refused, and to which mailbox the daily reports go (RFC 9989): salus inbound takes "
        f"them at {DMARC_REPORTS}@ the domain; without it name a mailbox that you read after rua=mailto:.",
        Weight.MEDIUM,
    )
    yield Wanted(
        Purpose.ALIGNMENT,
        "",
        domain,
        "",
        "Nothing to publish. DMARC passes when SPF or DKIM proves the very domain of the author (RFC 9989, 4.4); Salus "
        "writes, signs and bounces with this one domain, so that both do.",
        Weight.HIGH,
    )


def _receiving(domain: str, here: Installation) -> Iterator[Wanted]:
    host = here.inbound_host or f"mail.{domain}"
    yield Wanted(
        Purpose.MX,
        "MX",
        domain,
        f"10 {host}",
        "The host that bounces, complaints and reports come back to: salus inbound there takes them (SALUS_INBOUND says "
        "where it listens, port 25 for the world), or another mail host of yours.",
        Weight.MEDIUM,
    )
    text = policy(host, enforce=here.has_certificate)
    yield Wanted(
        Purpose.MTA_STS,
        "TXT",
        f"_mta-sts.{domain}",
        f"v=STSv1; id={policy_id(text)}",
        "Announces the policy file (RFC 8461); its id changes with the file.",
        Weight.LOW,
    )
    yield Wanted(
        Purpose.STS_FILE,
        "FILE",
        f"https://mta-sts.{domain}/.well-known/mta-sts.txt",
        text,
        "Tells others to hand over mail to you only over verified TLS. Salus serves it where mta-sts."
        f"{domain} leads to its web server with a certificate for that name.",
        Weight.LOW,
    )
    yield Wanted(
        Purpose.TLS_RPT,
        "TXT",
        f"_smtp._tls.{domain}",
        f"v=TLSRPTv1; rua=mailto:{TLS_REPORTS}@{domain}",
        "The mailbox to which others report each day how TLS to your mail host went (RFC 8460); salus inbound takes these.",
        Weight.LOW,
    )


def _addresses(here: Installation) -> Iterator[Wanted]:
    if here.by_relay:
        return
    named = dict.fromkeys(here.addresses, here.inbound_host) | dict(here.sources)
    for address, name in named.items():
        yield Wanted(
            Purpose.PTR,
            "PTR",
            address,
            name or A_NAME,
            "The large providers refuse mail from addresses without a name that leads back to them "
            "(RFC 1912, 2.1). Whoever gave you the address publishes it.",
            Weight.MEDIUM,
        )


def policy(host: str, *, enforce: bool) -> str:
    """Return the policy file for one mail host; it only watches while the listener's certificate is nobody's."""
    mode = "enforce" if enforce else "testing"
    return f"version: STSv1\nmode: {mode}\nmx: {host}\nmax_age: {POLICY_SECONDS}\n"


def policy_id(text: str) -> str:
    """Return an id that is the same for the same file (1 to 32 letters and digits, RFC 8461, 3.1)."""
    return hashlib.sha256(text.encode()).hexdigest()[:20]
