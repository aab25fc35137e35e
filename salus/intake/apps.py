"""Registers the package with Django."""

from __future__ import annotations

from django.apps import AppConfig


class IntakeConfig(AppConfig):
    """The application `intake`."""

    name = "salus.intake"
    label = "intake"
