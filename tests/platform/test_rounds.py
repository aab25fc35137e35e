"""Rounds: made by one worker at a time, and by none while somebody holds them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from django.db import connections

from salus.platform.rounds import Round, held, walk


def made(organizations: list[UUID], name: str, *, broken: tuple[UUID, ...] = ()) -> list[UUID]:
    """Return for which of these organizations a worker, in a thread of its own, makes a round."""
    found: list[UUID] = []
    stop = threading.Event()

    def act(organization_id: UUID) -> None:
        if organization_id in broken:
            raise ValueError("something that nobody foresaw")
        found.append(organization_id)

    def every() -> list[UUID]:
        stop.set()
        return organizations

    def work() -> None:
        try:
            walk([Round(name, 60.0, act)], every, stop)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result(20)
    return found


@pytest.mark.usefixtures("database")
def test_a_round_that_is_held_is_made_for_others_and_again_afterwards(
    make_organization: Callable[[], UUID],
) -> None:
    ours, theirs = make_organization(), make_organization()
    with held(["journeys-due"], ours):
        assert made([ours, theirs], "journeys-due") == [theirs]
        assert made([ours], "campaigns-launch") == [ours]
    assert made([ours], "journeys-due") == [ours]


@pytest.mark.usefixtures("database")
def test_what_was_held_is_free_again_when_the_block_fails(make_organization: Callable[[], UUID]) -> None:
    ours = make_organization()
    with pytest.raises(RuntimeError, match="broke off"), held(["journeys-due"], ours):
        raise RuntimeError("broke off")
    assert made([ours], "journeys-due") == [ours]


@pytest.mark.usefixtures("database")
def test_what_breaks_for_one_organization_keeps_no_other_waiting(
    make_organization: Callable[[], UUID],
) -> None:
    ours, theirs = make_organization(), make_organization()
    assert made([ours, theirs], "journeys-due", broken=(ours,)) == [theirs]
