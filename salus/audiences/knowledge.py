"""What the language knows in this installation: the dictionary, codes, stages, places, other segments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from django.conf import settings

from salus.audiences import stages
from salus.audiences.contracts import Tree
from salus.audiences.lexicon import Lexicon, no_segments
from salus.audiences.nodes import Moment
from salus.audiences.places import load_places
from salus.contacts import api as contacts
from salus.identity import api as identity
from salus.kernel.errors import NotFound
from salus.kernel.time import Clock, SystemClock

_CLOCK = SystemClock()


def lexicon(segment: Callable[[UUID], Tree] = no_segments) -> Lexicon:
    """Return the words of the language; `segment` finds the trees of other segments."""
    return Lexicon(
        attributes=contacts.dictionary(),
        patterns=contacts.patterns,
        specials=contacts.specials_asked,
        stages=stages.definitions(),
        segment=segment,
        places=_places(str(getattr(settings, "SALUS_PLACES", "") or "")),
    )


@lru_cache(maxsize=1)
def code_names() -> Mapping[str, str]:
    """Return the names of value sets ("vs:diabetes" -> "Diabetes")."""
    return {f"vs:{one.name}": one.label for one in contacts.VALUE_SETS.values()}


@lru_cache(maxsize=2)
def _places(path: str) -> Mapping[str, tuple[float, float]]:
    return load_places(Path(path)) if path else {}


def moment(clock: Clock = _CLOCK) -> Moment:
    """Return now, in the current organization's own time zone."""
    try:
        zone = identity.organization().time_zone
    except NotFound:
        zone = "UTC"
    return Moment(clock.now(), zone)
