"""The standing of a person of whom there were two records: pure; the stricter of both, whoever said it when.

What one side forbids holds for the person. What one side permits holds unless the other forbids it, and for
no other address than those that side's own record had: a merge widens nobody's consent (45 CFR 164.508,
164.522). What is said after the merge is the person's own word and counts for both sides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

from salus.contacts.contracts import Joined
from salus.kernel.phi import Phi
from salus.kernel.time import FAR
from salus.kernel.vocabulary import Channel
from salus.permissions.contracts import (
    EVERY_TOPIC,
    ConfidentialAddress,
    Entry,
    EntryKind,
    Limited,
    TopicChoice,
)
from salus.permissions.rules import ENDED_BY, PERMITS, SINGLE, Blind, Span, spans

BEGIN = datetime.min.replace(tzinfo=UTC)
_GRANTS: Mapping[str, EntryKind] = {
    "authorizations": EntryKind.AUTHORIZATION,
    "unencrypted": EntryKind.UNENCRYPTED_PREFERENCE,
    "part2_consents": EntryKind.PART2_CONSENT,
    "e_notice": EntryKind.E_NOTICE,
}
assert set(_GRANTS.values()) == PERMITS
Address = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the records: its own entries, those that the person added after the merge, and what is limited."""

    own: Sequence[Entry]
    later: Sequence[Entry]
    limits: Mapping[UUID, frozenset[Address]]
    """Of own entries by id: at which (channel, address) alone they permit anything."""


def person_spans(
    contact_id: UUID, entries: Iterable[Entry], joins: Sequence[Joined], blind: Blind | None = None
) -> Iterator[Span]:
    """Yield every part of every standing of a person; `joins` are the merges that stand among their records."""
    if not joins:
        return spans(entries, blind)
    return _combined(sides(contact_id, entries, joins), blind)


