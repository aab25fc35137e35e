"""Sends the reports about TLS that domains asked for, a day late, and forgets what they were made of."""

from __future__ import annotations

import logging
from datetime import UTC, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

from django.conf import settings

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.delivery import api as delivery
from salus.delivery.contracts import Question, Rr, TlsReport
from salus.domains import tally
from salus.domains.models import TallyRow
from salus.domains.rules import telling
from salus.domains.tally import Day
from salus.kernel.acting import system
from salus.kernel.errors import BadInput, SalusError
from salus.kernel.outbound import TLS_REPORTS, OutOfScope, ServiceKind
from salus.kernel.time import Clock
from salus.platform import outbound
from salus.platform.tenancy import acting_for

log = logging.getLogger(__name__)

AGAIN = timedelta(hours=3)
"""After this a report that did not get there is tried again."""


def is_due(clock: Clock) -> bool:
    """Tell whether a day is over of which somebody may have to be told."""
    now = clock.now()
    waiting = TallyRow.objects.filter(day__lt=now.astimezone(UTC).date()).exclude(tried_at__gt=now - AGAIN)
    return any(telling.is_due(day, now) for day in waiting.values_list("day", flat=True).distinct())


def tell(organization_id: UUID, clock: Clock) -> None:
    """Send what is due; call it outside any organization's context.

    What nobody wants, what would tell of few people, what the register does not allow and what is too old goes.
    """
    now = clock.now()
    with acting_for(organization_id):
        days = [
            each for each in tally.days_before(now.astimezone(UTC).date()) if telling.is_due(each.day, now)
        ]
        open_ = _is_open(clock)
        over = [
            each.about
            for each in days
            if not open_ or each.people < telling.FEW or telling.is_late(each.day, now)
        ]
        tally.forget(over)
        left = [each for each in days if each.about not in set(over)]
        TallyRow.objects.filter(about__in=[each.about for each in left]).update(tried_at=now)
    sent, failed = 0, 0
    for day in left:
        reasons = _send(organization_id, day, clock)
        with acting_for(organization_id):
            if not any(reasons):
                tally.forget([day.about])
        sent += sum(not each for each in reasons)
        failed += sum(bool(each) for each in reasons)
    if sent or failed:
        with acting_for(organization_id):
            audit.record(
                Action.TLS_REPORT_SEND,
                actor=system(organization_id, "worker"),
                object_kind="organization",
                object_id=organization_id,
                outcome="failed" if failed else "ok",
                details={"sent": sent, "failed": failed},
            )


def _is_open(clock: Clock) -> bool:
    try:
        outbound.ask(ServiceKind.TLS_REPORTS, TLS_REPORTS, at=clock.now())
    except OutOfScope:
        return False
    return True


def _send(organization_id: UUID, day: Day, clock: Clock) -> list[str]:
    """Return of each place that the domain names why the report is not there ("": it is)."""
    question = Question(Rr.TXT, f"_smtp._tls.{day.domain}")
    (told,) = delivery.ask_dns([question], nameserver=settings.SALUS_NAMESERVER)
    if not told.answered:
        return ["dns_trouble"]
    report = TlsReport(
        id=day.about.hex, domain=day.domain, begin=telling.begin(day.day), policies=day.policies
    )
    routes = settings.SALUS_LABORATORY_ROUTES
    send = partial(
        delivery.send_tls_report,
        organization_id,
        report=report,
        laboratory_routes=Path(routes) if routes else None,
        clock=clock,
    )
    return [_try(send, uri) for uri in telling.places(told.values)]


def _try(send: partial[str], uri: str) -> str:
    try:
        return send(uri)
    except BadInput:
        return ""  # what the domain wrote there is no place: nothing would change by trying again
    except SalusError as fault:
        return type(fault).__name__
