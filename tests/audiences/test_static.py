"""Static segments: people are put in and taken out, sealed, and every question sees it."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from salus.audiences import api, columns, lists
from salus.audiences.engine import load
from salus.audiences.engine.keeper import RANGES
from salus.audiences.lists import BITS, Range
from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.contacts import api as contacts
from salus.kernel.acting import Actor, system
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.ids import new_id
from salus.kernel.vocabulary import PhiClass, Special
from salus.permissions.contracts import Standing
from salus.platform.tenancy import acting_for

from .conftest import People
from .running import RunningEngine, patch, wait_until
from .worlds import FRIENDS, NOON, TRIAL, tree

NAME = "Friends of Quillfeather Lane"
STANDING = Standing(UUID(int=1), 0, NOON, NOON)


@pytest.fixture
def five(actor: Actor) -> list[UUID]:
    """Five people, numbered from 1."""
    return people(actor)


def people(actor: Actor, count: int = 5) -> list[UUID]:
    made = contacts.merge([patch(f"p{n}") for n in range(count)], actor=actor)
    return [one.contact_id for one in made if one.contact_id]


@pytest.fixture
def friends(five: list[UUID], actor: Actor) -> UUID:
    """An empty static segment."""
    return api.create_static(NAME, actor, tells=[PhiClass.ENGAGEMENT]).id


def named(segment_id: UUID) -> dict[str, Any]:
    return tree({"segment": str(segment_id)})


def on(segment_id: UUID) -> list[int]:
    return list(api.static_members(segment_id))


def test_people_are_put_in_and_taken_out_by_number(friends: UUID, actor: Actor) -> None:
    assert api.add_members(friends, [1, 3, 3], actor) == 2
    assert api.add_members(friends, [3, 5], actor) == 1
    assert on(friends) == [1, 3, 5]
    assert api.remove_members(friends, [1, 2], actor) == 1
    assert api.remove_members(friends, [1], actor) == 0
    assert api.add_members(friends, [], actor) == 0
    assert on(friends) == [3, 5]


def test_it_is_a_segment_as_any_other(friends: UUID, actor: Actor) -> None:
    shown = api.segment(friends)
    assert (shown.name.reveal(), shown.static, shown.version) == (NAME, True, 1)
    assert [one.id for one in api.segments()] == [friends]
    rules = api.save_segment("Not friends", tree({"not": {"segment": str(friends)}}), actor)
    assert not rules.static
    assert [(one.field, one.phi_class) for one in rules.reads] == [("list", PhiClass.ENGAGEMENT)]
    assert api.lists_in(rules.tree) == api.lists_in(shown.tree) == api.lists_in(named(rules.id)) == {friends}
    assert api.lists_in(tree({"all": []})) == frozenset()
    assert api.steps(shown.tree)[0].sentence == "Was put into this segment by hand or by a journey"
    assert api.fingerprint(rules.id) != api.fingerprint(friends)


def test_being_in_it_tells_what_was_said_when_it_was_made(five: list[UUID], actor: Actor) -> None:
    made = api.create_static(
        "Study", actor, tells=[PhiClass.MEDICATION, PhiClass.DIAGNOSIS], specials=[Special.HIV]
    )
    found = [(one.field, one.phi_class, one.special) for one in api.check(named(made.id))]
    assert found == [
        ("list", PhiClass.DIAGNOSIS, None),
        ("list", PhiClass.MEDICATION, None),
        ("list", PhiClass.DIAGNOSIS, Special.HIV),
    ]
    less = made.tree["where"] | {"tells": ["engagement"]}
    for where in (
        less,
        {"listed": str(made.id), "tells": []},
        {"listed": str(new_id()), "tells": ["engagement"]},
    ):
        with pytest.raises(BadInput) as caught:
            api.check(tree(where))
        assert caught.value.place.startswith("$.where")
    with pytest.raises(BadInput) as nothing:
        api.create_static("Study", actor, tells=[])
    assert nothing.value.place == "tells"
    with pytest.raises(BadInput) as nameless:
        api.create_static(" ", actor, tells=[PhiClass.ENGAGEMENT])
    assert nameless.value.place == "name"


def test_it_is_renamed_and_never_gets_rules_nor_loses_what_it_tells(friends: UUID, actor: Actor) -> None:
    own = api.segment(friends).tree
    again = api.save_segment("Neighbors", own, actor, segment_id=friends, version=1)
    assert (again.name.reveal(), again.version, again.static) == ("Neighbors", 2, True)
    with pytest.raises(Conflict):
        api.save_segment("Late", own, actor, segment_id=friends, version=1)
    for other in (tree({"all": []}), tree(own["where"] | {"tells": ["diagnosis"]})):
        with pytest.raises(BadInput):
            api.save_segment(NAME, other, actor, segment_id=friends)


def test_numbers_that_nobody_has_yet_are_refused_and_nothing_is_changed(friends: UUID, actor: Actor) -> None:
    bad: list[Any] = [6, 0, -1, 2**32, "x", None]
    for number in bad:
        with pytest.raises(BadInput) as caught:
            api.add_members(friends, [1, number], actor)
        assert caught.value.place == "numbers"
    assert on(friends) == []
    with pytest.raises(NotFound):
        api.add_members(new_id(), [1], actor)
    rules = api.save_segment("All", tree({"all": []}), actor)
    with pytest.raises(BadInput, match="rules say"):
        api.add_members(rules.id, [1], actor)


def test_who_is_on_which_list_is_told_in_bulk_and_to_one_persons_rules(
    friends: UUID, five: list[UUID], actor: Actor
) -> None:
    trial = api.create_static("Trial", actor, tells=[PhiClass.DIAGNOSIS]).id
    api.add_members(friends, [1, 2], actor)
    api.add_members(trial, [2, 3], actor)
    asked = api.lists_of([1, 2, 3, 4], [friends, trial])
    assert asked == {1: {friends}, 2: {friends, trial}, 3: {trial}, 4: frozenset()}
    assert api.lists_of([1, 2], [trial]) == {1: frozenset(), 2: {trial}}
    assert api.lists_of([], [trial]) == {}
    assert api.matches(named(friends), {}, (), STANDING, NOON, lists=asked[1])
    assert not api.matches(named(friends), {}, (), STANDING, NOON, lists=asked[3])
    with pytest.raises(BadInput, match="nobody looked"):
        api.matches(named(friends), {}, (), STANDING, NOON)


def test_membership_is_sealed_and_the_log_holds_counts(friends: UUID, five: list[UUID], actor: Actor) -> None:
    api.add_members(friends, [1, 2, 3], actor)
    api.remove_members(friends, [2], actor)
    with connection.cursor() as cursor:
        cursor.execute("SELECT sealed FROM audiences_listed")
        ((sealed,),) = cursor.fetchall()
    assert bytes(sealed) != BitMap([1, 3]).serialize()
    assert BitMap([1, 3]).serialize() not in bytes(sealed)
    last, first = audit.entries(Filters(action=Action.SEGMENT_MEMBERS), after=None, limit=5)
    assert (first.object_id, first.details, first.patient_id) == (friends, {"added": 3}, None)
    assert (last.details, last.patient_id) == ({"removed": 1}, five[1])


def test_another_organization_sees_and_changes_no_list(organization: UUID, other_organization: UUID) -> None:
    with acting_for(organization):
        actor = system(organization, "test")
        people(actor)
        made = api.create_static(NAME, actor, tells=[PhiClass.ENGAGEMENT]).id
        api.add_members(made, [1], actor)
    with acting_for(other_organization):
        stranger = system(other_organization, "test")
        people(stranger)
        with pytest.raises(NotFound):
            api.add_members(made, [2], stranger)
        assert on(made) == []
        assert api.lists_of([1], [made]) == {1: frozenset()}
        with connection.cursor() as cursor:  # past the manager: row-level security alone
            cursor.execute("SELECT count(*) FROM audiences_listed")
            assert cursor.fetchone() == (0,)


def test_lists_that_are_changed_at_the_same_time_in_any_order_keep_every_change(organization: UUID) -> None:
    actor = system(organization, "test")
    with acting_for(organization):
        people(actor, 40)
        made = [
            api.create_static(name, actor, tells=[PhiClass.ENGAGEMENT]).id for name in ("One", "Two", "Three")
        ]

    def work(mine: Iterable[int], order: list[UUID]) -> None:
        try:
            for number in mine:
                with acting_for(organization):
                    for segment_id in order:
                        api.add_members(segment_id, [number], actor)
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=work, args=(range(first, 41, 4), made[first % 3 :] + made[: first % 3]))
        for first in (1, 2, 3, 4)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    with acting_for(organization):
        assert [on(segment_id) for segment_id in made] == [list(range(1, 41))] * 3


# Ranges

NUMBERS = st.one_of(
    st.integers(1, 40), st.integers(0xFFF0, 0x10010), st.sampled_from([0x20000, 0x2FFFF, 0x30000, 1_000_000])
)
CHANGES = st.lists(st.tuples(st.booleans(), st.frozensets(NUMBERS, max_size=12)), max_size=8)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(CHANGES)
def test_ranges_hold_what_a_set_would_and_the_feed_brings_the_store_there(
    tenant: UUID, people: People, changes: list[tuple[bool, frozenset[int]]]
) -> None:
    segment_id, expected, cursor_at = new_id(), set[int](), lists.head()
    people.fill([])
    for wanted, numbers in changes:
        before = set(expected)
        expected = expected | numbers if wanted else expected - numbers
        assert lists.put(segment_id, BitMap(numbers), wanted=wanted) == len(before ^ expected)
        if len(numbers) % 2:
            cursor_at = follow(people, cursor_at)
    follow(people, cursor_at)
    assert set(lists.members(segment_id)) == expected
    with people.store.cursor() as cursor:
        found = cursor.execute(f"SELECT number FROM {columns.LISTED}").fetchall()
    assert sorted(number for (number,) in found) == sorted(expected)
    on_it = {n for n, some in lists.of_numbers([1, 2, 0xFFFF, 0x10000], [segment_id]).items() if some}
    assert on_it == expected & {1, 2, 0xFFFF, 0x10000}


def follow(people: People, after: int) -> int:
    with people.store.cursor() as cursor:
        cursor.begin()
        for one in lists.changes(after, 100):
            load.put_range(cursor, one)
        cursor.commit()
    return lists.head()


def test_adding_a_thousand_to_a_million_writes_a_few_kilobytes(tenant: UUID) -> None:
    segment_id = new_id()
    lists.put(segment_id, BitMap(range(1, 1_000_001, 2)), wanted=True)
    ranges = len(lists.changes(0, 100))
    assert ranges == (1_000_000 >> BITS) + 1
    head = lists.head()
    assert lists.put(segment_id, BitMap(range(2, 2_001, 2)), wanted=True) == 1_000
    (changed,) = lists.changes(head, 100)
    assert changed.place == 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(length(sealed)) FROM audiences_listed WHERE segment_id = %s", [segment_id])
        assert cursor.fetchone()[0] < 9_000


# With the engine


@pytest.fixture
def clinic(organization: UUID, engine: RunningEngine) -> UUID:
    """An organization with five people and a static segment with two of them, that the engine serves."""
    actor = system(organization, "test")
    with acting_for(organization):
        people(actor)
        made = api.create_static(NAME, actor, tells=[PhiClass.DIAGNOSIS])
        api.add_members(made.id, [1, 2], actor)
    engine.organizations.append(organization)
    wait_until(organization, lambda: api.count(named(made.id)).people == 2)
    return organization


def test_counts_samples_and_rules_see_the_list_as_it_changes(clinic: UUID) -> None:
    actor = system(clinic, "test")
    with acting_for(clinic):
        (made,) = api.segments()
        ids = contacts.ids_of([1, 2, 3])
        assert {one for _, one in api.sample(named(made.id), 10, actor=actor)} == {ids[1], ids[2]}
        api.remove_members(made.id, [1], actor)
        api.add_members(made.id, [3], actor)
    others = tree({"not": {"segment": str(made.id)}})
    wait_until(
        clinic, lambda: set(api.members(made.tree)) == {2, 3} and set(api.members(others)) == {1, 4, 5}
    )
    with acting_for(clinic):
        contacts.change_attributes([(2, {"city": "Hays"})], actor)
        contacts.erase_person(ids[3], actor=actor)
    both = tree({"all": [{"segment": str(made.id)}, {"field": "city", "equal": "Hays"}]})
    wait_until(clinic, lambda: set(api.members(named(made.id))) == {2} and set(api.members(both)) == {2})


def test_a_freeze_has_everybody_who_was_put_in_before(clinic: UUID) -> None:
    actor = system(clinic, "test")
    with acting_for(clinic):
        (made,) = api.segments()
        first = api.freeze(made.id, actor)
        api.add_members(made.id, [4, 5], actor)
    with acting_for(clinic):
        second = api.freeze(made.id, actor)
        entered, left = api.entered_and_left(first, second)
        assert (set(entered), set(left)) == ({4, 5}, set())
        assert [(one.field, one.phi_class) for one in second.reads] == [("list", PhiClass.DIAGNOSIS)]
        assert api.engine_status().behind == dict.fromkeys(
            ("contacts", "permissions", "timeline", "lists"), 0
        )


def test_a_store_that_is_built_anew_has_more_ranges_than_are_read_at_once(
    clinic: UUID, engine: RunningEngine
) -> None:
    actor = system(clinic, "test")
    engine.stop()
    with acting_for(clinic):
        more = [
            api.create_static(f"List {n}", actor, tells=[PhiClass.ENGAGEMENT]).id for n in range(RANGES + 3)
        ]
        for segment_id in more:
            api.add_members(segment_id, [5], actor)
    for file in engine.directory.glob("*/people.duckdb*"):
        file.unlink()
    engine.start()
    last = named(more[-1])
    wait_until(clinic, lambda: set(api.members(last)) == {5} and set(api.members(named(more[0]))) == {5})


def test_a_range_that_is_put_in_twice_is_there_once(people: People) -> None:
    people.fill([])
    with people.store.cursor() as cursor:
        for segment_id, members in ((FRIENDS, [1, 2]), (FRIENDS, [1, 2]), (TRIAL, [2]), (FRIENDS, [2])):
            load.put_range(cursor, Range(1, segment_id, 0, BitMap(members)))
        found = cursor.execute(f"SELECT segment, number FROM {columns.LISTED} ORDER BY ALL").fetchall()
    assert found == [(FRIENDS, 2), (TRIAL, 2)]