def sides(contact_id: UUID, entries: Iterable[Entry], joins: Sequence[Joined]) -> list[Side]:
    """Return each record of the person that `contact_id` is, with what counts for it."""
    by_contact: defaultdict[UUID, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_contact[entry.contact_id].append(entry)
    into = {each.gone_id: each for each in joins}
    found = []
    for one in (contact_id, *into):
        later: list[Entry] = []
        at = one
        while at in into:
            join = into[at]
            later += [entry for entry in by_contact[join.kept_id] if entry.recorded_at >= join.at]
            at = join.kept_id
        found.append(Side(by_contact[one], later, _limits(one, by_contact[one], joins)))
    return found


def _limits(
    contact_id: UUID, own: Sequence[Entry], joins: Sequence[Joined]
) -> Mapping[UUID, frozenset[Address]]:
    mine = sorted(
        (each for each in joins if contact_id in (each.kept_id, each.gone_id)), key=lambda each: each.at
    )
    limits = {}
    for entry in own:
        for join in mine:
            is_gone = join.gone_id == contact_id
            if entry.recorded_at < join.at or is_gone:
                limits[entry.id] = join.gone_addresses if is_gone else join.kept_addresses
                break
    return limits


def _combined(all_sides: Sequence[Side], blind: Blind | None) -> Iterator[Span]:
    shared = {entry.id for side in all_sides for entry in side.later}
    folded = [list(spans([*side.own, *side.later], blind)) for side in all_sides]
    parts: defaultdict[str, list[Span]] = defaultdict(list)
    for place, own in enumerate(folded):
        others = [each for number, each in enumerate(folded) if number != place]
        for span in own:
            if span.part == "opt_ins":
                parts[span.part] += _unbarred(span, others)
            elif span.part in _GRANTS:
                parts[span.part] += _standing(span, all_sides, place, shared)
            else:
                parts[span.part].append(span)
    limits = {id: addresses for side in all_sides for id, addresses in side.limits.items()}
    parts["confidential_address"] += _rivals(parts["representative"])
    for part, found in parts.items():
        once = list(dict.fromkeys(found))
        yield from _one_at_a_time(part, once) if part in SINGLE else once
        if part == "opt_ins" or part in _GRANTS:
            for evidence in dict.fromkeys(_evidence(span.item) for span in once):
                if evidence in limits:
                    yield Span(BEGIN, FAR, "limited", _limited(evidence, limits[evidence]))


def _limited(evidence: UUID, addresses: frozenset[Address]) -> Limited:
    return Limited(evidence, tuple((Channel(channel), Phi(value)) for channel, value in sorted(addresses)))


def _evidence(item: Any) -> UUID:
    return item if isinstance(item, UUID) else item.evidence_id


def _unbarred(span: Span, others: Sequence[Sequence[Span]]) -> list[Span]:
    """Return when an opt-in holds: never while another side is out of its topic, or out of all topics."""
    pieces = [span]
    wanted: TopicChoice = span.item
    for other in others:
        own_in = [each for each in other if each.part == "opt_ins" and _same(each.item, wanted)]
        for bar in (each for each in other if each.part == "opt_outs"):
            if _same(bar.item, wanted):
                pieces = _without(pieces, [bar])
            elif bar.item.channel is wanted.channel and bar.item.topic == EVERY_TOPIC:
                pieces = _without(pieces, _without([bar], own_in))
    return pieces


def _same(one: TopicChoice, other: TopicChoice) -> bool:
    return (one.topic, one.channel) == (other.topic, other.channel)


def _without(pieces: Sequence[Span], gone: Sequence[Span]) -> list[Span]:
    """Return `pieces` without the time of `gone`."""
    left = list(pieces)
    for cut in gone:
        left = [
            part
            for piece in left
            for part in (
                piece._replace(end=min(piece.end, cut.start)),
                piece._replace(start=max(piece.start, cut.end)),
            )
            if part.start < part.end
        ]
    return left


def _standing(
    span: Span, all_sides: Sequence[Side], place: int, shared: frozenset[UUID] | set[UUID]
) -> list[Span]:
    """Return when a grant holds: a revocation of another side that names nothing ends it, whenever it was said.

    One that names it ends it from its moment on. After the merge the person permits anew as anybody does.
    """
    evidence, kind = _evidence(span.item), _GRANTS[span.part]
    granted = next(entry for side in all_sides for entry in (*side.own, *side.later) if entry.id == evidence)
    for number, side in enumerate(all_sides):
        for entry in side.own if number != place else ():
            if entry.kind is not ENDED_BY[kind]:
                continue
            if entry.ends == evidence:
                span = span._replace(end=min(span.end, entry.at))
            elif (
                entry.ends is None
                and evidence not in shared
                and entry.id not in shared
                and entry.channel in (None, granted.channel)
            ):
                return []
    return [span] if span.start < span.end else []


def _rivals(representatives: Sequence[Span]) -> list[Span]:
    """Return when two records name different representatives: then nothing may be sent, until one is ended."""
    return [
        Span(
            max(one.start, other.start),
            min(one.end, other.end),
            "confidential_address",
            ConfidentialAddress(max(one.item.evidence_id, other.item.evidence_id), None),
        )
        for number, one in enumerate(representatives)
        for other in representatives[number + 1 :]
        if (one.item.channel, one.item.value) != (other.item.channel, other.item.value)
        and max(one.start, other.start) < min(one.end, other.end)
    ]


def _one_at_a_time(part: str, found: Sequence[Span]) -> Iterator[Span]:
    """Yield one item at any moment; of two different confidential addresses none may be used."""
    bounds = sorted({moment for span in found for moment in (span.start, span.end)})
    for start, end in pairwise(bounds):
        items = [span.item for span in found if span.start <= start and span.end >= end]
        if not items:
            continue
        item = min(items, key=_evidence)
        if part == "confidential_address" and any(_means(each) != _means(item) for each in items):
            item = ConfidentialAddress(max(map(_evidence, items)), None)
        yield Span(start, end, part, item)


def _means(item: ConfidentialAddress) -> tuple[Channel | None, Phi[str] | None]:
    return item.channel, item.value
