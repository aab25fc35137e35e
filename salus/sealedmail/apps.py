"""Registers sealed mail with Django."""

from django.apps import AppConfig


class SealedMailConfig(AppConfig):
    """Sealed mail."""

    name = "salus.sealedmail"
    label = "sealedmail"
