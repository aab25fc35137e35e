"""What is known of the people of one batch, opened for all of them at once and only as far as a step asks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

import orjson

from salus.audiences import api as audiences
from salus.audiences.api import Happening, Question, Questions
from salus.contacts import api as contacts
from salus.journeys import days
from salus.journeys.contracts import Step, Tree
from salus.journeys.rules.expressions import as_filter
from salus.kernel.vocabulary import Channel
from salus.permissions import api as permissions
from salus.permissions.contracts import EVERY_TOPIC, Standing
from salus.timeline import api as timeline
from salus.timeline.contracts import Event

OF_MESSAGES = "message_"
"""How the kinds of events begin that belong to a message."""
EVER = datetime(1900, 1, 1, tzinfo=UTC)


class Unopened(Exception):
    """Something about a person has to be opened first: `Books.fetch`, and ask again."""


class Gone(Exception):
    """The person was erased meanwhile: nothing is known of them any more."""


class Books:
    """The people of a batch: remembers what was asked for in vain, and opens that for all at once."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.questions = Questions()
        self.fields: set[str] = set()
        """The attributes that were looked at, for the audit entry."""
        self._questions: dict[int, Question] = {}
        self._happenings: dict[int, Happening] = {}
        self._documents: dict[UUID, Mapping[str, Any] | None] = {}
        self._standings: dict[UUID, Standing] = {}
        self._events: dict[UUID, tuple[datetime, list[Event]]] = {}
        self._lists: dict[int, dict[UUID, bool]] = {}
        self._filters: dict[tuple[str, int], Question] = {}
        self._missing_documents: set[UUID] = set()
        self._missing_standings: set[UUID] = set()
        self._missing_events: dict[UUID, datetime] = {}
        self._missing_lists: tuple[set[int], set[UUID]] = (set(), set())

    def question(self, tree: Tree) -> Question:
        """Return a segment expression, read once a batch."""
        found = self._questions.get(id(tree))
        if found is None:
            found = self._questions[id(tree)] = self.questions.read(tree)
        return found

    def happening(self, tree: Tree) -> Happening:
        """Return an event expression, read once a batch."""
        found = self._happenings.get(id(tree))
        if found is None:
            found = self._happenings[id(tree)] = self.questions.happening(tree)
        return found

    def filter(self, records: str, where: Tree) -> Question:
        """Return the filter on the records of an attribute as a question, read once a batch."""
        found = self._filters.get((records, id(where)))
        if found is None:
            found = self._filters[records, id(where)] = self.questions.read(as_filter(records, where))
        return found

    def document(self, contact_id: UUID) -> Mapping[str, Any]:
        """Return a person's document; raises `Unopened` and `Gone`."""
        if contact_id not in self._documents:
            self._missing_documents.add(contact_id)
            raise Unopened
        found = self._documents[contact_id]
        if found is None:
            raise Gone
        return found

    def standing(self, contact_id: UUID) -> Standing:
        """Return what a person permits and forbids; raises `Unopened`."""
        if contact_id not in self._standings:
            self._missing_standings.add(contact_id)
            raise Unopened
        return self._standings[contact_id]

    def events(self, contact_id: UUID, since: datetime = EVER) -> list[Event]:
        """Return what was recorded of a person at or after `since`, or more; raises `Unopened`."""
        found = self._events.get(contact_id)
        if found is None or found[0] > since:
            self._missing_events[contact_id] = min(since, self._missing_events.get(contact_id, since))
            raise Unopened
        return found[1]

    def lists(self, number: int, among: frozenset[UUID]) -> frozenset[UUID]:
        """Return which of some static segments a person is in; raises `Unopened`."""
        found = self._lists.get(number, {})
        if not among <= found.keys():
            self._missing_lists[0].add(number)
            self._missing_lists[1].update(among)
            raise Unopened
        return frozenset(one for one in among if found[one])

    def fetch(self) -> None:
        """Open what was asked for in vain: one query for each sort of facts."""
        if self._missing_documents:
            found = {
                contact_id: orjson.loads(raw)
                for _, contact_id, _, raw in contacts.open_documents(ids=list(self._missing_documents))
            }
            self._documents |= {one: found.get(one) for one in self._missing_documents}
            self._missing_documents = set()
        if self._missing_standings:
            self._standings |= permissions.standings(list(self._missing_standings), self.at)
            self._missing_standings = set()
        if self._missing_events:
            since = min(self._missing_events.values())
            asked = timeline.of_contacts(list(self._missing_events), since=since)
            self._events |= {one: (since, events) for one, events in asked.items()}
            self._missing_events = {}
        numbers, among = self._missing_lists
        if numbers:
            for number, on in audiences.lists_of(sorted(numbers), among).items():
                self._lists.setdefault(number, {}).update({one: one in on for one in among})
            self._missing_lists = (set(), set())

    def forget(self, contact_id: UUID, number: int) -> None:
        """Let what was opened of a person be opened anew: it was changed."""
        self._documents.pop(contact_id, None)
        self._standings.pop(contact_id, None)
        self._events.pop(contact_id, None)
        self._lists.pop(number, None)


def deceased(contact_ids: Sequence[UUID], at: datetime) -> frozenset[UUID]:
    """Return who of these people is known to have died, or is not here any more."""
    alive = {
        contact_id
        for _, contact_id, _, raw in contacts.open_documents(ids=contact_ids)
        if not _died(orjson.loads(raw))
    }
    standings = permissions.standings(contact_ids, at)
    return frozenset(one for one in contact_ids if one not in alive or standings[one].deceased is not None)


