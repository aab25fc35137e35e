"""The door of patients. Every function works for the organization in context, which the link names."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from uuid import UUID

from salus.contacts import api as contacts
from salus.kernel.acting import Actor
from salus.kernel.time import Clock, SystemClock
from salus.patients import operations, passkeys, rules
from salus.patients.contracts import (
    Attempt,
    CodeNotSent,
    CodeSent,
    Invitation,
    IssuedCode,
    PatientSession,
    Person,
    Verified,
)
from salus.patients.joining import join_person as join_person
from salus.patients.joining import part_person as part_person
from salus.patients.leaving import erase_person, export_person
from salus.patients.ports import use_post
from salus.platform.tenancy import current_organization

__all__ = [
    "actor_of",
    "ask_for_new_passkey",
    "ask_for_passkey",
    "ask_session_for_passkey",
    "birth_date",
    "count_passkeys",
    "end_session",
    "erase_person",
    "export_person",
    "find_patient",
    "forget_old",
    "forget_passkeys",
    "invitation",
    "issue_code",
    "keep_passkey",
    "look_at_patient",
    "network",
    "send_code",
    "session",
    "show_passkey",
    "show_passkey_in_session",
    "step_up",
    "use_post",
    "verify",
]

_CLOCK = SystemClock()


def invitation(token: str, *, clock: Clock = _CLOCK) -> Invitation:
    """Return what the link of a notice opens, before anything is proved; raises `BadInput`."""
    return operations.invitation(token, clock.now())


def send_code(token: str, *, language: str, ip: str = "", clock: Clock = _CLOCK) -> CodeSent | CodeNotSent:
    """Send a six-digit code by e-mail, only where that path is protected and nothing special is told."""
    return operations.send_code(token, language=language, ip=ip, at=clock.now())


def issue_code(contact_id: UUID, *, actor: Actor, clock: Clock = _CLOCK) -> IssuedCode:
    """Return a code for staff to hand out, good for ten minutes; raises `NotFound`, `Conflict`."""
    return operations.issue_code(contact_id, actor=actor, at=clock.now())


def find_patient(record_number: str) -> UUID | None:
    """Return the contact with this medical record number, or None."""
    return contacts.find_by_identifier("mrn", record_number)


def look_at_patient(contact_id: UUID, *, actor: Actor) -> Person:
    """Return name and birth date, to compare with what a caller says; the look is recorded."""
    return operations.look_at(contact_id, actor)


def verify(token: str, *, code: str, birth_date: date | None, ip: str = "", clock: Clock = _CLOCK) -> Attempt:
    """Judge a code and a birth date together; five wrong tries lock for half an hour.

    The outcome never says which was wrong. Raises `BadInput` for a bad link.
    """
    return operations.verify(token, code=rules.code_of(code), birth_date=birth_date, ip=ip, at=clock.now())


def step_up(present: PatientSession, *, code: str, ip: str = "", clock: Clock = _CLOCK) -> Attempt:
    """Judge a code that a signed-in patient got by a second way; `Verified` has the cookie of a stronger session."""
    return operations.step_up(present, code=rules.code_of(code), ip=ip, at=clock.now())


def count_passkeys(contact_id: UUID) -> int:
    """Return how many passkeys a patient has."""
    return passkeys.count(contact_id)


def ask_for_passkey(token: str, *, clock: Clock = _CLOCK) -> passkeys.Options:
    """Return what a browser needs to show a passkey of the reader of this link. Raises `BadInput`."""
    return passkeys.ask(operations.message_of(token, clock.now()).contact_id, clock.now())


def show_passkey(token: str, answer: object, *, ip: str = "", clock: Clock = _CLOCK) -> Verified | None:
    """Sign in with a passkey alone; None for every failure. Raises `BadInput` for a bad link."""
    return passkeys.sign_in(token, answer, ip=ip, at=clock.now())


def ask_session_for_passkey(present: PatientSession, *, clock: Clock = _CLOCK) -> passkeys.Options:
    """Return what a browser needs to show a passkey of the signed-in patient."""
    return passkeys.ask(present.contact_id, clock.now())


def show_passkey_in_session(
    present: PatientSession, answer: object, *, ip: str = "", clock: Clock = _CLOCK
) -> Verified | None:
    """Step up with a passkey; None for every failure."""
    return passkeys.step_up(present, answer, ip=ip, at=clock.now())


def ask_for_new_passkey(present: PatientSession, *, clinic: str, clock: Clock = _CLOCK) -> passkeys.Options:
    """Return what a browser needs to make a passkey. Raises `NotFound` in a session that is not strong enough."""
    return passkeys.ask_to_make(present, clinic, clock.now())


def keep_passkey(present: PatientSession, answer: object, *, ip: str = "", clock: Clock = _CLOCK) -> None:
    """Keep a new passkey. Raises `BadInput`, `Conflict` for too many, `NotFound` in a session too weak."""
    passkeys.keep(present, answer, ip=ip, at=clock.now())


def forget_passkeys(present: PatientSession, *, ip: str = "") -> int:
    """Remove every passkey of the signed-in patient; return how many."""
    return passkeys.forget(present, ip=ip)


def session(cookie: str, *, clock: Clock = _CLOCK) -> PatientSession | None:
    """Return the living session of a cookie, None for any other; 15 idle minutes end it."""
    return operations.session(cookie, at=clock.now())


def end_session(cookie: str, *, ip: str = "", clock: Clock = _CLOCK) -> None:
    """Sign out."""
    operations.end_session(cookie, ip=ip, at=clock.now())


def actor_of(session: PatientSession, *, ip: str = "") -> Actor:
    """Return the patient of a session as an actor."""
    return operations.patient(current_organization(), session.contact_id, session.id, ip)


def network(ip: str) -> str:
    """Return a name for a patient's network address that the log may hold; the same for the same address."""
    return operations.network(ip)


def birth_date(year: str, month: str, day: str) -> date | None:
    """Return the date that a person typed in three fields, None when there is no such day."""
    return rules.birth_date(year, month, day)


def forget_old(*, spared: Collection[UUID] = (), clock: Clock = _CLOCK) -> int:
    """Remove rows of sessions that ended long ago, but of nobody of `spared`; run it daily for each organization."""
    return operations.forget_old(clock.now(), spared)
