"""The journey stages: new, active, overdue, at risk. Their definitions are data (`data/stages.json`).

New, active and overdue exclude each other; somebody at risk may be in one of them as well. Somebody
who was never seen and has nothing booked is in none of the three.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from salus.audiences.contracts import Tree

LABELS: Mapping[str, str] = {
    "new": "New",
    "active": "Active",
    "overdue": "Overdue",
    "at_risk": "At risk",
}


@lru_cache(maxsize=1)
def definitions() -> Mapping[str, Tree]:
    """Return the segment tree that defines each stage, by the stage's name."""
    text = (Path(__file__).parent / "data" / "stages.json").read_text(encoding="utf-8")
    return MappingProxyType(json.loads(text))
