"""The courses of versions that were live, read once in a process: they never change."""

from __future__ import annotations

from functools import lru_cache
from uuid import UUID

from salus.journeys.models import VersionRow
from salus.journeys.queries import graph_of
from salus.journeys.rules.moving import Course
from salus.kernel.errors import NotFound
from salus.platform.tenancy import current_organization

KEPT = 200
"""Versions whose graphs a process keeps ready."""


def course(version_id: UUID) -> Course:
    """Return the course of a version that people are in, or were; raises `NotFound`."""
    return _course(current_organization(), version_id)


@lru_cache(maxsize=KEPT)
def _course(organization_id: UUID, version_id: UUID) -> Course:
    row = VersionRow.objects.filter(id=version_id).first()
    if row is None:
        raise NotFound
    return Course(graph_of(row), row.journey_id)
