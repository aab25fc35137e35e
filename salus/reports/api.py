"""The door of reports. Unless said otherwise, call it inside the organization's context."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings

from salus.audit import api as audit
from salus.audit.contracts import Entry, Filters
from salus.campaigns import api as campaigns
from salus.campaigns.contracts import Campaign
from salus.identity import api as identity
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor, ActorKind, system
from salus.kernel.time import Clock, SystemClock
from salus.platform import jobs
from salus.platform.tenancy import acting_for
from salus.reports import access, campaign, copies, home, log, log_lines, recipients, rules
from salus.reports.access import Review
from salus.reports.contracts import (
    CampaignReport,
    EntryProof,
    Home,
    LogCopy,
    LogForm,
    LogPage,
    Reveal,
    Verified,
    Wanted,
    Who,
)
from salus.reports.log import health as log_health
from salus.reports.sendings import describe as describe_sending
from salus.reports.sendings import journey_of as journey_of_sending

__all__ = [
    "COPY_HOURS",
    "access_review",
    "access_signed_until",
    "campaign_report",
    "describe_sending",
    "entry_lines",
    "entry_proof",
    "export_log",
    "export_recipients",
    "home_page",
    "journey_of_sending",
    "log_copies",
    "log_health",
    "log_page",
    "look_after_copies",
    "look_after_log",
    "looks_at",
    "people_to_tell",
    "reported_campaigns",
    "search_log",
    "send_copies",
    "send_copy_now",
    "send_copy_soon",
    "set_copy_hours",
    "sign_access",
    "usual_access_period",
    "verify_log",
    "verify_log_soon",
    "verify_regularly",
    "who_exactly",
]

_CLOCK = SystemClock()
COPY_HOURS = copies.HOURS
PAGE = 50


def campaign_report(id: UUID, *, actor: Actor | None = None) -> CampaignReport:
    """Return what became of a campaign, by its id or the id of its present plan.

    With an `actor` the look is recorded. Raises `NotFound`, also before there is a plan.
    """
    return campaign.report(id, actor=actor)


def reported_campaigns(*, before: datetime | None = None) -> list[Campaign]:
    """Return a page of campaigns that have something to report, newest first."""
    return [each for each in campaigns.campaigns(before=before, limit=PAGE) if each.plan_id is not None]


def who_exactly(
    id: UUID, wanted: Wanted, *, actor: Actor, after: int = 0, purpose: Reveal | None = None
) -> list[Who]:
    """Return up to 50 people behind a figure, after contact number `after`; recorded.

    Raises `NotFound` for whoever may not know; with a purpose names and addresses are opened, which
    needs the permission to reveal.
    """
    return recipients.page(id, wanted, actor=actor, after=after, purpose=purpose)


def people_to_tell(*, actor: Actor) -> list[Who]:
    """Return up to 50 people who do not know that a portal message waits for them; recorded."""
    return recipients.unnotified(actor=actor)


def export_recipients(
    id: UUID, wanted: Wanted, *, actor: Actor, purpose: Reveal | None = None
) -> Iterator[str]:
    """Return the people behind a figure as lines of a CSV; recorded before the first line.

    Read the lines after the transaction of the call has ended: each chunk has one of its own.
    """
    return recipients.export(id, wanted, actor=actor, purpose=purpose)


def home_page(*, actor: Actor, clock: Clock = _CLOCK) -> Home:
    """Return the first page for `actor`."""
    return home.home(actor=actor, at=clock.now())


def log_page(filters: Filters, *, actor: Actor, after: UUID | None = None) -> LogPage:
    """Return up to 50 entries of the log, newest first, older than the entry `after`; recorded."""
    return log.page(filters, actor=actor, after=after)


def looks_at(contact_id: UUID, *, actor: Actor, after: UUID | None = None) -> LogPage:
    """Return up to 50 looks at one person's record, newest first, older than the entry `after`; recorded.

    A look at many people at once (a list) names nobody and is not among them. Raises `NotFound`.
    """
    return log.looks_at(contact_id, actor=actor, after=after)


def search_log(filters: Filters, *, limit: int, actor: Actor) -> list[Entry]:
    """Return up to `limit` entries, newest first, for the command line; recorded."""
    return log.search(filters, limit, actor=actor)


def entry_lines(entries: Iterable[Entry]) -> Iterable[str]:
    """Return entries as JSON, a line each."""
    return log_lines.lines(entries, LogForm.JSON, "")


def export_log(filters: Filters, form: LogForm, *, host: str, actor: Actor) -> Iterator[str]:
    """Return the entries that fit as the lines of a file, oldest first; recorded before the first line.

    `host` is where Salus runs, for syslog. Read the lines after the transaction of the call has ended: each
    chunk has one of its own. Raises `NotFound` for whoever may not read the log.
    """
    if actor.kind is not ActorKind.SYSTEM:
        identity.require(actor, Permission.AUDIT_LOG_READ)
    return log.export(filters, form, host, actor=actor)


def entry_proof(entry_id: UUID, *, actor: Actor) -> EntryProof:
    """Return one entry of the log with what proves it, checked now; recorded."""
    return log.entry(entry_id, actor=actor)


def usual_access_period(clock: Clock = _CLOCK) -> tuple[date, date]:
    """Return the seven days before today, first and last."""
    return access.usual_period(clock.now())


def access_signed_until() -> date | None:
    """Return the last day for which somebody signed that the records were examined, None: nobody ever did."""
    return access.signed_until()


def access_review(since: date, until: date, *, actor: Actor, clock: Clock = _CLOCK) -> Review:
    """Return who signed in and who looked at whom in a period, and what stands out; recorded."""
    return access.review(since, until, actor=actor, at=clock.now())


def sign_access(
    since: date, until: date, finding: str, note: str, *, actor: Actor, clock: Clock = _CLOCK
) -> UUID:
    """Sign that the records of a period were examined; recorded with the numbers and the log's state."""
    return access.sign(since, until, finding, note, actor=actor, at=clock.now())


