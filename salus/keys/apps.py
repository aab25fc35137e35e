"""Registers the keyring with Django."""

from django.apps import AppConfig


class KeysConfig(AppConfig):
    """The table of wrapped keys."""

    name = "salus.keys"
    label = "keys"
    default_auto_field = "django.db.models.BigAutoField"
