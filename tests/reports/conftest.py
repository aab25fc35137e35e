"""A clinic whose campaign was sent, and another that may see nothing of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.test import Client

from salus.identity.contracts import Organization
from salus.platform.tenancy import acting_for
from tests.browser import Console
from tests.reports.world import World, make_world

_shared: dict[str, World] = {}


@pytest.fixture
def shared(make_clinic: Callable[..., Organization]) -> World:
    """A clinic whose campaign was sent; made once, for tests that change nothing of it."""
    if "world" not in _shared:
        _shared["world"] = make_world(make_clinic())
    return _shared["world"]


@pytest.fixture
def inside(shared: World) -> Iterator[World]:
    """The same, with the test inside its context."""
    with acting_for(shared.organization.id):
        yield shared


@pytest.fixture
def own(make_clinic: Callable[..., Organization]) -> World:
    """A clinic of this test's own, to be changed."""
    return make_world(make_clinic())


@pytest.fixture
def outsider(make_clinic: Callable[..., Organization]) -> Console:
    """Somebody else's clinic, and how its staff sign in."""
    return Console("", make_clinic("Northfield Clinic"))


def client_of(world: World, role: str) -> Client:
    """Return a client that is signed in at the world's clinic."""
    return Console("", world.organization).client(role)
