"""What the wire asks about a destination: where a message may go now, and when its turn is; and whom it tells of refusals."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace
from typing import Protocol

from salus.delivery.transports.settings import WireSettings
from salus.shaping.contracts import Berth, Detour, Hold, Limits, Source


class Shaper(Protocol):
    """Anything that knows what destinations get."""

    def hold(self, site: str, hosts: tuple[str, ...]) -> Hold | Detour | None:
        """Return why nothing goes to a destination now, or by which relay it goes, before anything is made for it."""
        ...

    async def berth(self, site: str, hosts: tuple[str, ...], *, by_relay: bool = False) -> Berth | Hold:
        """Return where a message may go now."""
        ...

    async def turn(self, berth: Berth) -> float:
        """Return 0.0 when a message's turn has come, else the seconds after which to come back."""
        ...

    async def connecting(self, berth: Berth) -> None:
        """Wait until another connection may be made."""
        ...

    def unused(self, berth: Berth) -> None:
        """Take back what a message took and did not use."""
        ...

    def heard(self, berth: Berth, code: int, enhanced: str, text: str) -> None:
        """Take a refusal down; its text is not kept."""
        ...


@dataclass(frozen=True, slots=True)
class Unshaped:
    """Every destination gets what the settings say, always: for laboratories and tests."""

    settings: WireSettings

    def hold(self, site: str, hosts: tuple[str, ...]) -> Hold | Detour | None:
        """Nothing is held."""
        return None

    async def berth(self, site: str, hosts: tuple[str, ...], *, by_relay: bool = False) -> Berth | Hold:
        """Return a berth with the limits of the settings."""
        settings = self.settings
        limits = Limits(
            settings.connections_per_site,
            min(settings.connections_at_first, settings.connections_per_site),
            settings.messages_per_connection,
            idle=settings.idle,
        )
        return Berth(site, site, limits)

    async def turn(self, berth: Berth) -> float:
        """Every turn has come."""
        return 0.0

    async def connecting(self, berth: Berth) -> None:
        """Connect at once."""

    def unused(self, berth: Berth) -> None:
        """Nothing is counted."""

    def heard(self, berth: Berth, code: int, enhanced: str, text: str) -> None:
        """Nothing is done about it."""


def local_address(source: Source | None, remote: str) -> str | None:
    """Return which address of a source reaches `remote`: of the same family. "" for any; None: it has none."""
    if source is None:
        return ""
    version = ipaddress.ip_address(remote).version
    found = (each for each in source.addresses if ipaddress.ip_address(each).version == version)
    return next(found, None)


def called(settings: WireSettings, source: Source | None) -> WireSettings:
    """Return the settings with what a source calls itself in EHLO."""
    return replace(settings, hello=source.name) if source else settings
