"""A clinic whose campaign was sent, and another that may see nothing of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from salus.identity.contracts import Organization
from salus.platform.tenancy import acting_for
from tests.reports.world import World, make_world


@pytest.fixture
def world_of(make_clinic: Callable[..., Organization]) -> Callable[..., World]:
    """Return a maker of clinics with a campaign that was sent."""
    return lambda **facts: make_world(make_clinic(), **facts)


@pytest.fixture
def sent(make_clinic: Callable[..., Organization]) -> Iterator[World]:
    """A clinic whose campaign was sent, with the test inside its context."""
    world = make_world(make_clinic())
    with acting_for(world.organization.id):
        yield world


@pytest.fixture
def outsider(make_clinic: Callable[..., Organization]) -> Organization:
    """Somebody else's clinic."""
    return make_clinic("Northfield Clinic")


Json = dict[str, Any]
