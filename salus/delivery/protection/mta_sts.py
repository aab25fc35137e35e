"""MTA-STS (RFC 8461): reads what a domain publishes, and is the TLS policy that follows from it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from salus.delivery.addresses import ascii_domain
from salus.delivery.protection.certificates import Certificate, matches
from salus.delivery.protection.policy import Shortfall, TlsPolicy, Trust
from salus.kernel.errors import BadInput
from salus.kernel.vocabulary import Protection

LONGEST_AGE: Final = 31_557_600
"""Seconds that a policy may be kept (3.2)."""
MOST_HOSTS: Final = 100
_ID = re.compile(r"[A-Za-z0-9]{1,32}")
_AGE = re.compile(r"[0-9]{1,10}")


class Mode(StrEnum):
    """What a domain asks of senders."""

    ENFORCE = "enforce"
    TESTING = "testing"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Published:
    """A policy as its domain published it: `max_age` in seconds, `hosts` as patterns."""

    mode: Mode
    max_age: int
    hosts: tuple[str, ...]


def policy_id(records: Sequence[str]) -> str:
    """Return the id in the one MTA-STS record among TXT records; "" when there is none, or several (3.1)."""
    found = [record for record in records if re.match(r"v=STSv1[ \t]*(;|$)", record)]
    if len(found) != 1:
        return ""
    fields = (field.strip().partition("=") for field in found[0].split(";")[1:])
    ids = [value.strip() for name, _, value in fields if name.strip() == "id"]
    return ids[0] if ids and _ID.fullmatch(ids[0]) else ""


def read(body: bytes) -> Published:
    """Return the policy in a file (3.2): of a key that comes twice the first counts, unknown keys do not.

    Raises `BadInput` for what is none.
    """
    try:
        lines = body.decode("utf-8").replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError:
        raise BadInput("This is no text.", place="policy") from None
    values: dict[str, str] = {}
    hosts: list[str] = []
    for line in lines:
        name, colon, value = (part.strip() for part in line.partition(":"))
        if name == "mx" and colon:
            hosts.append(_pattern(value))
        elif colon:
            values.setdefault(name, value)
    age = values.get("max_age", "")
    if values.get("version") != "STSv1" or values.get("mode") not in set(Mode) or not _AGE.fullmatch(age):
        raise BadInput("This is no policy of MTA-STS.", place="policy")
    mode = Mode(values["mode"])
    if len(hosts) > MOST_HOSTS or (mode is not Mode.NONE and not hosts):
        raise BadInput("A policy names a few mail hosts.", place="mx")
    return Published(mode, min(int(age), LONGEST_AGE), tuple(hosts))


def _pattern(value: str) -> str:
    star = "*." if value.startswith("*.") else ""
    return star + ascii_domain(value.removeprefix("*."), place="mx")


@dataclass(frozen=True, slots=True)
class MtaSts:
    """The policy of a domain that enforces: one of its hosts, with a WebPKI certificate for its own name (4.1, 4.2).

    `authorities` replaces the machine's trust store, for a laboratory.
    """

    hosts: tuple[str, ...]
    authorities: str = ""

    source = "mta-sts"
    reaches = Protection.VERIFIED

    @property
    def trust(self) -> Trust:
        """Verify chain and name."""
        return Trust(authorities=self.authorities)

    def allows_host(self, host: str) -> bool:
        """Tell whether a pattern of the policy covers this mail host."""
        return any(matches(pattern, host) for pattern in self.hosts)

    def at_host(self, host: str) -> TlsPolicy:
        """Return this policy: it is the same for every host."""
        return self

    def judge(self, host: str, certificate: Certificate, at: datetime) -> Shortfall | None:
        """Leave it to the TLS library, which verified chain, dates and name."""
        return None
