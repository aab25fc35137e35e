"""Registers the web shell with Django, so that its templates, tags and static files are found."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """The web shell has no tables."""

    name = "salus.platform.web"
    label = "web"
