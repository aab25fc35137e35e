"""Distances on the earth between the middles of ZIP code areas."""

from __future__ import annotations

import math

RADIUS = 6371.0088
"""Mean radius of the earth in kilometers (IUGG)."""


def distance(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Return the great-circle distance in kilometers (haversine)."""
    half_north = math.sin(math.radians(other_latitude - latitude) / 2)
    half_east = math.sin(math.radians(other_longitude - longitude) / 2)
    chord = half_north * half_north + (
        math.cos(math.radians(latitude)) * math.cos(math.radians(other_latitude)) * half_east * half_east
    )
    return 2 * RADIUS * math.asin(min(1.0, math.sqrt(chord)))
