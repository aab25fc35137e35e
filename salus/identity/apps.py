"""Registers identity with Django."""

from django.apps import AppConfig


class IdentityConfig(AppConfig):
    """Organizations, staff, sessions and API keys."""

    name = "salus.identity"
    label = "identity"
    default_auto_field = "django.db.models.BigAutoField"
