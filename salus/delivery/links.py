"""The addresses in one message: opaque tokens only, counted on our own host, never a word about the person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from salus.delivery.sealing import CHOICES, PORTAL, TRACK


class Pages(Protocol):
    """Where a reader gets to; wiring gives it, because the pages live on higher storeys.

    Each takes a sealed token and returns an absolute address.
    """

    def choices(self, token: str) -> str:
        """Return the page where a reader chooses topics."""
        ...

    def unsubscribe(self, token: str) -> str:
        """Return the page that unsubscribes; a POST there is RFC 8058's one click."""
        ...

    def why(self, token: str) -> str:
        """Return the page that says why the reader got this."""
        ...

    def portal(self, token: str) -> str:
        """Return the page where a reader proves who they are and reads."""
        ...

    def front(self) -> str:
        """Return the portal's front page, for a message that does not wait there."""
        ...

    def opened(self, token: str) -> str:
        """Return the picture that counts an open."""
        ...

    def clicked(self, token: str, link: str) -> str:
        """Return the address that counts a click on the link with this key, and leads on."""
        ...


@dataclass(frozen=True, slots=True)
class Links:
    """The addresses of one message: `values` as templates name them, and the one-click address."""

    values: Mapping[str, str] = field(repr=False)
    one_click: str = field(repr=False)


def links(tokens: Mapping[str, str], keys: Iterable[str], pages: Pages) -> Links:
    """Return the addresses of a message with these tokens; `keys` are those of the links in its text."""
    track, choices, portal = (tokens.get(purpose, "") for purpose in (TRACK, CHOICES, PORTAL))
    values = {
        "choices": pages.choices(choices) if choices else "",
        "unsubscribe": pages.unsubscribe(choices) if choices else "",
        "why": pages.why(choices) if choices else "",
        "portal": pages.portal(portal) if portal else pages.front(),
        "open": pages.opened(track) if track else "",
    }
    if track:
        values |= {key: pages.clicked(track, key) for key in keys}
    return Links(values, values["unsubscribe"])
