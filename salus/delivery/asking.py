"""Asks an identity provider something: only one that the register allows at this moment, by the one mouth."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from salus.delivery.transports.dns import Resolver
from salus.delivery.transports.fetch import Fetch, Fetched, Request
from salus.kernel.errors import Unavailable
from salus.kernel.outbound import ServiceKind
from salus.platform import outbound
from salus.platform.reach import laboratory
from salus.platform.tenancy import acting_for


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


async def _fetched(request: Request) -> Fetched:
    return await Fetch(Resolver(), laboratory=laboratory()).fetch(request)