def verify_log(*, actor: Actor, clock: Clock = _CLOCK) -> Verified:
    """Verify the whole log now, and record that `actor` did; raises `NotFound` for whoever may not."""
    identity.require(actor, Permission.AUDIT_LOG_VERIFY)
    return log.verify(actor=actor, at=clock.now())


def verify_log_soon(*, actor: Actor) -> float | None:
    """Queue a verification that would keep a page waiting; return how many seconds the last one took.

    None when it is quick enough to be made at once: call `verify_log`.
    """
    identity.require(actor, Permission.AUDIT_LOG_VERIFY)
    seconds = log.health().seconds
    if seconds < rules.LONG_VERIFICATION:
        return None
    log.asked(actor=actor)
    _queue()
    return seconds


def look_after_log(clock: Clock = _CLOCK) -> None:
    """Queue the regular verification when it is due; a round of the workers calls it."""
    if log.is_due(clock.now()):
        _queue()


def verify_regularly(organization_id: UUID, clock: Clock = _CLOCK) -> None:
    """Verify one organization's log as the system does; call it outside any organization's context."""
    with acting_for(organization_id):
        log.verify(actor=system(organization_id, "worker"), at=clock.now())


def log_copies(clock: Clock = _CLOCK) -> tuple[LogCopy, ...]:
    """Return who keeps a copy of the log outside (witnesses, log servers), and how each stands."""
    return copies.copies(clock.now())


def set_copy_hours(service_id: UUID, hours: int, *, actor: Actor, clock: Clock = _CLOCK) -> None:
    """Set how often a witness is written to at most: `copies.HOURS`, 0 only when asked.

    Raises `BadInput`, `NotFound` for what is no witness and for whoever may not.
    """
    _require_copies(actor)
    copies.set_hours(service_id, hours, actor=actor, at=clock.now())


def send_copy_soon(service_id: UUID, *, actor: Actor, clock: Clock = _CLOCK) -> None:
    """Have a witness or log server sent its copy within seconds; raises `NotFound`, also for whoever may not."""
    _require_copies(actor)
    copies.ask(service_id, actor=actor, at=clock.now())
    _queue_copies()


def send_copy_now(organization_id: UUID, service_id: UUID, *, clock: Clock = _CLOCK) -> LogCopy:
    """Sign the log as it stands and send a witness its copy; return how that ended. Raises `NotFound`.

    For the command line: call it outside any organization's context, for it waits for the witness's mail host.
    """
    with acting_for(organization_id):
        audit.integrate()
        copies.ask(service_id, actor=system(organization_id, "command-line"), at=clock.now())
    send_copies(organization_id, clock)
    with acting_for(organization_id):
        return next(each for each in log_copies(clock) if each.service_id == service_id)


def look_after_copies(clock: Clock = _CLOCK) -> None:
    """Queue the sending of copies when any is due; a round of the workers calls it."""
    if copies.is_due(clock.now()):
        _queue_copies()


def send_copies(organization_id: UUID, clock: Clock = _CLOCK) -> None:
    """Send the copies of one organization's log that are due; call it outside any organization's context."""
    routes = settings.SALUS_LABORATORY_ROUTES
    copies.send_due(
        organization_id,
        host=urlsplit(settings.SALUS_PUBLIC_URL).hostname or "",
        routes=Path(routes) if routes else None,
        clock=clock,
    )


def _require_copies(actor: Actor) -> None:
    if actor.kind is not ActorKind.SYSTEM:
        identity.require(actor, Permission.AUDIT_LOG_VERIFY)


def _queue_copies() -> None:
    jobs.defer("salus.reports.tasks.send_copies", once="copies")


def _queue() -> None:
    jobs.defer("salus.reports.tasks.verify_log", once="regular")
