"""The door of sealed mail. Every function works for the organization in context, but `look_up`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from uuid import UUID

from salus.contacts import api as contacts
from salus.kernel.acting import Actor
from salus.kernel.errors import Conflict, NotFound, SalusError
from salus.kernel.joining import Pair
from salus.kernel.leaving import Left
from salus.platform import jobs
from salus.sealedmail import directories, operations, owning, queries
from salus.sealedmail.contracts import (
    Anchor,
    Choices,
    Ending,
    Filed,
    Found,
    KeyKind,
    LookedUp,
    OnFile,
    Own,
    Protected,
    Recipient,
    Revocation,
    SigningKeys,
    Source,
)
from salus.sealedmail.directories import Answer
from salus.sealedmail.formats.headers import split
from salus.sealedmail.protecting import protect as _protect
from salus.sealedmail.rules import SOON

__all__ = ["SOON", "Answer"]

REFRESHED = 100
"""How many keys of directories one round asks for again."""


def use_directory(ask: Callable[[str, datetime], Answer]) -> None:
    """Set who fetches keys from the directories of recipients' domains; wiring calls it once."""
    directories.use_ask(ask)


def recipients(
    wanted: Mapping[UUID, tuple[UUID, str]], at: datetime
) -> tuple[dict[UUID, Recipient], SigningKeys | None]:
    """Return whom each message is encrypted to, where there is a key, and what it is signed with.

    `wanted` has (person, address) by message id. It is one question where there are no keys.
    """
    return queries.recipients(wanted, at)


def still_in_use(key_ids: Iterable[UUID], at: datetime) -> set[UUID]:
    """Return those of the keys that may be written to at this moment."""
    return queries.still_in_use(key_ids, at)


def protect(message: bytes, recipient: Recipient, signing: SigningKeys | None, *, boundary: str) -> Protected:
    """Return a message signed and encrypted to its reader; raises `BadInput`. It needs no database."""
    return _protect(message, recipient, signing, boundary=boundary)


def payload(message: bytes) -> bytes:
    """Return what the reader of a message has after opening it: the same bytes for the same message."""
    return split(message).payload


def add_key(
    contact_id: UUID,
    data: bytes,
    *,
    fingerprint: str = "",
    source: Source = Source.STAFF,
    actor: Actor,
    at: datetime,
) -> UUID:
    """Put a person's certificate or OpenPGP key on file; return its id.

    Raises `BadInput` (place "key", "certificate" or "fingerprint"), `NotFound`, `Conflict` for one that is there.
    """
    return operations.add_for_person(
        contact_id, data, fingerprint=fingerprint, source=source, actor=actor, at=at
    )


def add_domain_key(
    domain: str,
    data: bytes,
    *,
    fingerprint: str = "",
    source: Source = Source.STAFF,
    actor: Actor,
    at: datetime,
) -> UUID:
    """Put the key of a partner's whole domain on file; return its id. Raises as `add_key` does."""
    return operations.add_for_domain(domain, data, fingerprint=fingerprint, source=source, actor=actor, at=at)


def revoke(key_id: UUID, why: Revocation, *, actor: Actor, at: datetime) -> None:
    """Use a key no more; raises `NotFound`, `Conflict` for one that has ended."""
    operations.revoke(key_id, why, actor=actor, at=at)


def revoke_by_holder(key_id: UUID, revocation: bytes, *, actor: Actor, at: datetime) -> None:
    """Use an OpenPGP key no more, by a revocation that it signed; raises `BadInput` too."""
    operations.revoke_by_holder(key_id, revocation, actor=actor, at=at)


def revoke_by_list(data: bytes, *, actor: Actor, at: datetime) -> int:
    """End the certificates on file that a revocation list (CRL, PEM or DER) of their authority names; return how many.

    Raises `BadInput` (place "list") for what is none, or is signed by nobody who issued one.
    """
    return operations.revoke_by_list(data, actor=actor, at=at)


def key(key_id: UUID, at: datetime) -> OnFile:
    """Return one key; raises `NotFound`."""
    return queries.key(key_id, at)


def is_marked(key_id: UUID, mark: str) -> bool:
    """Tell whether a receipt's mark is that of a key on file; one that was erased leads nowhere."""
    return queries.is_marked(key_id, mark)


def keys_of(contact_id: UUID, at: datetime) -> list[OnFile]:
    """Return the keys of a person, the newest first; raises `NotFound` for one who is not here."""
    _check_is_here(contact_id)
    return queries.keys_of(contact_id, at)


