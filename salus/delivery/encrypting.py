"""Messages that are encrypted to their reader's own key: when, how they are built, what their receipts say.

A message without a key pays for one question a batch, and for nothing else.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from salus.delivery.building import Builder, Built
from salus.delivery.outcomes import Outcome
from salus.delivery.preparing import Prepared
from salus.delivery.transports.handover import Fate, HandOver
from salus.delivery.transports.handover import Outcome as WireOutcome
from salus.kernel.errors import SalusError
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import Protection
from salus.sealedmail import api as sealedmail

log = logging.getLogger(__name__)


def with_keys(prepared: Sequence[Prepared], at: datetime) -> list[Prepared]:
    """Return the messages, each letter that may travel with its reader's key where there is one.

    Notices and sign-in codes tell nothing, and what is written to the portal does not travel.
    """
    wanted = {
        each.lease.message_id: (each.contact_id, each.content.to)
        for each in prepared
        if each.is_letter and each.floor < Protection.PORTAL
    }
    if not wanted:
        return list(prepared)
    found, signing = sealedmail.recipients(wanted, at)
    return [
        replace(each, reader=found[each.lease.message_id], signing=signing)
        if each.lease.message_id in found
        else each
        for each in prepared
    ]


def build(builder: Builder, prepared: Prepared) -> Built:
    """Return the message as it goes first: encrypted when that is asked for, else in the clear of a protected way."""
    reader = prepared.reader
    first = reader is not None and (reader.always or prepared.floor is Protection.KEY)
    return (encrypted(builder, prepared) if first else None) or builder.build(
        prepared, prepared.links, prepared.checked_at
    )


def encrypted(builder: Builder, prepared: Prepared) -> Built | None:
    """Return the message encrypted to its reader, None when there is no key that this works with."""
    if prepared.reader is None:
        return None
    clear = builder.write(prepared, prepared.links, prepared.checked_at)
    try:
        made = sealedmail.protect(
            clear, prepared.reader, prepared.signing, boundary=prepared.lease.message_id.hex
        )
    except SalusError as fault:
        log.warning("message %s cannot be encrypted: %s", prepared.lease.message_id, fault)
        return None
    facts = {**made.facts, "payload_hash": hashlib.sha256(made.payload).hexdigest()}
    return replace(builder.sign(made.data, prepared), key=facts)


def floor(prepared: Prepared, built: Built) -> Protection:
    """Return what the way of these bytes must reach: what only the reader can open needs no more than TLS."""
    return Protection.NAMED if built.key else prepared.floor


def key_id(built: Built) -> UUID | None:
    """Return the key that must still be in use when the bytes are handed over."""
    return UUID(built.key["id"]) if built.key.get("id") else None


def helps(prepared: Prepared, built: Built, result: WireOutcome) -> bool:
    """Tell whether a message that its way could not protect may go encrypted instead."""
    return result.fate is Fate.UNPROTECTED and prepared.reader is not None and not built.key


def instead(item: HandOver, built: Built) -> HandOver:
    """Return the hand-over of the same message, encrypted."""
    return replace(item, data=Phi(built.data), floor=Protection.NAMED, key_id=key_id(built))


def stated(outcome: Outcome | None, built: Built) -> Outcome | None:
    """Return what became of a message with its key's facts: the level that it reached is the key's."""
    if outcome is None or not built.key or outcome.reached is Protection.PORTAL:
        return outcome
    return replace(outcome, key=built.key, reached=Protection.KEY if outcome.reached else None)


def payload_hash(message: bytes) -> str:
    """Return the hash of what the reader of a message (as `Builder.write` writes it) has after opening it."""
    return hashlib.sha256(sealedmail.payload(message)).hexdigest()
