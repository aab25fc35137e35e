"""Registers the platform with Django."""

from django.apps import AppConfig


class PlatformConfig(AppConfig):
    """The platform's own tables: the feed counters."""

    name = "salus.platform"
    label = "platform"
    default_auto_field = "django.db.models.BigAutoField"
