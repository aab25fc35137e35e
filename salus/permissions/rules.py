"""Folds the ledger of one contact into their standing at a moment: pure, and the same in any order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from salus.kernel.phi import Phi
from salus.kernel.time import FAR
from salus.kernel.vocabulary import Channel, PhiClass, Purpose, Special
from salus.permissions import forms
from salus.permissions.choices import choice_spans
from salus.permissions.contracts import (
    Authorization,
    AuthorizationState,
    ConfidentialAddress,
    Entry,
    EntryKind,
    FiledForm,
    Part2Consent,
    Representative,
    Restriction,
    Standing,
    Suppression,
    UnencryptedPreference,
)
from salus.permissions.details import moment_of

K = EntryKind
Blind = Callable[[Channel, str], bytes | None]
"""Makes the blind index of an address on a channel; None when it cannot be made."""

ENDED_BY = {
    K.AUTHORIZATION: K.AUTHORIZATION_REVOKED,
    K.RESTRICTION: K.RESTRICTION_ENDED,
    K.CONFIDENTIAL_ADDRESS: K.CONFIDENTIAL_ADDRESS_ENDED,
    K.UNENCRYPTED_PREFERENCE: K.UNENCRYPTED_PREFERENCE_REVOKED,
    K.SUPPRESSION: K.SUPPRESSION_LIFTED,
    K.DECEASED: K.DECEASED_WITHDRAWN,
    K.REPRESENTATIVE: K.REPRESENTATIVE_ENDED,
    K.PART2_CONSENT: K.PART2_CONSENT_REVOKED,
    K.E_NOTICE: K.E_NOTICE_WITHDRAWN,
    K.FUNDRAISING_OPT_OUT: K.FUNDRAISING_OPT_IN,
}

PERMITS = frozenset({K.AUTHORIZATION, K.UNENCRYPTED_PREFERENCE, K.PART2_CONSENT, K.E_NOTICE})
"""Kinds that open something. At the same instant the stricter word wins: an end of one of these ends
it, while an end of a restriction does not reach one that begins just then."""

ONE_AT_A_TIME = frozenset(
    {K.CONFIDENTIAL_ADDRESS, K.REPRESENTATIVE, K.DECEASED, K.E_NOTICE, K.FUNDRAISING_OPT_OUT}
)
"""Kinds of which the latest replaces the one before, for good."""

UNENCRYPTED_PURPOSES = frozenset(
    {Purpose.APPOINTMENT, Purpose.LAB_NOTICE, Purpose.CARE_INSTRUCTIONS, Purpose.REFILL}
)
"""`law.md` 1.5 E3: access replies, one-to-one treatment messages and reminders; never marketing."""


RULES_VERSION = 1
"""Moves when the same entries would give another standing: stored summaries are then made anew."""


class Span(NamedTuple):
    """From `start` until before `end`, `item` is a part of the standing, in the field `part`."""

    start: datetime
    end: datetime
    part: str
    item: Any


def fold(
    contact_id: UUID, version: int, entries: Iterable[Entry], at: datetime, blind: Blind | None = None
) -> Standing:
    """Return what the contact permits and forbids at `at`.

    `valid_until` is the earliest later moment at which any part begins or ends by itself (`FAR` when
    none does). The order of `entries` and repeated entries make no difference.
    """
    return standing_of(contact_id, version, spans(entries, blind), at)


def standing_of(contact_id: UUID, version: int, found: Iterable[Span], at: datetime) -> Standing:
    """Return the standing at `at` that `found` makes."""
    parts: dict[str, list[Any]] = defaultdict(list)
    valid_until = FAR
    for span in found:
        if span.start > at:
            valid_until = min(valid_until, span.start)
        elif at < span.end:
            valid_until = min(valid_until, span.end)
            parts[span.part].append(span.item)
    one: dict[str, Any] = {part: parts[part][0] for part in SINGLE if part in parts}
    many: dict[str, Any] = {part: tuple(items) for part, items in parts.items() if part not in SINGLE}
    return Standing(contact_id, version, at, valid_until, **many, **one)


SINGLE = ("confidential_address", "fundraising_opt_out", "deceased", "representative", "e_notice")


def spans(entries: Iterable[Entry], blind: Blind | None = None) -> Iterator[Span]:
    """Yield every part of every standing this contact ever had or will have, each with its time."""
    by_kind: dict[EntryKind, list[Entry]] = defaultdict(list)
    for entry in once(entries):
        by_kind[entry.kind].append(entry)
    choices = [entry for kind in (K.OPT_IN, K.OPT_IN_CONFIRMED, K.OPT_OUT) for entry in by_kind.get(kind, ())]
    if choices:
        for start, end, is_in, choice in choice_spans(choices):
            yield Span(start, end, "opt_ins" if is_in else "opt_outs", choice)
    for kind, own in by_kind.items():
        if kind in ENDED_BY:
            enders = by_kind.get(ENDED_BY[kind], [])
            for entry, start, end in _lifetimes(kind, own, enders):
                yield from _part(entry, start, end, blind)


def once(entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries by moment and id, those with the same id or key only once (the oldest id)."""
    kept: dict[UUID | str, Entry] = {}
    for entry in sorted(entries, key=lambda entry: entry.id):
        kept.setdefault(entry.key or entry.id, entry)
    if len(kept) == 1:
        return list(kept.values())
    return sorted(
        {entry.id: entry for entry in kept.values()}.values(), key=lambda entry: (entry.at, entry.id)
    )


