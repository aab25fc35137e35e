"""What identity is given: the clock, which tests can set, and the way to identity providers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol
from uuid import UUID

from salus.kernel.errors import Unavailable
from salus.kernel.time import Clock, SystemClock

_clock: Clock = SystemClock()


def use_clock(clock: Clock) -> Clock:
    """Take `clock` from now on; return the one that was used before."""
    global _clock
    before, _clock = _clock, clock
    return before


def now() -> datetime:
    """Return the present moment by the clock in use."""
    return _clock.now()


class AskProvider(Protocol):
    """Asks an identity provider that the vendor register allows; `delivery.ask_identity_provider` is one."""

    def __call__(
        self,
        organization_id: UUID,
        registered: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None,
        at: datetime,
    ) -> tuple[int, bytes]:
        """Return status and body; raises `OutOfScope`, `Unavailable`."""
        ...


def _nobody(*_: object, **__: object) -> tuple[int, bytes]:
    raise Unavailable("Nobody speaks to identity providers here.")


_ask_provider: AskProvider = _nobody


def use_ask_provider(ask: AskProvider) -> None:
    """Set who speaks to identity providers; wiring calls it once."""
    global _ask_provider
    _ask_provider = ask


def ask_provider() -> AskProvider:
    """Return who speaks to identity providers."""
    return _ask_provider
