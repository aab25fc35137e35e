"""Rounds: small things done again and again for every organization, by whichever worker comes first."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, connections

from salus.kernel.errors import SalusError
from salus.platform.tenancy import acting_for

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Round:
    """`act(organization_id)` is called inside `acting_for`, every `seconds`, by one worker at a time."""

    name: str
    seconds: float
    act: Callable[[UUID], object]


def walk(rounds: Sequence[Round], organizations: Callable[[], Iterable[UUID]], stop: threading.Event) -> None:
    """Make the rounds until `stop` is set.

    One that fails for an organization is logged and made again next time; the others have theirs.
    """
    due = {each.name: 0.0 for each in rounds}
    while not stop.wait(0.25):
        for each in rounds:
            if time.monotonic() < due[each.name]:
                continue
            _make(each, organizations)
            due[each.name] = time.monotonic() + each.seconds
    connections.close_all()


def _make(each: Round, organizations: Callable[[], Iterable[UUID]]) -> None:
    try:
        known = list(organizations())
    except Exception:
        log.exception("the round %s could not be made", each.name)
        connections.close_all()
        return
    for organization_id in known:
        try:
            _once(each, organization_id)
        except Exception:
            log.exception("the round %s could not be made for one organization", each.name)
            connections.close_all()


@contextmanager
def held(names: Iterable[str], organization_id: UUID) -> Iterator[None]:
    """Keep every worker from making these rounds for an organization until the block ends, or the process."""
    locks = [[_lock(name, organization_id)] for name in names]
    with connection.cursor() as cursor:
        cursor.executemany("SELECT pg_advisory_lock(%s)", locks)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.executemany("SELECT pg_advisory_unlock(%s)", locks)


def _lock(name: str, organization_id: UUID) -> int:
    digest = hashlib.sha256(f"{name}:{organization_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _once(each: Round, organization_id: UUID) -> None:
    """Make one round for one organization, unless another worker is at it."""
    try:
        with acting_for(organization_id), connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_lock(each.name, organization_id)])
            if cursor.fetchone()[0]:
                each.act(organization_id)
    except SalusError as refused:
        log.warning("the round %s was refused: %s", each.name, refused)
