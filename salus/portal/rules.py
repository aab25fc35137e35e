"""Pure decisions of the portal: what the boxes of the choices say, and what to write down when they change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from salus.delivery.contracts import SentMessage, State
from salus.kernel.vocabulary import Channel, Purpose
from salus.permissions.contracts import EVERY_TOPIC, Entry, EntryKind, NewEntry, Standing
from salus.portal.contracts import TopicRow

SHOWN = frozenset(
    {
        State.ACCEPTED,
        State.PORTAL,
        State.PORTAL_UNNOTIFIED,
        State.OPENED,
        State.EXPIRED,
        State.RECALLED,
        State.BOUNCED,
        State.GAVE_UP,
    }
)
"""Messages that left, or tried to; one that a rule stopped was never written to the patient."""

READABLE = frozenset({State.PORTAL, State.PORTAL_UNNOTIFIED, State.OPENED})

FUNDRAISING = frozenset({Purpose.FUNDRAISING_OWN, Purpose.FUNDRAISING_OTHERS})

GROUNDS = frozenset(
    {
        EntryKind.OPT_IN,
        EntryKind.OPT_IN_CONFIRMED,
        EntryKind.AUTHORIZATION,
        EntryKind.PART2_CONSENT,
        EntryKind.E_NOTICE,
        EntryKind.UNENCRYPTED_PREFERENCE,
    }
)
"""Acts of the patient on which a message can rest."""

Box = tuple[str, Channel]


def rows(
    standing: Standing,
    messages: Iterable[SentMessage],
    reachable: Iterable[Channel],
    hidden: frozenset[str] = frozenset(),
) -> tuple[TopicRow, ...]:
    """Return the table of topics by channel: those they chose about and those they got, less the `hidden`.

    A box is ticked when messages are wanted, or come already and were not stopped. A channel on which
    the person has no address and nothing comes has no box.
    """
    got = frozenset((message.topic, message.channel) for message in messages if message.topic)
    chosen = {choice.topic for choice in (*standing.opt_ins, *standing.opt_outs)} - {EVERY_TOPIC}
    channels = [channel for channel in (Channel.EMAIL, Channel.SMS) if channel in set(reachable)]
    found = []
    for topic in sorted((chosen | {topic for topic, _ in got}) - hidden, key=str.casefold):
        ticks = {channel: _ticked(standing, topic, channel, got) for channel in (Channel.EMAIL, Channel.SMS)}
        boxes = [(channel, ticked) for channel, ticked in ticks.items() if ticked or channel in channels]
        found.append(TopicRow(topic, tuple(boxes)))
    return tuple(found)


def _ticked(standing: Standing, topic: str, channel: Channel, got: frozenset[Box]) -> bool:
    if standing.opted_out(topic, channel):
        return False
    return standing.opted_in(topic, channel) is not None or (topic, channel) in got


def changes(before: Iterable[TopicRow], ticked: Iterable[Box]) -> list[tuple[str, Channel, bool]]:
    """Return what a patient changed, as (topic, channel, may come), from the boxes that are ticked now."""
    now = frozenset(ticked)
    return [
        (row.topic, channel, (row.topic, channel) in now)
        for row in before
        for channel, was in row.channels
        if ((row.topic, channel) in now) != was
    ]


def entries_for(
    contact_id: UUID, changed: Sequence[tuple[str, Channel, bool]], at: datetime, evidence: str
) -> list[NewEntry]:
    """Return the ledger entries for changed boxes.

    An e-mail opt-in made here is confirmed: the session began with a link that came to that mailbox.
    """
    entries = []
    for topic, channel, may in changed:
        wanted = EntryKind.OPT_IN_CONFIRMED if channel is Channel.EMAIL else EntryKind.OPT_IN
        kinds = [EntryKind.OPT_OUT]
        if may:  # a confirmation needs an opt-in that stands
            kinds = [EntryKind.OPT_IN] if wanted is EntryKind.OPT_IN else [EntryKind.OPT_IN, wanted]
        entries += [NewEntry(contact_id, kind, at, evidence, topic=topic, channel=channel) for kind in kinds]
    return entries


def grounds(message: SentMessage, entries: Mapping[UUID, Entry]) -> tuple[tuple[str, datetime], ...]:
    """Return on which of the patient's own acts a message rests, oldest first."""
    found = [entries[each] for each in message.evidence_ids if each in entries]
    acts = {(entry.kind.value, entry.at) for entry in found if entry.kind in GROUNDS}
    return tuple(sorted(acts, key=lambda act: act[1]))
