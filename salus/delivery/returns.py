"""Records what came back for a message: a late bounce moves it, a complaint stops its address, the rest is told apart."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from salus.delivery import arf, capping, deposits, dsn, receipts, suppressing
from salus.delivery.arf import Complaint
from salus.delivery.codes import ANNOUNCEMENTS, NOTICE
from salus.delivery.contracts import Returned, Sign, State
from salus.delivery.dsn import Action, Dsn, NoReport, Report
from salus.delivery.models import MessageRow, ReturnRow
from salus.delivery.rules import too_late
from salus.delivery.sealing import Content, message_binding, open_content
from salus.delivery.suppressing import Came
from salus.kernel.acting import Actor
from salus.kernel.phi import Phi
from salus.keys import api as keys
from salus.platform.tenancy import current_organization
from salus.timeline import api as timeline
from salus.timeline.contracts import EventKind, NewEvent

Read = Complaint | Dsn | NoReport
_NO_REPORTS = {
    NoReport.AUTO_REPLY: Returned.AUTO_REPLY,
    NoReport.UNREADABLE: Returned.UNREADABLE,
    NoReport.EMPTY: Returned.NOT_A_REPORT,
    NoReport.NOT_A_REPORT: Returned.NOT_A_REPORT,
}


def read(raw: bytes) -> Read:
    """Return what a message as it came says: a complaint, a report, or why it is neither. Never raises."""
    return arf.parse(raw) or dsn.parse(raw)


def record(message_id: UUID, found: Read, *, actor: Actor, at: datetime) -> Returned:
    """Record what came back for a message, in one transaction of the caller; return what became of it."""
    if isinstance(found, NoReport):
        return _NO_REPORTS[found]
    row = (
        MessageRow.objects.select_for_update(of=("self",))
        .select_related("origin")
        .filter(id=message_id)
        .first()
    )
    if row is None:
        return Returned.GONE
    content = open_content(keys.sealer(), message_binding(current_organization(), row.id), row.sealed)
    if not content.to:
        return Returned.GONE
    if isinstance(found, Complaint):
        return _complaint(row, content, found, actor, at)
    report = next((each for each in found.reports if each.action is Action.FAILED), found.reports[0])
    match report.action:
        case Action.FAILED:
            return _bounce(row, content, report, actor, at)
        case Action.DELAYED:
            return Returned.DELAYED
        case _:
            return Returned.NOTED


def _complaint(row: MessageRow, content: Content, found: Complaint, actor: Actor, at: datetime) -> Returned:
    if not found.feedback.is_a_persons:
        return Returned.NOTED
    if ReturnRow.objects.filter(message_id=row.id, sign=Sign.COMPLAINT).exists():
        return Returned.KNOWN
    suppressing.note([_came(row, content, Sign.COMPLAINT, "reported", found.feedback, at)], actor=actor)
    return Returned.COMPLAINT


def _bounce(row: MessageRow, content: Content, report: Report, actor: Actor, at: datetime) -> Returned:
    """Let a message that was accepted be bounced after all; one that is elsewhere stays where it is."""
    sign, reason = Sign(report.verdict.kind.value), report.verdict.reason
    if row.state == State.BOUNCED or ReturnRow.objects.filter(message_id=row.id, sign=sign).exists():
        return Returned.KNOWN
    if too_late(row.changed_at, at):
        return Returned.LATE
    reply = f"{report.code or ''} {report.status}".strip()
    was_accepted = row.state == State.ACCEPTED
    if was_accepted:
        row.state, row.reason, row.changed_at = State.BOUNCED, reason, at
        row.save(update_fields=["state", "reason", "changed_at"])
        facts = {
            "message": str(row.id),
            "contact": str(row.contact_id),
            "origin": [row.origin.kind, str(row.origin_id)],
            "state": State.BOUNCED,
            "reported": True,
            "reply": reply,
            "reason": reason,
            "at": at,
        }
        receipts.record([(row.id, receipts.body(facts))], actor=actor, at=at)
    suppressing.note([_came(row, content, sign, reason, reply, at)], actor=actor)
    if not was_accepted:
        return Returned.NOTED
    if row.origin.kind not in ANNOUNCEMENTS:
        kind = EventKind.MESSAGE_BOUNCED
        event = NewEvent(row.contact_id, kind, at, key=f"{kind}:{row.id}", message_id=row.id)
        timeline.append([event], actor=actor)
    if row.origin.is_capped:
        capping.forget([row.id])
    if row.origin.kind == NOTICE:
        deposits.settle_notices(failed=[UUID(content.decision[deposits.PARENT])], actor=actor, at=at)
    return Returned.BOUNCED


def _came(row: MessageRow, content: Content, sign: Sign, reason: str, status: str, at: datetime) -> Came:
    return Came(row.id, row.contact_id, Phi(content.to), sign, reason, status, at)
