"""Asks the web key directory of a person's mail domain for their key, when the organization wants that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from salus.contacts import api as contacts
from salus.kernel.acting import Actor
from salus.kernel.errors import Conflict, NotFound, Unavailable
from salus.kernel.vocabulary import Channel
from salus.platform.tenancy import acting_for
from salus.sealedmail import operations, queries
from salus.sealedmail.contracts import Found
from salus.sealedmail.formats.wkd import places

NO_HOST = "no_such_host"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a directory answered; `reason` is a word for why it did not ("no_such_host", "timeout"...)."""

    status: int
    body: bytes = field(default=b"", repr=False)
    reason: str = ""


Ask = Callable[[str, datetime], Answer]
"""Fetches a key by https from the recipient's own domain."""


def _nobody(url: str, at: datetime) -> Answer:
    raise Unavailable("Nobody can ask a directory here.")


_ask: Ask = _nobody


def use_ask(ask: Ask) -> None:
    """Set who fetches; wiring calls it once."""
    global _ask
    _ask = ask


def look_up(organization_id: UUID, contact_id: UUID, *, actor: Actor, at: datetime) -> Found:
    """Ask for the key of a person's first mail address, keep what comes, and return what that was.

    Outside any transaction, for it may take twenty seconds. Raises `Conflict` when the organization does not
    want directories to be asked (the domain learns whom it asks about), `NotFound` for one without an address.
    """
    with acting_for(organization_id):
        if not queries.choices().look_up:
            raise Conflict(
                "Your organization does not ask directories.", next_step="Switch it on under Mail keys."
            )
        opened = contacts.open_one(contact_id, fields=["email"], purpose="operations", actor=actor)
        address = next(
            (each.value.reveal() for each in opened.addresses if each.channel is Channel.EMAIL), ""
        )
        if not address:
            raise NotFound("This person has no mail address.")
    answer = _asked(address, at)
    with acting_for(organization_id):
        found = _kept(contact_id, address.lower(), answer, actor, at)
        operations.note_look_up(contact_id, found, actor=actor, at=at)
    return found


def _asked(address: str, at: datetime) -> Answer:
    """Ask by the advanced method, and by the direct one only where the first's host does not exist."""
    there = places(address)
    answer = _ask(there.advanced, at)
    return _ask(there.direct, at) if answer.reason == NO_HOST else answer


def _kept(contact_id: UUID, address: str, answer: Answer, actor: Actor, at: datetime) -> Found:
    if contact_id not in contacts.numbers_of([contact_id]):
        return Found.NONE  # erased meanwhile
    if answer.status == 200:
        return operations.keep_found(contact_id, address, answer.body, actor=actor, at=at)
    if answer.status in (404, 410) or answer.reason == NO_HOST:
        operations.found_none(contact_id, actor=actor, at=at)
        return Found.NONE
    return Found.SILENT