def _died(document: Mapping[str, Any]) -> bool:
    return bool(document.get("deceased") or document.get("deceased_date"))


class Opened:
    """The facts of one person of a batch, as the mover asks for them.

    `asked` says that something about the person changed, so that early endings are looked for; `urgent`
    tells of a send step whether its messages are transactional, `channels` are those of the journey.
    """

    __slots__ = (
        "_arrived_at",
        "_books",
        "_channels",
        "_contact_id",
        "_number",
        "_urgent",
        "asked",
        "look_back",
    )

    def __init__(
        self,
        books: Books,
        contact_id: UUID,
        number: int,
        *,
        asked: bool,
        urgent: Callable[[str], bool],
        channels: Collection[Channel],
    ) -> None:
        self._books, self._contact_id, self._number = books, contact_id, number
        self._urgent, self._channels = urgent, channels
        self.asked = asked
        self._arrived_at: datetime | None = None
        self.look_back = False
        """Whether events may have been recorded that nobody told this person's wait of."""

    @property
    def zone(self) -> str:
        """Return the time zone where the person lives."""
        document = self._books.document(self._contact_id)
        self._books.fields.update(days.ZONE_FIELDS)
        return days.zone_of(document, self._books.questions.zone)

    def holds(self, tree: Tree, message_id: UUID | None = None) -> bool:
        """Return whether a segment expression holds now."""
        books, question = self._books, self._books.question(tree)
        document = books.document(self._contact_id) if question.fields else {}
        standing = books.standing(self._contact_id) if question.asks_standing else None
        on_lists = books.lists(self._number, question.lists) if question.lists else frozenset()
        events = books.events(self._contact_id) if question.asks_events else []
        if message_id is not None:
            events = [each for each in events if _belongs(each, message_id)]
        books.fields |= question.fields
        return question.holds(books.questions.person(document, events, standing, books.at, on_lists))

    def happened(
        self, event: Tree, since: datetime, until: datetime, message_id: UUID | None = None
    ) -> datetime | None:
        """Return when such an event first happened after `since` and not after `until`, if it was not followed yet."""
        if not self.look_back and (self._arrived_at is None or since >= self._arrived_at):
            return None
        wanted = self._books.happening(event)
        found = [
            moment_of(each)
            for each in self._books.events(self._contact_id, since)
            if counts(each, wanted, since, until, message_id)
        ]
        return min(found, default=None)

    def dates(self, attribute: str, where: Tree) -> Sequence[tuple[date, time | None]]:
        """Return the dates that an attribute, or the records of one, hold now."""
        books = self._books
        document = books.document(self._contact_id)
        key, _, part = attribute.partition(".")
        books.fields.add(key)
        if not part:
            return [(date.fromisoformat(document[key]), None)] if document.get(key) else []
        person = books.questions.person(document, (), None, books.at)
        return [
            (date.fromisoformat(record[part]), _time(record) if part == "date" else None)
            for record in books.filter(key, where).records(person)
            if record.get(part)
        ]

    def deceased(self) -> bool:
        """Return whether the person is known to have died; not looked for while nothing changed."""
        if not self.asked:
            return False
        document = self._books.document(self._contact_id)
        self._books.fields.update(("deceased", "deceased_date"))
        if _died(document):
            return True
        return self._books.standing(self._contact_id).deceased is not None

    def opted_out(self, topic: str) -> bool:
        """Return whether they opted out by every channel of the journey; not looked for while nothing changed."""
        if not self.asked:
            return False
        standing = self._books.standing(self._contact_id)
        wanted = topic or EVERY_TOPIC
        channels = self._channels or tuple(Channel)
        return all(standing.opted_out(wanted, channel) is not None for channel in channels)

    def transactional(self, step: Step) -> bool:
        """Return whether nothing holds the messages of a step back."""
        return self._urgent(step.key)

    def holiday(self, day: date) -> bool:
        """Return whether `day` is a public holiday where the person lives."""
        self._books.fields.update(days.PLACE_FIELDS)
        return days.is_holiday(self._books.document(self._contact_id), day)

    def arrive(self, at: datetime) -> None:
        """Say that the person came to another step now: what happened before was not told to its wait."""
        self._arrived_at, self.look_back = at, False

    def renew(self) -> None:
        """Let everything be opened anew: the person was changed."""
        self._books.forget(self._contact_id, self._number)


def moment_of(event: Event) -> datetime:
    """Return when an event counts as having happened: nothing counts later than it was recorded."""
    return min(event.at, event.recorded_at)


def counts(
    event: Event, wanted: Happening, since: datetime, until: datetime, message_id: UUID | None
) -> bool:
    """Return whether an event is such a one, of that message if one is named, after `since` and not after `until`."""
    return since < moment_of(event) <= until and _belongs(event, message_id) and wanted.is_met_by(event)


def _belongs(event: Event, message_id: UUID | None) -> bool:
    of_message = event.kind.startswith(OF_MESSAGES)
    return message_id is None or not of_message or event.message_id == message_id


def _time(record: Mapping[str, Any]) -> time | None:
    found = record.get("time")
    return time.fromisoformat(found) if found else None
