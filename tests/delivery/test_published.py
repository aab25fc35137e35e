"""The policies that domains publish are kept for every sender of an organization, and for nobody else."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection

from salus.delivery.models import StsRow
from salus.delivery.protection.mta_sts import Mode, Published
from salus.delivery.published import PublishedStore
from salus.delivery.transports.sts import KeptPolicy, StoreAway
from salus.kernel.ids import new_id
from salus.platform.tenancy import CrossTenant

from .conftest import Desk

AT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
DOMAIN = "clinic.example"


def policy(id: str = "1", at: datetime = AT) -> KeptPolicy:
    return KeptPolicy(id, Published(Mode.ENFORCE, 3600, ("mx.clinic.example", "*.mail.example")), at)


def at_once(main: Coroutine[Any, Any, object]) -> None:
    """Run what waits for nothing, without an event loop: the test's transaction is this thread's."""
    with pytest.raises(StopIteration):
        main.send(None)


async def here(function: Callable[..., Any], *arguments: Any) -> Any:
    """Run in this thread, within the test's transaction."""
    return function(*arguments)


def test_a_policy_is_found_by_another_sender_and_the_later_one_stays(desk: Desk) -> None:
    async def go() -> None:
        one, other = PublishedStore(here, desk.id), PublishedStore(here, desk.id)
        assert await other.get(DOMAIN) is None
        await one.put(DOMAIN, policy())
        assert await other.get(DOMAIN) == policy()
        assert await other.get("other.example") is None
        await other.put(DOMAIN, policy("2", AT + timedelta(minutes=1)))
        assert await one.get(DOMAIN) == policy("2", AT + timedelta(minutes=1))

    at_once(go())
    assert StsRow.objects.count() == 1


def test_what_has_expired_goes_and_nothing_tells_the_domain(desk: Desk) -> None:
    async def go() -> None:
        store = PublishedStore(here, desk.id)
        await store.put("old.example", policy(at=AT - timedelta(days=2)))
        await store.put(DOMAIN, policy())

    at_once(go())
    (row,) = StsRow.objects.values()
    assert row["expires_at"] == AT + timedelta(hours=1)
    assert b"clinic" not in bytes(row["sealed"])


def test_the_table_is_closed_to_other_organizations(desk: Desk) -> None:
    at_once(PublishedStore(here, desk.id).put(DOMAIN, policy()))
    with pytest.raises(CrossTenant):
        at_once(PublishedStore(here, new_id()).get(DOMAIN))
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('salus.organization', %s, true)", [str(new_id())])
        cursor.execute("SELECT count(*) FROM delivery_sts")
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT set_config('salus.organization', %s, true)", [str(desk.id)])


def test_a_database_that_is_away_is_told_apart_from_nothing_kept(desk: Desk) -> None:
    async def away(function: Callable[..., Any], *arguments: Any) -> Any:
        raise OperationalError("gone")

    with pytest.raises(StoreAway):
        at_once(PublishedStore(away, desk.id).get(DOMAIN))
