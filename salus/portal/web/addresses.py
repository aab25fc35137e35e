"""The portal's addresses as messages carry them; wiring hands them to delivery."""

from __future__ import annotations

from django.urls import reverse


class PortalPages:
    """Makes absolute addresses of the portal from sealed tokens."""

    def __init__(self, base: str) -> None:
        self._base = base.rstrip("/")

    def choices(self, token: str) -> str:
        """Return the page where a reader chooses."""
        return self._address("choose", token)

    def unsubscribe(self, token: str) -> str:
        """Return the page that unsubscribes; a POST there is RFC 8058's one click."""
        return self._address("stop", token)

    def why(self, token: str) -> str:
        """Return the page that says why the reader got the message."""
        return self._address("why", token)

    def portal(self, token: str) -> str:
        """Return the page where a reader proves who they are and reads."""
        return self._address("check", token)

    def opt_in(self, token: str) -> str:
        """Return the page that confirms a double opt-in."""
        return self._address("opt_in", token)

    def _address(self, name: str, token: str) -> str:
        return self._base + reverse(f"portal:{name}", args=[token])
