"""Registers safeguards with Django."""

from django.apps import AppConfig


class SafeguardsConfig(AppConfig):
    """Protection policies and wishes."""

    name = "salus.safeguards"
    label = "safeguards"
