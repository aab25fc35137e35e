"""Registers the package with Django."""

from __future__ import annotations

from django.apps import AppConfig


class AudiencesConfig(AppConfig):
    """The application `audiences`."""

    name = "salus.audiences"
    label = "audiences"
