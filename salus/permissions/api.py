"""The door of permissions: append entries, read standings, follow changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from salus.kernel.acting import Actor
from salus.kernel.errors import BadInput
from salus.kernel.time import Clock, SystemClock
from salus.kernel.vocabulary import Channel
from salus.keys import api as keys
from salus.permissions import forms, operations, queries, rules
from salus.permissions.contracts import (
    Entry,
    EntryKind,
    FiledForm,
    NewEntry,
    OptInOffer,
    Standing,
    StandingChange,
)
from salus.permissions.details import AUTHORIZATION_FIELDS, PART2_FIELDS, SHAPES, moment_of
from salus.permissions.joining import join_person as join_person
from salus.permissions.joining import part_person as part_person
from salus.permissions.leaving import barred as barred
from salus.permissions.leaving import erase_person as erase_person
from salus.permissions.leaving import export_person as export_person
from salus.platform import feed

_CLOCK = SystemClock()
OPT_IN_LINK = "opt_in"
OPT_IN_LIFETIME = timedelta(days=7)


def append(
    entries: Sequence[NewEntry], *, actor: Actor, skip_absent: bool = False, clock: Clock = _CLOCK
) -> list[UUID]:
    """Append entries in the current transaction and return their ids, in the order given.

    An entry whose `key` that contact's ledger has already is not stored again: its first id is
    returned. Raises `BadInput` ("entry 3: details.signed_at ...") or `NotFound`, and stores nothing;
    with `skip_absent` (a bounce that comes after an erasure), entries of people who are not here are
    left out. Give at most a few thousand at a time. In one transaction append here first and to the
    timeline after: two transactions that lock in different order would stop each other.
    """
    return operations.append(entries, actor, clock.now(), skip_absent=skip_absent)


def standings(contact_ids: Sequence[UUID], at: datetime) -> dict[UUID, Standing]:
    """Return what each contact permits and forbids at `at`, in one query; unknown contacts have version 0."""
    return queries.standings(contact_ids, at)


def standing(contact_id: UUID, at: datetime) -> Standing:
    """Return what one contact permits and forbids at `at`."""
    return queries.standings([contact_id], at)[contact_id]


def versions(contact_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return the version of each contact's standing: it moves with every new entry; 0 without entries."""
    return queries.versions(contact_ids)


def changes(after: int, limit: int) -> list[StandingChange]:
    """Return up to `limit` contacts whose standing changed after number `after`, in commit order.

    A contact appears once, at its latest change.
    """
    return queries.changes(after, limit)


def head_change() -> int:
    """Return the number of the latest change, 0 when there is none."""
    return feed.head(operations.FEED)


def entries_of(contact_id: UUID, *, actor: Actor, purpose: str = "") -> list[Entry]:
    """Return the whole ledger of a contact, oldest first; the look is recorded."""
    return operations.read(contact_id, purpose=purpose, actor=actor)


def filed_forms(contact_id: UUID, at: datetime, *, actor: Actor, purpose: str = "") -> list[FiledForm]:
    """Return every authorization and Part 2 consent of a contact with its state, newest first."""
    return rules.filed_forms(entries_of(contact_id, actor=actor, purpose=purpose), at)


def check_authorization(
    details: Mapping[str, Any], at: datetime, *, valid_until: datetime | None = None
) -> tuple[str, ...]:
    """Return the defects of an authorization (45 CFR 164.508) by paragraph; none means that it is good."""
    return _check_form(
        AUTHORIZATION_FIELDS, forms.AUTHORIZATION, "164.508(b)(2)(i)", details, at, valid_until
    )


def check_part2_consent(
    details: Mapping[str, Any], at: datetime, *, valid_until: datetime | None = None
) -> tuple[str, ...]:
    """Return the defects of a Part 2 consent (42 CFR 2.31) by paragraph; none means that it is good."""
    return _check_form(PART2_FIELDS, forms.PART2_CONSENT, "42 CFR 2.31(c)", details, at, valid_until)


def _check_form(
    fields: Mapping[str, Any],
    elements: tuple[forms.Element, ...],
    expiry: str,
    details: Mapping[str, Any],
    at: datetime,
    valid_until: datetime | None,
) -> tuple[str, ...]:
    for name, value in details.items():
        if name not in fields:
            raise BadInput("A form has no such detail.", place=f"details.{name}")
        if not fields[name](value):
            raise BadInput("This value does not fit.", place=f"details.{name}")
    faults = forms.defects(elements, details, valid_until)
    ended = forms.term(details, at, valid_until)[1] <= at
    return (*faults, f"{expiry} expired") if ended else faults


