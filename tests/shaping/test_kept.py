"""What senders share in the real database: measures with their audit, calendars and days that are never exceeded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connections

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.kernel.acting import system
from salus.kernel.errors import Conflict, NotFound
from salus.kernel.ids import new_id
from salus.platform.tenancy import acting_for
from salus.shaping import api, store
from salus.shaping.contracts import Act, Measure, Rate, Whose
from salus.shaping.document import read
from salus.shaping.files import ours
from salus.shaping.models import MeasureRow, SlotRow, VolumeRow
from tests.delivery.conftest import as_sender  # noqa: F401 - a fixture

HOUR = timedelta(hours=1)


@pytest.fixture
def at() -> datetime:
    return datetime.now(UTC)


async def here(function: Callable[..., Any], *arguments: Any) -> Any:
    """Run a function in a thread, with a connection of its own."""

    def run() -> Any:
        try:
            return function(*arguments)
        finally:
            connections.close_all()

    return await asyncio.to_thread(run)


def measure(organization: UUID, at: datetime, **facts: Any) -> Measure:
    given = {"site": "yahoo", "act": Act.THROTTLE, "whose": Whose.EVERYBODY, "until": at + HOUR, **facts}
    return Measure(new_id(), organization, messages=Rate(10, 60.0), connections=1, **given)


def test_a_measure_is_written_down_once_with_its_reason_and_lifted_by_a_person(
    organization: UUID, at: datetime
) -> None:
    first = measure(organization, at)
    store.take(first, "mta5.am0.yahoodns.net", "yahoo-rate", "421 4.7.0", at)
    longer = measure(organization, at, until=at + 2 * HOUR)
    store.take(longer, "mta5.am0.yahoodns.net", "yahoo-rate", "421 4.7.0", at)
    with acting_for(organization):
        [told] = api.measures(at)
        assert (told.measure.id, told.times, told.measure.until) == (first.id, 2, at + 2 * HOUR)
        assert (told.destination, told.measure.messages, told.said) == (
            "mta5.am0.yahoodns.net",
            Rate(10, 60.0),
            "421 4.7.0",
        )
        assert b"yahoodns" not in bytes(MeasureRow.objects.get().sealed)
        api.lift(first.id, actor=system(organization, "test"), at=at)
        assert not api.measure(first.id).stands(at)
        with pytest.raises(Conflict):
            api.lift(first.id, actor=system(organization, "test"), at=at)
        found = {each.action: each for each in audit.entries(Filters(object_id=first.id))}
        assert set(found) == {Action.SHAPING_TAKE, Action.SHAPING_LIFT}
        assert found[Action.SHAPING_TAKE].reason == "yahoo-rate"
        assert "yahoodns" not in repr(found)


def test_somebody_else_s_measure_is_not_there(
    organization: UUID, other_organization: UUID, at: datetime
) -> None:
    theirs = measure(other_organization, at)
    store.take(theirs, "mx.example", "x", "421", at)
    with acting_for(organization):
        assert api.measures(at) == []
        for ask in (
            lambda: api.measure(theirs.id),
            lambda: api.lift(theirs.id, actor=system(organization, "test"), at=at),
        ):
            with pytest.raises(NotFound):
                ask()


def test_senders_know_the_measures_of_all_organizations_until_they_end_or_are_lifted(
    organization: UUID,
    other_organization: UUID,
    at: datetime,
    as_sender: Callable[[], None],  # noqa: F811
) -> None:
    present = [measure(each, at) for each in (organization, other_organization)]
    over = measure(organization, at, until=at - HOUR)
    lifted = measure(organization, at)
    for number, each in enumerate((*present, over, lifted)):
        store.take(each, "mx.example", f"rule-{number}", "421", at - 2 * HOUR)
    with acting_for(organization):
        api.lift(lifted.id, actor=system(organization, "test"), at=at)
    as_sender()

    found = {each.id: each for each in asyncio.run(api.DatabaseStore(here).measures())}
    assert {each.id for each in present} <= set(found)
    assert not {over.id, lifted.id} & set(found)
    assert found[present[1].id] == present[1]


def many(function: Callable[[int], Any], count: int) -> list[Any]:
    """Call `function` from as many threads at once, each with a connection of its own."""

    def one(number: int) -> Any:
        try:
            return function(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(one, range(count)))


def test_slots_of_a_calendar_are_given_once_however_many_ask(database: object) -> None:
    name = f"messages {new_id()}"

    def reserve(number: int) -> float:
        return asyncio.run(api.DatabaseStore(here).reserve(name, 60.0, 2))

    firsts = sorted(many(reserve, 8))
    assert firsts[0] < 1
    assert all(115 < later - earlier < 125 for earlier, later in zip(firsts, firsts[1:], strict=False))  # noqa: RUF007
    SlotRow.objects.filter(name=name).delete()


def test_a_day_is_never_exceeded_however_many_take_of_it(database: object) -> None:
    source, today = f"mta.{new_id()}.example", date(2026, 3, 2)
    got = many(lambda number: store._allot(source, "google", today, 25, 4), 12)
    assert sum(got) == 25
    assert VolumeRow.objects.get(source=source).used == 25
    VolumeRow.objects.filter(source=source).delete()


def test_what_addresses_that_warm_up_sent_is_told_and_what_is_old_is_forgotten(
    organization: UUID, at: datetime
) -> None:
    source = f"mta.{new_id()}.example"
    text = (
        "[curve.fast]\ngoogle = [30]\nother = [100]\n[pool.main]\n[[pool.main.source]]\n"
        f'name = "{source}"\naddresses = ["127.0.0.9"]\nwarm_up = "fast"\nsince = {at.date()}\n'
    )
    plan = api.plan([ours(), read(text, "x.toml")])
    store._allot(source, "google", at.date(), 30, 7)
    with acting_for(organization):
        told = {each.site: (each.used, each.most) for each in api.volumes(plan, at)}
        assert told == {"google": (7, 30), "other": (0, 100)}
        warm = api.volumes(plan, at + timedelta(days=1))
        assert {each.most for each in warm} == {None}
        store.take(measure(organization, at), "mx.example", "x", "421", at)
        api.forget(at + timedelta(days=89))
        assert (len(api.measures(at)), VolumeRow.objects.filter(source=source).count()) == (1, 1)
        api.forget(at + timedelta(days=91))
        assert (len(api.measures(at)), VolumeRow.objects.filter(source=source).count()) == (0, 0)
