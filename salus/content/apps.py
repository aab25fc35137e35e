"""Tells Django about this package."""

from django.apps import AppConfig


class ContentConfig(AppConfig):
    """The content package."""

    name = "salus.content"
    label = "content"
