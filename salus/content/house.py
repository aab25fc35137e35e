"""What a message says of the organization in context."""

from __future__ import annotations

from salus.content import queries
from salus.content.contracts import House
from salus.content.wording import clean
from salus.content.words import telling
from salus.identity import api as identity

NEUTRAL = {"en": "your clinic", "es": "su clínica"}


def house() -> House:
    """Return the facts and the domains of the current organization."""
    organization = identity.organization()
    domains = (organization.sending_domain, *queries.own_domains())
    org = {
        "name": clean(organization.name),
        "phone": clean(organization.phone),
        "postal_address": clean(organization.postal_address),
    }
    return House(tuple(dict.fromkeys(domain.lower() for domain in domains if domain)), org)


def neutral(org: dict[str, str], language: str) -> dict[str, str]:
    """Return `org` for a message that may travel unverified: a name that tells a condition is replaced."""
    if telling(org["name"]):
        return {**org, "name": NEUTRAL[language]}
    return org
