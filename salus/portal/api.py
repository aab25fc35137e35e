"""The door of the portal: what its pages call, for the organization in context."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from salus.delivery.contracts import PortalMessage, SentMessage
from salus.files.contracts import FileFacts
from salus.kernel.time import Clock, SystemClock
from salus.kernel.vocabulary import Channel, Protection
from salus.patients import api as patients
from salus.patients.contracts import PatientSession
from salus.permissions import api as permissions
from salus.permissions.contracts import OptInOffer
from salus.portal import operations
from salus.portal.contracts import Beside, Choices, Locked, StopTarget, Told
from salus.portal.ports import use_mailbox
from salus.safeguards import api as safeguards

__all__ = [
    "always_here",
    "beside",
    "choices",
    "choose",
    "confirm_opt_in",
    "file",
    "history",
    "messages",
    "offer",
    "read",
    "reply",
    "stay_here",
    "stop_everything",
    "stop_target",
    "unsubscribe",
    "use_clock",
    "use_mailbox",
    "why",
    "withdraw",
    "wrong_person",
]

_clock: Clock = SystemClock()


def use_clock(clock: Clock) -> None:
    """Tell the time by `clock`: for tests."""
    global _clock
    _clock = clock


def clock() -> Clock:
    """Return the clock by which the pages tell the time."""
    return _clock


def messages(session: PatientSession) -> list[SentMessage]:
    """Return the patient's messages that can be read here or could once, newest first."""
    return [each for each in operations.shown(session.contact_id) if each.in_portal]


def read(session: PatientSession, message_id: UUID, *, ip: str = "") -> PortalMessage | Locked:
    """Return one of the patient's messages, recorded as read; raises `NotFound` for anybody else's."""
    actor = patients.actor_of(session, ip=ip)
    return operations.read(session, message_id, actor=actor, at=_clock.now())


def beside(session: PatientSession, message_id: UUID) -> Beside:
    """Return files and replies of a message that `read` gave."""
    return operations.beside(session, message_id)


def file(
    session: PatientSession, message_id: UUID, file_id: UUID, *, ip: str = ""
) -> tuple[FileFacts, Iterator[bytes]] | Locked:
    """Return a file beside one of the patient's messages, and its bytes in pieces; raises `NotFound`."""
    actor = patients.actor_of(session, ip=ip)
    return operations.file(session, message_id, file_id, actor=actor, at=_clock.now())


def reply(
    session: PatientSession,
    message_id: UUID,
    text: str,
    *,
    file_ids: Sequence[UUID] = (),
    ip: str = "",
    once: str = "",
) -> Locked | None:
    """Give staff what the patient writes about a message of theirs; None: they have it.

    `file_ids` are drafts that were taken under the session's id; `once` names the form, so that the same words
    of it, sent twice, are one message. Raises `NotFound`, `BadInput` (with the
    place), `TooOften`.
    """
    actor = patients.actor_of(session, ip=ip)
    return operations.reply(
        session, message_id, text, file_ids=file_ids, actor=actor, at=_clock.now(), once=once
    )


def choices(session: PatientSession, *, ip: str = "") -> Choices:
    """Return what the patient can choose, as it stands."""
    actor = patients.actor_of(session, ip=ip)
    return operations.choices(session.contact_id, session.proof, actor=actor, at=_clock.now())


def choose(
    session: PatientSession, ticked: Iterable[tuple[str, Channel]], *, fundraising: bool, ip: str = ""
) -> int:
    """Write down what the patient changed; return how many boxes that were."""
    actor = patients.actor_of(session, ip=ip)
    return operations.choose(
        session.contact_id, session.proof, ticked, fundraising=fundraising, actor=actor, at=_clock.now()
    )


def stop_everything(session: PatientSession, *, ip: str = "") -> None:
    """Stop every topic on every channel; what the law lets the clinic send without asking goes on."""
    operations.stop_everything(
        session.contact_id,
        evidence=operations.SIGNED_IN,
        actor=patients.actor_of(session, ip=ip),
        at=_clock.now(),
    )


def always_here(session: PatientSession) -> bool:
    """Return whether the patient asked that everything stays in the portal."""
    return safeguards.wishes([session.contact_id]).get(session.contact_id) is Protection.PORTAL


def stay_here(session: PatientSession, *, always: bool, ip: str = "") -> None:
    """Let everything stay in the portal from now on, or only what cannot be protected on its way."""
    wish = Protection.PORTAL if always else None
    actor = patients.actor_of(session, ip=ip)
    safeguards.set_wish(session.contact_id, wish, actor=actor, at=_clock.now())


def withdraw(session: PatientSession, authorization_id: UUID, *, ip: str = "") -> None:
    """Take back an authorization of the patient; raises `NotFound` for anybody else's."""
    actor = patients.actor_of(session, ip=ip)
    operations.withdraw(session.contact_id, authorization_id, actor=actor, at=_clock.now())


def history(session: PatientSession, *, ip: str = "") -> list[Told]:
    """Return who wrote to the patient and why, newest first; the look is recorded."""
    return operations.history(session.contact_id, session.proof, actor=patients.actor_of(session, ip=ip))


def why(token: str, *, ip: str = "") -> Told:
    """Return on what the message rested whose link for choices this is. Raises `BadInput`."""
    return operations.why(token, ip=ip, at=_clock.now())


def stop_target(token: str) -> StopTarget:
    """Return what the link for choices in a message stops; changes nothing. Raises `BadInput`."""
    return operations.stop_target(token, _clock.now())


def unsubscribe(token: str, *, everything: bool = False, ip: str = "") -> StopTarget:
    """Stop what the link names (RFC 8058 one click), or all topics; safe to repeat. Raises `BadInput`."""
    return operations.unsubscribe(token, everything=everything, ip=ip, at=_clock.now())


def offer(token: str) -> OptInOffer:
    """Return what a double opt-in link confirms; changes nothing. Raises `BadInput`."""
    return permissions.opt_in_of_token(token, _clock.now())


def confirm_opt_in(token: str, *, ip: str = "") -> bool:
    """Confirm an opt-in; safe to repeat. False: an opt-out came between, and stays. Raises `BadInput`."""
    return operations.confirm_opt_in(token, ip=ip, at=_clock.now())


def wrong_person(token: str, *, ip: str = "") -> None:
    """Stop e-mail to this address after its reader said that they are somebody else. Raises `BadInput`."""
    invitation = patients.invitation(token, clock=_clock)
    operations.wrong_person(invitation.contact_id, Channel.EMAIL, ip=ip, at=_clock.now())
