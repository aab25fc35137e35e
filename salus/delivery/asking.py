"""Asks others by HTTPS, by the one mouth: identity providers that the register allows, key directories of recipients."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from salus.delivery.transports.dns import Resolver
from salus.delivery.transports.fetch import BODY, Fetch, Fetched, Request
from salus.kernel.errors import Unavailable
from salus.kernel.outbound import ServiceKind
from salus.platform import outbound
from salus.platform.reach import laboratory
from salus.platform.tenancy import acting_for
from salus.sealedmail.api import Answer

MOST_OF_A_KEY = 256 * 1024
"""Octets that are read of a key."""


def ask_identity_provider(
    organization_id: UUID,
    registered: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None,
    at: datetime,
) -> tuple[int, bytes]:
    """Return status and body of what an identity provider answers at `url`; a `body` is posted as a form.

    `registered` is its address in the vendor register. Outside any transaction, for it may take ten seconds.
    Raises `OutOfScope` before anything is opened, `Unavailable` when there is no answer.
    """
    with acting_for(organization_id):
        outbound.ask(ServiceKind.IDENTITY_PROVIDER, registered, at=at)
    fetched = asyncio.run(_fetched(Request(url, at, headers, body)))
    if fetched.reason:
        raise Unavailable(
            f"The identity provider does not answer ({fetched.reason}).", next_step="Try again in a minute."
        )
    return fetched.status, fetched.body


def ask_key_directory(url: str, at: datetime) -> Answer:
    """Return what the web key directory of a recipient's own domain answers.

    It is asked as the recipient's mail host is: their own domain is no vendor's (45 CFR 164.502(a)(1)(i), 160.103;
    docs/vendors.md), and the organization chose whether directories are asked at all. Outside any transaction.
    """
    fetched = asyncio.run(
        _fetched(Request(url, at, accept="application/octet-stream"), longest=MOST_OF_A_KEY)
    )
    return Answer(fetched.status, fetched.body, fetched.reason)


async def _fetched(request: Request, longest: int = BODY) -> Fetched:
    return await Fetch(Resolver(), laboratory=laboratory(), longest=longest).fetch(request)
