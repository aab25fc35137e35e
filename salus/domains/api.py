"""The door of domains. Unless said otherwise, call it inside the organization's context."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from django.conf import settings

from salus.delivery import api as delivery
from salus.domains import looking, telling
from salus.domains.aging import count_reports, empty_reports
from salus.domains.contracts import Became, SeenRecord, Wanted
from salus.domains.ports import installation, use_installation
from salus.domains.reports import DMARC, TLS, overview
from salus.domains.reports import came as report_came
from salus.domains.reports import take as take_report
from salus.domains.rules.wanted import policy, wanted
from salus.domains.signing import signing
from salus.domains.tally import keep as keep_tally
from salus.identity import api as identity
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor
from salus.kernel.errors import NotFound
from salus.kernel.time import Clock, SystemClock
from salus.platform import jobs
from salus.platform.tenancy import acting_for

__all__ = [
    "DMARC",
    "TLS",
    "check",
    "count_reports",
    "empty_reports",
    "keep_tally",
    "look_after_tls_reports",
    "look_up",
    "overview",
    "policy_text",
    "records",
    "report_came",
    "send_tls_reports",
    "upload_report",
    "use_installation",
]

_CLOCK = SystemClock()


def records(domain: str = "") -> tuple[Wanted, ...]:
    """Return what to publish for a sending domain ("": the organization's). Its keys are made if need be."""
    name = domain or identity.organization().sending_domain
    return wanted(name, signing(name), installation())


def look_up(domain: str, asked: Sequence[Wanted], at: datetime) -> tuple[SeenRecord, ...]:
    """Return how DNS and the web answer for each record now; it takes a few seconds at most."""
    nameserver = settings.SALUS_NAMESERVER
    ask = partial(delivery.ask_dns, nameserver=nameserver)
    fetch = partial(delivery.fetch_policy, nameserver=nameserver)
    return looking.look(domain, asked, installation(), ask, fetch, at)


def check(at: datetime, domain: str = "") -> tuple[SeenRecord, ...]:
    """Return how the records of a sending domain ("": the organization's) are found now."""
    name = domain or identity.organization().sending_domain
    return look_up(name, records(name), at)


def look_after_tls_reports(clock: Clock = _CLOCK) -> None:
    """Queue the sending of reports about TLS when any is due; a round of the workers calls it."""
    if telling.is_due(clock):
        jobs.defer("salus.domains.tasks.send_tls_reports", once="tls-reports")


def send_tls_reports(organization_id: UUID, clock: Clock = _CLOCK) -> None:
    """Send one organization's reports about TLS that are due; call it outside any organization's context."""
    telling.tell(organization_id, clock)


def upload_report(raw: bytes, *, actor: Actor, at: datetime) -> list[Became]:
    """Keep the reports in a file that somebody has; return what became of each.

    Raises `NotFound` for who may not change the organization's settings.
    """
    identity.require(actor, Permission.ORGANIZATION_SETTINGS_EDIT)
    return take_report(raw, actor=actor, at=at)


def policy_text(domain: str) -> str:
    """Return the MTA-STS policy of a sending domain, for whoever asks: outside any organization's context.

    Raises `NotFound` for a domain that is nobody's here.
    """
    owner = next((each for each in identity.organizations() if each.sending_domain == domain), None)
    if owner is None:
        raise NotFound
    with acting_for(owner.id):
        here = installation()
    return policy(here.inbound_host or f"mail.{domain}", enforce=here.has_certificate)
