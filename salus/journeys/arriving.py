"""What it discloses to have come from other journeys: why people were there, and what the ways there asked."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from uuid import UUID

from salus.journeys.contracts import GoTo, Tree
from salus.journeys.courses import course
from salus.journeys.models import VersionRow
from salus.journeys.specifying import trees_at
from salus.platform.tenancy import current_organization

KEPT = 20_000
"""Versions of which a process remembers where they lead."""


def trees_before(journey_id: UUID) -> tuple[Tree, ...]:
    """Return what was asked of people before other journeys led them to this one, and of those before, on and on.

    Versions that were replaced count too: people may be inside them still.
    """
    lived = VersionRow.objects.filter(live_at__isnull=False).order_by("id")
    others = list(lived.exclude(journey_id=journey_id).values_list("id", "journey_id"))
    found, seen, ahead = list[Tree](), {journey_id}, [journey_id]
    while ahead:
        here = ahead.pop()
        for version_id, other_id in others:
            for target, trees in _leads(current_organization(), version_id):
                if target == here:
                    found += trees
                    ahead += {other_id} - seen
                    seen.add(other_id)
    return tuple(found)


@lru_cache(maxsize=KEPT)
def _leads(organization_id: UUID, version_id: UUID) -> Sequence[tuple[UUID, tuple[Tree, ...]]]:
    """Return to which journeys a version leads, each with what was asked on the way; it never changes."""
    graph = course(version_id).graph
    return tuple(
        (step.does.journey_id, tuple(trees_at(graph, step.key)))
        for step in graph.steps.values()
        if isinstance(step.does, GoTo) and step.does.journey_id is not None
    )
