"""Tells whether this installation is within the world's reach, or a laboratory."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def laboratory() -> bool:
    """Return whether this installation is out of the world's reach, so that reserved names are fine."""
    if getattr(settings, "SALUS_LABORATORY_ROUTES", ""):
        return True
    return urlsplit(settings.SALUS_PUBLIC_URL).hostname in LOOPBACK
