"""Asks DNS several things at once, and the policy file of a domain: for who judges the domains that we send from."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

from salus.delivery.contracts import PolicyFile, Question, Rr, Told
from salus.delivery.protection import mta_sts
from salus.delivery.transports.dns import DnsFailure, Resolver
from salus.delivery.transports.fetch import Fetch, Request
from salus.delivery.transports.sts import LONGEST
from salus.kernel.errors import BadInput
from salus.platform.reach import laboratory

SECONDS = 5.0
PORT = 443
"""Another one in a laboratory only."""


def ask(questions: Sequence[Question], nameserver: str) -> tuple[Told, ...]:
    """Return what DNS answers now, in order."""
    resolver = _resolver(nameserver)

    async def all_of_them() -> list[Told]:
        return await asyncio.gather(*(_one(resolver, each) for each in questions))

    return tuple(asyncio.run(all_of_them()))


def policy_file(domain: str, at: datetime, nameserver: str) -> PolicyFile:
    """Return the file at the domain's well-known place (RFC 8461, 3.2, 3.3)."""
    port = "" if PORT == 443 else f":{PORT}"
    url = f"https://mta-sts.{domain}{port}/.well-known/mta-sts.txt"
    fetch = Fetch(_resolver(nameserver), laboratory=laboratory(), seconds=SECONDS, longest=LONGEST)
    found = asyncio.run(fetch.fetch(Request(url, at, accept="text/plain")))
    if found.status != 200:
        return PolicyFile(reason=found.reason or f"status_{found.status}")
    if found.kind != "text/plain":
        return PolicyFile(reason="not_text")
    try:
        policy = mta_sts.read(found.body)
    except BadInput:
        return PolicyFile(reason="no_policy")
    return PolicyFile(str(policy.mode), policy.max_age, policy.hosts)


def _resolver(nameserver: str) -> Resolver:
    host, _, port = nameserver.partition(":")
    return Resolver(SECONDS, nameservers=[host] if host else (), port=int(port or 53))


async def _one(resolver: Resolver, question: Question) -> Told:
    try:
        return Told(await _values(resolver, question))
    except DnsFailure as fault:
        return Told(answered=not fault.failure.passes)


async def _values(resolver: Resolver, question: Question) -> tuple[str, ...]:
    match question.kind:
        case Rr.TXT:
            return (await resolver.texts(question.name)).values
        case Rr.MX:
            hosts = (await resolver.mail_hosts(question.name)).values
            return tuple(f"{number} {_bare(host) or '.'}" for number, host in sorted(hosts))
        case Rr.ADDRESS:
            return (await resolver.addresses(question.name)).values
        case Rr.PTR:
            return tuple(_bare(each) for each in (await resolver.pointers(question.name)).values)


def _bare(host: str) -> str:
    return host.rstrip(".").lower()
