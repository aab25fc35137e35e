"""Keeps one organization's store: builds it, follows the feeds, and lets questions wait for a number."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import pyarrow as pa

from salus.audiences import columns, knowledge, lists
from salus.audiences.engine import load
from salus.audiences.engine.store import Store
from salus.contacts import api as contacts
from salus.contacts.contracts import Attribute
from salus.kernel.errors import Unavailable
from salus.kernel.time import FAR
from salus.keys import api as keys
from salus.permissions import api as permissions
from salus.platform.tenancy import acting_for
from salus.timeline import api as timeline

log = logging.getLogger(__name__)

FEEDS = ("contacts", "permissions", "timeline", "lists")
BATCH = 5_000
"""Changes pulled in one transaction while following."""
RANGES = 16
"""Ranges of static segments pulled in one transaction: a million people at most."""
BUILD_BATCH = 16_384
"""People opened at once while building."""
BUILDERS = 2
COMMIT_EVERY = 4
"""Batches that one builder cuts before it commits: with 16, 400 MB more wait in memory at the peak."""


class Keeper:
    """One organization in the engine. `tick` is called by one thread at a time; questions by many."""

    def __init__(
        self,
        organization_id: UUID,
        directory: Path,
        *,
        memory_megabytes: int,
        stopping: threading.Event | None = None,
        attributes: Mapping[str, Attribute] | None = None,
    ) -> None:
        self.organization_id = organization_id
        self.state = "building"
        self.people = 0
        self.of = 0
        self.positions: dict[str, int] = dict.fromkeys(FEEDS, 0)
        self.heads: dict[str, int] = dict.fromkeys(FEEDS, 0)
        self.rebuilt_at: datetime | None = None
        self.build: dict[str, float] = {}
        """How long the last build took: people, then feeds."""
        self._directory = directory / str(organization_id)
        self._memory = memory_megabytes
        self._attributes = attributes if attributes is not None else knowledge.lexicon().attributes
        self._cutter = load.Cutter.of(self._attributes)
        self._store: Store | None = None
        self._moved = threading.Condition()
        self._zones: dict[int, str] | None = None
        self._recheck = FAR
        self._stopping = stopping or threading.Event()
        self.wake = threading.Event()

    # What questions use

    def store(self) -> Store:
        """Return the store when it can answer; raises `Unavailable` with the progress of the build."""
        if self._store is None or self.state != "ready":
            share = f" {100 * self.people // self.of} of 100 are done." if self.of else ""
            raise Unavailable(
                f"The audience engine is being built.{share}",
                kept="Sends that are planned already go on.",
                next_step="Counts come back when it is done.",
            )
        return self._store

    def wait_for(self, need: Mapping[str, int], seconds: float) -> None:
        """Return when every feed is read up to `need`; raises `Unavailable` when that takes too long.

        Who needs nothing in particular is not kept waiting by a build: they get its progress.
        """
        if not need:
            self.store()
            return
        deadline = time.monotonic() + seconds
        with self._moved:
            while not self._has(need):
                self.wake.set()
                left = deadline - time.monotonic()
                if left <= 0:
                    self.store()
                    raise Unavailable(
                        "The audience engine has not caught up yet.",
                        kept="Nothing was changed.",
                        next_step="Try again in a minute.",
                    )
                self._moved.wait(min(left, 0.5))

    def _has(self, need: Mapping[str, int]) -> bool:
        return self.state == "ready" and all(self.positions[name] >= number for name, number in need.items())

    def zone_names(self) -> dict[int, str]:
        """Return the time zones that somebody lives in, by their number in the store."""
        if self._zones is None:
            with self.store().cursor() as cursor:
                names = self.store().zone_names()
                found = cursor.execute("SELECT DISTINCT zone FROM person WHERE zone > 0").fetchall()
                self._zones = {int(zone): names[zone] for (zone,) in found}
        return self._zones

    def limit_memory(self, megabytes: int) -> None:
        """Hold this organization's share of the engine's memory at `megabytes`."""
        self._memory = megabytes
        if self._store is not None:
            self._store.limit_memory(megabytes)

    # What the engine's own thread does

    def tick(self) -> bool:
        """Bring the store closer to the feeds; return whether there is more to read at once."""
        try:
            if self._store is None:
                self._begin()
            if self.state != "ready":
                self._build()
            return self._follow()
        except duckdb.Error as fault:
            # Never the text of the error: it may quote what is in the file.
            log.warning("An audience file is thrown away: %s", type(fault).__name__)
            self._drop()
            raise Unavailable("The audience file could not be kept.") from None

    def close(self) -> None:
        """Close the file."""
        if self._store is not None:
            self._store.close()
            self._store = None

    def _begin(self) -> None:
        with acting_for(self.organization_id):
            key = keys.audience_file_key()
        self._store = Store(self._directory, key, self._attributes, memory_megabytes=self._memory)
        with self._store.cursor() as cursor:
            found = dict(cursor.execute("SELECT name, number FROM feed").fetchall())
            self.people = _first(cursor.execute(f"SELECT count(*) FROM {columns.PERSON}"))  # noqa: S608
            self._recheck = _recheck(cursor)
        if set(FEEDS) <= set(found):
            self.positions = {name: int(found[name]) for name in FEEDS}
            self.state = "ready"

    def _drop(self) -> None:
        """Close the file and throw it away: the next tick builds it anew."""
        if self._store is not None:
            store, self._store = self._store, None
            store.close()
            store.throw_away()
        self.state = "building"

    def _build(self) -> None:
        """Load everybody, then what the ledger says of them and what happened to them."""
        started = time.monotonic()
        if not self._open_store().fresh:
            self._open_store().rebuild()  # what a build left that was cut off
        self._open_store().fresh = False
        self.people, self._recheck = 0, FAR
        self.positions = dict.fromkeys(FEEDS, 0)
        with acting_for(self.organization_id):
            self.of = contacts.count()
            start = contacts.head_change()
        with self._open_store().one_thread_a_statement():
            self._load_everybody()
        people_seconds = time.monotonic() - started
        self.positions["contacts"] = start
        while self._follow():
            self._go_on()
        with self._open_store().cursor() as cursor:
            cursor.begin()
            for name in FEEDS:
                cursor.execute(
                    "INSERT INTO feed VALUES ($name, $number)", {"name": name, "number": self.positions[name]}
                )
            cursor.commit()
        self._open_store().checkpoint()
        seconds = time.monotonic() - started
        self.build = {
            "people_seconds": people_seconds,
            "feeds_seconds": seconds - people_seconds,
            "seconds": seconds,
        }
        self.rebuilt_at = datetime.now(UTC)
        with self._moved:
            self.state = "ready"
            self._moved.notify_all()
        log.info("An audience file was built: %s people in %.1f s", self.people, seconds)

    def _go_on(self) -> None:
        """Raise `Unavailable` when the engine is to stop: a build that is cut off begins anew."""
        if self._stopping.is_set():
            raise Unavailable("The audience engine is closing.")

    def _open_store(self) -> Store:
        """Return the store, whatever the state; for the engine's own thread."""
        if self._store is None:
            raise Unavailable("The audience file is closed.")
        return self._store

    def _load_everybody(self) -> None:
        """Open documents in this thread while two others cut them: decryption and columns overlap."""
        waiting: queue.Queue[pa.Table | None] = queue.Queue(maxsize=1)
        faults: list[BaseException] = []
        builders = [
            threading.Thread(target=self._cut, args=(waiting, faults), name=f"builder-{i}")
            for i in range(BUILDERS)
        ]
        for one in builders:
            one.start()
        try:
            last = 0
            while not faults:
                self._go_on()
                with acting_for(self.organization_id):
                    documents = list(contacts.open_documents_after(last, BUILD_BATCH))
                if not documents:
                    break
                last = documents[-1][0]
                _offer(waiting, load.batch_of(documents), faults)
        finally:
            for _ in builders:
                _offer(waiting, None, faults)
            for one in builders:
                one.join()
        if faults:
            raise faults[0]

    def _cut(self, waiting: queue.Queue[pa.Table | None], faults: list[BaseException]) -> None:
        try:
            with self._open_store().cursor() as cursor:
                uncommitted = 0
                while (batch := waiting.get()) is not None:
                    if not uncommitted:
                        cursor.begin()
                    self._cutter.insert_arrow(cursor, batch)
                    uncommitted += 1
                    with self._moved:
                        self.people += len(batch)
                    if uncommitted == COMMIT_EVERY:
                        cursor.commit()
                        uncommitted = 0
                if uncommitted:
                    cursor.commit()
        except BaseException as fault:  # noqa: BLE001 - handed to the thread that waits for this one
            faults.append(fault)

    def _follow(self) -> bool:
        """Read one batch of each feed; return whether one of them has more."""
        with acting_for(self.organization_id):
            # Later feeds first: whoever they tell of is then among the contacts read after them.
            heads = {
                "timeline": timeline.head(),
                "lists": lists.head(),
                "permissions": permissions.head_change(),
                "contacts": contacts.head_change(),
            }
        self.heads = heads
        if heads["contacts"] > self.positions["contacts"]:
            self._follow_contacts(heads["contacts"])
        if self.positions["contacts"] >= heads["contacts"]:
            if heads["permissions"] > self.positions["permissions"]:
                self._follow_permissions(heads["permissions"])
            if heads["timeline"] > self.positions["timeline"]:
                self._follow_timeline(heads["timeline"])
            if heads["lists"] > self.positions["lists"]:
                self._follow_lists(heads["lists"])
        if datetime.now(UTC) >= self._recheck:
            self._check_again()
        with self._moved:
            self._moved.notify_all()
        return any(self.positions[name] < number for name, number in heads.items())

    def _follow_contacts(self, head: int) -> None:
        with acting_for(self.organization_id):
            changes = contacts.changes(self.positions["contacts"], BATCH)
            living = [one.contact_id for one in changes if not one.erased]
            documents = list(contacts.open_documents(ids=living))
            # Whose records were merged, or taken apart, has other events than before, and they are not in the feed.
            moved = contacts.ever_joined([one[1] for one in documents])
            events = timeline.all_of(moved, self.positions["timeline"]) if moved else []
        position = _position([one.change for one in changes], head)
        others = (columns.EVENT, columns.LISTED, *load.LEDGER)
        tables = [name for name in columns.schema(self._attributes) if name not in others]
        kept = {one[0] for one in documents}
        erased = [one.number for one in changes if one.number not in kept]
        anew = [one[0] for one in documents if one[1] in moved]
        with self._open_store().cursor() as cursor:
            cursor.begin()
            load.remove(cursor, [one.number for one in changes], tables)
            if erased:
                load.remove(cursor, erased, (columns.EVENT, *load.LEDGER))
            if documents:
                self._cutter.insert_arrow(cursor, load.batch_of(documents))
            load.remove(cursor, anew, (columns.EVENT,))
            load.insert_events(cursor, events)
            self._save_position(cursor, "contacts", position)
            cursor.commit()
            people = _first(cursor.execute(f"SELECT count(*) FROM {columns.PERSON}"))  # noqa: S608
        self.positions["contacts"] = position
        self.people, self._zones = people, None

    def _follow_permissions(self, head: int) -> None:
        with acting_for(self.organization_id):
            changes = permissions.changes(self.positions["permissions"], BATCH)
            standings = permissions.standings([one.contact_id for one in changes], datetime.now(UTC))
        position = _position([one.change for one in changes], head)
        with self._open_store().cursor() as cursor:
            cursor.begin()
            numbers = load.numbers_of(cursor, list(standings))
            load.insert_standings(
                cursor, [(numbers[one], standing) for one, standing in standings.items() if one in numbers]
            )
            self._save_position(cursor, "permissions", position)
            cursor.commit()
            self._recheck = _recheck(cursor)
        self.positions["permissions"] = position

    def _follow_timeline(self, head: int) -> None:
        with acting_for(self.organization_id):
            events = timeline.events_since(self.positions["timeline"], BATCH)
        position = _position([one.number for one in events], head)
        with self._open_store().cursor() as cursor:
            cursor.begin()
            load.insert_events(cursor, events)
            self._save_position(cursor, "timeline", position)
            cursor.commit()
        self.positions["timeline"] = position

    def _follow_lists(self, head: int) -> None:
        with acting_for(self.organization_id):
            ranges = lists.changes(self.positions["lists"], RANGES)
        position = _position([one.change for one in ranges], head, RANGES)
        with self._open_store().cursor() as cursor:
            cursor.begin()
            for one in ranges:
                load.put_range(cursor, one)
            self._save_position(cursor, "lists", position)
            cursor.commit()
        self.positions["lists"] = position

    def _check_again(self) -> None:
        """Read anew the standings that something began or ended in by itself since they were read."""
        now = datetime.now(UTC)
        with self._open_store().cursor() as cursor:
            due = cursor.execute(
                "SELECT person.id, person.number FROM standing JOIN person USING (number) "
                "WHERE valid_until <= $now LIMIT $most",
                {"now": now.replace(tzinfo=None), "most": BATCH},
            ).fetchall()
            with acting_for(self.organization_id):
                standings = permissions.standings([one for one, _ in due], now)
            cursor.begin()
            load.insert_standings(cursor, [(number, standings[one]) for one, number in due])
            cursor.commit()
            self._recheck = max(_recheck(cursor), now + timedelta(seconds=1))

    def _save_position(self, cursor: duckdb.DuckDBPyConnection, name: str, number: int) -> None:
        """Say in the store how far a feed is read; not before everything is there for the first time."""
        if self.state == "ready":
            cursor.execute("DELETE FROM feed WHERE name = $name", {"name": name})
            cursor.execute("INSERT INTO feed VALUES ($name, $number)", {"name": name, "number": number})

    def facts(self) -> dict[str, Any]:
        """Return how this organization stands, for `status`."""
        return {
            "state": self.state,
            "people": self.people,
            "of": max(self.of, self.people),
            "positions": dict(self.positions),
            "behind": {name: max(0, self.heads[name] - self.positions[name]) for name in FEEDS},
            "rebuilt_at": self.rebuilt_at.isoformat() if self.rebuilt_at else None,
            "build": self.build,
        }


def _offer(
    waiting: queue.Queue[pa.Table | None], batch: pa.Table | None, faults: list[BaseException]
) -> None:
    """Put a batch into the queue unless nobody takes them any more."""
    while True:
        try:
            waiting.put(batch, timeout=0.5)
        except queue.Full:
            if faults:
                return
        else:
            return


def _position(numbers: list[int], head: int, batch: int = BATCH) -> int:
    """Return how far a feed is read after a batch of `numbers`, at most `batch`, when its head was `head` before.

    A batch that is not full holds everything up to the head, even when the last numbers were taken by
    nobody: a number that is committed later is a higher one.
    """
    if len(numbers) < batch:
        return max(head, numbers[-1] if numbers else 0)
    return numbers[-1]


def _first(result: duckdb.DuckDBPyConnection) -> int:
    row = result.fetchone()
    return int(row[0]) if row and row[0] is not None else 0


def _recheck(cursor: duckdb.DuckDBPyConnection) -> datetime:
    """Return when the next standing in the store ends by itself."""
    row = cursor.execute("SELECT min(valid_until) FROM standing").fetchone()
    return row[0].replace(tzinfo=UTC) if row and row[0] is not None else FAR
