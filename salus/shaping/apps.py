"""Registers shaping with Django."""

from django.apps import AppConfig


class ShapingConfig(AppConfig):
    """Shaping."""

    name = "salus.shaping"
    label = "shaping"
