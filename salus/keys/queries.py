"""Describes an organization's keys, without opening any."""

from __future__ import annotations

from salus.keys.contracts import KeyFacts
from salus.keys.models import KeyRow


def all_keys() -> tuple[KeyFacts, ...]:
    """Return every key of the current organization, destroyed ones too, by kind, name and version."""
    return tuple(
        KeyFacts(row.kind, row.name, row.version, row.status, row.wrapped_by, row.created_at, row.retired_at)
        for row in KeyRow.objects.defer("wrapped").order_by("kind", "name", "version")
    )
