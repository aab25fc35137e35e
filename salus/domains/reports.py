"""Keeps what others report of our domain, sealed, and adds it up for a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.db.models.functions import TruncDate

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.delivery.contracts import Returned
from salus.domains.contracts import (
    BadReport,
    Became,
    DayCount,
    DmarcReport,
    Overview,
    Source,
    TlsResults,
)
from salus.domains.models import ReportRow
from salus.domains.rules import aggregate, tls_report, unpacking
from salus.identity import api as identity
from salus.kernel.acting import Actor, system
from salus.kernel.errors import Unavailable
from salus.kernel.ids import new_id
from salus.keys import api as keys
from salus.platform.tenancy import current_organization

DMARC, TLS = "dmarc", "tls"
DAYS = 30
MOST_A_DAY = 2_000
MOST_OPENED, MOST_SHOWN = 500, 20
"""So many of the newest reports are opened for a page, and so many rows shown of each table."""


def take(raw: bytes, *, actor: Actor, at: datetime) -> list[Became]:
    """Keep the reports in a file or a mail, in the transaction of the caller; return what became of each."""
    try:
        found = unpacking.reports(raw)
    except unpacking.TooLarge:
        return [Became.TOO_LARGE]
    became = [_take(each, at) for each in found] or [Became.UNREADABLE]
    if Became.TAKEN in became:
        audit.record(
            Action.DOMAIN_REPORT_TAKE,
            actor=actor,
            object_kind="organization",
            object_id=current_organization(),
            details={"taken": became.count(Became.TAKEN), "others": len(became) - became.count(Became.TAKEN)},
        )
    return became


def came(raw: bytes, at: datetime) -> Returned:
    """Keep what came by mail; return what is answered. Raises `Unavailable` when too many came today."""
    with transaction.atomic():
        became = take(raw, actor=system(current_organization(), "inbound"), at=at)
    if Became.TOO_MANY in became:
        raise Unavailable("Too many reports came today.")
    good = {Became.TAKEN, Became.KNOWN} & set(became)
    return Returned.NOTED if good else Returned.UNREADABLE


def _take(body: bytes, at: datetime) -> Became:
    try:
        found = (
            aggregate.read(body) if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<" else tls_report.read(body)
        )
    except BadReport:
        return Became.UNREADABLE
    domain = identity.organization().sending_domain
    if found.domain != domain and not domain.endswith(f".{found.domain}"):
        return Became.OF_OTHERS
    if found.begin > at + timedelta(days=1):
        return Became.UNREADABLE
    if ReportRow.objects.filter(came_at__gt=at - timedelta(days=1)).count() >= MOST_A_DAY:
        return Became.TOO_MANY
    return Became.TAKEN if _keep(found, at) else Became.KNOWN


def _keep(found: DmarcReport | TlsResults, at: datetime) -> bool:
    """Keep a report; return whether it is a new one."""
    if isinstance(found, DmarcReport):
        kind, messages = DMARC, sum(each.messages for each in found.sources)
        failed = sum(each.messages for each in found.sources if not each.passed)
        said: list[Any] = [
            [each.address, each.dkim, each.spf, each.disposition, each.messages] for each in found.sources
        ]
    else:
        kind, failed = TLS, sum(found.failures.values())
        messages, said = found.good + failed, sorted(found.failures.items())
    row = ReportRow(
        id=new_id(),
        blind=keys.blinder().blind("domain_report", f"{kind} {found.reporter} {found.id}"),
        kind=kind,
        began_at=found.begin,
        came_at=at,
        messages=messages,
        failed=failed,
    )
    row.sealed = keys.sealer().seal(orjson.dumps([found.reporter, said]), _binding(row))
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return False
    return True


def overview(kind: str, at: datetime) -> Overview:
    """Return what the reports of the last days say together."""
    rows = ReportRow.objects.filter(kind=kind, began_at__gt=at - timedelta(days=DAYS))
    sums = {
        each["day"]: (each["all"], each["bad"])
        for each in rows.annotate(day=TruncDate("began_at", tzinfo=UTC))
        .values("day")
        .annotate(all=Sum("messages"), bad=Sum("failed"))
    }
    today = at.astimezone(UTC).date()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    opened = [_opened(each) for each in rows.order_by("-began_at")[:MOST_OPENED]]
    reporters: Counter[str] = Counter()
    for reporter, _, messages in opened:
        reporters[reporter] += messages
    return Overview(
        tuple(
            DayCount(each, int(total - bad), int(bad))
            for each in days
            for total, bad in (sums.get(each, (0, 0)),)
        ),
        tuple(reporters.most_common(MOST_SHOWN)),
        sources=_sources(said for _, said, _ in opened) if kind == DMARC else (),
        results=_results(said for _, said, _ in opened) if kind == TLS else (),
        count=rows.count(),
    )


def _sources(said: Iterable[list[Any]]) -> tuple[Source, ...]:
    """Return who sent most in the domain's name, those that failed first."""
    counts: Counter[tuple[str, bool, bool, str]] = Counter()
    for rows in said:
        for address, dkim, spf, disposition, messages in rows:
            counts[address, dkim, spf, disposition] += messages
    found = [Source(*key, count) for key, count in counts.items()]
    return tuple(sorted(found, key=lambda each: (each.passed, -each.messages))[:MOST_SHOWN])


def _results(said: Iterable[list[Any]]) -> tuple[tuple[str, int], ...]:
    counts: Counter[str] = Counter()
    for rows in said:
        for result, count in rows:
            counts[result] += count
    return tuple(counts.most_common(MOST_SHOWN))


def _opened(row: ReportRow) -> tuple[str, list[Any], int]:
    reporter, said = orjson.loads(keys.sealer().open(bytes(row.sealed), _binding(row)))
    return reporter, said, row.messages


def _binding(row: ReportRow) -> bytes:
    return keys.binding(current_organization(), "domains_report", row.id)
