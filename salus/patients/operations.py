"""Codes, tries and sessions, each act one transaction with the contact's access row locked."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.contacts import api as contacts
from salus.delivery.contracts import PORTAL_LINK, SentMessage
from salus.identity import api as identity
from salus.identity.contracts import Permission
from salus.kernel.acting import Actor, ActorKind
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.phi import Phi
from salus.keys import api as keys
from salus.patients import ports, rules
from salus.patients.contracts import (
    Attempt,
    CodeNotSent,
    CodeSent,
    Invitation,
    IssuedCode,
    LockedOut,
    NotVerified,
    PatientSession,
    Person,
    Proof,
    Verified,
)
from salus.patients.models import AccessRow, SessionRow
from salus.platform.tenancy import current_organization
from salus.timeline import api as timeline
from salus.timeline.contracts import EventKind, NewEvent

SESSION = "patient-session"
PURPOSE = "patient_verification"
TOUCH_AFTER = 30
"""Seconds between two notes that a session is alive: not every image is a write."""


def random_code() -> str:
    """Return six digits that nobody can guess."""
    return f"{secrets.randbelow(10**rules.CODE_DIGITS):0{rules.CODE_DIGITS}d}"


def invitation(token: str, at: datetime) -> Invitation:
    """Return what a notice's link opens; raises `BadInput` for a link that is none (any more)."""
    sent = message_of(token, at)
    row = AccessRow.objects.filter(contact_id=sent.contact_id).first()
    locked = row.locked_until if row and _tries(row).locked(at) else None
    by_email = ports.post().may_send_code(sent.message_id)
    return Invitation(sent.message_id, sent.contact_id, sent.language, by_email, sent.in_portal, locked)


def message_of(token: str, at: datetime) -> SentMessage:
    """Return the message of a notice's link; raises `BadInput`."""
    payload = keys.open_token(token, PORTAL_LINK, at).payload
    try:
        return ports.post().sent_message(UUID(bytes=payload))
    except (ValueError, NotFound):
        raise BadInput("This link or token is not valid, or no longer.") from None


def _birth_date(contact_id: UUID) -> date | None:
    opened = contacts.open_fields(
        ids=[contact_id], fields=["birth_date"], purpose=PURPOSE, actor=_portal(current_organization())
    )
    value = opened[0].values.get("birth_date") if opened else None
    return date.fromisoformat(str(value.reveal())) if value is not None and value.reveal() else None


def _portal(organization_id: UUID, ip: str = "") -> Actor:
    return Actor(ActorKind.SYSTEM, organization_id, name="portal", ip=network(ip))


def network(ip: str) -> str:
    """Return a name for the address that a patient came from, for the log: it tells same from other only.

    A patient's network address identifies them (45 CFR 164.514(b)(2)(i)(O)), and the log is not sealed.
    """
    return f"net-{keys.blinder().blind('ip', ip).hex()[:16]}" if ip else ""


def patient(organization_id: UUID, contact_id: UUID, session_id: UUID | None = None, ip: str = "") -> Actor:
    """Return a patient as an actor; their id is the contact's."""
    short = session_id.hex[-12:] if session_id else ""
    return Actor(ActorKind.PATIENT, organization_id, contact_id, session_id=short, ip=network(ip))


def locked_row(contact_id: UUID) -> AccessRow:
    """Return the contact's access row, made when there is none, locked until the transaction ends."""
    AccessRow.objects.bulk_create([AccessRow(contact_id=contact_id)], ignore_conflicts=True)
    return AccessRow.objects.select_for_update().get(contact_id=contact_id)


def _tries(row: AccessRow) -> rules.Tries:
    return rules.Tries(row.failures, row.locked_until)


def _set_code(row: AccessRow, code: str, proof: Proof, at: datetime) -> None:
    """Make `code` the only right one; what was sent before stops working."""
    row.code = keys.blinder().blind("patient_code", f"{row.contact_id.hex} {code}")
    row.code_until, row.code_proof = at + rules.CODE_LIFETIME, proof.value


def _is_code(row: AccessRow, code: str, at: datetime) -> bool:
    if row.code is None or row.code_until is None or at >= row.code_until:
        return False
    found = keys.blinder().candidates("patient_code", f"{row.contact_id.hex} {code}")
    return any(hmac.compare_digest(bytes(row.code), each) for each in found)