def moment(text: str | None) -> datetime | None:
    """Return a date or an ISO moment with its offset as a moment, None for None; raises `BadInput`."""
    if text is None:
        return None
    found = moment_of(text)
    if found is None:
        raise BadInput("Write a date, or a moment with its offset: 2026-12-31T00:00:00Z.", place="moment")
    return found


def detail_names(kind: EntryKind) -> tuple[str, ...]:
    """Return the details that an entry of `kind` may have, for importers and forms."""
    return tuple(SHAPES[kind].fields)


def opt_in(
    contact_id: UUID,
    topic: str,
    channel: Channel,
    *,
    evidence: str,
    actor: Actor,
    confirmed: bool = False,
    key: str = "",
    clock: Clock = _CLOCK,
) -> UUID:
    """Record that the contact wants `topic` on `channel`; `confirmed` when by double opt-in."""
    kind = EntryKind.OPT_IN_CONFIRMED if confirmed else EntryKind.OPT_IN
    entry = NewEntry(contact_id, kind, clock.now(), evidence, topic=topic, channel=channel, key=key)
    return append([entry], actor=actor, clock=clock)[0]


def opt_out(
    contact_id: UUID,
    topic: str,
    channel: Channel | None,
    *,
    evidence: str,
    actor: Actor,
    key: str = "",
    clock: Clock = _CLOCK,
) -> UUID:
    """Record that the contact does not want `topic` ("*": any) on `channel` (None: on none)."""
    entry = NewEntry(
        contact_id, EntryKind.OPT_OUT, clock.now(), evidence, topic=topic, channel=channel, key=key
    )
    return append([entry], actor=actor, clock=clock)[0]


def revoke_authorization(
    contact_id: UUID,
    authorization_id: UUID | None = None,
    *,
    evidence: str,
    actor: Actor,
    clock: Clock = _CLOCK,
) -> UUID:
    """Record that the contact takes back one authorization, or all of them when none is named."""
    entry = NewEntry(
        contact_id, EntryKind.AUTHORIZATION_REVOKED, clock.now(), evidence, ends=authorization_id
    )
    return append([entry], actor=actor, clock=clock)[0]


def suppress(
    contact_id: UUID,
    channel: Channel,
    reason: str,
    *,
    evidence: str,
    actor: Actor,
    address: str = "",
    key: str = "",
    until: datetime | None = None,
    clock: Clock = _CLOCK,
) -> UUID:
    """Stop `address`, or all of the channel when none is named; `reason` as `details.SHAPES` lists them."""
    details = {"reason": reason} | ({"address": address} if address else {})
    entry = NewEntry(
        contact_id,
        EntryKind.SUPPRESSION,
        clock.now(),
        evidence,
        channel=channel,
        valid_until=until,
        key=key,
        details=details,
    )
    return append([entry], actor=actor, clock=clock)[0]


def opt_in_token(contact_id: UUID, topic: str, channel: Channel, *, clock: Clock = _CLOCK) -> str:
    """Return the sealed token for the link of a double opt-in message; it works for a week."""
    payload = contact_id.bytes + f"{channel.value} {topic}".encode()
    return keys.seal_token(OPT_IN_LINK, payload, lifetime=OPT_IN_LIFETIME, clock=clock)


def opt_in_of_token(token: str, at: datetime) -> OptInOffer:
    """Return what a double opt-in link confirms; raises `BadInput` for one that is none (any more)."""
    payload = keys.open_token(token, OPT_IN_LINK, at).payload
    channel, _, topic = payload[16:].decode().partition(" ")
    return OptInOffer(UUID(bytes=payload[:16]), topic, Channel(channel))


def rebuild_standings(contact_ids: Sequence[UUID]) -> int:
    """Make standings anew from the ledger; return how many differed. Safe at any time."""
    return operations.rebuild(contact_ids)


def contacts_after(contact_id: UUID | None, limit: int) -> list[UUID]:
    """Return the next `limit` contacts that have entries, by id: to walk over the whole ledger."""
    return queries.contacts_after(contact_id, limit)


def on_change(listener: operations.Listener) -> Callable[[], None]:
    """Tell `listener` of every new entry, in its transaction; return what ends that.

    Listeners defer jobs, or append to the timeline, and never do I/O of their own.
    """
    operations.listeners.append(listener)
    return lambda: operations.listeners.remove(listener)
