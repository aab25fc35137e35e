"""First-party tracking: who opened or clicked, with mail proxies and scanners told apart from people."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from uuid import UUID

from salus.content import api as content
from salus.delivery.contracts import By, Engaged, Fetch, State
from salus.delivery.models import EngagementRow, MessageRow
from salus.delivery.sealing import TRACK
from salus.kernel.errors import BadInput, NotFound
from salus.keys import api as keys
from salus.platform.tenancy import acting_for
from salus.timeline import api as timeline
from salus.timeline.contracts import EventKind, NewEvent

_PROXIES = re.compile(r"GoogleImageProxy|YahooMailProxy|ggpht\.com|^Mozilla/5\.0$", re.IGNORECASE)
_SCANNERS = re.compile(
    r"bot\b|crawl|spider|scan|proofpoint|mimecast|barracuda|safelinks|urldefense|curl|wget|python-|go-http|headless",
    re.IGNORECASE,
)
_EVENTS = {Engaged.OPENED: EventKind.MESSAGE_OPENED, Engaged.CLICKED: EventKind.MESSAGE_CLICKED}
SCANNED_WITHIN = timedelta(seconds=5)
"""Nobody reads and clicks within so short a time after the hand-over; scanners do."""


def who(fetch: Fetch, handed_over: datetime | None) -> By:
    """Return who most likely made this request. Inexact by nature, so reports show the classes apart."""
    if fetch.method == "HEAD" or _SCANNERS.search(fetch.agent) or not fetch.agent:
        return By.SCANNER
    if _PROXIES.search(fetch.agent):
        return By.PROXY
    if handed_over is not None and fetch.at - handed_over < SCANNED_WITHIN:
        return By.SCANNER
    return By.PERSON


def opened(token: str, fetch: Fetch) -> None:
    """Record an open, once a minute and class; call it outside any organization's context.

    A token that is no good (any more) is passed over: a picture has nobody to tell.
    """
    try:
        _record(token, fetch, Engaged.OPENED, "")
    except (BadInput, NotFound):
        return


def clicked(token: str, link: str, fetch: Fetch) -> str:
    """Record a click and return the address it leads to; call it outside any organization's context.

    Raises `NotFound` for a token or a link that is no good (any more).
    """
    try:
        return _record(token, fetch, Engaged.CLICKED, link)
    except BadInput:
        raise NotFound from None


def note(message_id: UUID, kind: Engaged, by: By, *, at: datetime) -> None:
    """Note that a message was opened or clicked at `at`, as who kept count of it tells; raises `NotFound`."""
    row = MessageRow.objects.filter(id=message_id).first()
    if row is None:
        raise NotFound
    _note(row, kind, by, at)


def engaged(row: MessageRow, kind: Engaged, by: By) -> None:
    """Note that a message was opened, clicked or read; noting it again changes nothing."""
    EngagementRow.objects.bulk_create(
        [EngagementRow(origin_id=row.origin_id, kind=kind, by=by, message_id=row.id)], ignore_conflicts=True
    )


def _record(token: str, fetch: Fetch, kind: Engaged, link: str) -> str:
    opened_token = keys.open_token(token, TRACK, fetch.at)
    message_id = UUID(bytes=opened_token.payload)
    with acting_for(opened_token.organization_id):
        row = MessageRow.objects.filter(id=message_id).first()
        if row is None:
            raise NotFound
        target = _target(row, link) if link else ""
        by = who(fetch, row.changed_at if row.state == State.ACCEPTED else None)
        _note(row, kind, by, fetch.at, link)
    return target


def _note(row: MessageRow, kind: Engaged, by: By, at: datetime, link: str = "") -> None:
    engaged(row, kind, by)
    event = _EVENTS[kind]
    timeline.append(
        [
            NewEvent(
                contact_id=row.contact_id,
                kind=event,
                at=at,
                key=f"{event}:{row.id}:{link}:{by}:{at:%Y%m%d%H%M}",
                message_id=row.id,
                details={"by": by, **({"link": link} if link else {})},
            )
        ]
    )


def _target(row: MessageRow, link: str) -> str:
    """Return where a link of this message leads: only what its template version holds."""
    if row.version_id is None:
        raise NotFound
    sources = content.version(row.version_id).sources
    for each in sources.links if sources else ():
        if each.key == link:
            return each.url
    raise NotFound
