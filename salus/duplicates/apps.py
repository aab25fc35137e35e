"""Registers duplicates with Django."""

from django.apps import AppConfig


class DuplicatesConfig(AppConfig):
    """Duplicates."""

    name = "salus.duplicates"
    label = "duplicates"
