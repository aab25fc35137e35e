"""The rooms of the console and who may open each; and what the foot of the navigation says about the log."""

from __future__ import annotations

from django.http import HttpRequest

from salus.platform.web.shell import Pulse, Room

PEOPLE, MESSAGES, PRIVACY = "People", "Messages", "Privacy office"

ROOMS = (
    Room("Home", "reports:home", "home"),
    Room("Contacts", "contacts:list", "people", "contacts:record:read", PEOPLE),
    Room("Import", "intake:list", "down", "contacts:import:run", PEOPLE),
    Room("Segments", "audiences:list", "segment", "segments:segment:read", PEOPLE),
    Room("Campaigns", "campaigns:list", "send", "campaigns:campaign:read", MESSAGES),
    Room("Templates", "content:list", "page", "content:template:read", MESSAGES),
    Room("Reports", "reports:list", "chart", "campaigns:report:read", MESSAGES),
    Room("Receipts and log", "reports:log", "seal", "audit:log:read", PRIVACY),
    Room("Staff", "identity:staff", "people", "identity:staff:manage", PRIVACY),
    Room("API keys", "identity:keys", "key", "identity:apikey:manage", PRIVACY),
)


def pulse(request: HttpRequest) -> Pulse | None:
    """Return the line about the log, for those who may read it; None for the others."""
    return None
