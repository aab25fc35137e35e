"""One contact's spans written down for reading: a standing is looked up, not folded, in microseconds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from salus.contacts.contracts import Joined
from salus.kernel.phi import Phi
from salus.kernel.time import FAR
from salus.kernel.vocabulary import Channel, PhiClass, Purpose, Special
from salus.permissions.contracts import (
    Authorization,
    ConfidentialAddress,
    Entry,
    Limited,
    Part2Consent,
    Representative,
    Restriction,
    Standing,
    Suppression,
    TopicChoice,
    UnencryptedPreference,
)
from salus.permissions.joined import person_spans
from salus.permissions.rules import RULES_VERSION, SINGLE, Blind, Span, spans

_CHANNELS = {channel.value: channel for channel in Channel} | {None: None}
_PURPOSES = {purpose.value: purpose for purpose in Purpose}
_CLASSES = {phi_class.value: phi_class for phi_class in PhiClass}
_SPECIALS = {special.value: special for special in Special}

Row = list[Any]
"""[start, end, part, evidence id, what else the part needs ...], moments as text of one width."""


def text_of(moment: datetime) -> str:
    """Return a moment as text whose alphabetical order is the order of time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


_FAR = text_of(FAR)


def pack(entries: Sequence[Entry], contact_id: UUID | None = None, joins: Sequence[Joined] = ()) -> bytes:
    """Return the summary of a contact's entries, the same whatever their order.

    For a person of whom records were merged, `contact_id` is the one that goes on and `joins` are the merges.
    """
    by_id = {entry.id: entry for entry in entries}
    found = person_spans(contact_id, entries, joins) if contact_id and joins else spans(entries)
    return orjson.dumps([RULES_VERSION, [_row(span, by_id) for span in found]])


def read(
    raw: bytes, contact_id: UUID, version: int, at: datetime, now: str, blind: Blind | None
) -> Standing | None:
    """Return the standing at `at`, equal to `rules.fold`, or None when other rules wrote the summary.

    `now` is `text_of(at)`, made once for a batch.
    """
    written_by, rows = orjson.loads(raw)
    if written_by != RULES_VERSION:
        return None
    until = _FAR
    parts: dict[str, Any] = {}
    for row in rows:
        start, end, part = row[0], row[1], row[2]
        if start > now:
            until = min(until, start)
        elif now < end:
            until = min(until, end)
            item = _READERS[part](row, blind)
            if part in SINGLE:
                parts[part] = item
            else:
                parts[part] = (*parts[part], item) if part in parts else (item,)
    return Standing(contact_id, version, at, FAR if until == _FAR else datetime.fromisoformat(until), **parts)


def _row(span: Span, by_id: dict[UUID, Entry]) -> Row:
    item = span.item
    evidence = item if isinstance(item, UUID) else item.evidence_id
    more = _WRITERS[span.part](item, by_id[evidence]) if span.part in _WRITERS else []
    return [text_of(span.start), text_of(span.end), span.part, evidence.hex, *more]


def _words(words: Iterable[str]) -> list[str]:
    return sorted(words)


def _write_authorization(item: Authorization, entry: Entry) -> Row:
    return [
        _words(item.purposes),
        _words(item.classes),
        _words(item.specials),
        item.remuneration_stated,
        item.sale_stated,
        item.parties,
        item.form_state,
        item.defects,
    ]


def _write_suppression(item: Suppression, entry: Entry) -> Row:
    """Keep the address itself: its blind index is made when it is read, with the key of that day."""
    return [item.channel, item.reason, entry.details.get("address"), entry.details.get("address_blind")]


def _reveal(value: Phi[str] | None) -> str | None:
    return value.reveal() if value is not None else None


