"""Which destination a message belongs to, for fairness and limits: a provider, or a set of mail hosts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from salus.delivery.addresses import ascii_domain

PROVIDERS = {
    "google": ("google.com", "googlemail.com", "gmail.com", "smtp.goog"),
    "microsoft": ("protection.outlook.com", "mx.microsoft", "olc.protection.outlook.com", "hotmail.com"),
    "yahoo": ("yahoodns.net",),
    "apple": ("mail.icloud.com", "icloud.com"),
    "proton": ("protonmail.ch",),
    "fastmail": ("messagingengine.com",),
    "zoho": ("zoho.com", "zoho.eu", "zoho.in"),
    "comcast": ("mxge.comcast.net", "comcast.net"),
    "charter": ("charter.net", "spectrum.net"),
    "proofpoint": ("pphosted.com", "ppe-hosted.com"),
    "mimecast": ("mimecast.com",),
    "barracuda": ("barracudanetworks.com",),
}
"""Providers by the suffix of their mail hosts: their limits are per provider, whatever the domain."""

FAMILIES = {
    "google": ("gmail.com", "googlemail.com"),
    "microsoft": ("outlook.com", "hotmail.com", "live.com", "msn.com"),
    "yahoo": ("yahoo.com", "ymail.com", "rocketmail.com", "aol.com", "aim.com", "verizon.net"),
    "apple": ("icloud.com", "me.com", "mac.com"),
    "proton": ("proton.me", "protonmail.com", "pm.me"),
    "fastmail": ("fastmail.com", "fastmail.fm"),
    "comcast": ("comcast.net", "xfinity.com"),
    "charter": ("charter.net", "spectrum.net", "roadrunner.com", "rr.com"),
}
"""Providers by the recipient's domain, for a row whose mail hosts are not known yet."""

_BY_DOMAIN = {domain: family for family, domains in FAMILIES.items() for domain in domains}
_SUFFIXES = tuple((f".{suffix}", provider) for provider, found in PROVIDERS.items() for suffix in found)
_LONGEST = 200


def of_domain(domain: str) -> str:
    """Return the site of a recipient's domain before any look-up: its family, or the domain itself.

    Raises `BadInput` when the domain cannot exist.
    """
    name = ascii_domain(domain)
    return _BY_DOMAIN.get(name, name)


def of_hosts(hosts: Sequence[str]) -> str:
    """Return the site of a set of mail hosts: a provider, or the hosts with their common end once.

    The order of the hosts does not matter: two domains with the same mail hosts are one site.
    """
    names = sorted({host.lower().removesuffix(".") for host in hosts})
    providers = {_provider(name) for name in names}
    if len(providers) == 1 and (provider := next(iter(providers))):
        return provider
    parents = {name.partition(".")[2] for name in names}
    if len(names) > 1 and len(parents) == 1 and (parent := next(iter(parents))):
        label = f"({'|'.join(name.partition('.')[0] for name in names)}).{parent}"
    else:
        label = ",".join(names)
    if len(label) <= _LONGEST:
        return label
    return f"hosts-{hashlib.sha256(label.encode()).hexdigest()[:32]}"


def _provider(host: str) -> str:
    dotted = f".{host}"
    return next((provider for suffix, provider in _SUFFIXES if dotted.endswith(suffix)), "")
