"""Where the links of a message lead: the public addresses of the portal and of first-party tracking."""

from __future__ import annotations

from django.urls import reverse


class PublicPages:
    """`salus.delivery.links.Pages` for this installation; `base` is its public address."""

    def __init__(self, base: str) -> None:
        self._base = base.rstrip("/")
        self._known: dict[str, str] = {}

    def _page(self, name: str, token: str) -> str:
        """Return the address of a page with `token` in it; the pattern is looked up once."""
        if name not in self._known:
            self._known[name] = self._base + reverse(name, kwargs={"token": "TOKEN"})
        return self._known[name].replace("TOKEN", token, 1)

    def choices(self, token: str) -> str:
        """Return the page where a reader chooses topics."""
        return self._page("portal:choose", token)

    def unsubscribe(self, token: str) -> str:
        """Return the page that unsubscribes."""
        return self._page("portal:stop", token)

    def why(self, token: str) -> str:
        """Return the page that says why the reader got this."""
        return self._page("portal:why", token)

    def portal(self, token: str) -> str:
        """Return the page where a reader proves who they are and reads."""
        return self._page("portal:check", token)

    def front(self) -> str:
        """Return the portal's front page."""
        if "front" not in self._known:
            self._known["front"] = self._base + reverse("portal:home")
        return self._known["front"]

    def opened(self, token: str) -> str:
        """Return the picture that counts an open."""
        return self._page("delivery:opened", token)

    def clicked(self, token: str, link: str) -> str:
        """Return the address that counts a click."""
        if "clicked" not in self._known:
            pattern = reverse("delivery:clicked", kwargs={"token": "TOKEN", "link": "LINK"})
            self._known["clicked"] = self._base + pattern
        return self._known["clicked"].replace("TOKEN", token, 1).replace("LINK", link, 1)
