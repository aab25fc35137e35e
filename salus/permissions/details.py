"""What an entry of each kind must and may say: closed lists, checked before anything is stored."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from salus.kernel.errors import BadInput
from salus.kernel.vocabulary import Channel, PhiClass, Purpose, Special
from salus.permissions.contracts import EVERY_TOPIC, EntryKind, NewEntry

K = EntryKind
TOPIC = re.compile(r"^\w[\w .&'/+:-]{0,79}$")
FORM_STATE = re.compile(r"^[A-Z]{2}$")
MAX_TEXT = 4000


def _text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MAX_TEXT


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(_text(item) for item in value)


def _date(value: object) -> bool:
    """Accept "YYYY-MM-DD" or an ISO moment with an offset."""
    try:
        if isinstance(value, str) and len(value) == len("2026-01-31"):
            return bool(date.fromisoformat(value))
        return isinstance(value, str) and datetime.fromisoformat(value).utcoffset() is not None
    except ValueError:
        return False


def _words(vocabulary: type[Purpose | PhiClass | Special | Channel]) -> Callable[[object], bool]:
    words = frozenset(word.value for word in vocabulary)

    def check(value: object) -> bool:
        return isinstance(value, list) and all(isinstance(item, str) and item in words for item in value)

    return check


def _one_of(*words: str) -> Callable[[object], bool]:
    def check(value: object) -> bool:
        return isinstance(value, str) and value in words

    return check


def _bool(value: object) -> bool:
    return isinstance(value, bool)


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _blind(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[0-9a-f]{32}", value) is not None


def _state(value: object) -> bool:
    return isinstance(value, str) and FORM_STATE.fullmatch(value) is not None


def _record(value: object) -> bool:
    return isinstance(value, dict)


Check = Callable[[object], bool]

FORM_FIELDS: Mapping[str, Check] = {
    # the elements and statements that both kinds of form share (45 CFR 164.508(c), 42 CFR 2.31(a))
    "information": _text,
    "discloser": _text,
    "recipient": _text,
    "purpose_text": _text,
    "expiration_event": _text,
    "signed_at": _date,
    "signature": _one_of("written", "electronic", "oral"),
    "intent_action": _one_of("typed", "drawn", "click"),
    "signer": _one_of("self", "representative"),
    "authority": _text,
    "states_right_to_revoke": _bool,
    "states_how_to_revoke": _bool,
    "states_revocation_exceptions": _bool,
    "states_consequences": _bool,
    "states_redisclosure": _bool,
    "known_false": _bool,
    "incomplete": _bool,
    "document": _text,
}

AUTHORIZATION_FIELDS: Mapping[str, Check] = {
    **FORM_FIELDS,
    "purposes": _words(Purpose),
    "classes": _words(PhiClass),
    "specials": _words(Special),
    "parties": _texts,
    "refers_to_notice": _bool,
    "states_no_conditioning": _bool,
    "remuneration_involved": _bool,
    "states_remuneration": _bool,
    "sale": _bool,
    "states_sale": _bool,
    "combined_with": _one_of("", "authorization", "research", "treatment_consent", "other_document"),
    "conditioned_on": _one_of("", "treatment", "payment", "enrollment", "eligibility"),
    "conditioning_exception": _one_of("", "research", "underwriting", "third_party_information"),
    "obtained_in_emergency": _bool,
    "form_state": _state,
    "typeface_points": _number,
    "handwritten": _bool,
    "separate_language": _bool,
    "separate_signature": _bool,
    "states_copy_right": _bool,
    "seller_contact": _text,
    "purchaser_contact": _text,
}

PART2_FIELDS: Mapping[str, Check] = {
    **FORM_FIELDS,
    "names_patient": _bool,
    "tpo": _bool,
    "marketing": _bool,
    "fundraising": _bool,
}


@dataclass(frozen=True, slots=True)
class Shape:
    """What an entry of one kind looks like. `fields` are the allowed details, `needs` the required."""

    fields: Mapping[str, Check] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    topic: bool = False
    channel: str = "none"
    """"none", "optional" or "required"."""
    expires: str = "never"
    """"never", "optional" or "required": whether `valid_until` may or must be given."""
    ends: EntryKind | None = None
    """The kind that `ends` may name."""


def _ending(kind: EntryKind, channel: str = "none") -> Shape:
    return Shape({"reason": _text}, channel=channel, ends=kind)


SHAPES: Mapping[EntryKind, Shape] = {
    K.OPT_IN: Shape({"text_version": _text}, topic=True, channel="required", expires="optional"),
    K.OPT_IN_CONFIRMED: Shape(topic=True, channel="required", expires="optional", ends=K.OPT_IN),
    K.OPT_OUT: Shape({"reason": _text}, topic=True, channel="optional"),
    K.AUTHORIZATION: Shape(AUTHORIZATION_FIELDS, needs=("purposes",), expires="optional"),
    K.AUTHORIZATION_REVOKED: _ending(K.AUTHORIZATION),
    K.RESTRICTION: Shape(
        {"purposes": _words(Purpose), "channels": _words(Channel), "agreed_by": _text}, expires="optional"
    ),
    K.RESTRICTION_ENDED: _ending(K.RESTRICTION),
    K.CONFIDENTIAL_ADDRESS: Shape({"value": _text}, channel="optional"),
    K.CONFIDENTIAL_ADDRESS_ENDED: _ending(K.CONFIDENTIAL_ADDRESS),
    K.UNENCRYPTED_PREFERENCE: Shape(
        {
            "address": _text,
            "purposes": _words(Purpose),
            "warning_text_version": _text,
            "warned_at": _date,
            "accepted_at": _date,
            "method": _text,
        },
        needs=("purposes", "warning_text_version", "warned_at", "accepted_at", "method"),
        channel="required",
        expires="required",
    ),
    K.UNENCRYPTED_PREFERENCE_REVOKED: _ending(K.UNENCRYPTED_PREFERENCE, "optional"),
    K.FUNDRAISING_OPT_OUT: Shape({"reason": _text}),
    K.FUNDRAISING_OPT_IN: Shape(),
    K.SUPPRESSION: Shape(
        {
            "reason": _one_of(
                "hard_bounce", "soft_bounces", "complaint", "wrong_person", "manual", "imported"
            ),
            "address": _text,
            "address_blind": _blind,
        },
        needs=("reason",),
        channel="required",
        expires="optional",
    ),
    K.SUPPRESSION_LIFTED: Shape(
        {"reason": _text, "address": _text, "address_blind": _blind}, channel="required", ends=K.SUPPRESSION
    ),
    K.DECEASED: Shape({"source": _text}),
    K.DECEASED_WITHDRAWN: _ending(K.DECEASED),
    K.REPRESENTATIVE: Shape(
        {
            "value": _text,
            "name": _text,
            "relationship": _text,
            "authority": _text,
            "minor_own_channel": _bool,
        },
        needs=("value",),
        channel="required",
        expires="optional",
    ),
    K.REPRESENTATIVE_ENDED: _ending(K.REPRESENTATIVE),
    K.PART2_CONSENT: Shape(PART2_FIELDS, expires="optional"),
    K.PART2_CONSENT_REVOKED: _ending(K.PART2_CONSENT),
    K.E_NOTICE: Shape({"address": _text, "method": _text}, expires="optional"),
    K.E_NOTICE_WITHDRAWN: _ending(K.E_NOTICE),
}

ALWAYS_ALLOWED: Mapping[str, Check] = {"record": _record, "note": _text}
"""`record`: how it was captured (signature, IP, page version...), kept and never read by rules."""


def check(entry: NewEntry, place: str = "") -> None:
    """Raise `BadInput` naming the faulty part when `entry` is not one that the ledger can hold."""
    shape = SHAPES[entry.kind]
    at = _Place(place)
    for name, moment in (("at", entry.at), ("valid_until", entry.valid_until)):
        if moment is not None and moment.utcoffset() is None:
            raise BadInput("A moment needs its offset from UTC.", place=at(name))
    if not entry.evidence.strip():
        raise BadInput('Say how it is known, for example "paper form, scanned".', place=at("evidence"))
    _check_topic(entry, shape, at)
    _check_channel(entry, shape, at)
    _check_end(entry, shape, at)
    _check_details(entry, shape, at)


class _Place:
    """Joins the caller's place with the name of a part."""

    def __init__(self, head: str) -> None:
        self.head = head

    def __call__(self, name: str) -> str:
        return f"{self.head}: {name}" if self.head else name


