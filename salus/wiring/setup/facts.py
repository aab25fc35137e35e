"""Gathers the facts of the posture: from this machine, from the packages' doors, and from DNS."""

from __future__ import annotations

import ipaddress
import os
import shutil
import stat
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.conf import settings

from salus.delivery import api as delivery
from salus.domains import api as domains
from salus.domains.contracts import Installation, Weight
from salus.files import api as files
from salus.identity import api as identity
from salus.identity.contracts import Role
from salus.kernel.errors import BadInput
from salus.keys import api as keys
from salus.platform.presence import living
from salus.platform.reach import LOOPBACK
from salus.privacy.contracts import Backups, Facts, Found, Machine, Office, Ready, Record, Scanner
from salus.recovery import api as recovery
from salus.recovery.contracts import Event
from salus.reports import api as reports
from salus.sealedmail import api as sealedmail
from salus.sealedmail.contracts import KeyKind
from salus.shaping import api as shaping
from salus.vendors import api as vendors
from salus.vendors.contracts import Vendor
from salus.wiring.home import Home
from salus.wiring.installed import Installed, read
from salus.wiring.setup.ways_in import ways_in

YEAR = timedelta(days=366)
_PRIVATE = [
    ipaddress.ip_network(each)
    for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
]
VERIFIED = "verify-full"


def gather(at: datetime) -> Facts:
    """Return the facts of the organization in context and of this machine, as they are now."""
    organization = identity.organization()
    return Facts(
        at=at,
        machine=_machine(settings.SALUS_HOME, settings.INSTALLED),
        office=_office(at, settings.INSTALLED),
        ways_in=ways_in(at),
        demo=organization.demo,
        backups=_backups(),
    )


def _machine(home: Path, installed: Installed) -> Machine:
    host, verified = _database(os.environ.get("DATABASE_URL") or installed.database_url)
    return Machine(
        public_url=settings.SALUS_PUBLIC_URL,
        database=host,
        database_verified=verified,
        open_files=tuple(_open_to_others(home)),
        free_bytes=shutil.disk_usage(home).free,
        workers=living(home / "workers"),
        senders=living(home / "senders"),
        kit_made=_kit_made(),
        laboratory=bool(settings.SALUS_LABORATORY_ROUTES),
        log_copies_apart=_apart(Home(home).witness, home),
        scanner=_scanner(),
        **_shaping(home),
    )


def _scanner() -> Scanner | None:
    found = files.scanner()
    return Scanner(found.answers, found.signatures) if found else None


def _shaping(home: Path) -> dict[str, Any]:
    """Return what is wrong with the plan of destinations, and the addresses in it that are not here."""
    try:
        documents = shaping.documents(home)
    except BadInput as fault:
        return {"shaping_fault": str(fault)}
    pools = (pool for document in documents for pool in document.pools)
    listed = [address for pool in pools for source in pool.sources for address in source.addresses]
    return {"addresses_away": tuple(each for each in listed if not delivery.is_our_address(each))}


def _database(url: str) -> tuple[str, bool]:
    """Return the host of another machine's database ("" for this one), and whether its certificate is verified."""
    parts = urlsplit(url)
    asked = dict(parse_qsl(parts.query))
    host = parts.hostname or asked.get("host", "")
    if not host or host in LOOPBACK or host.startswith(("/", "%2F")):
        return "", True
    return host, asked.get("sslmode") == VERIFIED


def _open_to_others(home: Path) -> Iterable[str]:
    """Yield what others on this machine can read of the keys, the logs and what was chosen."""
    for path in (
        home / "keys",
        home / "logs",
        *sorted((home / "keys").glob("*")),
        *sorted(home.glob("*.json")),
    ):
        try:
            mode = path.stat().st_mode
        except FileNotFoundError:
            continue
        if mode & (stat.S_IROTH | stat.S_IRGRP):
            yield str(path.relative_to(home))


def _kit_made() -> bool:
    facts = keys.keys_of_organization()
    if any(each.status == "active" and not each.wrapped_by.startswith("file:") for each in facts):
        return True
    return keys.recovery_kit() is not None


def _apart(witness: Path, home: Path) -> bool:
    try:
        return witness.stat().st_dev != home.stat().st_dev
    except FileNotFoundError:
        return False


