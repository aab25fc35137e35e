"""The road by a relay: one host for every recipient, with TLS from the start or by STARTTLS, and a login."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

from salus.delivery import site
from salus.delivery.addresses import ascii_domain
from salus.delivery.transports.dns import Dns
from salus.delivery.transports.routes import DnsRoutes, Host, Login, NoRoute, Route

PORTS = {"smtp": 587, "smtps": 465}
"""Of a scheme without a port: submission with STARTTLS, and within TLS (RFC 6409, RFC 8314)."""


class RelayRoutes:
    """Every domain's mail goes to the relay at `address` (`smtp://host:port`, `smtps://host:port`).

    Whoever runs the clinic chose it, so it may be on a private network. Raises `BadInput` for a host that
    cannot be.
    """

    def __init__(self, address: str, dns: Dns, *, user: str = "", password: str = "") -> None:
        parts = urlsplit(address)
        name = parts.hostname or ""
        self._dns = DnsRoutes(dns, private=True)
        self._host = Host(
            name=name if _is_number(name) else ascii_domain(name),
            port=parts.port or PORTS[parts.scheme],
            address=name if _is_number(name) else "",
            within_tls=parts.scheme == "smtps",
            login=Login(user, password) if user else None,
        )

    async def find(self, domain: str) -> Route | NoRoute:
        """Return the relay, whatever the domain."""
        del domain
        return Route(site.of_hosts([self._host.name]), ((self._host,),), is_relay=True)

    async def addresses(self, host: Host) -> Sequence[str] | NoRoute:
        """Return the addresses of the relay."""
        return (host.address,) if host.address else await self._dns.addresses(host)


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