def _check_topic(entry: NewEntry, shape: Shape, at: _Place) -> None:
    if not shape.topic:
        if entry.topic:
            raise BadInput(f"An entry of kind {entry.kind} has no topic.", place=at("topic"))
    elif entry.topic == EVERY_TOPIC:
        if entry.kind is not K.OPT_OUT:
            raise BadInput("Consent is given topic by topic; only an opt-out covers all.", place=at("topic"))
    elif not TOPIC.fullmatch(entry.topic):
        raise BadInput("A topic is a short name of letters, digits and spaces.", place=at("topic"))


def _check_channel(entry: NewEntry, shape: Shape, at: _Place) -> None:
    if shape.channel == "required" and entry.channel is None:
        raise BadInput("Say which channel it is for.", place=at("channel"))
    if shape.channel == "none" and entry.channel is not None:
        raise BadInput(f"An entry of kind {entry.kind} has no channel.", place=at("channel"))


def _check_end(entry: NewEntry, shape: Shape, at: _Place) -> None:
    if shape.expires == "required" and entry.valid_until is None:
        raise BadInput("Say when it ends.", place=at("valid_until"))
    if shape.expires == "never" and entry.valid_until is not None:
        raise BadInput(f"An entry of kind {entry.kind} never ends by itself.", place=at("valid_until"))
    if entry.valid_until is not None and entry.valid_until <= entry.at:
        raise BadInput("It would end before it begins.", place=at("valid_until"))
    if entry.ends is not None and shape.ends is None:
        raise BadInput(f"An entry of kind {entry.kind} ends nothing.", place=at("ends"))


def _check_details(entry: NewEntry, shape: Shape, at: _Place) -> None:
    for name, value in entry.details.items():
        fits = shape.fields.get(name) or ALWAYS_ALLOWED.get(name)
        if fits is None:
            raise BadInput(f"An entry of kind {entry.kind} has no such detail.", place=at(f"details.{name}"))
        if not fits(value):
            raise BadInput("This value does not fit.", place=at(f"details.{name}"))
    for name in shape.needs:
        if not entry.details.get(name) and not _excused(entry, name):
            raise BadInput("This detail is required.", place=at(f"details.{name}"))
    if entry.kind is K.CONFIDENTIAL_ADDRESS and bool(entry.details.get("value")) != (
        entry.channel is not None
    ):
        raise BadInput(
            "Give a channel and its address, or neither: then paper only.", place=at("details.value")
        )


def _excused(entry: NewEntry, name: str) -> bool:
    """Excuse a minor with a channel of their own, who needs no representative's address."""
    return entry.kind is K.REPRESENTATIVE and name == "value" and bool(entry.details.get("minor_own_channel"))


def moment_of(value: Any) -> datetime | None:
    """Return a stored date or moment as an aware moment (a date: its first instant, UTC), or None."""
    if not isinstance(value, str) or not _date(value):
        return None
    found = datetime.fromisoformat(value)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
