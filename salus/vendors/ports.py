"""What wiring gives to vendors: how many things wait for a service on higher storeys."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from uuid import UUID

from salus.vendors.contracts import Waiting

Queues = Callable[[Collection[UUID]], Mapping[UUID, Waiting]]
_queues: Queues = lambda _: {}  # noqa: E731 - the register tells what it knows without them


def use_queues(queues: Queues) -> None:
    """Set who knows what waits for services; wiring calls it once."""
    global _queues
    _queues = queues


def waiting(service_ids: Collection[UUID]) -> Mapping[UUID, Waiting]:
    """Return what waits for each of these services; one for which nothing waits may be left out."""
    return _queues(service_ids)
