"""What a message is for and what it tells, from what its headers say; what they leave out is taken at its strictest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from salus.connect.contracts import Fault, Refused
from salus.kernel.errors import BadInput
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
FOR_KEYS = HEADERS - {"idempotency-key"}
"""Those that can be said for all messages of a key."""
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


def may_lead(hosts: Iterable[str], domains: Sequence[str]) -> bool:
    """Return whether links may lead to these hosts: to our domains, and what is below them."""
    return all(any(host == each or host.endswith("." + each) for each in domains) for host in hosts)


def of_key(words: Mapping[str, str]) -> dict[str, str]:
    """Return what a key says of its messages, without what it leaves open.

    Raises `BadInput` naming the word that no message could have.
    """
    said = {name: value.strip() for name, value in words.items() if value.strip()}
    for name, value in said.items():
        if name not in FOR_KEYS:
            raise BadInput(f"What may be said is {', '.join(sorted(FOR_KEYS))}.", place="words")
        try:
            declared({"purpose": next(iter(Purpose)).value, "topic": "any", name: value})
        except Refused as refused:
            raise BadInput(
                f"No message may say this ({refused.fault}).",
                place=name,
                next_step="docs/smtp.md says what each may be.",
            ) from None
    return said


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
