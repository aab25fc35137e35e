"""Registers recovery with Django."""

from django.apps import AppConfig


class RecoveryConfig(AppConfig):
    """Backups, restores and drills."""

    name = "salus.recovery"
    label = "recovery"
