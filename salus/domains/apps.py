"""Registers domains with Django."""

from django.apps import AppConfig


class DomainsConfig(AppConfig):
    """Records of sending domains, and reports about them."""

    name = "salus.domains"
    label = "domains"
