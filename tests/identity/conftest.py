"""A clock for identity that a test may move."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from salus.identity import ports
from salus.kernel.time import FakeClock
from tests.identity.idp import Idp, running


@pytest.fixture
def clock() -> Iterator[FakeClock]:
    """A clock that stands at the present second until the test moves it."""
    fake = FakeClock(datetime.now(UTC).replace(microsecond=0))
    before = ports.use_clock(fake)
    yield fake
    ports.use_clock(before)


@pytest.fixture(scope="session")
def idp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Idp]:
    """A real identity provider, shared: tests say who comes by it."""
    with running(tmp_path_factory.mktemp("idp")) as provider:
        yield provider