def _lifetimes(
    kind: EntryKind, own: Sequence[Entry], enders: Sequence[Entry]
) -> Iterator[tuple[Entry, datetime, datetime]]:
    """Yield each entry with the moments between which it holds; those that never hold are left out."""
    ordered = sorted(own, key=_strictest_last) if kind is K.CONFIDENTIAL_ADDRESS else own
    for index, entry in enumerate(ordered):
        start, end = entry.at, entry.valid_until or FAR
        if kind in {K.AUTHORIZATION, K.PART2_CONSENT}:
            start, end = forms.term(entry.details, entry.at, entry.valid_until)
        if kind in ONE_AT_A_TIME and index + 1 < len(ordered):
            end = min(end, ordered[index + 1].at)
        for ender in enders:
            if _ends(ender, entry, kind):
                end = min(end, ender.at)
        if start < end:
            yield entry, start, end


def _strictest_last(entry: Entry) -> tuple[datetime, bool, UUID]:
    """Of two confidential addresses of one instant, "paper only" wins."""
    return entry.at, entry.channel is None, entry.id


def _ends(ender: Entry, entry: Entry, kind: EntryKind) -> bool:
    """Return whether `ender` ends `entry`: by name, or because it came later and has the same scope."""
    if ender.ends is not None:
        return ender.ends == entry.id
    if ender.channel is not None and ender.channel != entry.channel:
        return False
    if kind is K.SUPPRESSION and any(
        ender.details.get(part) != entry.details.get(part) for part in ("address", "address_blind")
    ):
        return False
    return ender.at >= entry.at if kind in PERMITS else ender.at > entry.at


def _part(entry: Entry, start: datetime, end: datetime, blind: Blind | None) -> Iterator[Span]:
    """Yield the part of the standing that an entry makes, or nothing when it permits nothing."""
    make = _MAKERS.get(entry.kind)
    if make is None:
        yield Span(start, end, entry.kind.value, entry.id)
        return
    item = make(entry, start, end, blind)
    if item is not None:
        yield Span(start, end, _PART_OF[entry.kind], item)


def authorization(entry: Entry, start: datetime, end: datetime, blind: Blind | None = None) -> Authorization:
    """Return the authorization that `entry` records, with its defects."""
    details = entry.details
    faults = forms.defects(forms.AUTHORIZATION, details, entry.valid_until)
    state = str(details.get("form_state", ""))
    return Authorization(
        entry.id,
        frozenset(map(Purpose, details.get("purposes", ()))),
        frozenset(map(PhiClass, details.get("classes", ()))),
        frozenset(map(Special, details.get("specials", ()))),
        bool(details.get("states_remuneration")),
        bool(details.get("states_sale")),
        start,
        end,
        tuple(details.get("parties", ())),
        "" if faults else state,
        faults,
    )


def _restriction(entry: Entry, start: datetime, end: datetime, blind: Blind | None) -> Restriction:
    return Restriction(
        entry.id,
        frozenset(map(Purpose, entry.details.get("purposes", ()))),
        frozenset(map(Channel, entry.details.get("channels", ()))),
    )


def _confidential(entry: Entry, start: datetime, end: datetime, blind: Blind | None) -> ConfidentialAddress:
    value = entry.details.get("value")
    return ConfidentialAddress(entry.id, entry.channel, Phi(value) if value else None)


