"""The records of a sending domain: what to publish, and how what DNS says of it is to be judged."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from salus.delivery.contracts import DomainRecord, Seen, SeenRecord
from salus.delivery.transports.dns import Answer, DnsFailure
from salus.keys.contracts import DkimKey


class Texts(Protocol):
    """Anything that asks DNS for texts."""

    async def texts(self, name: str) -> Answer[str]:
        """Return the TXT records of a name; raises `DnsFailure`."""
        ...


def records(domain: str, spf: str, keys: Sequence[DkimKey]) -> tuple[DomainRecord, ...]:
    """Return what to publish for `domain`: SPF with these mechanisms, both DKIM keys, DMARC."""
    return (
        DomainRecord("SPF", domain, f"v=spf1 {spf} -all"),
        *(DomainRecord("DKIM", f"{key.selector}._domainkey.{domain}", key.txt) for key in keys),
        DomainRecord("DMARC", f"_dmarc.{domain}", f"v=DMARC1; p=reject; rua=mailto:dmarc@{domain}"),
    )


async def look_up(wanted: Sequence[DomainRecord], dns: Texts) -> tuple[SeenRecord, ...]:
    """Return how each record is found in DNS now."""
    return tuple(await asyncio.gather(*(_look(each, dns) for each in wanted)))


async def _look(record: DomainRecord, dns: Texts) -> SeenRecord:
    try:
        found: tuple[str, ...] = (await dns.texts(record.name)).values
    except DnsFailure as fault:
        if fault.failure.passes:
            return SeenRecord(record, Seen.UNKNOWN)
        found = ()
    if record.purpose == "DMARC" and not _policies(found):
        return await _parents(record, dns)
    return judge(record, found)


async def _parents(record: DomainRecord, dns: Texts) -> SeenRecord:
    """Ask the domains above for a policy that covers this one (RFC 9989, 4.10)."""
    above = record.name.removeprefix("_dmarc.").split(".")[1:]
    while len(above) >= 2:
        try:
            found = (await dns.texts(f"_dmarc.{'.'.join(above)}")).values
        except DnsFailure as fault:
            if fault.failure.passes:
                return SeenRecord(record, Seen.UNKNOWN)
            found = ()
        if _policies(found):
            return judge(record, found, above=True)
        above = above[1:]
    return SeenRecord(record, Seen.MISSING)


def judge(record: DomainRecord, found: Sequence[str], *, above: bool = False) -> SeenRecord:
    """Return how `found`, the texts at the record's name, answer what is wanted there.

    `above`: they stand at a domain above, so that its policy for what is below it counts.
    """
    if record.purpose == "SPF":
        return _spf(record, [each for each in found if each.lower().split(" ")[0] == "v=spf1"])
    if record.purpose == "DKIM":
        return _dkim(record, [tags for each in found if "p" in (tags := _tags(each))])
    return _dmarc(record, _policies(found), above=above)


def _spf(record: DomainRecord, found: list[str]) -> SeenRecord:
    if not found:
        return SeenRecord(record, Seen.MISSING)
    if len(found) > 1:
        return SeenRecord(record, Seen.WRONG, "There are several; receivers then count none (RFC 7208, 4.5).")
    terms = [each.removeprefix("+") for each in found[0].lower().split()[1:]]
    if any(each in ("all", "?all") for each in terms):
        return SeenRecord(record, Seen.WRONG, "It lets everybody send.")
    last = next((at for at, each in enumerate(terms) if each in ("-all", "~all")), None)
    if last is not None:
        terms = terms[: last + 1]  # receivers read no further (RFC 7208, 5.1)
    elif led := next((each for each in terms if each.startswith("redirect=")), ""):
        where = led.removeprefix("redirect=")
        return SeenRecord(record, Seen.THERE, f"It leads to {where}, which was not looked at.")
    lacking = [each for each in record.value.lower().split()[1:-1] if each not in terms]
    if lacking:
        return SeenRecord(record, Seen.WRONG, f"It lacks {' '.join(lacking)}.")
    if last is None:
        return SeenRecord(record, Seen.WRONG, "It does not end with -all.")
    return SeenRecord(record, Seen.THERE)


def _dkim(record: DomainRecord, found: list[dict[str, str]]) -> SeenRecord:
    if not found:
        return SeenRecord(record, Seen.MISSING)
    wanted = _tags(record.value)["p"]
    if any(tags["p"] == wanted for tags in found):
        return SeenRecord(record, Seen.THERE)
    if not any(tags["p"] for tags in found):
        return SeenRecord(record, Seen.WRONG, "The key there was revoked.")
    return SeenRecord(record, Seen.WRONG, "Another key stands there.")


def _dmarc(record: DomainRecord, found: list[dict[str, str]], *, above: bool) -> SeenRecord:
    if not found:
        return SeenRecord(record, Seen.MISSING)
    if len(found) > 1:
        return SeenRecord(record, Seen.WRONG, "There are several; receivers then count none (RFC 9989).")
    policy = ((found[0].get("sp", "") if above else "") or found[0].get("p", "")).lower()
    if policy == "none":
        return SeenRecord(record, Seen.THERE, "DMARC only watches (p=none): forged mail gets through.")
    if policy not in ("quarantine", "reject"):
        return SeenRecord(record, Seen.WRONG, "It names no policy.")
    return SeenRecord(record, Seen.THERE)


def _policies(found: Sequence[str]) -> list[dict[str, str]]:
    return [tags for each in found if (tags := _tags(each)).get("v") == "DMARC1"]


def _tags(text: str) -> dict[str, str]:
    """Return a tag list (RFC 6376, 3.2): name to value, without spaces."""
    pairs = (each.partition("=") for each in text.split(";"))
    return {name.strip(): "".join(value.split()) for name, _, value in pairs if name.strip()}
