"""Reads what a development relay wrote down: its authority, its routes, the partner policies to use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from salus.delivery.protection.policy import Named, Partner
from salus.delivery.transports.policies import PartnerPolicies
from salus.delivery.transports.routes import Host, StaticRoutes
from salus.kernel.errors import BadInput, Unavailable

FORMAT = "salus-laboratory-1"


def read(path: Path) -> tuple[StaticRoutes, PartnerPolicies]:
    """Return the routes and policies of the relay whose `routes.json` is at `path`.

    Raises `Unavailable` when no relay wrote one, `BadInput` when it is not what a relay writes.
    """
    try:
        found: dict[str, Any] = json.loads(path.read_text())
        authority = (path.parent / found["authority"]).read_text()
    except FileNotFoundError:
        raise Unavailable(
            "The development relay is not running: its routes are not there.",
            next_step="Start it with `salus catch`.",
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise BadInput("These are not the routes of a development relay.", place="routes.json") from fault
    if found.get("format") != FORMAT:
        raise BadInput("These routes are of another version of the relay.", place="routes.json")
    try:
        routes = StaticRoutes({domain: _host(each) for domain, each in found["routes"].items()})
        partners = {domain: _partner(each, authority) for domain, each in found["partners"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise BadInput("These are not the routes of a development relay.", place="routes.json") from fault
    return routes, PartnerPolicies(partners, Named(authority))


def _host(each: dict[str, Any]) -> Host:
    return Host(str(each["name"]), int(each["port"]), str(each["address"]))


def _partner(each: dict[str, Any], authority: str) -> Partner:
    return Partner(
        names=tuple(each.get("names", ())),
        authorities=authority if each.get("authority") else "",
        key_pins=tuple(each.get("key_pins", ())),
    )
