"""Topic by channel: when an opt-in or an opt-out stands, from the entries that say so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from salus.kernel.time import FAR
from salus.kernel.vocabulary import Channel
from salus.permissions.contracts import EVERY_TOPIC, Entry, EntryKind, TopicChoice

RANK = {EntryKind.OPT_IN: 0, EntryKind.OPT_IN_CONFIRMED: 1, EntryKind.OPT_OUT: 2}
"""At one and the same instant the opt-out has the last word."""


class ChoiceSpan(NamedTuple):
    """From `start` until before `end` this choice stands."""

    start: datetime
    end: datetime
    is_in: bool
    choice: TopicChoice


def choice_spans(entries: Iterable[Entry]) -> Iterator[ChoiceSpan]:
    """Yield the spans of every opt-in and opt-out.

    The latest word for a topic on a channel wins; an opt-out without a channel covers them all, one
    of every topic covers all topics until a later opt-in for one of them.
    """
    said: dict[tuple[str, Channel], list[Entry]] = defaultdict(list)
    for entry in sorted(entries, key=lambda entry: (entry.at, RANK[entry.kind], entry.id)):
        for channel in (entry.channel,) if entry.channel else tuple(Channel):
            said[entry.topic, channel].append(entry)
    for (topic, channel), own in said.items():
        if topic == EVERY_TOPIC:
            yield from _outs(own, channel)
            continue
        general = said.get((EVERY_TOPIC, channel), [])
        both = (
            sorted(own + general, key=lambda entry: (entry.at, RANK[entry.kind], entry.id))
            if general
            else own
        )
        yield from _Walk(topic, channel).over(both)


def _outs(entries: list[Entry], channel: Channel) -> Iterator[ChoiceSpan]:
    """Yield the opt-outs of every topic: each stands until the next one repeats it."""
    for entry, following in zip(entries, [*entries[1:], None], strict=True):
        choice = TopicChoice(entry.id, EVERY_TOPIC, channel, entry.at)
        yield ChoiceSpan(entry.at, following.at if following else FAR, False, choice)


class _Walk:
    """Goes through the words said about one topic on one channel, oldest first."""

    def __init__(self, topic: str, channel: Channel) -> None:
        self.topic, self.channel = topic, channel
        self.spans: list[ChoiceSpan] = []
        self.opted_in: ChoiceSpan | None = None
        self.opted_out: ChoiceSpan | None = None
        self.barred = False
        """True after an opt-out, this topic's own or of all, until the next opt-in."""

    def over(self, entries: list[Entry]) -> list[ChoiceSpan]:
        for entry in entries:
            if entry.kind is EntryKind.OPT_OUT:
                self._out(entry)
            elif entry.kind is EntryKind.OPT_IN:
                self._in(entry)
            else:
                self._confirm(entry)
        self._close_in(FAR)
        self._close_out(FAR)
        return self.spans

    def _out(self, entry: Entry) -> None:
        self._close_in(entry.at)
        self.barred = True
        if entry.topic != EVERY_TOPIC:
            self._close_out(entry.at)
            choice = TopicChoice(entry.id, self.topic, self.channel, entry.at)
            self.opted_out = ChoiceSpan(entry.at, FAR, False, choice)

    def _in(self, entry: Entry) -> None:
        self._close_in(entry.at)
        self._close_out(entry.at)
        self.barred = False
        choice = TopicChoice(entry.id, self.topic, self.channel, entry.at)
        self.opted_in = ChoiceSpan(entry.at, entry.valid_until or FAR, True, choice)

    def _confirm(self, entry: Entry) -> None:
        """Confirm the opt-in that stands; an old link never undoes an opt-out that came between."""
        if self.barred:
            return
        end = entry.valid_until or FAR
        if self.opted_in is not None:
            end = min(end, self.opted_in.end)
            self._close_in(entry.at)
        choice = TopicChoice(entry.id, self.topic, self.channel, entry.at, confirmed=True)
        self.opted_in = ChoiceSpan(entry.at, end, True, choice)

    def _close_in(self, at: datetime) -> None:
        if self.opted_in is not None:
            self._keep(self.opted_in._replace(end=min(at, self.opted_in.end)))
            self.opted_in = None

    def _close_out(self, at: datetime) -> None:
        if self.opted_out is not None:
            self._keep(self.opted_out._replace(end=min(at, self.opted_out.end)))
            self.opted_out = None

    def _keep(self, span: ChoiceSpan) -> None:
        if span.start < span.end:
            self.spans.append(span)
