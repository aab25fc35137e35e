"""Registers the portal with Django."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """The patients' pages; it has no tables of its own."""

    name = "salus.portal"
    label = "portal"