def _unencrypted(
    entry: Entry, start: datetime, end: datetime, blind: Blind | None
) -> UnencryptedPreference | None:
    """None unless the person was warned first, and for purposes for which it can be accepted."""
    details = entry.details
    warned, accepted = moment_of(details.get("warned_at")), moment_of(details.get("accepted_at"))
    purposes = UNENCRYPTED_PURPOSES.intersection(map(Purpose, details.get("purposes", ())))
    if entry.channel is None or not purposes or not details.get("warning_text_version"):
        return None
    if warned is None or accepted is None or accepted < warned:
        return None
    address = details.get("address")
    return UnencryptedPreference(entry.id, entry.channel, purposes, end, Phi(address) if address else None)


def _suppression(entry: Entry, start: datetime, end: datetime, blind: Blind | None) -> Suppression:
    """Without a way to blind its address, a suppression covers the whole channel: the stricter side."""
    channel = entry.channel or Channel.EMAIL
    index: bytes | None = None
    if entry.details.get("address_blind"):
        index = bytes.fromhex(entry.details["address_blind"])
    elif entry.details.get("address") and blind is not None:
        index = blind(channel, entry.details["address"])
    return Suppression(entry.id, channel, str(entry.details.get("reason", "")), index)


def _representative(entry: Entry, start: datetime, end: datetime, blind: Blind | None) -> Representative:
    details = entry.details
    own = bool(details.get("minor_own_channel"))
    return Representative(entry.id, entry.channel or Channel.EMAIL, Phi(str(details.get("value", ""))), own)


def _part2(entry: Entry, start: datetime, end: datetime, blind: Blind | None) -> Part2Consent | None:
    """None when an element of 42 CFR 2.31 is missing: a defective consent permits nothing."""
    details = entry.details
    if forms.defects(forms.PART2_CONSENT, details, entry.valid_until):
        return None
    names = {name: bool(details.get(name)) for name in ("tpo", "marketing", "fundraising")}
    return Part2Consent(entry.id, end, **names)


_MAKERS: dict[EntryKind, Callable[[Entry, datetime, datetime, Blind | None], Any]] = {
    K.AUTHORIZATION: authorization,
    K.RESTRICTION: _restriction,
    K.CONFIDENTIAL_ADDRESS: _confidential,
    K.UNENCRYPTED_PREFERENCE: _unencrypted,
    K.SUPPRESSION: _suppression,
    K.REPRESENTATIVE: _representative,
    K.PART2_CONSENT: _part2,
}
_PART_OF = {
    K.AUTHORIZATION: "authorizations",
    K.RESTRICTION: "restrictions",
    K.CONFIDENTIAL_ADDRESS: "confidential_address",
    K.UNENCRYPTED_PREFERENCE: "unencrypted",
    K.SUPPRESSION: "suppressions",
    K.REPRESENTATIVE: "representative",
    K.PART2_CONSENT: "part2_consents",
}
assert {kind.value for kind in (K.DECEASED, K.E_NOTICE, K.FUNDRAISING_OPT_OUT)} <= set(SINGLE)


def filed_forms(entries: Iterable[Entry], at: datetime) -> list[FiledForm]:
    """Return every authorization and Part 2 consent ever filed with its state at `at`, newest first."""
    known = once(entries)
    filed = []
    for entry in known:
        if entry.kind not in {K.AUTHORIZATION, K.PART2_CONSENT}:
            continue
        elements = forms.AUTHORIZATION if entry.kind is K.AUTHORIZATION else forms.PART2_CONSENT
        start, end = forms.term(entry.details, entry.at, entry.valid_until)
        faults = forms.defects(elements, entry.details, entry.valid_until)
        enders = [e for e in known if e.kind is ENDED_BY[entry.kind] and _ends(e, entry, entry.kind)]
        revoked = min((e for e in enders if e.at <= at), key=lambda e: (e.at, e.id), default=None)
        filed.append(
            FiledForm(
                entry,
                _state(start, end, faults, revoked, at),
                start,
                end,
                faults,
                revoked.id if revoked else None,
            )
        )
    return filed[::-1]


def _state(
    start: datetime, end: datetime, faults: tuple[str, ...], revoked: Entry | None, at: datetime
) -> AuthorizationState:
    if revoked is not None:
        return AuthorizationState.REVOKED
    if end <= at:
        return AuthorizationState.EXPIRED
    if faults:
        return AuthorizationState.DEFECTIVE
    return AuthorizationState.NOT_YET if at < start else AuthorizationState.VALID
