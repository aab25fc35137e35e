"""Registers journeys with Django."""

from django.apps import AppConfig


class JourneysConfig(AppConfig):
    """Journeys."""

    name = "salus.journeys"
    label = "journeys"
