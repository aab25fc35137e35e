"""A clinic with somebody of whom every package holds something, and somebody else beside."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from salus.duplicates import api as duplicates
from salus.identity.contracts import Organization
from salus.privacy import api as privacy
from salus.wiring.joined import STEPS
from salus.wiring.person import PACKAGES
from tests.delivery.conftest import Desk, furnish


@pytest.fixture
def desk(make_clinic: Callable[..., Organization]) -> Desk:
    """A clinic of its own, really committed: erasures and emptying have transactions of their own."""
    privacy.use_packages(PACKAGES)
    duplicates.use_steps(STEPS)
    return furnish(make_clinic())