def send_code(token: str, *, language: str, ip: str, at: datetime) -> CodeSent | CodeNotSent:
    """Send a new code by e-mail when that path may carry one, and say to which (masked) address."""
    sent = message_of(token, at)
    actor = _portal(current_organization(), ip)
    if not ports.post().may_send_code(sent.message_id) or _birth_date(sent.contact_id) is None:
        return CodeNotSent(wait=False)
    row = locked_row(sent.contact_id)
    sends = rules.send_another(rules.Sends(row.sends, row.sends_since, row.sent_at), at)
    if sends is None or _tries(row).locked(at):
        return CodeNotSent(wait=True)
    code = random_code()
    address = ports.post().send_code(sent.message_id, Phi(code), language=language, at=at)
    if address is None:
        return CodeNotSent(wait=False)
    _set_code(row, code, Proof.EMAIL, at)
    row.sends, row.sends_since, row.sent_at = sends.count, sends.since, sends.last
    row.save()
    audit.record(
        Action.PATIENT_CHALLENGE,
        actor=actor,
        object_kind="message",
        object_id=sent.message_id,
        patient_id=sent.contact_id,
        reason=Proof.EMAIL,
    )
    return CodeSent(Phi(rules.masked(address.reveal())))


def look_at(contact_id: UUID, actor: Actor) -> Person:
    """Return the facts that staff compare; raises `NotFound`."""
    identity.require(actor, Permission.CONTACTS_PHI_REVEAL)
    fields = ["given_name", "family_name", "birth_date"]
    opened = contacts.open_fields(
        ids=[contact_id], fields=fields, purpose=PURPOSE, actor=actor, revealed=True
    )
    if not opened:
        raise NotFound
    given, family, born = (opened[0].values.get(field) for field in fields)
    names = [str(part.reveal()) for part in (given, family) if part]
    return Person(Phi(" ".join(names)) if names else None, Phi(str(born.reveal())) if born else None)


def issue_code(contact_id: UUID, *, actor: Actor, at: datetime) -> IssuedCode:
    """Make a code for staff to hand to a patient whose identity they checked; it lifts a lockout.

    Raises `NotFound`, or `Conflict` when no birth date is on file: the code alone would open nothing.
    """
    if contact_id not in contacts.versions([contact_id]):
        raise NotFound
    if _birth_date(contact_id) is None:
        raise Conflict(
            "No birth date is on file for this person, so a code would not work.",
            next_step="Add the birth date first.",
        )
    row = locked_row(contact_id)
    code = random_code()
    _set_code(row, code, Proof.STAFF, at)
    row.failures, row.locked_until = 0, None
    row.save()
    audit.record(
        Action.PATIENT_CODE_ISSUE,
        actor=actor,
        object_kind="contact",
        object_id=contact_id,
        patient_id=contact_id,
    )
    return IssuedCode(Phi(code), at + rules.CODE_LIFETIME)


def verify(token: str, *, code: str, birth_date: date | None, ip: str, at: datetime) -> Attempt:
    """Judge one try. Both facts are looked at always, and a try during a lockout is not looked at at all."""
    sent = message_of(token, at)
    row = locked_row(sent.contact_id)
    tries = _tries(row)
    if tries.locked(at):
        assert row.locked_until is not None
        return LockedOut(row.locked_until)
    known = _birth_date(sent.contact_id)
    same_code = _is_code(row, code, at)
    same_date = known is not None and birth_date == known
    right = same_code and same_date
    left = rules.after(tries, right=right, at=at)
    row.failures, row.locked_until = left.failures, left.locked_until
    if not right:
        if left.locked_until is not None:
            row.code = None
        row.save()
        return _refused(sent, left, ip)
    proof = Proof(row.code_proof)
    row.code = row.code_until = None
    row.save()
    return welcome(sent, proof, ip, at)


def step_up(present: PatientSession, *, code: str, ip: str, at: datetime) -> Attempt:
    """Judge a code that a signed-in patient got by a second way; right, a stronger session takes the place of theirs."""
    row = locked_row(present.contact_id)
    tries = _tries(row)
    if tries.locked(at):
        assert row.locked_until is not None
        return LockedOut(row.locked_until)
    right = _is_code(row, code, at) and Proof(row.code_proof).strength > present.proof.strength
    left = rules.after(tries, right=right, at=at)
    row.failures, row.locked_until = left.failures, left.locked_until
    if not right:
        if left.locked_until is not None:
            row.code = None
        row.save()
        return _refused(present, left, ip)
    proof = Proof(row.code_proof)
    row.code = row.code_until = None
    row.save()
    return stronger(present, proof, ip, at)


