"""The DKIM keys of a domain, as their records say them: those that sign, and those that wait."""

from __future__ import annotations

from salus.domains.contracts import Signing
from salus.keys import api as keys


def signing(domain: str) -> tuple[Signing, ...]:
    """Return the present keys, made if need be, and the next ones."""
    present = [Signing(each.selector, each.txt) for each in keys.dkim_keys(domain)]
    waiting = [Signing(each.selector, each.txt, waits=True) for each in keys.waiting_dkim_keys(domain)]
    return (*present, *waiting)
