"""The engine as its clients see it: feeds in, answers out, through the socket and a real database."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from salus.audiences import api, client, wire
from salus.audiences.engine.answer import answer
from salus.audiences.engine.keeper import Keeper
from salus.audiences.engine.store import Store
from salus.contacts import api as contacts
from salus.kernel.acting import system
from salus.kernel.errors import Unavailable
from salus.kernel.vocabulary import Channel
from salus.keys import api as keys
from salus.permissions import api as permissions
from salus.platform.tenancy import acting_for
from salus.timeline import api as timeline
from salus.timeline.contracts import EventKind, NewEvent

from .running import DIABETES, EVERYBODY, RunningEngine, patch, wait_until
from .worlds import tree


@pytest.fixture
def clinic(organization: UUID, engine: RunningEngine) -> UUID:
    """An organization with three patients, two with diabetes, that the engine serves."""
    with acting_for(organization):
        contacts.merge(
            [patch("rosa", "E11.9"), patch("abe", "E10.9", "I10", gender="male"), patch("carol", "I10")],
            actor=system(organization, "test"),
        )
    engine.organizations.append(organization)
    wait_until(organization, lambda: api.count(EVERYBODY).people == 3)
    return organization


def ids_by_mark(organization: UUID, *marks: str) -> list[UUID]:
    found = [contacts.find_by_identifier("mrn", mark) for mark in marks]
    return [one for one in found if one is not None]


def test_counts_breaks_down_samples_and_explains(clinic: UUID) -> None:
    actor = system(clinic, "test")
    with acting_for(clinic):
        assert api.count(DIABETES).people == 2
        groups = api.breakdown(DIABETES, "gender", actor=actor)
        assert {(one.value.reveal(), one.people) for one in groups} == {("female", 1), ("male", 1)}
        codes = api.breakdown(EVERYBODY, "conditions", actor=actor)
        assert {(one.value.reveal(), one.people) for one in codes} == {("E11.9", 1), ("E10.9", 1), ("I10", 2)}
        ages = api.breakdown(EVERYBODY, "age", actor=actor)
        assert sum(one.people for one in ages) == 3
        assert {one for _, one in api.sample(DIABETES, 10, actor=actor)} == set(
            ids_by_mark(clinic, "rosa", "abe")
        )
        explained = api.explain(
            tree({"all": [DIABETES["where"], {"any": [{"field": "gender", "equal": "male"}, {"all": []}]}]})
        )
    assert [(one.depth, one.people, one.left) for one in explained.steps] == [
        (0, 2, True), (1, 2, True), (1, 2, True), (2, 1, False), (2, 3, False),
    ]  # fmt: skip
    assert explained.total == 2


def test_changes_reach_the_engine_in_order(clinic: UUID) -> None:
    actor = system(clinic, "test")
    with acting_for(clinic):
        contacts.merge([patch("carol", "E11.65"), patch("dan", "E11.9")], actor=actor)
    wait_until(clinic, lambda: api.count(DIABETES).people == 4)
    with acting_for(clinic):
        (rosa,) = ids_by_mark(clinic, "rosa")
        permissions.opt_out(rosa, "news", Channel.EMAIL, evidence="portal", actor=actor)
        timeline.append(
            [NewEvent(rosa, EventKind.FORM_COMPLETED, datetime.now(UTC), "f1", details={"form": "intake"})]
        )
    out = tree({"consent": "opted_out", "topic": "news", "channel": "email"})
    did = tree({"did": "form_completed", "where": {"form": {"equal": "Intake"}}})
    wait_until(clinic, lambda: api.count(out).people == 1 and api.count(did).people == 1)
    with acting_for(clinic):
        contacts.erase_person(rosa, actor=actor)
    wait_until(clinic, lambda: api.count(DIABETES).people == 3 and api.count(did).people == 0)
    with acting_for(clinic):
        assert api.count(out).people == 0


def test_freezing_waits_for_what_was_committed_before(clinic: UUID) -> None:
    actor = system(clinic, "test")
    with acting_for(clinic):
        segment = api.save_segment("People with diabetes", DIABETES, actor)
    with acting_for(clinic):
        first = api.freeze(segment.id, actor)
    assert first.count == 2
    with acting_for(clinic):
        contacts.merge([patch("eve", "E11.9")], actor=actor)
        contacts.erase_person(*ids_by_mark(clinic, "abe"), actor=actor)
        head = contacts.head_change()
    with acting_for(clinic):
        second = api.freeze(segment.id, actor)
        entered, left = api.entered_and_left(first, second)
        numbers = contacts.numbers_of(ids_by_mark(clinic, "eve", "rosa"))
        assert second.change >= head
        assert sorted(n for chunk in api.numbers(second, 1) for n in chunk) == sorted(numbers.values())
        assert [len(entered), len(left)] == [1, 1]
        assert api.frozen(second.id) == second == api.latest_frozen(segment.id)
        assert api.frozen_name(second.id).reveal() == "People with diabetes"
        assert [(one.field, one.code) for one in second.reads] == [("conditions", "vs:diabetes")]


def test_an_engine_that_is_down_says_so_and_comes_back_with_its_file(
    clinic: UUID, engine: RunningEngine
) -> None:
    engine.stop()
    with acting_for(clinic):
        with pytest.raises(Unavailable, match="not running"):
            api.count(DIABETES)
        assert api.engine_status().state == "down"
        contacts.merge([patch("dan", "E11.9")], actor=system(clinic, "test"))
    engine.start()
    wait_until(clinic, lambda: api.count(DIABETES).people == 3)
    with acting_for(clinic):
        assert api.engine_status().rebuilt_at is None  # the file was good: only the change was read


def test_a_spoiled_file_is_thrown_away_and_built_anew(clinic: UUID, engine: RunningEngine) -> None:
    engine.stop()
    (file,) = engine.directory.glob("*/people.duckdb")
    content = bytearray(file.read_bytes())
    content[4096:8192] = secrets.token_bytes(4096)
    file.write_bytes(content)
    engine.start()
    wait_until(clinic, lambda: api.count(DIABETES).people == 2)
    with acting_for(clinic):
        assert api.engine_status().rebuilt_at is not None


def test_a_build_that_was_cut_off_begins_anew(clinic: UUID, engine: RunningEngine) -> None:
    engine.stop()
    with acting_for(clinic):
        key = keys.audience_file_key()
    store = Store(engine.directory / str(clinic), key, contacts.dictionary())
    assert not store.fresh
    with store.cursor() as cursor:
        cursor.execute("DELETE FROM feed")
        cursor.execute("DELETE FROM person WHERE a_gender = 'male'")
    store.close()
    engine.start()
    wait_until(clinic, lambda: api.count(EVERYBODY).people == 3)


def test_while_a_file_is_built_questions_get_the_progress_at_once(organization: UUID, tmp_path: Path) -> None:
    keeper = Keeper(organization, tmp_path, memory_megabytes=128)
    keeper.people, keeper.of = 30, 120
    request = {
        "ask": "count",
        "tree": EVERYBODY,
        "at": "2025-01-01T00:00:00+00:00",
        "zone": "UTC",
        "seconds": 60,
    }
    with pytest.raises(Unavailable, match="25 of 100 are done"):
        answer(keeper, request)
    assert keeper.facts()["state"] == "building"
    with pytest.raises(Unavailable, match="25 of 100"):
        answer(keeper, request | {"need": {"contacts": 1}, "seconds": 0.05})


def test_a_busy_organization_does_not_hold_up_another(
    clinic: UUID, engine: RunningEngine, make_organization: Callable[[], UUID]
) -> None:
    others = [make_organization() for _ in range(3)]
    for one in others:
        with acting_for(one):
            contacts.merge([patch("rosa", "E11.9")], actor=system(one, "test"))
    engine.organizations.extend(others)
    for one in others:
        wait_until(one, lambda: api.count(EVERYBODY).people == 1)
    with acting_for(clinic):
        assert api.count(EVERYBODY).people == 3


def test_nobody_asks_about_another_organization(
    clinic: UUID, engine: RunningEngine, other_organization: UUID
) -> None:
    engine.organizations.append(other_organization)
    wait_until(other_organization, lambda: api.engine_status().state == "ready")
    with acting_for(other_organization):
        assert api.count(EVERYBODY).people == 0


def test_without_the_token_the_engine_says_nothing(clinic: UUID) -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as connection:
        with wire.short_path(wire.socket_path(client.directory(), 0)) as name:
            connection.connect(name)
        wire.send(connection, {"token": "", "organization": str(clinic), "ask": "count", "tree": EVERYBODY})
        answer = wire.receive(connection, 10_000)
    assert answer["error"]["kind"] == "NotFound"


def test_a_standing_that_ends_by_itself_is_read_again(clinic: UUID) -> None:
    ends = datetime.now(UTC) + timedelta(seconds=2)
    with acting_for(clinic):
        (rosa,) = ids_by_mark(clinic, "rosa")
        permissions.suppress(
            rosa, Channel.EMAIL, "hard_bounce", evidence="mail", actor=system(clinic, "test"), until=ends
        )
    suppressed = tree({"consent": "suppressed", "channel": "email"})
    wait_until(clinic, lambda: api.count(suppressed).people == 1, 1.8)
    wait_until(clinic, lambda: api.count(suppressed).people == 0)


def test_folders_and_sockets_are_for_their_owner_only(clinic: UUID, engine: RunningEngine) -> None:
    socket_file = wire.socket_path(client.directory(), 0)
    for path, mode in (
        (socket_file.parent, 0o700),
        (socket_file, 0o600),
        (engine.directory / str(clinic), 0o700),
        (engine.directory / str(clinic) / "people.duckdb", 0o600),
    ):
        assert path.stat().st_mode & 0o777 == mode, path.name
