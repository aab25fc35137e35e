"""Registers vendors with Django."""

from django.apps import AppConfig


class VendorsConfig(AppConfig):
    """Vendors."""

    name = "salus.vendors"
    label = "vendors"