def _office(at: datetime, installed: Installed) -> Office:
    health, route = reports.log_health(), delivery.route(at)
    made = [
        each.created_at
        for each in keys.keys_of_organization()
        if (each.kind, each.status) == ("data", "active")
    ]
    register = vendors.vendors(at)
    signing = next((each for each in sealedmail.own() if each.kind is KeyKind.SMIME), None)
    return Office(
        privacy_officers=Ready(*identity.readiness(Role.PRIVACY_OFFICER, at)),
        security_officers=Ready(*identity.readiness(Role.SECURITY_OFFICER, at)),
        administrators=Ready(*identity.readiness(Role.ADMINISTRATOR, at)),
        stranded=identity.stranded(at),
        endless_keys=_endless(at),
        data_key_made=max(made, default=None),
        log_verified=health.verified_at,
        log_sound=health.verified,
        copies_failing=Counter(each.why for each in reports.log_copies() if each.failing),
        refused=_refused(register),
        agreements_end=_first_end(register),
        relay=route is not None,
        mail_paused=_words(route.why_not) if route and route.why_not else "",
        route_chosen=route.chosen_at if route else None,
        proven=delivery.trial_confirmed(),
        records=domain_records(at),
        mail_signing_ends=signing.not_after if signing else None,
        mail_signing_alone=bool(signing and signing.self_signed),
    )


def _endless(at: datetime) -> int:
    living_keys = [
        each
        for each in identity.api_keys_of_organization()
        if each.revoked_at is None and not (each.expires_at and each.expires_at <= at)
    ]
    return sum(each.expires_at is None or each.expires_at - at > YEAR for each in living_keys)


def _refused(register: list[Vendor]) -> dict[str, int]:
    found = Counter(
        _words(each.why_not)
        for vendor in register
        for each in vendor.services
        if each.active and each.why_not
    )
    return dict(found)


def _words(code: str) -> str:
    return next((said[0] for why, said in vendors.WORDS.items() if why == code), code)


def _first_end(register: list[Vendor]) -> datetime | None:
    ends = [
        vendor.covered_until
        for vendor in register
        if vendor.covered_until and any(each.active for each in vendor.services)
    ]
    return datetime.combine(min(ends), time.max, UTC) if ends else None


def domain_records(at: datetime) -> tuple[Record, ...]:
    """Return how DNS answers for the sending domain of the organization in context, now.

    Of a demo's, which is nobody's, nothing is asked.
    """
    organization = identity.organization()
    if organization.demo and not settings.SALUS_NAMESERVER:
        return ()
    return tuple(
        Record(str(each.record.purpose), each.record.name, Found(each.seen), each.note)
        for each in domains.check(at)
        if each.record.weight is not Weight.OPTIONAL
    )


def describe() -> Installation:
    """Return this installation as its sending domains have to say it; inside the organization's context."""
    installed = read(settings.SALUS_HOME)
    spf = installed.spf or "mx"
    return Installation(
        spf=spf,
        inbound_host=installed.inbound_host or _host(installed.public_url or settings.SALUS_PUBLIC_URL),
        takes_mail=bool(os.environ.get("SALUS_INBOUND") or installed.inbound),
        has_certificate=bool(installed.inbound_certificate),
        addresses=tuple(_addresses(spf)),
        sources=tuple(_sources()),
        by_relay=delivery.route(datetime.now(UTC)) is not None,
    )


def _host(url: str) -> str:
    host = urlsplit(url).hostname or ""
    return "" if host in LOOPBACK else host


def _addresses(spf: str) -> Iterable[str]:
    """Yield the single addresses among SPF mechanisms: mail leaves from them."""
    for each in spf.lower().split():
        kind, _, address = each.partition(":")
        if kind in ("ip4", "ip6") and (address.removesuffix("/32").removesuffix("/128").find("/") < 0):
            yield address.removesuffix("/32").removesuffix("/128")


def _sources() -> Iterable[tuple[str, str]]:
    """Yield the addresses of pools that the organization's mail leaves from, each with what it calls itself.

    Private ones are left out: receivers see another address. So is all of a plan that cannot be, which the doctor tells of.
    """
    slug = identity.organization().slug
    try:
        plan = shaping.plan(shaping.documents(settings.SALUS_HOME), slug)
    except BadInput:
        return
    for pool in shaping.pools_of(plan, slug):
        for source in pool.sources:
            yield from ((each, source.name) for each in source.addresses if _is_seen(each))


def _is_seen(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    return not (parsed.is_loopback or parsed.is_link_local or any(parsed in each for each in _PRIVATE))


def _backups() -> Backups:
    last, drill = recovery.last_run(Event.BACKUP), recovery.last_run(Event.DRILL)
    return Backups(
        last=last.at if last and last.passed else None,
        drilled=drill.at if drill else None,
        drill_passed=bool(drill and drill.passed),
    )