def filed(contact_id: UUID, at: datetime) -> Filed:
    """Return what a person's page says of keys, for whoever has that person before them."""
    return queries.filed(contact_id, at)


def keys_of_domains(at: datetime) -> list[OnFile]:
    """Return the keys of partners' domains, by domain."""
    return queries.keys_of_domains(at)


def own() -> list[Own]:
    """Return what the organization signs with."""
    return queries.own()


def set_certificate(data: bytes, password: str, *, actor: Actor, at: datetime) -> None:
    """Sign S/MIME with this certificate and key (PKCS #12, or PEM); raises `BadInput`."""
    owning.set_certificate(data, password, actor=actor, at=at)


def make_certificate(*, actor: Actor, at: datetime) -> None:
    """Sign S/MIME with a certificate of our own making, which nobody vouches for: for laboratories."""
    owning.make_certificate(actor=actor, at=at)


def make_openpgp(*, actor: Actor, at: datetime) -> None:
    """Sign OpenPGP with a new key."""
    owning.make_openpgp(actor=actor, at=at)


def drop_own(kind: KeyKind, *, actor: Actor) -> None:
    """Sign no more with what there is of a kind; raises `NotFound`."""
    owning.drop(kind, actor=actor)


def anchors() -> list[Anchor]:
    """Return the authorities whose certificates for mail are trusted."""
    return queries.anchors()


def trust(data: bytes, *, actor: Actor, at: datetime) -> UUID:
    """Trust an authority; raises `BadInput`, `Conflict`."""
    return owning.trust(data, actor=actor, at=at)


def distrust(anchor_id: UUID, *, actor: Actor, at: datetime) -> int:
    """Trust an authority no more; return how many keys ended by that. Raises `NotFound`."""
    return owning.distrust(anchor_id, actor=actor, at=at)


def choices() -> Choices:
    """Return when keys are used, and whether directories are asked."""
    return queries.choices()


def choose(choices: Choices, *, actor: Actor) -> None:
    """Say when keys are used, and whether directories are asked."""
    owning.choose(choices, actor=actor)


def looked_up(contact_id: UUID) -> LookedUp | None:
    """Return when a directory was asked for a person's key last; raises `NotFound` for one who is not here."""
    _check_is_here(contact_id)
    return queries.looked_up(contact_id)


def ask_directory(contact_id: UUID) -> None:
    """Queue a look-up of a person's key.

    Raises `NotFound` for one who is not here, `Conflict` when the organization does not ask directories.
    """
    _check_is_here(contact_id)
    if not queries.choices().look_up:
        raise Conflict(
            "Your organization does not ask directories.", next_step="Switch it on under Mail keys."
        )
    jobs.defer("salus.sealedmail.tasks.look_up", once=f"sealedmail:{contact_id}", contact_id=str(contact_id))


def _check_is_here(contact_id: UUID) -> None:
    if contact_id not in contacts.numbers_of([contact_id]):
        raise NotFound


def look_up(organization_id: UUID, contact_id: UUID, *, actor: Actor, at: datetime) -> Found | None:
    """Ask the directory of a person's domain, outside any transaction; None when that cannot be done any more."""
    try:
        return directories.look_up(organization_id, contact_id, actor=actor, at=at)
    except SalusError:
        return None


def refresh(at: datetime) -> int:
    """Queue look-ups of keys that came from directories a day ago or earlier; return how many."""
    if not queries.choices().look_up:
        return 0
    due = queries.due_for_look_up(at, REFRESHED)
    for contact_id in due:
        ask_directory(contact_id)
    return len(due)


def endings(at: datetime) -> list[Ending]:
    """Return the keys that end within thirty days, or have ended."""
    return queries.endings(at)


def export_person(contact_id: UUID, at: datetime) -> dict[str, object]:
    """Return the keys on file of a person, for an access request."""
    return {"keys": queries.export_person(contact_id, at)}


def erase_person(contact_id: UUID) -> Left:
    """Erase a person's keys."""
    return operations.erase_person(contact_id)


def join_person(pair: Pair) -> dict[str, list[str]]:
    """Let a merged person's keys be those of whom they were merged into; return what was moved, for a split."""
    return {"keys": [str(each) for each in operations.join_person(pair)]}


def part_person(pair: Pair, moved: Mapping[str, list[str]]) -> None:
    """Give a person who was split off again their keys back."""
    operations.part_person(pair, map(UUID, moved.get("keys", ())))
