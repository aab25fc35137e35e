"""A clock for identity that a test may move."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from salus.identity import ports
from salus.kernel.time import FakeClock


@pytest.fixture
def clock() -> Iterator[FakeClock]:
    """A clock that stands at the present second until the test moves it."""
    fake = FakeClock(datetime.now(UTC).replace(microsecond=0))
    before = ports.use_clock(fake)
    yield fake
    ports.use_clock(before)
