"""What the frame of a page shows: who is signed in, the rooms they may open, whether the log is sound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, get_urlconf, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.module_loading import import_string

HOME = "/"


@dataclass(frozen=True, slots=True)
class Room:
    """One entry of the navigation; `permission` is the word that opens it, "" for everybody.

    `count` tells how many things wait in the room ("" when none does); it is asked on every page, so it
    must be cheap.
    """

    label: str
    url_name: str
    icon: str
    permission: str = ""
    group: str = ""
    count: Callable[[HttpRequest], str] | None = None


@dataclass(frozen=True, slots=True)
class Who:
    """The person a page is shown to; whoever authenticates puts it on the request as `who`."""

    organization: str
    person: str
    role: str
    permissions: frozenset[str] = frozenset()
    theme: str = ""
    account_url: str = ""
    sign_out_url: str = ""
    alive_url: str = ""
    signed_out_url: str = ""
    idle_seconds: int = 900

    @property
    def initials(self) -> str:
        """Return one or two letters for the round mark beside the name."""
        words = self.person.split()
        return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper()


@dataclass(frozen=True, slots=True)
class Pulse:
    """The line at the foot of the navigation about the audit log. Show only what was really checked."""

    headline: str
    when: str
    detail: str
    url: str
    sound: bool = True

    @property
    def icon(self) -> str:
        """Return the glyph: a seal, or an alert when the log is not sound."""
        return "seal" if self.sound else "alert"

    @property
    def tone(self) -> str:
        """Return the CSS class of the glyph's meaning."""
        return "c-clear" if self.sound else "c-broke"


@dataclass(frozen=True, slots=True)
class Door:
    """A room that this person may open, with its address, whether they stand in it, and what waits there."""

    label: str
    url: str
    icon: str
    current: bool
    count: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Rooms under one heading."""

    label: str
    rooms: tuple[Door, ...]


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `who`, `nav_groups` of rooms, `pulse`, `home_url`.

    The table of rooms and the function that tells the pulse are named by the settings `SALUS_ROOMS`
    and `SALUS_PULSE` (dotted paths), because only wiring knows all packages.
    """
    who: Who | None = getattr(request, "who", None)
    if who is None:
        return {"who": None, "nav_groups": (), "pulse": None, "home_url": HOME}
    # Only the frame asks for these two, so the parts of a page that are rendered by themselves do not pay for them.
    return {
        "who": who,
        "nav_groups": SimpleLazyObject(lambda: _nav_groups(request, who)),
        "pulse": SimpleLazyObject(lambda: _pulse(request)),
        "home_url": HOME,
    }


def _nav_groups(request: HttpRequest, who: Who) -> tuple[Group, ...]:
    return open_rooms(
        _named("SALUS_ROOMS") or (),
        who.permissions,
        request.path,
        count=lambda room: room.count(request) if room.count else "",
    )


def _pulse(request: HttpRequest) -> Pulse | None:
    pulse = _named("SALUS_PULSE")
    return pulse(request) if pulse is not None else None


def open_rooms(
    rooms: Sequence[Room],
    permissions: frozenset[str],
    path: str,
    *,
    count: Callable[[Room], str] = lambda _: "",
) -> tuple[Group, ...]:
    """Return the rooms that `permissions` open, grouped; the one whose address leads `path` is current.

    A room whose pages are not mounted is left out.
    """
    addresses = [
        (room, address_of(room.url_name))
        for room in rooms
        if not room.permission or room.permission in permissions
    ]
    reachable = [(room, url) for room, url in addresses if url]
    leading = [url for _, url in reachable if path == url or (url != HOME and path.startswith(url))]
    here = max(leading, key=len, default="")
    groups: dict[str, list[Door]] = {}
    for room, url in reachable:
        door = Door(room.label, url, room.icon, url == here, count(room))
        groups.setdefault(room.group, []).append(door)
    return tuple(Group(label, tuple(doors)) for label, doors in groups.items())


def address_of(url_name: str) -> str:
    """Return where a page without parameters is, "" when it is not mounted.

    It is always the same, and three dozen of them stand on every page.
    """
    return _address(url_name, get_urlconf() or settings.ROOT_URLCONF)


@lru_cache(maxsize=200)
def _address(url_name: str, urlconf: str) -> str:
    try:
        return reverse(url_name, urlconf)
    except NoReverseMatch:
        return ""


def _named(setting: str) -> Any:
    """Return the object that a setting names by its dotted path, None when the setting is empty."""
    path: str = getattr(settings, setting, "")
    return import_string(path) if path else None


PulseTeller = Callable[[HttpRequest], Pulse | None]