def stronger(present: PatientSession, proof: Proof, ip: str, at: datetime) -> Verified:
    """Put a new session of the same patient in the place of a weaker one, whose cookie opens nothing any more."""
    _end(SessionRow.objects.get(id=present.id), "stepped_up", ip, at)
    return welcome(present, proof, ip, at)


def _refused(sent: SentMessage | PatientSession, left: rules.Tries, ip: str) -> NotVerified | LockedOut:
    locked = left.locked_until is not None
    record_refusal(sent, ip, locked=locked)
    return LockedOut(left.locked_until) if left.locked_until is not None else NotVerified(left.left)


def record_refusal(sent: SentMessage | PatientSession, ip: str, *, locked: bool = False) -> None:
    """Record that somebody tried to come in and could not."""
    audit.record(
        Action.PATIENT_LOCK_OUT if locked else Action.PATIENT_SIGN_IN,
        actor=_portal(current_organization(), ip),
        object_kind="message",
        object_id=sent.message_id,
        patient_id=sent.contact_id,
        outcome="refused",
    )


def welcome(sent: SentMessage | PatientSession, proof: Proof, ip: str, at: datetime) -> Verified:
    """Begin a session of somebody who proved who they are."""
    row = SessionRow(
        contact_id=sent.contact_id, message_id=sent.message_id, proof=proof.value, started_at=at, seen_at=at
    )
    row.save(force_insert=True)
    audit.record(
        Action.PATIENT_SIGN_IN,
        actor=patient(current_organization(), sent.contact_id, row.id, ip),
        object_kind="message",
        object_id=sent.message_id,
        patient_id=sent.contact_id,
        reason=proof,
    )
    timeline.append([NewEvent(sent.contact_id, EventKind.PORTAL_SIGNED_IN, at, f"session {row.id.hex}")])
    cookie = keys.seal_token(SESSION, row.id.bytes, lifetime=rules.ABSOLUTE, clock=_Fixed(at))
    return Verified(cookie, sent.message_id)


class _Fixed:
    """The moment of the act, as a clock."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at


def session(cookie: str, *, at: datetime) -> PatientSession | None:
    """Return the living session of a cookie and note that it is alive; None when there is none."""
    row = _session_row(cookie, at)
    if row is None or row.ended_at is not None:
        return None
    if rules.session_over(row.started_at, row.seen_at, at) or row.contact_id not in contacts.versions(
        [row.contact_id]
    ):
        _end(row, "over", "", at)
        return None
    if (at - row.seen_at).total_seconds() > TOUCH_AFTER:
        SessionRow.objects.filter(id=row.id).update(seen_at=at)
    return PatientSession(row.id, row.contact_id, row.message_id, Proof(row.proof), row.started_at)


def end_session(cookie: str, *, ip: str, at: datetime) -> None:
    """End a session; nothing happens when it is over already."""
    row = _session_row(cookie, at)
    if row is not None and row.ended_at is None:
        _end(row, "signed_out", ip, at)


def _session_row(cookie: str, at: datetime) -> SessionRow | None:
    try:
        payload = keys.open_token(cookie, SESSION, at).payload
    except BadInput:
        return None
    return SessionRow.objects.filter(id=UUID(bytes=payload)).first()


def _end(row: SessionRow, reason: str, ip: str, at: datetime) -> None:
    SessionRow.objects.filter(id=row.id, ended_at=None).update(ended_at=at)
    audit.record(
        Action.PATIENT_SIGN_OUT,
        actor=patient(current_organization(), row.contact_id, row.id, ip),
        object_kind="session",
        object_id=row.id,
        patient_id=row.contact_id,
        reason=reason,
    )


def forget_old(at: datetime, spared: Collection[UUID]) -> int:
    """Remove sessions that nobody used for `KEPT`, and return how many; the audit log keeps the acts."""
    old = SessionRow.objects.filter(seen_at__lt=at - rules.KEPT).exclude(contact_id__in=spared)
    return int(old.delete()[0])
