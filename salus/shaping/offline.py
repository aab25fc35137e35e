"""A door that needs no installation: reads the plan of a home folder, so that a bad one is seen before anything starts."""

from __future__ import annotations

from salus.shaping.files import documents

__all__ = ["documents"]
