"""Registers the privacy office with Django."""

from django.apps import AppConfig


class PrivacyConfig(AppConfig):
    """The privacy office."""

    name = "salus.privacy"
    label = "privacy"
