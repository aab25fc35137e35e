"""What a message is for and what it tells, from what its headers say; what they leave out is taken at its strictest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from salus.connect.contracts import Fault, Refused
from salus.kernel.vocabulary import Channel, PhiClass, Promotes, Purpose, Remuneration, Special

W = TypeVar("W", bound=StrEnum)

HEADERS = frozenset(
    {
        "purpose",
        "topic",
        "promotes",
        "remuneration",
        "payer",
        "discloses",
        "conditions",
        "channel",
        "idempotency-key",
    }
)
"""The headers that a message may have, each after "X-Salus-"."""
UNDECLARED = (*PhiClass, *(each for each in Special if each is not Special.PSYCHOTHERAPY_NOTES))
"""What a message tells that does not say what it tells: everything that may be in one at all."""
_TOPIC = re.compile(r"[a-z0-9_]{1,60}")
_CODE = re.compile(r"[A-Za-z0-9._-]{1,40}")


@dataclass(frozen=True, slots=True)
class Declared:
    """What the program says of its message."""

    purpose: Purpose
    topic: str
    promotes: Promotes
    remuneration: Remuneration
    payer: str
    discloses: tuple[PhiClass | Special, ...]
    conditions: tuple[str, ...]
    channel: Channel


def declared(said: Mapping[str, str]) -> Declared:
    """Return what the headers declare; raises `Refused` for what is missing, unknown or unreadable."""
    if said.keys() - HEADERS:
        raise Refused(Fault.UNKNOWN_HEADER)
    topic = said.get("topic", "")
    if not _TOPIC.fullmatch(topic):
        raise Refused(Fault.NO_TOPIC)
    conditions = _words(said.get("conditions", ""))
    if not all(_CODE.fullmatch(each) for each in conditions):
        raise Refused(Fault.BAD_WORD)
    return Declared(
        purpose=_word(Purpose, said.get("purpose", ""), Fault.NO_PURPOSE),
        topic=topic,
        promotes=_word(Promotes, said.get("promotes", Promotes.THIRD_PARTY)),
        remuneration=_word(Remuneration, said.get("remuneration", Remuneration.ABOVE_COST)),
        payer=said.get("payer", ""),
        discloses=_told(said.get("discloses")),
        conditions=conditions,
        channel=_channel(said.get("channel", Channel.EMAIL)),
    )


def _told(text: str | None) -> tuple[PhiClass | Special, ...]:
    if text is None:
        return UNDECLARED
    known: dict[str, PhiClass | Special] = {each.value: each for each in (*PhiClass, *Special)}
    try:
        return tuple(known[word] for word in _words(text)) or (PhiClass.CONTACT,)
    except KeyError:
        raise Refused(Fault.BAD_WORD) from None


def _channel(word: str) -> Channel:
    found = _word(Channel, word)
    if found is Channel.SMS:
        raise Refused(Fault.BAD_WORD)
    return found


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for each in text.split(",") if (word := each.strip())))


def _word(kind: type[W], text: str, fault: Fault = Fault.BAD_WORD) -> W:
    try:
        return kind(text)
    except ValueError:
        raise Refused(fault) from None
