"""An encrypted store for the tests of audiences, and a way to fill it anew."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
from pyroaring import BitMap

from salus.audiences import columns
from salus.audiences.engine import load
from salus.audiences.engine.ask import Asker, zones_at
from salus.audiences.engine.store import Store
from salus.audiences.lexicon import Lexicon
from salus.audiences.lists import Range
from salus.audiences.nodes import Moment
from salus.permissions.contracts import Standing
from salus.timeline.contracts import Event

from .running import RunningEngine
from .worlds import LEXICON

Someone = tuple[Mapping[str, Any], Sequence[Event], Standing]

Lists = Mapping[UUID, frozenset[int]]
NO_LISTS: Lists = {}


class People:
    """A store that a test fills with people, numbered from 1, and asks."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.cutter = load.Cutter.of(store.attributes)

    def fill(self, people: Sequence[Someone], lists: Lists = NO_LISTS) -> None:
        """Replace everybody by `people`, of whom these numbers are in static segments."""
        with self.store.cursor() as cursor:
            cursor.begin()
            for table in columns.schema(self.store.attributes):
                cursor.execute(f"DELETE FROM {table}")
            documents = [
                (number, UUID(int=number), 1, orjson.dumps(document))
                for number, (document, _, _) in enumerate(people, 1)
            ]
            self.cutter.insert(cursor, documents)
            load.insert_events(cursor, [one for _, events, _ in people for one in events])
            load.insert_standings(cursor, [(number, one[2]) for number, one in enumerate(people, 1)])
            for segment_id, members in lists.items():
                load.put_range(cursor, Range(1, segment_id, 0, BitMap(members)))
            cursor.commit()

    @contextmanager
    def asker(self, moment: Moment, lexicon: Lexicon = LEXICON) -> Iterator[Asker]:
        """Ask as of `moment`."""
        with self.store.cursor() as cursor:
            yield Asker(cursor, lexicon, moment, zones_at(moment, self.store.zone_names()))


@pytest.fixture(scope="session")
def session_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = Store(tmp_path_factory.mktemp("audience"), secrets.token_bytes(32), LEXICON.attributes)
    yield store
    store.close()


@pytest.fixture(scope="session")
def people(session_store: Store) -> People:
    """Return a store to fill; tests share it and each replaces everybody."""
    return People(session_store)


@pytest.fixture
def engine(database: object, tmp_path: Path) -> Iterator[RunningEngine]:
    running = RunningEngine(tmp_path / "audience")
    running.start()
    yield running
    running.stop()
