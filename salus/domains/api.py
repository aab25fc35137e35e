"""The door of domains. Unless said otherwise, call it inside the organization's context."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from django.conf import settings

from salus.delivery import api as delivery
from salus.domains import looking
from salus.domains.contracts import SeenRecord, Wanted
from salus.domains.ports import installation, use_installation
from salus.domains.rules.wanted import policy, wanted
from salus.domains.signing import signing
from salus.identity import api as identity
from salus.kernel.errors import NotFound
from salus.platform.tenancy import acting_for

__all__ = ["check", "look_up", "policy_text", "records", "use_installation"]


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