_WRITERS: dict[str, Callable[[Any, Entry], Row]] = {
    "opt_ins": lambda item, entry: [item.topic, item.channel, text_of(item.at), item.confirmed],
    "opt_outs": lambda item, entry: [item.topic, item.channel, text_of(item.at), False],
    "authorizations": _write_authorization,
    "restrictions": lambda item, entry: [_words(item.purposes), _words(item.channels)],
    "confidential_address": lambda item, entry: [item.channel, _reveal(item.value)],
    "suppressions": _write_suppression,
    "unencrypted": lambda item, entry: [item.channel, _words(item.purposes), _reveal(item.address)],
    "representative": lambda item, entry: [item.channel, _reveal(item.value), item.minor_own_channel],
    "part2_consents": lambda item, entry: [item.tpo, item.marketing, item.fundraising],
    "limited": lambda item, entry: [[[channel, _reveal(value)] for channel, value in item.addresses]],
}


def _read_choice(row: Row, blind: Blind | None) -> TopicChoice:
    return TopicChoice(UUID(row[3]), row[4], _CHANNELS[row[5]], datetime.fromisoformat(row[6]), row[7])  # type: ignore[arg-type]


def _read_authorization(row: Row, blind: Blind | None) -> Authorization:
    return Authorization(
        UUID(row[3]),
        frozenset([_PURPOSES[word] for word in row[4]]),
        frozenset([_CLASSES[word] for word in row[5]]),
        frozenset([_SPECIALS[word] for word in row[6]]),
        row[7],
        row[8],
        datetime.fromisoformat(row[0]),
        datetime.fromisoformat(row[1]),
        tuple(row[9]),
        row[10],
        tuple(row[11]),
    )


def _read_restriction(row: Row, blind: Blind | None) -> Restriction:
    purposes = frozenset([_PURPOSES[word] for word in row[4]])
    return Restriction(UUID(row[3]), purposes, frozenset([Channel(word) for word in row[5]]))


def _read_confidential(row: Row, blind: Blind | None) -> ConfidentialAddress:
    return ConfidentialAddress(UUID(row[3]), _CHANNELS[row[4]], Phi(row[5]) if row[5] else None)


def _read_suppression(row: Row, blind: Blind | None) -> Suppression:
    channel, address, index = Channel(row[4]), row[6], None
    if row[7]:
        index = bytes.fromhex(row[7])
    elif address and blind is not None:
        index = blind(channel, address)
    return Suppression(UUID(row[3]), channel, row[5], index)


def _read_unencrypted(row: Row, blind: Blind | None) -> UnencryptedPreference:
    return UnencryptedPreference(
        UUID(row[3]),
        Channel(row[4]),
        frozenset([_PURPOSES[word] for word in row[5]]),
        datetime.fromisoformat(row[1]),
        Phi(row[6]) if row[6] else None,
    )


def _read_representative(row: Row, blind: Blind | None) -> Representative:
    return Representative(UUID(row[3]), Channel(row[4]), Phi(row[5]), row[6])


def _read_part2(row: Row, blind: Blind | None) -> Part2Consent:
    return Part2Consent(UUID(row[3]), datetime.fromisoformat(row[1]), row[4], row[5], row[6])


def _read_limited(row: Row, blind: Blind | None) -> Limited:
    return Limited(UUID(row[3]), tuple((Channel(channel), Phi(value)) for channel, value in row[4]))


def _read_evidence(row: Row, blind: Blind | None) -> UUID:
    return UUID(row[3])


_READERS: dict[str, Callable[[Row, Blind | None], Any]] = {
    "opt_ins": _read_choice,
    "opt_outs": _read_choice,
    "authorizations": _read_authorization,
    "restrictions": _read_restriction,
    "confidential_address": _read_confidential,
    "suppressions": _read_suppression,
    "unencrypted": _read_unencrypted,
    "representative": _read_representative,
    "part2_consents": _read_part2,
    "limited": _read_limited,
    "deceased": _read_evidence,
    "e_notice": _read_evidence,
    "fundraising_opt_out": _read_evidence,
}
