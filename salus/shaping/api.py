"""The door of shaping. Measures are the organization's in context; a `Keeper` belongs to a sender's process."""

from __future__ import annotations

from salus.shaping.files import NAME as FILE
from salus.shaping.files import documents
from salus.shaping.keeper import SUSPENDED, SWITCHED, WARMING, Keeper, Shaper
from salus.shaping.layers import organizations, plan, pool_for, pools_of, relays
from salus.shaping.operations import forget, lift, measure, measures, volumes
from salus.shaping.store import DatabaseStore

__all__ = [
    "FILE",
    "SUSPENDED",
    "SWITCHED",
    "WARMING",
    "DatabaseStore",
    "Keeper",
    "Shaper",
    "documents",
    "forget",
    "lift",
    "measure",
    "measures",
    "organizations",
    "plan",
    "pool_for",
    "pools_of",
    "relays",
    "volumes",
]
