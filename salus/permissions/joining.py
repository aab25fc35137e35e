"""A merge and a split in the ledger: nothing is rewritten; the standing is summed up anew, entries are only added."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from salus.kernel.acting import Actor
from salus.kernel.joining import GivenBy, Pair
from salus.permissions import operations, queries
from salus.permissions.contracts import Entry, EntryKind, NewEntry, Standing
from salus.permissions.models import StandingRow
from salus.permissions.rules import ENDED_BY, PERMITS, fold

K = EntryKind
FORBIDS = frozenset(
    {
        K.OPT_OUT,
        K.RESTRICTION,
        K.CONFIDENTIAL_ADDRESS,
        K.FUNDRAISING_OPT_OUT,
        K.SUPPRESSION,
        K.DECEASED,
        K.REPRESENTATIVE,
        *(ENDED_BY[kind] for kind in PERMITS),
    }
)
"""What closes something: of what was said while two were one, it goes with both."""
_PARTED = "said while two records were merged"


def join_person(pair: Pair) -> dict[str, Any]:
    """Sum up the standing of both as one person's: the stricter of each; run it after the contacts are one."""
    StandingRow.objects.filter(contact_id=pair.gone_id).delete()
    operations.sum_up_anew(pair.kept_id)
    return {}


def part_person(pair: Pair, given_by: GivenBy, *, actor: Actor, now: datetime) -> None:
    """Give each its own standing back; run it after the contacts are two again.

    Each has what it brought. What was forbidden since holds for both. What was permitted since, and what was
    opened again, stays with whom it was given by: ended for the kept record unless it was theirs, and copied
    to the other only when it was theirs. Nobody's word permits nothing.
    """
    both = queries.entries_of([pair.kept_id, pair.gone_id])
    since = [entry for entry in both[pair.kept_id] if entry.recorded_at >= pair.at]
    own = {entry.id for entry in both[pair.gone_id]}
    new = [
        _copied(entry, pair.gone_id, f"split:{pair.id}:{entry.id}", entry.at)
        for entry in since
        if (entry.kind in FORBIDS or given_by is GivenBy.GONE) and (entry.ends is None or entry.ends in own)
    ]
    if given_by is not GivenBy.KEPT:
        new += _taken_back(pair, both[pair.kept_id], since, now)
    if new:
        operations.append(new, actor, now)
    for contact_id in (pair.kept_id, pair.gone_id):
        operations.sum_up_anew(contact_id)


def _copied(entry: Entry, contact_id: UUID, key: str, at: datetime) -> NewEntry:
    return NewEntry(
        contact_id,
        entry.kind,
        at,
        f"{_PARTED}: {entry.evidence}",
        entry.topic,
        entry.channel,
        entry.valid_until,
        entry.ends,
        key,
        entry.details,
    )


def _taken_back(
    pair: Pair, entries: Sequence[Entry], since: Sequence[Entry], now: datetime
) -> Iterator[NewEntry]:
    """Yield what ends for the kept record all that was permitted or opened again since the merge."""
    opened = {entry.id for entry in since if entry.kind not in FORBIDS}
    by_id = {entry.id: entry for entry in entries}
    stands = fold(pair.kept_id, 0, entries, now)
    ought = fold(pair.kept_id, 0, [entry for entry in entries if entry.id not in opened], now)
    for id in sorted(_permits(stands) & opened):
        entry = by_id[id]
        key = f"split:{pair.id}:end:{id}"
        if entry.kind in PERMITS:
            yield NewEntry(pair.kept_id, ENDED_BY[entry.kind], now, _PARTED, ends=id, key=key)
        else:
            yield NewEntry(
                pair.kept_id, K.OPT_OUT, now, _PARTED, topic=entry.topic, channel=entry.channel, key=key
            )
    for id in sorted(_forbids(ought) - _forbids(stands)):
        yield _copied(by_id[id], pair.kept_id, f"split:{pair.id}:again:{id}", now)


def _permits(standing: Standing) -> set[UUID]:
    parts = (standing.opt_ins, standing.authorizations, standing.unencrypted, standing.part2_consents)
    found = {each.evidence_id for part in parts for each in part}
    return found | ({standing.e_notice} if standing.e_notice else set())


def _forbids(standing: Standing) -> set[UUID]:
    single = (standing.confidential_address, standing.representative)
    found = {each.evidence_id for each in single if each is not None}
    for part in (standing.opt_outs, standing.restrictions, standing.suppressions):
        found |= {each.evidence_id for each in part}
    return found | {one for one in (standing.deceased, standing.fundraising_opt_out) if one is not None}
